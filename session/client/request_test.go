package client_test

import (
	"strings"
	"testing"
)

// TestRequest matches responses to requests.
func TestRequest(t *testing.T) {
	scenario(t, `
	config {"Requests":{"ResponseTopic":"replies/c","Maximum":3}}
	client {"ClientID":"c"}
	request 10s - {"Topic":"q","QoS":1,"Payload":"one","Properties":{"CorrelationData":"1"}}
	| token 1
	up
	| Open attempt=1
	| > CONNECT ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| > SUBSCRIBE PacketID=1 SubscriptionIdentifier=1 Filters[0].Filter=replies/c Filters[0].QoS=2
	| > PUBLISH QoS=1 Topic=q PacketID=2 MessageExpiryInterval=10 ResponseTopic=replies/c CorrelationData=1 Payload="3 bytes" "one"
	| < SUBACK PacketID=1 ReasonCodes="0x02 Granted QoS 2"
	| < PUBACK PacketID=2
	| Subscribed filter=replies/c reason=0x02
	| Published token=1 id=2 packet=PUBACK PacketID=2
	request 5s h {"Topic":"q","Payload":"two","Properties":{"CorrelationData":"2"}}
	| token 3
	| > PUBLISH Topic=q MessageExpiryInterval=5 ResponseTopic=replies/c CorrelationData=2 Payload="3 bytes" "two"
	| Published token=3
	request 10s h {"Topic":"q","Payload":"three","Properties":{"CorrelationData":"3","MessageExpiryInterval":7}}
	| token 4
	| > PUBLISH Topic=q MessageExpiryInterval=7 ResponseTopic=replies/c CorrelationData=3 Payload="5 bytes" "three"
	| Published token=4
	request 10s - q
	| error mqtt: Request: over a limit of the peer: too many requests wait for their response
	request 10s - {"Topic":"q","Properties":{"CorrelationData":"2"}}
	| error mqtt: Request: over a limit of the peer: too many requests wait for their response
	send {"Topic":"replies/c","Payload":"r1","QoS":1,"Properties":{"CorrelationData":"1"}}
	| < PUBLISH QoS=1 Topic=replies/c PacketID=1 CorrelationData=1 Payload="2 bytes" "r1"
	| Response token=1 id=1 publish=PUBLISH QoS=1 Topic=replies/c PacketID=1 CorrelationData=1 Payload="2 bytes" "r1"
	| > PUBACK PacketID=1
	send {"Topic":"replies/c","Payload":"r3","QoS":2,"Properties":{"CorrelationData":"3"}}
	| < PUBLISH QoS=2 Topic=replies/c PacketID=2 CorrelationData=3 Payload="2 bytes" "r3"
	| response 4: "r3"
	| > PUBREC PacketID=2
	| < PUBREL PacketID=2
	| > PUBCOMP PacketID=2
	# Another topic, no request, no data, twice.
	send {"Topic":"elsewhere","Payload":"r2","Properties":{"CorrelationData":"2"}}
	| < PUBLISH Topic=elsewhere CorrelationData=2 Payload="2 bytes" "r2"
	| Message publish=PUBLISH Topic=elsewhere CorrelationData=2 Payload="2 bytes" "r2"
	send {"Topic":"replies/c","Payload":"r9","Properties":{"CorrelationData":"9"}}
	| < PUBLISH Topic=replies/c CorrelationData=9 Payload="2 bytes" "r9"
	| Stray publish=PUBLISH Topic=replies/c CorrelationData=9 Payload="2 bytes" "r9"
	send {"Topic":"replies/c","Payload":"none"}
	| < PUBLISH Topic=replies/c Payload="4 bytes" "none"
	| Stray publish=PUBLISH Topic=replies/c Payload="4 bytes" "none"
	send {"Topic":"replies/c","Payload":"r1","Properties":{"CorrelationData":"1"}}
	| < PUBLISH Topic=replies/c CorrelationData=1 Payload="2 bytes" "r1"
	| Stray publish=PUBLISH Topic=replies/c CorrelationData=1 Payload="2 bytes" "r1"
	request 10s - {"Topic":"q","Properties":{"CorrelationData":"2"}}
	| error mqtt: Request: not possible in this state: another request has this Correlation Data
	after 5s
	| response 3: no response in time
	send {"Topic":"replies/c","Payload":"r2","Properties":{"CorrelationData":"2"}}
	| < PUBLISH Topic=replies/c CorrelationData=2 Payload="2 bytes" "r2"
	| Stray publish=PUBLISH Topic=replies/c CorrelationData=2 Payload="2 bytes" "r2"
	stats
	| {Attempts:1 Connections:1 Handled:0 Unhandled:1 Orphaned:0 Responses:2 Failed:1 Late:0 Stray:4}
	set
	| replies/c QoS 2 true
	`)
}

// TestLateResponse tells a response that comes too late from other messages.
func TestLateResponse(t *testing.T) {
	r := newRig(t)
	r.command(`config {"Session":{"StreamAbove":10}}`)
	for _, line := range []string{`client {"ClientID":"c"}`, "stream r replies/#", "up",
		`request 1s - {"Topic":"q","Properties":{"ResponseTopic":"replies/c"}}`, "after 1s"} {
		r.command(line)
		r.drain()
	}
	for line, want := range map[string]string{"late": "Stray late=true", "late longer-than-ten-bytes": "MessageBegin late=true"} {
		r.out.Reset()
		r.command(line)
		r.drain()
		if got := r.out.String(); !strings.Contains(got, want) || strings.Contains(got, "handler") || strings.Contains(got, "stream") {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if s := r.c.Stats(); s.Late != 2 || s.Stray != 0 || s.Failed != 1 {
		t.Errorf("%+v", s)
	}
}

// TestResponseTopics chooses Response Topics.
func TestResponseTopics(t *testing.T) {
	scenario(t, `
	client {"ClientID":"c","Properties":{"RequestResponseInformation":1}}
	request 1s - q
	| error mqtt: Request: no response topic
	connack {"Properties":{"ResponseInformation":"base"}}
	up
	| Open attempt=1
	| > CONNECT RequestResponseInformation=1 ClientID=c
	| < CONNACK ResponseInformation=base
	| Connected session=false packet=CONNACK ResponseInformation=base
	request 1s - {"Topic":"q","Properties":{"CorrelationData":"1"}}
	| token 2
	| > SUBSCRIBE PacketID=1 SubscriptionIdentifier=1 Filters[0].Filter=base Filters[0].QoS=2
	| > PUBLISH Topic=q MessageExpiryInterval=1 ResponseTopic=base CorrelationData=1 Payload="0 bytes" ""
	| Published token=2
	| < SUBACK PacketID=1 ReasonCodes="0x02 Granted QoS 2"
	| Subscribed filter=base reason=0x02
	request 1s - {"Topic":"q","Properties":{"ResponseTopic":"own/1","CorrelationData":"2"}}
	| token 4
	| > SUBSCRIBE PacketID=2 SubscriptionIdentifier=2 Filters[0].Filter=own/1 Filters[0].QoS=2
	| > PUBLISH Topic=q MessageExpiryInterval=1 ResponseTopic=own/1 CorrelationData=2 Payload="0 bytes" ""
	| Published token=4
	| < SUBACK PacketID=2 ReasonCodes="0x02 Granted QoS 2"
	| Subscribed filter=own/1 reason=0x02
	subscribe h own/#
	| > SUBSCRIBE PacketID=3 SubscriptionIdentifier=3 Filters[0].Filter=own/#
	| < SUBACK PacketID=3 ReasonCodes="0x00 Granted QoS 0"
	| Subscribed filter=own/# reason=0x00
	request 1s - {"Topic":"q","Properties":{"ResponseTopic":"own/2","CorrelationData":"3"}}
	| token 6
	| > PUBLISH Topic=q MessageExpiryInterval=1 ResponseTopic=own/2 CorrelationData=3 Payload="0 bytes" ""
	| Published token=6
	request 1s - {"Topic":"q","Properties":{"ResponseTopic":"own/#"}}
	| error mqtt: Request: protocol error: Topic Name: the name holds a wildcard rule MQTT-4.7.0-1
	request 1s - {"Topic":"#","Properties":{"ResponseTopic":"own/2"}}
	| error mqtt: Publish: PUBLISH: protocol error: Topic: the name holds a wildcard rule MQTT-3.3.2-2
	send {"Topic":"own/2","Payload":"x","Properties":{"CorrelationData":"3"}}
	| < PUBLISH Topic=own/2 CorrelationData=3 Payload="1 bytes" "x"
	| Response token=6 publish=PUBLISH Topic=own/2 CorrelationData=3 Payload="1 bytes" "x"
	send {"Topic":"own/1","Payload":"x","Properties":{"CorrelationData":"2"}}
	| < PUBLISH Topic=own/1 CorrelationData=2 Payload="1 bytes" "x"
	| Response token=4 publish=PUBLISH Topic=own/1 CorrelationData=2 Payload="1 bytes" "x"
	send {"Topic":"own/2","Payload":"not a response","Properties":{"CorrelationData":"9"}}
	| < PUBLISH Topic=own/2 CorrelationData=9 Payload="14 bytes" "not a response"
	| handler h: own/2 "not a response"
	`)
	scenario(t, `
	topicfrom
	client {"ClientID":"c","Properties":{"RequestResponseInformation":1}}
	connack {"Properties":{"ResponseInformation":"base/"}}
	up
	| Open attempt=1
	| > CONNECT RequestResponseInformation=1 ClientID=c
	| < CONNACK ResponseInformation=base/
	| Connected session=false packet=CONNACK ResponseInformation=base/
	request 1s - {"Topic":"q","Properties":{"CorrelationData":"1"}}
	| token 2
	| > SUBSCRIBE PacketID=1 SubscriptionIdentifier=1 Filters[0].Filter=base/c/response Filters[0].QoS=2
	| > PUBLISH Topic=q MessageExpiryInterval=1 ResponseTopic=base/c/response CorrelationData=1 Payload="0 bytes" ""
	| Published token=2
	| < SUBACK PacketID=1 ReasonCodes="0x02 Granted QoS 2"
	| Subscribed filter=base/c/response reason=0x02
	`)
	scenario(t, `
	v311
	client {"ClientID":"c"}
	up
	| Open attempt=1
	| > CONNECT ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	request 1s - q
	| error mqtt: Request: not possible in this state: v3.1.1 has no Response Topic
	`)
}

// TestRequestEnds ends requests for every reason there is.
func TestRequestEnds(t *testing.T) {
	scenario(t, `
	config {"Requests":{"ResponseTopic":"r"}}
	client {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	# Its time passes before it was sent.
	request 1s h {"Topic":"q","QoS":1,"Properties":{"CorrelationData":"1"}}
	| token 1
	after 1s
	| response 1: no response in time
	| Dropped token=1 publish=PUBLISH QoS=1 Topic=q MessageExpiryInterval=1 ResponseTopic=r CorrelationData=1 Payload="0 bytes" error=message was erased
	# The application erases it.
	request 1s h {"Topic":"q","QoS":1,"Properties":{"CorrelationData":"1"}}
	| token 2
	erase 2
	| Dropped token=2 publish=PUBLISH QoS=1 Topic=q MessageExpiryInterval=1 ResponseTopic=r CorrelationData=1 Payload="0 bytes" error=message was erased
	| response 2: message was erased
	up
	| Open attempt=1
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| > SUBSCRIBE PacketID=1 SubscriptionIdentifier=1 Filters[0].Filter=r Filters[0].QoS=2
	| < SUBACK PacketID=1 ReasonCodes="0x02 Granted QoS 2"
	| Subscribed filter=r reason=0x02
	# The session is lost, and the message with it.
	mute
	request 1m h {"Topic":"q","QoS":1,"Properties":{"CorrelationData":"1"}}
	| token 4
	| > PUBLISH QoS=1 Topic=q PacketID=2 MessageExpiryInterval=60 ResponseTopic=r CorrelationData=1 Payload="0 bytes" ""
	mute off
	forget
	again
	| Close reason=0x80 error=transport closed
	| Waiting attempt=2 reason=0x80 error=transport closed wait=1s
	| Open attempt=2 reason=0x80 error=transport closed
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| Dropped token=4 id=2 publish=PUBLISH QoS=1 Topic=q MessageExpiryInterval=60 ResponseTopic=r CorrelationData=1 Payload="0 bytes" error=session state was lost
	| response 4: session state was lost
	| SessionLost lost=1 queued=0
	| > SUBSCRIBE PacketID=3 SubscriptionIdentifier=1 Filters[0].Filter=r Filters[0].QoS=2
	| < SUBACK PacketID=3 ReasonCodes="0x02 Granted QoS 2"
	| Subscribed filter=r restored=true reason=0x02
	# The client stops.
	request 1m h {"Topic":"q","QoS":1,"Properties":{"CorrelationData":"1"}}
	| token 6
	| > PUBLISH QoS=1 Topic=q PacketID=4 MessageExpiryInterval=60 ResponseTopic=r CorrelationData=1 Payload="0 bytes" ""
	| < PUBACK PacketID=4
	| Published token=6 id=4 packet=PUBACK PacketID=4
	request 1m - {"Topic":"q","Properties":{"CorrelationData":"2"}}
	| token 7
	| > PUBLISH Topic=q MessageExpiryInterval=60 ResponseTopic=r CorrelationData=2 Payload="0 bytes" ""
	| Published token=7
	stop
	| > DISCONNECT
	| Close
	| response 6: client stopped
	| Response token=7 error=client stopped
	| Stopped
	stats
	| {Attempts:2 Connections:2 Handled:0 Unhandled:0 Orphaned:0 Responses:0 Failed:5 Late:0 Stray:0}
	`)
	scenario(t, `
	config {"Requests":{"ResponseTopic":"r"}}
	code r 0x87
	client {"ClientID":"c"}
	request 1m h {"Topic":"q","QoS":1,"Properties":{"CorrelationData":"1"}}
	| token 1
	request 1m - {"Topic":"q","QoS":1,"Properties":{"CorrelationData":"2","ResponseTopic":"other"}}
	| token 2
	up
	| Open attempt=1
	| > CONNECT ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| > SUBSCRIBE PacketID=1 SubscriptionIdentifier=1 Filters[0].Filter=r Filters[0].QoS=2
	| > SUBSCRIBE PacketID=2 SubscriptionIdentifier=2 Filters[0].Filter=other Filters[0].QoS=2
	| > PUBLISH QoS=1 Topic=q PacketID=3 MessageExpiryInterval=60 ResponseTopic=r CorrelationData=1 Payload="0 bytes" ""
	| > PUBLISH QoS=1 Topic=q PacketID=4 MessageExpiryInterval=60 ResponseTopic=other CorrelationData=2 Payload="0 bytes" ""
	| < SUBACK PacketID=1 ReasonCodes="0x87 Not authorized"
	| < SUBACK PacketID=2 ReasonCodes="0x02 Granted QoS 2"
	| < PUBACK PacketID=3
	| < PUBACK PacketID=4
	| Subscribed filter=r reason=0x87
	| response 1: mqtt: Subscribe: refused by the server: Not authorized
	| Subscribed filter=other reason=0x02
	| Published token=1 id=3 packet=PUBACK PacketID=3
	| Published token=2 id=4 packet=PUBACK PacketID=4
	block
	request 1m - {"Topic":"q","Properties":{"CorrelationData":"3","ResponseTopic":"other"}}
	| token 5
	cut
	| Dropped token=5 error=transport closed
	| Response token=5 error=transport closed
	| Close reason=0x80 error=transport closed
	| Waiting attempt=2 reason=0x80 error=transport closed wait=1s
	`)
	scenario(t, `
	config {"Orphans":1,"Requests":{"ResponseTopic":"r"}}
	client {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	up
	| Open attempt=1
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	mute
	request 1m h {"Topic":"q","QoS":1,"Properties":{"CorrelationData":"1"}}
	| token 2
	| > SUBSCRIBE PacketID=1 SubscriptionIdentifier=1 Filters[0].Filter=r Filters[0].QoS=2
	| > PUBLISH QoS=1 Topic=q PacketID=2 MessageExpiryInterval=60 ResponseTopic=r CorrelationData=1 Payload="0 bytes" ""
	forget
	mute off
	again
	| Close reason=0x80 error=transport closed
	| Waiting attempt=2 reason=0x80 error=transport closed wait=1s
	| Open attempt=2 reason=0x80 error=transport closed
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| Orphaned token=2 publish=PUBLISH QoS=1 Topic=q MessageExpiryInterval=60 ResponseTopic=r CorrelationData=1 Payload="0 bytes"
	| SessionLost lost=1 queued=0
	| > SUBSCRIBE PacketID=3 SubscriptionIdentifier=1 Filters[0].Filter=r Filters[0].QoS=2
	| > PUBLISH QoS=1 Topic=q PacketID=4 MessageExpiryInterval=60 ResponseTopic=r CorrelationData=1 Payload="0 bytes" ""
	| < SUBACK PacketID=3 ReasonCodes="0x02 Granted QoS 2"
	| < PUBACK PacketID=4
	| Subscribed filter=r reason=0x02
	| Published token=2 id=4 packet=PUBACK PacketID=4
	send {"Topic":"r","Payload":"x","Properties":{"CorrelationData":"1"}}
	| < PUBLISH Topic=r CorrelationData=1 Payload="1 bytes" "x"
	| response 2: "x"
	`)
}

// TestRespond answers requests, from within a handler.
func TestRespond(t *testing.T) {
	scenario(t, `
	config {"Session":{"ManualAck":true}}
	client {"ClientID":"c"}
	subscribe h q
	up
	| Open attempt=1
	| > CONNECT ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| > SUBSCRIBE PacketID=1 SubscriptionIdentifier=1 Filters[0].Filter=q
	| < SUBACK PacketID=1 ReasonCodes="0x00 Granted QoS 0"
	| Subscribed filter=q reason=0x00
	inside respond yes
	send {"Topic":"q","QoS":1,"Payload":"?","Properties":{"ResponseTopic":"to/you","CorrelationData":"7"}}
	| < PUBLISH QoS=1 Topic=q PacketID=1 ResponseTopic=to/you CorrelationData=7 Payload="1 bytes" "?"
	| handler h: q "?"
	| > PUBLISH Topic=to/you CorrelationData=7 Payload="3 bytes" "yes"
	| Published token=2
	send {"Topic":"q","Payload":"?","Properties":{"ResponseTopic":"to/you"}}
	| < PUBLISH Topic=q ResponseTopic=to/you Payload="1 bytes" "?"
	| handler h: q "?"
	| > PUBLISH Topic=to/you Payload="3 bytes" "yes"
	| Published token=3
	send {"Topic":"q","Payload":"?"}
	| < PUBLISH Topic=q Payload="1 bytes" "?"
	| handler h: q "?"
	| error mqtt: Respond: no response topic
	inside
	request 1m - {"Topic":"q","QoS":1,"Properties":{"CorrelationData":"1","ResponseTopic":"r"}}
	| token 5
	| > SUBSCRIBE PacketID=2 SubscriptionIdentifier=2 Filters[0].Filter=r Filters[0].QoS=2
	| > PUBLISH QoS=1 Topic=q PacketID=3 MessageExpiryInterval=60 ResponseTopic=r CorrelationData=1 Payload="0 bytes" ""
	| < SUBACK PacketID=2 ReasonCodes="0x02 Granted QoS 2"
	| < PUBACK PacketID=3
	| Subscribed filter=r reason=0x02
	| Published token=5 id=3 packet=PUBACK PacketID=3
	send {"Topic":"r","QoS":1,"Payload":"x","Properties":{"CorrelationData":"1"}}
	| < PUBLISH QoS=1 Topic=r PacketID=2 CorrelationData=1 Payload="1 bytes" "x"
	| Response token=5 id=2 publish=PUBLISH QoS=1 Topic=r PacketID=2 CorrelationData=1 Payload="1 bytes" "x"
	`)
}
