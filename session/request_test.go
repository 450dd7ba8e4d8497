package session_test

import "testing"

// TestSubscribe covers SUBSCRIBE, UNSUBSCRIBE and their answers.
func TestSubscribe(t *testing.T) {
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	subscribe {"Filters":[{"Filter":"a","QoS":1},{"Filter":"b"}]}
	| Write SUBSCRIBE PacketID=1 Filters[0].Filter=a Filters[0].QoS=1 Filters[1].Filter=b
	unsubscribe {"Filters":["a"]}
	| Write UNSUBSCRIBE PacketID=2 Filters=a
	recv SUBACK {"PacketID":1,"ReasonCodes":[1,143]}
	| Subscribed token=1 id=1 packet=SUBACK PacketID=1 ReasonCodes="0x01 Granted QoS 1, 0x8F Topic Filter invalid"
	recv UNSUBACK {"PacketID":2,"ReasonCodes":[17]}
	| Unsubscribed token=2 id=2 packet=UNSUBACK PacketID=2 ReasonCodes="0x11 No subscription existed"
	subscribe {"Filters":[{"Filter":"a","QoS":1}]}
	| Write SUBSCRIBE PacketID=3 Filters[0].Filter=a Filters[0].QoS=1
	`)
	// [MQTT-2.2.1-6] v5 [MQTT-3.8.4-1] v5 [MQTT-3.8.4-2] v5 [MQTT-3.10.4-4] v5 [MQTT-3.10.4-5] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	recv SUBSCRIBE {"PacketID":10,"Filters":[{"Filter":"a","QoS":1}]}
	| Subscribe id=10 packet=SUBSCRIBE PacketID=10 Filters[0].Filter=a Filters[0].QoS=1
	recv UNSUBSCRIBE {"PacketID":11,"Filters":["a","b"]}
	| Unsubscribe id=11 packet=UNSUBSCRIBE PacketID=11 Filters=a Filters=b
	unsuback {"PacketID":10,"ReasonCodes":[0]}
	| error mqtt: Unsuback: not possible in this state: no request with this Packet Identifier waits for an answer rule MQTT-2.2.1-6
	suback {"PacketID":10,"ReasonCodes":[0,0]}
	| error mqtt: Suback: not possible in this state: the number of reason codes is not the number of filters rule MQTT-3.8.4-6
	suback {"PacketID":12,"ReasonCodes":[0]}
	| error mqtt: Suback: not possible in this state: no request with this Packet Identifier waits for an answer rule MQTT-2.2.1-6
	suback {"PacketID":10,"ReasonCodes":[1]}
	| Write SUBACK PacketID=10 ReasonCodes="0x01 Granted QoS 1"
	suback {"PacketID":10,"ReasonCodes":[1]}
	| error mqtt: Suback: not possible in this state: no request with this Packet Identifier waits for an answer rule MQTT-2.2.1-6
	unsuback {"PacketID":11,"ReasonCodes":[17,17]}
	| Write UNSUBACK PacketID=11 ReasonCodes="0x11 No subscription existed, 0x11 No subscription existed"
	recv SUBSCRIBE {"PacketID":10,"Filters":[{"Filter":"a","QoS":1}]}
	| Subscribe id=10 packet=SUBSCRIBE PacketID=10 Filters[0].Filter=a Filters[0].QoS=1
	`)
	// [MQTT-2.3.1-7] v311 [MQTT-3.8.4-1] v311 [MQTT-3.8.4-2] v311 [MQTT-3.10.4-4] v311 [MQTT-3.10.4-5] v311
	scenario(t, `
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	recv SUBSCRIBE {"PacketID":10,"Filters":[{"Filter":"a","QoS":1},{"Filter":"b"}]}
	| Subscribe id=10 packet=SUBSCRIBE PacketID=10 Filters[0].Filter=a Filters[0].QoS=1 Filters[1].Filter=b
	recv UNSUBSCRIBE {"PacketID":11,"Filters":["a"]}
	| Unsubscribe id=11 packet=UNSUBSCRIBE PacketID=11 Filters=a
	suback {"PacketID":10,"ReasonCodes":[1,143]}
	| Write SUBACK PacketID=10 ReasonCodes="0x01 Granted QoS 1, 0x80 Unspecified error"
	unsuback {"PacketID":11,"ReasonCodes":[17]}
	| Write UNSUBACK PacketID=11
	`)
	// [MQTT-3.8.4-6] v5
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	subscribe {"Filters":[{"Filter":"a"},{"Filter":"b"}]}
	| Write SUBSCRIBE PacketID=1 Filters[0].Filter=a Filters[1].Filter=b
	recv SUBACK {"PacketID":1,"ReasonCodes":[1]}
	| Write DISCONNECT ReasonCode="0x82 Protocol Error"
	| Dropped token=1 id=1 error=connection ended before the answer
	| Close reason=0x82 error=SUBACK: protocol error: 1 reason codes for 2 filters rule MQTT-3.8.4-6
	`)
	// Identifiers of requests and messages are of one space.
	// [MQTT-2.2.1-3] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	recv SUBSCRIBE {"PacketID":10,"Filters":[{"Filter":"a"}]}
	| Subscribe id=10 packet=SUBSCRIBE PacketID=10 Filters[0].Filter=a
	recv PUBLISH {"Topic":"a","QoS":1,"PacketID":10}
	| Write DISCONNECT ReasonCode="0x82 Protocol Error"
	| Close reason=0x82 error=PUBLISH: protocol error: packet identifier 10 is in use rule MQTT-2.2.1-3
	`)
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":10}
	| Message id=10 publish=PUBLISH QoS=2 Topic=a PacketID=10 Payload="0 bytes" ""
	| Write PUBREC PacketID=10
	recv UNSUBSCRIBE {"PacketID":10,"Filters":["a"]}
	| Write DISCONNECT ReasonCode="0x82 Protocol Error"
	| SessionLost lost=0 queued=0
	| Close reason=0x82 error=UNSUBSCRIBE: protocol error: packet identifier 10 is in use rule MQTT-2.2.1-3
	`)
	scenario(t, `
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	recv SUBSCRIBE {"PacketID":10,"Filters":[{"Filter":"a"}]}
	| Subscribe id=10 packet=SUBSCRIBE PacketID=10 Filters[0].Filter=a
	recv PUBREL {"PacketID":10}
	| Close reason=0x82 error=PUBREL: protocol error: not the answer that packet identifier 10 waits for rule MQTT-2.3.1-6
	`)
}

// TestAuthentication covers the exchange that belongs to CONNECT.
func TestAuthentication(t *testing.T) {
	// [MQTT-4.12.0-3] v5 [MQTT-4.12.0-5] v5
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true,"Properties":{"AuthenticationMethod":"m","AuthenticationData":"MQ=="}}
	| Write CONNECT CleanStart=true AuthenticationMethod=m AuthenticationData=REDACTED ClientID=c
	| Timer +10s
	auth {"ReasonCode":24}
	| error mqtt: Auth: not possible in this state: the connection is connecting
	recv AUTH {"ReasonCode":24,"Properties":{"AuthenticationMethod":"m"}}
	| Auth reason=0x18 packet=AUTH ReasonCode="0x18 Continue authentication" AuthenticationMethod=m
	auth {"ReasonCode":25}
	| error mqtt: Auth: not possible in this state: reason code has to be 0x18 rule MQTT-4.12.0-3
	auth {"ReasonCode":24,"Properties":{"AuthenticationMethod":"other"}}
	| error mqtt: Auth: not possible in this state: other Authentication Method than in CONNECT rule MQTT-4.12.0-5
	auth {"ReasonCode":24,"Properties":{"AuthenticationData":"Mg=="}}
	| Write AUTH ReasonCode="0x18 Continue authentication" AuthenticationMethod=m AuthenticationData=REDACTED
	auth {"ReasonCode":24}
	| error mqtt: Auth: not possible in this state: the next AUTH is the server's
	status
	| authenticating vacancy=0 inflight=0 queued=0
	recv CONNACK {"Properties":{"AuthenticationMethod":"m"}}
	| Connected session=false packet=CONNACK AuthenticationMethod=m
	`)
	// [MQTT-4.12.0-2] v5 [MQTT-4.12.0-5] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true,"Properties":{"AuthenticationMethod":"m"}}
	| Connect packet=CONNECT CleanStart=true AuthenticationMethod=m ClientID=c
	auth {"ReasonCode":0}
	| error mqtt: Auth: not possible in this state: reason code has to be 0x18; see Accept rule MQTT-4.12.0-2
	auth {"ReasonCode":24,"Properties":{"AuthenticationMethod":"other"}}
	| error mqtt: Auth: not possible in this state: other Authentication Method than in CONNECT rule MQTT-4.12.0-5
	auth {"ReasonCode":24,"Properties":{"AuthenticationData":"Mg=="}}
	| Write AUTH ReasonCode="0x18 Continue authentication" AuthenticationMethod=m AuthenticationData=REDACTED
	auth {"ReasonCode":24}
	| error mqtt: Auth: not possible in this state: the next AUTH is the client's
	recv AUTH {"ReasonCode":24,"Properties":{"AuthenticationMethod":"m"}}
	| Auth reason=0x18 packet=AUTH ReasonCode="0x18 Continue authentication" AuthenticationMethod=m
	accept {"Properties":{"AuthenticationMethod":"other"}}
	| error mqtt: Accept: not possible in this state: other Authentication Method than in CONNECT rule MQTT-4.12.0-5
	accept
	| Connected session=false
	| Write CONNACK AuthenticationMethod=m
	`)
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true,"Properties":{"AuthenticationMethod":"m"}}
	| Connect packet=CONNECT CleanStart=true AuthenticationMethod=m ClientID=c
	auth {"ReasonCode":24}
	| Write AUTH ReasonCode="0x18 Continue authentication" AuthenticationMethod=m
	recv AUTH {"ReasonCode":24,"Properties":{"AuthenticationMethod":"m"}}
	| Auth reason=0x18 packet=AUTH ReasonCode="0x18 Continue authentication" AuthenticationMethod=m
	refuse {"ReasonCode":135}
	| Write CONNACK ReasonCode="0x87 Not authorized"
	| Close reason=0x87 error=mqtt: Refuse: connection refused: Not authorized
	`)
	// Until CONNACK there is nothing but AUTH and DISCONNECT. [MQTT-3.1.2-30] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true,"Properties":{"AuthenticationMethod":"m"}}
	| Connect packet=CONNECT CleanStart=true AuthenticationMethod=m ClientID=c
	auth {"ReasonCode":24}
	| Write AUTH ReasonCode="0x18 Continue authentication" AuthenticationMethod=m
	recv PUBLISH {"Topic":"a"}
	| Write CONNACK ReasonCode="0x82 Protocol Error"
	| Close reason=0x82 error=PUBLISH: protocol error: authentication is not complete rule MQTT-3.1.2-30
	`)
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true,"Properties":{"AuthenticationMethod":"m"}}
	| Connect packet=CONNECT CleanStart=true AuthenticationMethod=m ClientID=c
	auth {"ReasonCode":24}
	| Write AUTH ReasonCode="0x18 Continue authentication" AuthenticationMethod=m
	recv DISCONNECT
	| Disconnected packet=DISCONNECT
	| Close
	`)
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true,"Properties":{"AuthenticationMethod":"m"}}
	| Connect packet=CONNECT CleanStart=true AuthenticationMethod=m ClientID=c
	auth {"ReasonCode":24}
	| Write AUTH ReasonCode="0x18 Continue authentication" AuthenticationMethod=m
	recv AUTH {"ReasonCode":25,"Properties":{"AuthenticationMethod":"m"}}
	| Write CONNACK ReasonCode="0x82 Protocol Error"
	| Close reason=0x82 error=AUTH: protocol error: reason code 0x19 does not fit the exchange rule MQTT-4.12.0-3
	`)
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true,"Properties":{"AuthenticationMethod":"m"}}
	| Connect packet=CONNECT CleanStart=true AuthenticationMethod=m ClientID=c
	auth {"ReasonCode":24}
	| Write AUTH ReasonCode="0x18 Continue authentication" AuthenticationMethod=m
	recv AUTH {"ReasonCode":24,"Properties":{"AuthenticationMethod":"other"}}
	| Write CONNACK ReasonCode="0x82 Protocol Error"
	| Close reason=0x82 error=AUTH: protocol error: other authentication method than in CONNECT rule MQTT-4.12.0-5
	`)
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true,"Properties":{"AuthenticationMethod":"m"}}
	| Connect packet=CONNECT CleanStart=true AuthenticationMethod=m ClientID=c
	auth {"ReasonCode":24}
	| Write AUTH ReasonCode="0x18 Continue authentication" AuthenticationMethod=m
	after 10s
	| Close reason=0x80 error=mqtt: Tick: peer did not answer in time: AUTH did not come
	`)
	// [MQTT-4.12.0-6] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	auth {"ReasonCode":24}
	| error mqtt: Auth: not possible in this state: CONNECT had no Authentication Method rule MQTT-4.12.0-6
	accept {"Properties":{"AuthenticationMethod":"m"}}
	| error mqtt: Accept: not possible in this state: CONNECT had no Authentication Method rule MQTT-4.12.0-6
	`)
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK {"Properties":{"AuthenticationMethod":"m"}}
	| Write DISCONNECT ReasonCode="0x82 Protocol Error"
	| Close reason=0x82 error=CONNACK: protocol error: authentication was not asked for rule MQTT-4.12.0-6
	`)
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true,"Properties":{"AuthenticationMethod":"m"}}
	| Write CONNECT CleanStart=true AuthenticationMethod=m ClientID=c
	| Timer +10s
	recv CONNACK
	| Write DISCONNECT ReasonCode="0x82 Protocol Error"
	| Close reason=0x82 error=CONNACK: protocol error: other authentication method than in CONNECT rule MQTT-4.12.0-5
	`)
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true,"Properties":{"AuthenticationMethod":"m"}}
	| Write CONNECT CleanStart=true AuthenticationMethod=m ClientID=c
	| Timer +10s
	recv AUTH {"ReasonCode":0,"Properties":{"AuthenticationMethod":"m"}}
	| Write DISCONNECT ReasonCode="0x82 Protocol Error"
	| Close reason=0x82 error=AUTH: protocol error: reason code 0x00 does not fit the exchange rule MQTT-4.12.0-2
	`)
	// [MQTT-4.12.0-7] v5 [U5-3.15-a] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	recv AUTH {"ReasonCode":25,"Properties":{"AuthenticationMethod":"m"}}
	| Write DISCONNECT ReasonCode="0x82 Protocol Error"
	| Close reason=0x82 error=AUTH: protocol error: CONNECT had no Authentication Method rule U5-3.15-a
	`)
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv AUTH {"ReasonCode":24,"Properties":{"AuthenticationMethod":"m"}}
	| Write DISCONNECT ReasonCode="0x82 Protocol Error"
	| Close reason=0x82 error=AUTH: protocol error: CONNECT had no Authentication Method rule U5-3.15-a
	`)
}

// TestReauthentication goes on beside everything else.
func TestReauthentication(t *testing.T) {
	// [MQTT-4.12.1-1] v5
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true,"Properties":{"AuthenticationMethod":"m"}}
	| Write CONNECT CleanStart=true AuthenticationMethod=m ClientID=c
	| Timer +10s
	recv CONNACK {"Properties":{"AuthenticationMethod":"m"}}
	| Connected session=false packet=CONNACK AuthenticationMethod=m
	auth {"ReasonCode":24}
	| error mqtt: Auth: not possible in this state: no exchange is under way; reason code 0x19 starts one
	auth {"ReasonCode":25}
	| Write AUTH ReasonCode="0x19 Re-authenticate" AuthenticationMethod=m
	publish {"Topic":"a"}
	| token 1
	| Write PUBLISH Topic=a Payload="0 bytes"
	auth {"ReasonCode":25}
	| error mqtt: Auth: not possible in this state: the next AUTH is the server's
	recv AUTH {"ReasonCode":24,"Properties":{"AuthenticationMethod":"m"}}
	| Auth reason=0x18 packet=AUTH ReasonCode="0x18 Continue authentication" AuthenticationMethod=m
	auth {"ReasonCode":24}
	| Write AUTH ReasonCode="0x18 Continue authentication" AuthenticationMethod=m
	recv AUTH {"ReasonCode":0,"Properties":{"AuthenticationMethod":"m"}}
	| Auth packet=AUTH AuthenticationMethod=m
	auth {"ReasonCode":25}
	| Write AUTH ReasonCode="0x19 Re-authenticate" AuthenticationMethod=m
	# The client does not like what it gets. [MQTT-4.12.1-2] v5
	disconnect {"ReasonCode":128}
	| Write DISCONNECT ReasonCode="0x80 Unspecified error"
	| Close reason=0x80
	`)
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true,"Properties":{"AuthenticationMethod":"m"}}
	| Connect packet=CONNECT CleanStart=true AuthenticationMethod=m ClientID=c
	accept
	| Connected session=false
	| Write CONNACK AuthenticationMethod=m
	auth {"ReasonCode":24}
	| error mqtt: Auth: not possible in this state: the next AUTH is the client's
	recv AUTH {"ReasonCode":25,"Properties":{"AuthenticationMethod":"m"}}
	| Auth reason=0x19 packet=AUTH ReasonCode="0x19 Re-authenticate" AuthenticationMethod=m
	recv PUBLISH {"Topic":"a"}
	| Message publish=PUBLISH Topic=a Payload="0 bytes" ""
	auth {"ReasonCode":24}
	| Write AUTH ReasonCode="0x18 Continue authentication" AuthenticationMethod=m
	recv AUTH {"ReasonCode":24,"Properties":{"AuthenticationMethod":"m"}}
	| Auth reason=0x18 packet=AUTH ReasonCode="0x18 Continue authentication" AuthenticationMethod=m
	auth {"ReasonCode":0}
	| Write AUTH AuthenticationMethod=m
	recv AUTH {"ReasonCode":25,"Properties":{"AuthenticationMethod":"m"}}
	| Auth reason=0x19 packet=AUTH ReasonCode="0x19 Re-authenticate" AuthenticationMethod=m
	disconnect {"ReasonCode":135}
	| Write DISCONNECT ReasonCode="0x87 Not authorized"
	| Close reason=0x87
	`)
	// A second start within the exchange, and AUTH outside of one.
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true,"Properties":{"AuthenticationMethod":"m"}}
	| Connect packet=CONNECT CleanStart=true AuthenticationMethod=m ClientID=c
	accept
	| Connected session=false
	| Write CONNACK AuthenticationMethod=m
	recv AUTH {"ReasonCode":25,"Properties":{"AuthenticationMethod":"m"}}
	| Auth reason=0x19 packet=AUTH ReasonCode="0x19 Re-authenticate" AuthenticationMethod=m
	auth {"ReasonCode":24}
	| Write AUTH ReasonCode="0x18 Continue authentication" AuthenticationMethod=m
	recv AUTH {"ReasonCode":25,"Properties":{"AuthenticationMethod":"m"}}
	| Write DISCONNECT ReasonCode="0x82 Protocol Error"
	| Close reason=0x82 error=AUTH: protocol error: reason code 0x19 does not fit the exchange rule MQTT-4.12.0-3
	`)
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true,"Properties":{"AuthenticationMethod":"m"}}
	| Connect packet=CONNECT CleanStart=true AuthenticationMethod=m ClientID=c
	accept
	| Connected session=false
	| Write CONNACK AuthenticationMethod=m
	recv AUTH {"ReasonCode":24,"Properties":{"AuthenticationMethod":"m"}}
	| Write DISCONNECT ReasonCode="0x82 Protocol Error"
	| Close reason=0x82 error=AUTH: protocol error: reason code 0x18 does not fit the exchange rule MQTT-4.12.0-3
	`)
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true,"Properties":{"AuthenticationMethod":"m"}}
	| Write CONNECT CleanStart=true AuthenticationMethod=m ClientID=c
	| Timer +10s
	recv CONNACK {"Properties":{"AuthenticationMethod":"m"}}
	| Connected session=false packet=CONNACK AuthenticationMethod=m
	recv AUTH {"ReasonCode":24,"Properties":{"AuthenticationMethod":"m"}}
	| Write DISCONNECT ReasonCode="0x82 Protocol Error"
	| Close reason=0x82 error=AUTH: protocol error: reason code 0x18 does not fit the exchange rule MQTT-4.12.0-2
	`)
}

// TestKeepAlive covers PINGREQ, PINGRESP and silence.
func TestKeepAlive(t *testing.T) {
	// Whatever was sent puts PINGREQ off; what was received does not.
	// [MQTT-3.1.2-20] v5
	scenario(t, `
	client v5 {"PingTimeout":4000000000}
	connect {"ClientID":"c","CleanStart":true,"KeepAlive":10}
	| Write CONNECT CleanStart=true KeepAlive=10 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	after 6s
	publish {"Topic":"a"}
	| token 1
	| Write PUBLISH Topic=a Payload="0 bytes"
	after 4s
	| Timer +16s
	recv PUBLISH {"Topic":"a"}
	| Message publish=PUBLISH Topic=a Payload="0 bytes" ""
	after 6s
	| Write PINGREQ
	| Timer +20s
	recv PINGRESP
	recv PINGRESP
	after 10s
	| Write PINGREQ
	| Timer +30s
	# Bytes that come show that the server is alive.
	after 3s
	recv hex 30 08 00 01
	after 3s
	| Timer +33s
	# [U5-3.1.2.10-a] v5
	after 1s
	| Close reason=0x8D error=mqtt: Tick: peer did not answer in time: PINGRESP did not come
	`)
	// [MQTT-3.1.2-23] v311 [U311-3.1.2.10-a] v311
	scenario(t, `
	client v311 {"PingInterval":5000000000}
	connect {"ClientID":"c","CleanStart":true,"KeepAlive":10}
	| Write CONNECT CleanStart=true KeepAlive=10 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	| Timer +5s
	after 5s
	| Write PINGREQ
	| Timer +10s
	after 5s
	| Write PINGREQ
	| Timer +15s
	after 5s
	| Close reason=0x8D error=mqtt: Tick: peer did not answer in time: PINGRESP did not come
	`)
	// PingInterval cannot lengthen the Keep Alive.
	scenario(t, `
	client v5 {"PingInterval":5000000000,"PingTimeout":-1}
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK {"Properties":{"ServerKeepAlive":3}}
	| Connected session=false packet=CONNACK ServerKeepAlive=3
	| Timer +3s
	after 3s
	| Write PINGREQ
	| Timer +6s
	after 3s
	| Write PINGREQ
	| Timer +9s
	after 3s
	| Write PINGREQ
	| Timer +12s
	ping
	| Write PINGREQ
	`)
	// [MQTT-3.1.2-22] v5 [MQTT-3.12.4-1] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true,"KeepAlive":10}
	| Connect packet=CONNECT CleanStart=true KeepAlive=10 ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	after 14s
	| Timer +15s
	recv PINGREQ
	| Write PINGRESP
	after 14s
	| Timer +29s
	recv hex 30
	after 1s
	| Write DISCONNECT ReasonCode="0x8D Keep Alive timeout"
	| Close reason=0x8D error=mqtt: Tick: peer did not answer in time: nothing came for 1.5 times the Keep Alive
	`)
	// [MQTT-3.1.2-24] v311 [MQTT-3.12.4-1] v311
	scenario(t, `
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true,"KeepAlive":10}
	| Connect packet=CONNECT CleanStart=true KeepAlive=10 ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	recv PINGREQ
	| Write PINGRESP
	after 15s
	| Close reason=0x8D error=mqtt: Tick: peer did not answer in time: nothing came for 1.5 times the Keep Alive
	`)
	// The largest Keep Alive, and the one whose 1.5 times is 65,536 and a half.
	scenario(t, `
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true,"KeepAlive":65535}
	| Connect packet=CONNECT CleanStart=true KeepAlive=65535 ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	after 27h18m22s
	| Timer +27h18m22.5s
	after 500ms
	| Close reason=0x8D error=mqtt: Tick: peer did not answer in time: nothing came for 1.5 times the Keep Alive
	`)
	scenario(t, `
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true,"KeepAlive":43691}
	| Connect packet=CONNECT CleanStart=true KeepAlive=43691 ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	after 18h12m16s
	| Timer +18h12m16.5s
	after 500ms
	| Close reason=0x8D error=mqtt: Tick: peer did not answer in time: nothing came for 1.5 times the Keep Alive
	`)
	scenario(t, `
	server v5 {"ManualPong":true}
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	recv PINGREQ
	| Ping
	pong
	| Write PINGRESP
	`)
}

// TestDisconnect ends connections in order.
func TestDisconnect(t *testing.T) {
	// [MQTT-3.14.4-1] v5 [MQTT-3.14.4-2] v5
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	publish {"Topic":"a"}
	| token 1
	| Write PUBLISH Topic=a Payload="0 bytes"
	disconnect
	| Write DISCONNECT
	| Close
	publish {"Topic":"a"}
	| token 2
	recv PINGRESP
	ping
	| error mqtt: Ping: not possible in this state: the connection is closed
	after 100s
	`)
	// [MQTT-3.14.4-1] v311 [MQTT-3.14.4-2] v311
	scenario(t, `
	client v311
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	disconnect
	| Write DISCONNECT
	| Close
	subscribe {"Filters":[{"Filter":"a"}]}
	| error mqtt: Subscribe: not possible in this state: the connection is closed
	`)
	// [U5-3.14.4-a] v5 [MQTT-4.13.2-1] v5
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	recv DISCONNECT {"ReasonCode":139}
	| Disconnected reason=0x8B packet=DISCONNECT ReasonCode="0x8B Server shutting down"
	| Close reason=0x8B error=mqtt: Receive: disconnected by the peer: Server shutting down
	`)
	// [U311-3.14.4-a] v311
	scenario(t, `
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	recv DISCONNECT
	| Disconnected packet=DISCONNECT
	| Close
	`)
	// A server of v3.1.1 has no DISCONNECT. [U311-3.1.2.10-b] v311
	scenario(t, `
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	disconnect {"ReasonCode":142}
	| Close reason=0x8E
	`)
	// What was acknowledged before goes out.
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	recv hex 32 06 00 01 61 00 05 00 E0 00
	| Message id=5 publish=PUBLISH QoS=1 Topic=a PacketID=5 Payload="0 bytes" ""
	| Disconnected packet=DISCONNECT
	| Write PUBACK PacketID=5
	| Close
	`)
	// What came before the transport was closed still counts.
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	block
	publish {"Topic":"a"}
	| token 1
	closed reset by peer
	| Close reason=0x80 error=reset by peer
	closed again
	`)
}

// TestBlockedTransport: no bytes are asked for, everything else goes on.
func TestBlockedTransport(t *testing.T) {
	scenario(t, `
	client v5 {"HighWater":10}
	connect {"ClientID":"c","CleanStart":true,"KeepAlive":100}
	| Write CONNECT CleanStart=true KeepAlive=100 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	block
	recv PUBLISH {"Topic":"a","QoS":1,"PacketID":1}
	| Message id=1 publish=PUBLISH QoS=1 Topic=a PacketID=1 Payload="0 bytes" ""
	publish {"Topic":"a","QoS":1}
	| token 1
	publish {"Topic":"a","QoS":1,"Payload":"second"}
	| token 2
	status
	| connected vacancy=65533 inflight=1 queued=1
	unblock
	| Write PUBACK PacketID=1
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="0 bytes"
	| Write PUBLISH QoS=1 Topic=a PacketID=2 Payload="6 bytes"
	block
	disconnect
	| Timer +5s
	after 4s
	after 1s
	| Dropped token=1 id=1 publish=PUBLISH QoS=1 Topic=a Payload="0 bytes" error=session state was lost
	| Dropped token=2 id=2 publish=PUBLISH QoS=1 Topic=a Payload="6 bytes" error=session state was lost
	| SessionLost lost=2 queued=0
	| Close
	`)
	// A dead transport is found out by PINGRESP.
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true,"KeepAlive":100}
	| Write CONNECT CleanStart=true KeepAlive=100 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	block
	publish {"Topic":"a"}
	| token 1
	after 100s
	| Timer +1m50s
	after 10s
	| Timer +1m55s
	after 5s
	| Close reason=0x8D error=mqtt: Tick: peer did not answer in time: PINGRESP did not come
	`)
}
