package session_test

import "testing"

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
