package session_test

import (
	"strings"
	"testing"
)

func TestW04ReceivedIdentifiersAfterCleanStart(t *testing.T) {
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true,"Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT CleanStart=true SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":1}
	| Message id=1 publish=PUBLISH QoS=2 Topic=a PacketID=1 Payload="0 bytes" ""
	| Write PUBREC PacketID=1
	closed
	| Close reason=0x80 error=transport closed
	connect {"ClientID":"c","CleanStart":true}
	| SessionLost lost=0 queued=0
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":1,"Payload":"new"}
	| Message id=1 publish=PUBLISH QoS=2 Topic=a PacketID=1 Payload="3 bytes" "new"
	| Write PUBREC PacketID=1
	`)
}

// TestW06QuotaAfterResume and W-07: what is repeated counts.
func TestW06QuotaAfterResume(t *testing.T) {
	scenario(t, `
	client v5
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	publish {"Topic":"a","QoS":1,"Payload":"1"}
	| token 1
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="1 bytes"
	publish {"Topic":"a","QoS":1,"Payload":"2"}
	| token 2
	| Write PUBLISH QoS=1 Topic=a PacketID=2 Payload="1 bytes"
	publish {"Topic":"a","QoS":1,"Payload":"3"}
	| token 3
	| Write PUBLISH QoS=1 Topic=a PacketID=3 Payload="1 bytes"
	closed
	| Close reason=0x80 error=transport closed
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK {"SessionPresent":true,"Properties":{"ReceiveMaximum":1}}
	| Connected session=true packet=CONNACK SessionPresent=true ReceiveMaximum=1
	| Write PUBLISH Dup=true QoS=1 Topic=a PacketID=1 Payload="1 bytes"
	recv PUBACK {"PacketID":1}
	| Published token=1 id=1 packet=PUBACK PacketID=1
	| Write PUBLISH Dup=true QoS=1 Topic=a PacketID=2 Payload="1 bytes"
	recv PUBACK {"PacketID":2}
	| Published token=2 id=2 packet=PUBACK PacketID=2
	| Write PUBLISH Dup=true QoS=1 Topic=a PacketID=3 Payload="1 bytes"
	recv PUBACK {"PacketID":3}
	| Published token=3 id=3 packet=PUBACK PacketID=3
	status
	| connected vacancy=1 inflight=0 queued=0
	publish {"Topic":"a","QoS":1,"Payload":"4"}
	| token 4
	| Write PUBLISH QoS=1 Topic=a PacketID=4 Payload="1 bytes"
	publish {"Topic":"a","QoS":1,"Payload":"5"}
	| token 5
	status
	| connected vacancy=0 inflight=1 queued=1
	`)
}

func TestW07ReceiveMaximumOnResume(t *testing.T) {
	trace := run(t, `client v5`, `connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}`, `recv CONNACK`,
		`publish {"Topic":"a","QoS":1}`, `publish {"Topic":"a","QoS":2}`, `publish {"Topic":"a","QoS":1}`, `closed`,
		`connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}`,
		`recv CONNACK {"SessionPresent":true,"Properties":{"ReceiveMaximum":2}}`)
	if n := strings.Count(trace, "Dup=true"); n != 2 {
		t.Errorf("%d messages repeated, Receive Maximum is 2:\n%s", n, trace)
	}
}

func TestW09OfflineMessagesSurvive(t *testing.T) {
	scenario(t, `
	client v5
	publish {"Topic":"a","QoS":1,"Payload":"before the first connection"}
	| token 1
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="27 bytes"
	`)
}

// TestW14OfflineRelease: PUBREL without a connection is sent on the next one.
func TestW14OfflineRelease(t *testing.T) {
	scenario(t, `
	client v5 {"ManualRelease":true}
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	publish {"Topic":"a","QoS":2}
	| token 1
	| Write PUBLISH QoS=2 Topic=a PacketID=1 Payload="0 bytes"
	recv PUBREC {"PacketID":1}
	| Received token=1 id=1 packet=PUBREC PacketID=1
	closed
	| Close reason=0x80 error=transport closed
	release 1
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK {"SessionPresent":true}
	| Connected session=true packet=CONNACK SessionPresent=true
	| Write PUBREL PacketID=1
	recv PUBCOMP {"PacketID":1}
	| Published token=1 id=1 packet=PUBCOMP PacketID=1
	status
	| connected vacancy=65535 inflight=0 queued=0
	`)
}

// TestW18TooLargeToResend: a message that was given up has no identifier.
func TestW18TooLargeToResend(t *testing.T) {
	scenario(t, `
	client v5
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	publish {"Topic":"a","QoS":1,"Payload":"too large"}
	| token 1
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="9 bytes"
	closed
	| Close reason=0x80 error=transport closed
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK {"SessionPresent":true,"Properties":{"MaximumPacketSize":10}}
	| Connected session=true packet=CONNACK SessionPresent=true MaximumPacketSize=10
	| Dropped token=1 id=1 publish=PUBLISH QoS=1 Topic=a Payload="9 bytes" error=mqtt: Publish: over a limit of the peer: packet of 17 bytes is above the Maximum Packet Size of 10 rule MQTT-3.2.2-15
	recv PUBACK {"PacketID":1}
	| Unexpected id=1 packet=PUBACK PacketID=1
	status
	| connected vacancy=65535 inflight=0 queued=0
	`)
}

// TestW24StateOfOtherVersion sends v5.0 messages over v3.1.1.
func TestW24StateOfOtherVersion(t *testing.T) {
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Connect packet=CONNECT SessionExpiryInterval=100 ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	publish {"Topic":"a","QoS":1,"Properties":{"ContentType":"text"}}
	| token 1
	| Write PUBLISH QoS=1 Topic=a PacketID=1 ContentType=text Payload="0 bytes"
	closed
	| Close reason=0x80 error=transport closed
	keep
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"c"}
	| Connect packet=CONNECT ClientID=c
	accept
	| Connected session=true
	| Write CONNACK SessionPresent=true
	| Write PUBLISH Dup=true QoS=1 Topic=a PacketID=1 Payload="0 bytes"
	share {"Topic":"a","Properties":{"ContentType":"text"}}
	| Write PUBLISH Topic=a Payload="0 bytes"
	publish {"Topic":"a","Properties":{"ContentType":"text"}}
	| error mqtt: Publish: PUBLISH: not part of this version: Properties.ContentType: the field does not exist in this version
	`)
}

// TestW25RequestsAcrossSessionLost: Session Present 0 frees nothing that is
// used on this connection.
func TestW25RequestsAcrossSessionLost(t *testing.T) {
	scenario(t, `
	client v5
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	publish {"Topic":"a","QoS":1}
	| token 1
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="0 bytes"
	closed
	| Close reason=0x80 error=transport closed
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	| Dropped token=1 id=1 publish=PUBLISH QoS=1 Topic=a Payload="0 bytes" error=session state was lost
	| SessionLost lost=1 queued=0
	subscribe {"Filters":[{"Filter":"a"}]}
	| Write SUBSCRIBE PacketID=2 Filters[0].Filter=a
	publish {"Topic":"a","QoS":1}
	| token 3
	| Write PUBLISH QoS=1 Topic=a PacketID=3 Payload="0 bytes"
	recv SUBACK {"PacketID":2,"ReasonCodes":[0]}
	| Subscribed token=2 id=2 packet=SUBACK PacketID=2 ReasonCodes="0x00 Granted QoS 0"
	`)
}

// TestW66NoResendWithoutSessionPresent is about a server whose client has no
// session any more.
func TestW66NoResendWithoutSessionPresent(t *testing.T) {
	scenario(t, `
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"c"}
	| Connect packet=CONNECT ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	publish {"Topic":"a","QoS":1}
	| token 1
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="0 bytes"
	closed
	| Close reason=0x80 error=transport closed
	keep
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Dropped token=1 id=1 publish=PUBLISH QoS=1 Topic=a Payload="0 bytes" error=session state was lost
	| SessionLost lost=1 queued=0
	| Connected session=false
	| Write CONNACK
	`)
}

// TestLostConnack: the server may have a session whose CONNACK was lost. The
// client has lost nothing and goes on with it.
func TestLostConnack(t *testing.T) {
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true,"Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT CleanStart=true SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	closed
	| Close reason=0x80 error=transport closed
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK {"SessionPresent":true}
	| Connected session=true packet=CONNACK SessionPresent=true
	`)
}
