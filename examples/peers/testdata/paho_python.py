"""Lets a test drive clients of Paho for Python 1.6 by JSON lines.

Commands come on the standard input, one a line: {"id", "do", "client", ...}.
Answers, {"id", ...}, and what clients receive, {"client", "event", ...}, go to
the standard output. Properties have the standard's names without spaces;
payloads are base64.
"""

import base64
import json
import os
import socket
import sys
import threading

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCodes
from paho.mqtt.subscribeoptions import SubscribeOptions

printing = threading.Lock()


def say(**line):
    with printing:
        print(json.dumps(line), flush=True)


def properties_of(packet, values):
    """Makes Paho's properties from ours; None where there are none."""
    if not values:
        return None
    p = Properties(packet)
    for name, value in values.items():
        if name == "UserProperty":
            for pair in value:
                p.UserProperty = tuple(pair)
        elif name == "CorrelationData":
            p.CorrelationData = value.encode()
        else:
            setattr(p, name, value)
    return p


def values_of(p):
    """Makes our properties from Paho's."""
    values = {}
    for name, value in (vars(p) if p else {}).items():
        if name in ("packetType", "types", "names", "properties"):
            continue
        if isinstance(value, bytes):
            value = value.decode()
        values[name] = value
    return values


def code(reason):
    return getattr(reason, "value", reason)


class Client(mqtt.Client):
    def _thread_main(self):
        """Paho's loop does not expect that TLS is cut off while it writes."""
        try:
            super()._thread_main()
        except OSError:
            self._sock_close()
            self.on_disconnect(self, None, mqtt.MQTT_ERR_CONN_LOST)


class Peer:
    def __init__(self, name, o):
        self.name, self.options = name, o
        self.v5 = o["version"] == 5
        self.connecting = None  # the command that waits for CONNACK
        self.lock = threading.Lock()
        self.waiting, self.early = {}, {}  # commands and results by kind and packet identifier
        self.received = 0
        self.aliases = {}  # Paho leaves them to its user
        web = o["transport"] in ("ws", "wss")
        c = self.c = Client(
            o.get("clientID", ""),
            clean_session=None if self.v5 else o.get("clean", False),
            protocol=mqtt.MQTTv5 if self.v5 else mqtt.MQTTv311,
            transport="websockets" if web else "tcp",
            reconnect_on_failure=False,
        )
        if web:
            c.ws_set_options(path="/mqtt")
        if o["transport"] in ("tls", "wss"):
            c.tls_set(o["ca"], certfile=o.get("cert"), keyfile=o.get("key"))
        if "user" in o:
            c.username_pw_set(o["user"], o.get("password"))
        if "will" in o:
            w = o["will"]
            c.will_set(w["topic"], base64.b64decode(w.get("payload", "")), w.get("qos", 0), w.get("retain", False),
                       **self.with_properties(PacketTypes.WILLMESSAGE, w))
        c.on_connect = self.on_connect
        c.on_message = self.on_message
        c.on_disconnect = self.on_disconnect
        c.on_publish = lambda c, u, mid: self.settle("publish", mid, {"reason": None})
        c.on_subscribe = lambda c, u, mid, codes, p=None: self.settle(
            "subscribe", mid, {"reasons": [code(r) for r in codes], "properties": values_of(p)})
        if self.v5:
            c.on_unsubscribe = lambda c, u, mid, p, codes: self.settle(
                "unsubscribe", mid, {"reasons": [code(r) for r in (codes if isinstance(codes, list) else [codes])]})
        else:
            c.on_unsubscribe = lambda c, u, mid: self.settle("unsubscribe", mid, {})

    def with_properties(self, packet, o):
        return {"properties": properties_of(packet, o.get("properties"))} if self.v5 else {}

    def settle(self, kind, mid, result):
        """A packet was acknowledged, maybe before its command is known to wait."""
        with self.lock:
            command = self.waiting.pop((kind, mid), None)
            if command is None:
                self.early[kind, mid] = result
        if command is not None:
            say(id=command, **result)

    def expect(self, kind, mid, command):
        with self.lock:
            result = self.early.pop((kind, mid), None)
            if result is None:
                self.waiting[kind, mid] = command
        if result is not None:
            say(id=command, **result)

    def on_connect(self, c, userdata, flags, reason, properties=None):
        command, self.connecting = self.connecting, None
        if command is not None:
            say(id=command, reason=code(reason), present=bool(flags["session present"]), properties=values_of(properties))

    def on_message(self, c, userdata, m):
        self.received += 1
        if self.received == self.options.get("dropAfter"):
            self.cut()
        properties = values_of(getattr(m, "properties", None))
        topic, alias = m.topic, properties.pop("TopicAlias", None)
        if alias and topic:
            self.aliases[alias] = topic
        elif alias:
            topic = self.aliases[alias]
        say(client=self.name, event="message", topic=topic, payload=base64.b64encode(m.payload).decode(),
            qos=m.qos, retain=bool(m.retain), dup=bool(m.dup), aliased=bool(alias), properties=properties)

    def on_disconnect(self, c, userdata, reason, properties=None):
        command, self.connecting = self.connecting, None
        if command is not None:
            say(id=command, error="closed before CONNACK")
        # Paho's own error numbers are no reason codes.
        say(client=self.name, event="closed", reason=reason.value if isinstance(reason, ReasonCodes) else None,
            properties=values_of(properties))

    def cut(self):
        """Breaks the connection under Paho, without any packet."""
        s = socket.socket(fileno=os.dup(self.c.socket().fileno()))
        s.shutdown(socket.SHUT_RDWR)
        s.close()

    def connect(self, command, o):
        self.connecting = command
        self.aliases = {}
        clean = {"clean_start": o.get("clean", False)} if self.v5 else {}
        self.c.connect(o["host"], o["port"], o.get("keepAlive", 60), **clean, **self.with_properties(PacketTypes.CONNECT, o))
        self.c.loop_start()

    def reconnect(self, command, o):
        self.c.loop_stop()
        self.options.pop("dropAfter", None)
        self.connect(command, {**self.options, "clean": False})

    def publish(self, command, o):
        info = self.c.publish(o.get("topic", ""), base64.b64decode(o.get("payload", "")), o.get("qos", 0), o.get("retain", False),
                              **self.with_properties(PacketTypes.PUBLISH, o))
        self.expect("publish", info.mid, command)

    def subscribe(self, command, o):
        if self.v5:
            filters = [(f["filter"], SubscribeOptions(f.get("qos", 0), f.get("noLocal", False), f.get("retainAsPublished", False),
                                                      f.get("retainHandling", 0))) for f in o["filters"]]
            _, mid = self.c.subscribe(filters, properties=properties_of(PacketTypes.SUBSCRIBE, o.get("properties")))
        else:
            _, mid = self.c.subscribe([(f["filter"], f.get("qos", 0)) for f in o["filters"]])
        self.expect("subscribe", mid, command)

    def unsubscribe(self, command, o):
        _, mid = self.c.unsubscribe([f["filter"] for f in o["filters"]])
        self.expect("unsubscribe", mid, command)

    def disconnect(self, command, o):
        if self.v5:
            reason = ReasonCodes(PacketTypes.DISCONNECT, identifier=o.get("reason", 0))
            self.c.disconnect(reason, properties_of(PacketTypes.DISCONNECT, o.get("properties")))
        else:
            self.c.disconnect()
        say(id=command)

    def kill(self, command, o):
        self.cut()
        say(id=command)


def main():
    peers = {}
    for line in sys.stdin:
        o = json.loads(line)
        try:
            if o["do"] == "connect":
                peers[o["client"]] = Peer(o["client"], o)
            getattr(peers[o["client"]], o["do"])(o["id"], o)
        except Exception as e:  # the test wants to know what Paho says
            say(id=o["id"], error=f"{type(e).__name__}: {e}")


main()
