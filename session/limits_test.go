package session_test

import "testing"

// TestServerLimitsOnSending refuses what the server does not offer.
func TestServerLimitsOnSending(t *testing.T) {
	// [MQTT-3.2.2-11] v5 [MQTT-3.2.2-14] v5 [MQTT-3.2.2-15] v5
	scenario(t, `
	client v5
	publish {"Topic":"a","QoS":2}
	| token 1
	publish {"Topic":"a","Retain":true}
	| token 2
	publish {"Topic":"a","Payload":"more than twenty bytes"}
	| token 3
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK {"Properties":{"MaximumQoS":1,"RetainAvailable":0,"MaximumPacketSize":20,"WildcardSubscriptionAvailable":0,"SubscriptionIdentifierAvailable":0,"SharedSubscriptionAvailable":0}}
	| Connected session=false packet=CONNACK MaximumQoS=1 RetainAvailable=0 MaximumPacketSize=20 WildcardSubscriptionAvailable=0 SubscriptionIdentifierAvailable=0 SharedSubscriptionAvailable=0
	| Dropped token=1 publish=PUBLISH QoS=2 Topic=a Payload="0 bytes" error=mqtt: Publish: over a limit of the peer: QoS is above Maximum QoS rule MQTT-3.2.2-11
	| Dropped token=2 publish=PUBLISH Retain=true Topic=a Payload="0 bytes" error=mqtt: Publish: over a limit of the peer: Retain Available is 0 rule MQTT-3.2.2-14
	| Dropped token=3 publish=PUBLISH Topic=a Payload="22 bytes" error=mqtt: Publish: over a limit of the peer: packet of 28 bytes is above the Maximum Packet Size of 20 rule MQTT-3.2.2-15
	publish {"Topic":"a","QoS":2}
	| error mqtt: Publish: over a limit of the peer: QoS is above Maximum QoS rule MQTT-3.2.2-11
	publish {"Topic":"a","QoS":1,"Retain":true}
	| error mqtt: Publish: over a limit of the peer: Retain Available is 0 rule MQTT-3.2.2-14
	publish {"Topic":"a","QoS":1,"Payload":"more than twenty bytes"}
	| error mqtt: Publish: over a limit of the peer: packet of 30 bytes is above the Maximum Packet Size of 20 rule MQTT-3.2.2-15
	publish {"Topic":"a","QoS":1,"Payload":"123456789012"}
	| token 4
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="12 bytes"
	publish {"Topic":"a","QoS":1,"Payload":"1234567890123"}
	| error mqtt: Publish: over a limit of the peer: packet of 21 bytes is above the Maximum Packet Size of 20 rule MQTT-3.2.2-15
	subscribe {"Filters":[{"Filter":"a/#"}]}
	| error mqtt: Subscribe: over a limit of the peer: the server does not offer it rule U5-3.2.2.3.11-b
	subscribe {"Filters":[{"Filter":"+"}]}
	| error mqtt: Subscribe: over a limit of the peer: the server does not offer it rule U5-3.2.2.3.11-b
	subscribe {"Filters":[{"Filter":"$share/a/b"}]}
	| error mqtt: Subscribe: over a limit of the peer: the server does not offer it rule U5-3.2.2.3.13-b
	subscribe {"Filters":[{"Filter":"a"}],"Properties":{"SubscriptionIdentifier":1}}
	| error mqtt: Subscribe: over a limit of the peer: the server does not offer it rule U5-3.2.2.3.12-b
	subscribe {"Filters":[{"Filter":"12345678901234567890"}]}
	| error mqtt: Subscribe: over a limit of the peer: packet is above the Maximum Packet Size of the server rule MQTT-3.2.2-15
	subscribe {"Filters":[{"Filter":"a","QoS":2}]}
	| Write SUBSCRIBE PacketID=2 Filters[0].Filter=a Filters[0].QoS=2
	status
	| connected vacancy=65534 inflight=1 queued=0
	`)
	// What a resumed session has under way may be beyond the new limits. The server
	// may have such a message of QoS 2 and wait for PUBREL.
	scenario(t, `
	client v5
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":9}}
	| Write CONNECT SessionExpiryInterval=9 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	publish {"Topic":"a","QoS":2}
	| token 1
	| Write PUBLISH QoS=2 Topic=a PacketID=1 Payload="0 bytes"
	publish {"Topic":"a","QoS":1,"Retain":true}
	| token 2
	| Write PUBLISH QoS=1 Retain=true Topic=a PacketID=2 Payload="0 bytes"
	publish {"Topic":"a","QoS":1,"Payload":"more than twenty bytes"}
	| token 3
	| Write PUBLISH QoS=1 Topic=a PacketID=3 Payload="22 bytes"
	publish {"Topic":"a","QoS":1}
	| token 4
	| Write PUBLISH QoS=1 Topic=a PacketID=4 Payload="0 bytes"
	closed
	| Close reason=0x80 error=transport closed
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":9}}
	| Write CONNECT SessionExpiryInterval=9 ClientID=c
	| Timer +10s
	recv CONNACK {"SessionPresent":true,"Properties":{"MaximumQoS":1,"RetainAvailable":0,"MaximumPacketSize":20}}
	| Connected session=true packet=CONNACK SessionPresent=true MaximumQoS=1 RetainAvailable=0 MaximumPacketSize=20
	| Dropped token=1 id=1 publish=PUBLISH QoS=2 Topic=a Payload="0 bytes" error=mqtt: Publish: over a limit of the peer: QoS is above Maximum QoS rule MQTT-3.2.2-11
	| Dropped token=2 id=2 publish=PUBLISH QoS=1 Retain=true Topic=a Payload="0 bytes" error=mqtt: Publish: over a limit of the peer: Retain Available is 0 rule MQTT-3.2.2-14
	| Dropped token=3 id=3 publish=PUBLISH QoS=1 Topic=a Payload="22 bytes" error=mqtt: Publish: over a limit of the peer: packet of 30 bytes is above the Maximum Packet Size of 20 rule MQTT-3.2.2-15
	| Write PUBREL PacketID=1
	| Write PUBLISH Dup=true QoS=1 Topic=a PacketID=4 Payload="0 bytes"
	status
	| connected vacancy=65534 inflight=2 queued=0
	recv PUBCOMP {"PacketID":1,"ReasonCode":146}
	status
	| connected vacancy=65534 inflight=1 queued=0
	`)
}

// TestServerLimitsOnReceiving ends the connection of a client that goes beyond
// what CONNACK announced.
func TestServerLimitsOnReceiving(t *testing.T) {
	// [U5-3.2.2.3.4-b] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept {"Properties":{"MaximumQoS":1}}
	| Connected session=false
	| Write CONNACK MaximumQoS=1
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":1}
	| Write DISCONNECT ReasonCode="0x9B QoS not supported"
	| Close reason=0x9B error=PUBLISH: protocol error: QoS 2 is above Maximum QoS rule U5-3.2.2.3.4-b
	`)
	// [U5-3.2.2.3.5-b] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept {"Properties":{"RetainAvailable":0}}
	| Connected session=false
	| Write CONNACK RetainAvailable=0
	recv PUBLISH {"Topic":"a","Retain":true}
	| Write DISCONNECT ReasonCode="0x9A Retain not supported"
	| Close reason=0x9A error=PUBLISH: protocol error: RETAIN, but Retain Available is 0 rule U5-3.2.2.3.5-b
	`)
	// A v3.1.1 client is not told, and what it sends is not acknowledged: that
	// would be a promise. [MQTT-3.3.5-2] v311
	scenario(t, `
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept {"Properties":{"MaximumQoS":1}}
	| Connected session=false
	| Write CONNACK
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":1}
	| Close reason=0x9B error=PUBLISH: protocol error: QoS 2 is above Maximum QoS rule MQTT-3.3.5-2
	`)
	scenario(t, `
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept {"Properties":{"RetainAvailable":0}}
	| Connected session=false
	| Write CONNACK
	recv PUBLISH {"Topic":"a","Retain":true,"QoS":1,"PacketID":1}
	| Close reason=0x9A error=PUBLISH: protocol error: RETAIN, but Retain Available is 0 rule MQTT-3.3.5-2
	`)
	// [U5-3.2.2.3.11-b] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept {"Properties":{"WildcardSubscriptionAvailable":0}}
	| Connected session=false
	| Write CONNACK WildcardSubscriptionAvailable=0
	recv SUBSCRIBE {"PacketID":1,"Filters":[{"Filter":"a/+"}]}
	| Write DISCONNECT ReasonCode="0xA2 Wildcard Subscriptions not supported"
	| Close reason=0xA2 error=SUBSCRIBE: protocol error: it was announced as unavailable rule U5-3.2.2.3.11-b
	`)
	// [U5-3.2.2.3.12-b] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept {"Properties":{"SubscriptionIdentifierAvailable":0}}
	| Connected session=false
	| Write CONNACK SubscriptionIdentifierAvailable=0
	recv SUBSCRIBE {"PacketID":1,"Filters":[{"Filter":"a"}],"Properties":{"SubscriptionIdentifier":1}}
	| Write DISCONNECT ReasonCode="0xA1 Subscription Identifiers not supported"
	| Close reason=0xA1 error=SUBSCRIBE: protocol error: it was announced as unavailable rule U5-3.2.2.3.12-b
	`)
	// [U5-3.2.2.3.13-b] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept {"Properties":{"SharedSubscriptionAvailable":0}}
	| Connected session=false
	| Write CONNACK SharedSubscriptionAvailable=0
	recv SUBSCRIBE {"PacketID":1,"Filters":[{"Filter":"$share/a/b"}]}
	| Write DISCONNECT ReasonCode="0x9E Shared Subscriptions not supported"
	| Close reason=0x9E error=SUBSCRIBE: protocol error: it was announced as unavailable rule U5-3.2.2.3.13-b
	`)
	// The header is enough. [U5-3.1.2.11.4-b] v5
	scenario(t, `
	client v5 {"MaximumPacketSize":20}
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true MaximumPacketSize=20 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	recv hex 30 13
	| Write DISCONNECT ReasonCode="0x95 Packet too large"
	| Close reason=0x95 error=PUBLISH: too large: Remaining Length at byte 1: the packet is larger than the limit rule U5-3.1.2.11.4-b
	`)
	scenario(t, `
	server v5 {"MaximumPacketSize":20}
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK MaximumPacketSize=20
	recv hex 30 13
	| Write DISCONNECT ReasonCode="0x95 Packet too large"
	| Close reason=0x95 error=PUBLISH: too large: Remaining Length at byte 1: the packet is larger than the limit rule U5-3.1.2.11.4-b
	`)
	scenario(t, `
	server v311 {"MaximumPacketSize":20}
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	recv hex 30 13
	| Close reason=0x95 error=PUBLISH: too large: Remaining Length at byte 1: the packet is larger than the limit
	`)
}

// TestPacketSizeTowardsClient drops what is too large for the client.
func TestPacketSizeTowardsClient(t *testing.T) {
	// [MQTT-3.1.2-24] v5 [MQTT-3.1.2-25] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true,"Properties":{"MaximumPacketSize":12,"ReceiveMaximum":1}}
	| Connect packet=CONNECT CleanStart=true ReceiveMaximum=1 MaximumPacketSize=12 ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	publish {"Topic":"a","QoS":1,"Payload":"1234567890"}
	| error mqtt: Publish: over a limit of the peer: packet of 18 bytes is above the Maximum Packet Size of 12 rule MQTT-3.1.2-24
	publish {"Topic":"a","QoS":1,"Payload":"1"}
	| token 1
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="1 bytes"
	publish {"Topic":"a","QoS":1,"Payload":"1234567890"}
	| token 2
	publish {"Topic":"a","QoS":1,"Payload":"3"}
	| token 3
	status
	| connected vacancy=0 inflight=1 queued=2
	recv PUBACK {"PacketID":1}
	| Published token=1 id=1 packet=PUBACK PacketID=1
	| Dropped token=2 publish=PUBLISH QoS=1 Topic=a Payload="10 bytes" error=mqtt: Publish: over a limit of the peer: packet of 18 bytes is above the Maximum Packet Size of 12 rule MQTT-3.1.2-24
	| Write PUBLISH QoS=1 Topic=a PacketID=2 Payload="1 bytes"
	status
	| connected vacancy=0 inflight=1 queued=0
	`)
	// A SUBACK that cannot be sent ends the connection.
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true,"Properties":{"MaximumPacketSize":8}}
	| Connect packet=CONNECT CleanStart=true MaximumPacketSize=8 ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	recv SUBSCRIBE {"PacketID":1,"Filters":[{"Filter":"a"},{"Filter":"b"},{"Filter":"c"},{"Filter":"d"}]}
	| Subscribe id=1 packet=SUBSCRIBE PacketID=1 Filters[0].Filter=a Filters[1].Filter=b Filters[2].Filter=c Filters[3].Filter=d
	suback {"PacketID":1,"ReasonCodes":[0,0,0,0]}
	| Write DISCONNECT ReasonCode="0x95 Packet too large"
	| Close reason=0x95 error=SUBACK: too large: Maximum Packet Size of 8 leaves no room for it rule MQTT-3.1.2-24
	`)
}

// TestTrimmed leaves Reason String and User Property out, one by one, where the
// packet would be too large.
func TestTrimmed(t *testing.T) {
	// [MQTT-3.4.2-2] v5 [MQTT-3.4.2-3] v5 [MQTT-3.5.2-2] v5 [MQTT-3.5.2-3] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true,"Properties":{"MaximumPacketSize":14}}
	| Connect packet=CONNECT CleanStart=true MaximumPacketSize=14 ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	respond {"Code":135,"ReasonString":"12345"}
	recv PUBLISH {"Topic":"a","QoS":1,"PacketID":1}
	| Message id=1 publish=PUBLISH QoS=1 Topic=a PacketID=1 Payload="0 bytes" ""
	| Write PUBACK PacketID=1 ReasonCode="0x87 Not authorized" ReasonString=12345
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":1}
	| Message id=1 publish=PUBLISH QoS=2 Topic=a PacketID=1 Payload="0 bytes" ""
	| Write PUBREC PacketID=1 ReasonCode="0x87 Not authorized" ReasonString=12345
	respond {"Code":135,"ReasonString":"1234567"}
	recv PUBLISH {"Topic":"a","QoS":1,"PacketID":1}
	| Message id=1 publish=PUBLISH QoS=1 Topic=a PacketID=1 Payload="0 bytes" ""
	| Write PUBACK PacketID=1 ReasonCode="0x87 Not authorized"
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":1}
	| Message id=1 publish=PUBLISH QoS=2 Topic=a PacketID=1 Payload="0 bytes" ""
	| Write PUBREC PacketID=1 ReasonCode="0x87 Not authorized"
	respond {"Code":135,"ReasonString":"12345","UserProperties":[["a","b"]]}
	recv PUBLISH {"Topic":"a","QoS":1,"PacketID":1}
	| Message id=1 publish=PUBLISH QoS=1 Topic=a PacketID=1 Payload="0 bytes" ""
	| Write PUBACK PacketID=1 ReasonCode="0x87 Not authorized" ReasonString=12345
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":1}
	| Message id=1 publish=PUBLISH QoS=2 Topic=a PacketID=1 Payload="0 bytes" ""
	| Write PUBREC PacketID=1 ReasonCode="0x87 Not authorized" ReasonString=12345
	respond {"Code":135,"ReasonString":"123456789","UserProperties":[["a","b"]]}
	recv PUBLISH {"Topic":"a","QoS":1,"PacketID":1}
	| Message id=1 publish=PUBLISH QoS=1 Topic=a PacketID=1 Payload="0 bytes" ""
	| Write PUBACK PacketID=1 ReasonCode="0x87 Not authorized" UserProperties.a=b
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":1}
	| Message id=1 publish=PUBLISH QoS=2 Topic=a PacketID=1 Payload="0 bytes" ""
	| Write PUBREC PacketID=1 ReasonCode="0x87 Not authorized" UserProperties.a=b
	respond {"Code":135,"UserProperties":[["name","value"]]}
	recv PUBLISH {"Topic":"a","QoS":1,"PacketID":1}
	| Message id=1 publish=PUBLISH QoS=1 Topic=a PacketID=1 Payload="0 bytes" ""
	| Write PUBACK PacketID=1 ReasonCode="0x87 Not authorized"
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":1}
	| Message id=1 publish=PUBLISH QoS=2 Topic=a PacketID=1 Payload="0 bytes" ""
	| Write PUBREC PacketID=1 ReasonCode="0x87 Not authorized"
	`)
	// [MQTT-3.6.2-2] v5 [MQTT-3.6.2-3] v5 [MQTT-3.7.2-2] v5 [MQTT-3.7.2-3] v5
	scenario(t, `
	server v5 {"ManualRelease":true,"ManualComplete":true}
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true,"Properties":{"MaximumPacketSize":14}}
	| Connect packet=CONNECT CleanStart=true MaximumPacketSize=14 ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	publish {"Topic":"a","QoS":2}
	| token 1
	| Write PUBLISH QoS=2 Topic=a PacketID=1 Payload="0 bytes"
	recv PUBREC {"PacketID":1}
	| Received token=1 id=1 packet=PUBREC PacketID=1
	release 1 {"ReasonString":"1234567890"}
	| Write PUBREL PacketID=1
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":1}
	| Message id=1 publish=PUBLISH QoS=2 Topic=a PacketID=1 Payload="0 bytes" ""
	| Write PUBREC PacketID=1
	recv PUBREL {"PacketID":1}
	| Released token=4294967297 id=1 packet=PUBREL PacketID=1
	complete 4294967297 {"UserProperties":[["name","value"]]}
	| Write PUBCOMP PacketID=1
	publish {"Topic":"a","QoS":2}
	| token 3
	| Write PUBLISH QoS=2 Topic=a PacketID=2 Payload="0 bytes"
	recv PUBREC {"PacketID":2}
	| Received token=3 id=2 packet=PUBREC PacketID=2
	release 2 {"UserProperties":[["name","value"]]}
	| Write PUBREL PacketID=2
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":2}
	| Message id=2 publish=PUBLISH QoS=2 Topic=a PacketID=2 Payload="0 bytes" ""
	| Write PUBREC PacketID=2
	recv PUBREL {"PacketID":2}
	| Released token=8589934594 id=2 packet=PUBREL PacketID=2
	complete 8589934594 {"ReasonString":"1234567890"}
	| Write PUBCOMP PacketID=2
	`)
	// [MQTT-3.9.2-1] v5 [MQTT-3.9.2-2] v5 [MQTT-3.11.2-1] v5 [MQTT-3.11.2-2] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true,"Properties":{"MaximumPacketSize":14}}
	| Connect packet=CONNECT CleanStart=true MaximumPacketSize=14 ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	recv SUBSCRIBE {"PacketID":1,"Filters":[{"Filter":"a"}]}
	| Subscribe id=1 packet=SUBSCRIBE PacketID=1 Filters[0].Filter=a
	suback {"PacketID":1,"ReasonCodes":[0],"Properties":{"ReasonString":"1234567890"}}
	| Write SUBACK PacketID=1 ReasonCodes="0x00 Granted QoS 0"
	recv SUBSCRIBE {"PacketID":1,"Filters":[{"Filter":"a"}]}
	| Subscribe id=1 packet=SUBSCRIBE PacketID=1 Filters[0].Filter=a
	suback {"PacketID":1,"ReasonCodes":[0],"Properties":{"UserProperties":[["name","value"]]}}
	| Write SUBACK PacketID=1 ReasonCodes="0x00 Granted QoS 0"
	recv UNSUBSCRIBE {"PacketID":1,"Filters":["a"]}
	| Unsubscribe id=1 packet=UNSUBSCRIBE PacketID=1 Filters=a
	unsuback {"PacketID":1,"ReasonCodes":[0],"Properties":{"ReasonString":"1234567890"}}
	| Write UNSUBACK PacketID=1 ReasonCodes="0x00 Success"
	recv UNSUBSCRIBE {"PacketID":1,"Filters":["a"]}
	| Unsubscribe id=1 packet=UNSUBSCRIBE PacketID=1 Filters=a
	unsuback {"PacketID":1,"ReasonCodes":[0],"Properties":{"UserProperties":[["name","value"]]}}
	| Write UNSUBACK PacketID=1 ReasonCodes="0x00 Success"
	`)
	// [MQTT-3.14.2-3] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true,"Properties":{"MaximumPacketSize":14}}
	| Connect packet=CONNECT CleanStart=true MaximumPacketSize=14 ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	disconnect {"ReasonCode":139,"Properties":{"ReasonString":"1234567890"}}
	| Write DISCONNECT ReasonCode="0x8B Server shutting down"
	| Close reason=0x8B
	`)
	// [MQTT-3.14.2-4] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true,"Properties":{"MaximumPacketSize":14}}
	| Connect packet=CONNECT CleanStart=true MaximumPacketSize=14 ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	disconnect {"ReasonCode":139,"Properties":{"UserProperties":[["name","value"]]}}
	| Write DISCONNECT ReasonCode="0x8B Server shutting down"
	| Close reason=0x8B
	`)
	// [MQTT-3.15.2-2] v5 [MQTT-3.15.2-3] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true,"Properties":{"MaximumPacketSize":14,"AuthenticationMethod":"m"}}
	| Connect packet=CONNECT CleanStart=true MaximumPacketSize=14 AuthenticationMethod=m ClientID=c
	auth {"ReasonCode":24,"Properties":{"ReasonString":"1234567890"}}
	| Write AUTH ReasonCode="0x18 Continue authentication" AuthenticationMethod=m
	recv AUTH {"ReasonCode":24,"Properties":{"AuthenticationMethod":"m"}}
	| Auth reason=0x18 packet=AUTH ReasonCode="0x18 Continue authentication" AuthenticationMethod=m
	auth {"ReasonCode":24,"Properties":{"UserProperties":[["name","value"]]}}
	| Write AUTH ReasonCode="0x18 Continue authentication" AuthenticationMethod=m
	`)
}

// TestProblemInformation leaves out what the client asked not to get.
func TestProblemInformation(t *testing.T) {
	// [MQTT-3.1.2-29] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true,"Properties":{"RequestProblemInformation":0}}
	| Connect packet=CONNECT CleanStart=true RequestProblemInformation=0 ClientID=c
	accept {"Properties":{"ReasonString":"stays","UserProperties":[["a","b"]]}}
	| Connected session=false
	| Write CONNACK ReasonString=stays UserProperties.a=b
	respond {"Code":135,"ReasonString":"goes","UserProperties":[["a","b"]]}
	recv PUBLISH {"Topic":"a","QoS":1,"PacketID":1}
	| Message id=1 publish=PUBLISH QoS=1 Topic=a PacketID=1 Payload="0 bytes" ""
	| Write PUBACK PacketID=1 ReasonCode="0x87 Not authorized"
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":1}
	| Message id=1 publish=PUBLISH QoS=2 Topic=a PacketID=1 Payload="0 bytes" ""
	| Write PUBREC PacketID=1 ReasonCode="0x87 Not authorized"
	recv SUBSCRIBE {"PacketID":1,"Filters":[{"Filter":"a"}]}
	| Subscribe id=1 packet=SUBSCRIBE PacketID=1 Filters[0].Filter=a
	suback {"PacketID":1,"ReasonCodes":[0],"Properties":{"ReasonString":"goes","UserProperties":[["a","b"]]}}
	| Write SUBACK PacketID=1 ReasonCodes="0x00 Granted QoS 0"
	recv UNSUBSCRIBE {"PacketID":1,"Filters":["a"]}
	| Unsubscribe id=1 packet=UNSUBSCRIBE PacketID=1 Filters=a
	unsuback {"PacketID":1,"ReasonCodes":[0],"Properties":{"ReasonString":"goes","UserProperties":[["a","b"]]}}
	| Write UNSUBACK PacketID=1 ReasonCodes="0x00 Success"
	publish {"Topic":"a","Properties":{"UserProperties":[["stay","s"]]}}
	| token 1
	| Write PUBLISH Topic=a UserProperties.stay=s Payload="0 bytes"
	disconnect {"ReasonCode":139,"Properties":{"ReasonString":"stays","UserProperties":[["a","b"]]}}
	| Write DISCONNECT ReasonCode="0x8B Server shutting down" ReasonString=stays UserProperties.a=b
	| Close reason=0x8B
	`)
}
