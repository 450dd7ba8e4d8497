package session_test

import "testing"

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
	| Timer +10s
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
	| Timer +30s
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
