package broker_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session/broker"
)

// sysNames are the topics that mosquitto 2.0.11 has below $SYS/broker/.
const sysNames = `bytes/received bytes/sent clients/active clients/connected clients/disconnected clients/expired
clients/inactive clients/maximum clients/total heap/current heap/maximum messages/received messages/sent
messages/stored publish/bytes/received publish/bytes/sent publish/messages/dropped publish/messages/received
publish/messages/sent retained_messages/count shared_subscriptions/count store/messages/bytes
store/messages/count subscriptions/count uptime version`

const sysLoads = `bytes/received bytes/sent connections messages/received messages/sent publish/dropped
publish/received publish/sent sockets`

// figures returns what a client got of $SYS.
func (c *client) figures() map[string]string {
	list := make(map[string]string)
	for _, p := range c.packets() {
		if p, ok := p.(*codec.Publish); ok {
			list[strings.TrimPrefix(string(p.Topic), "$SYS/broker/")] = string(p.Payload)
		}
	}
	return list
}

func sysWorld(t *testing.T) *world {
	cfg := broker.Config{MaximumRetained: 1}
	cfg.Sys = broker.Sys{Interval: 10 * time.Second, Version: "v1", Heap: func() (uint64, uint64) { return 5, 7 }}
	return durable(t, cfg)
}

// The names are those of mosquitto.
func TestSysNames(t *testing.T) {
	w := sysWorld(t)
	c := w.connect(codec.V5, clean("c"))
	c.send(subscribe(filter("$SYS/#", 0)))
	want := strings.Fields(sysNames)
	for i, name := range want {
		want[i] = strings.Replace(name, "retained_messages", "retained messages", 1)
	}
	for _, name := range strings.Fields(sysLoads) {
		for _, span := range []string{"1min", "5min", "15min"} {
			want = append(want, "load/"+name+"/"+span)
		}
	}
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(c.figures())); !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// Figures are right, come when they changed, and are not stored.
func TestSysFigures(t *testing.T) {
	w := sysWorld(t)
	c := w.connect(codec.V5, clean("c")).subscribed(filter("t/#", 1), filter("$share/g/none", 1))
	w.connect(codec.V5, expiring(lasting("away", codec.V5), 15)).subscribed(filter("t/1", 1)).drop()
	c.send(retained("t/1", "12345", 1), publish("t/2", "123", 0))
	c.packets()
	w.pass(10 * time.Second)
	c.send(subscribe(filter("$SYS/#", 0)))
	got := c.figures()
	for name, want := range map[string]string{
		"version": "v1", "uptime": "10 seconds",
		"clients/total": "2", "clients/connected": "1", "clients/active": "1", "clients/disconnected": "1",
		"clients/inactive": "1", "clients/maximum": "1", "clients/expired": "0",
		"publish/messages/received": "2", "publish/messages/sent": "2",
		"publish/bytes/received": "8", "publish/bytes/sent": "8", // one waits
		"messages/received": "6", "messages/sent": "7", "publish/messages/dropped": "0",
		"subscriptions/count": "2", "shared_subscriptions/count": "1",
		"heap/current": "5", "heap/maximum": "7",
		"load/sockets/1min": "1.84", "load/publish/received/1min": "1.84",
	} {
		if got[name] != want {
			t.Errorf("%s is %s, want %s", name, got[name], want)
		}
	}
	for key := range w.disk {
		if strings.Contains(key, "$SYS") {
			t.Errorf("%q is stored", key)
		}
	}
	w.pass(10 * time.Second)
	second := c.figures()
	if second["uptime"] != "20 seconds" || second["clients/expired"] != "1" || second["clients/total"] != "1" {
		t.Errorf("second round: %q", second)
	}
	for _, name := range []string{"version", "heap/current", "clients/connected", "subscriptions"} {
		if _, ok := second[name]; ok {
			t.Errorf("%s came though it did not change", name)
		}
	}
	c.send(retained("t/3", "beyond the limit", 0))
	if s := w.b.Stats(); s.NotRetained != 1 {
		t.Errorf("%+v", s)
	}
	w.restart()
	w.connect(codec.V5, clean("c")).subscribed(filter("none", 0))
}

func expiring(p *codec.Connect, seconds uint32) *codec.Connect {
	p.Properties.SessionExpiryInterval = codec.Some(seconds)
	return p
}

// Loads are averages over the last minutes.
func TestSysLoad(t *testing.T) {
	w := sysWorld(t)
	c := w.connect(codec.V5, clean("c"))
	c.send(subscribe(filter("$SYS/broker/load/publish/received/+", 0)))
	c.packets()
	for range 360 { // an hour at six messages a minute
		c.send(publish("none", "", 0))
		w.pass(10 * time.Second)
	}
	got := fmt.Sprint(c.figures())
	if want := "map[load/publish/received/15min:5.89 load/publish/received/1min:6.00 load/publish/received/5min:6.00]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A message counts as delivered when it is sent, not when it begins to wait, and
// only once.
func TestDelivered(t *testing.T) {
	w := newWorld(t, broker.Config{})
	w.connect(codec.V5, lasting("c", codec.V5)).subscribed(filter("t/#", 1)).drop()
	pub := w.connect(codec.V5, clean("pub")).subscribed(filter("t/0", 0))
	pub.send(publish("t/1", "12345", 1), publish("t/0", "123", 0))
	want := func(qos0, qos1, bytes uint64) {
		t.Helper()
		if s := w.b.Stats(); s.Delivered != [3]uint64{qos0, qos1} || s.DeliveredBytes != bytes {
			t.Errorf("%v delivered, %d bytes, want %d, %d and %d", s.Delivered, s.DeliveredBytes, qos0, qos1, bytes)
		}
	}
	want(1, 0, 3)
	for range 2 {
		w.present(codec.V5, lasting("c", codec.V5), true).drop()
		want(1, 1, 8)
	}
}
