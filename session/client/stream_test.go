package client_test

import "testing"

// TestResponseInPieces puts responses together that come in pieces.
func TestResponseInPieces(t *testing.T) {
	scenario(t, `
	config {"Session":{"StreamAbove":10,"ManualAck":true},"Requests":{"ResponseTopic":"r","MaximumResponse":30}}
	client {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	stream all #:1
	up
	| Open attempt=1
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| > SUBSCRIBE PacketID=1 SubscriptionIdentifier=1 Filters[0].Filter=# Filters[0].QoS=1
	| < SUBACK PacketID=1 ReasonCodes="0x01 Granted QoS 1"
	| Subscribed filter=# reason=0x01
	# To a handler, and to the driver.
	request 10s h {"Topic":"q","Properties":{"CorrelationData":"1"}}
	| token 2
	| > PUBLISH Topic=q MessageExpiryInterval=10 ResponseTopic=r CorrelationData=1 Payload="0 bytes" ""
	| Published token=2
	request 10s - {"Topic":"q","Properties":{"CorrelationData":"2"}}
	| token 3
	| > PUBLISH Topic=q MessageExpiryInterval=10 ResponseTopic=r CorrelationData=2 Payload="0 bytes" ""
	| Published token=3
	request 10s h {"Topic":"q","Properties":{"CorrelationData":"3"}}
	| token 4
	| > PUBLISH Topic=q MessageExpiryInterval=10 ResponseTopic=r CorrelationData=3 Payload="0 bytes" ""
	| Published token=4
	request 10s h {"Topic":"q","Properties":{"CorrelationData":"4"}}
	| token 5
	| > PUBLISH Topic=q MessageExpiryInterval=10 ResponseTopic=r CorrelationData=4 Payload="0 bytes" ""
	| Published token=5
	request 10s h {"Topic":"q","Properties":{"CorrelationData":"5"}}
	| token 6
	| > PUBLISH Topic=q MessageExpiryInterval=10 ResponseTopic=r CorrelationData=5 Payload="0 bytes" ""
	| Published token=6
	send {"Topic":"r","QoS":1,"Payload":"longer-than-ten-bytes","Properties":{"CorrelationData":"1"}}
	| < PUBLISH QoS=1 Topic=r PacketID=1 CorrelationData=1 Payload="21 bytes" "longer-than-ten-bytes"
	| response 2: "longer-than-ten-bytes"
	| > PUBACK PacketID=1
	send {"Topic":"r","Payload":"of-thirty-bytes-just-as-it-may","Properties":{"CorrelationData":"2"}}
	| < PUBLISH Topic=r CorrelationData=2 Payload="30 bytes" "of-thirty-bytes-just-as-it-may"
	| Response token=3 publish=PUBLISH Topic=r CorrelationData=2 Payload="30 bytes" "of-thirty-bytes-just-as-it-may"
	# Too large a one passes by.
	send {"Topic":"r","QoS":1,"Payload":"of-thirty-one-bytes-so-too-many","Properties":{"CorrelationData":"3"}}
	| < PUBLISH QoS=1 Topic=r PacketID=2 CorrelationData=3 Payload="31 bytes" "of-thirty-one-bytes-so-too-many"
	| response 4: mqtt: Request: too large: the response has 31 bytes, see Requests.MaximumResponse
	| > PUBACK PacketID=2
	# Another topic, or no request: a message like others.
	send {"Topic":"x","Payload":"longer-than-ten-bytes","Properties":{"CorrelationData":"4"}}
	| < PUBLISH Topic=x CorrelationData=4 Payload="21 bytes" "longer-than-ten-bytes"
	| stream all: x of 21 bytes, payload ""
	| stream all: "longer-than-ten-bytes", error <nil>
	# The connection ends within the payload.
	half {"Topic":"r","QoS":1,"Payload":"longer-than-ten-bytes","Properties":{"CorrelationData":"4"}}
	again
	| Close reason=0x80 error=transport closed
	| Waiting attempt=2 reason=0x80 error=transport closed wait=1s
	| Open attempt=2 reason=0x80 error=transport closed
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK SessionPresent=true
	| Connected session=true packet=CONNACK SessionPresent=true
	send {"Topic":"r","QoS":1,"Payload":"longer-than-ten-bytes-again","Properties":{"CorrelationData":"4"}}
	| < PUBLISH QoS=1 Topic=r PacketID=3 CorrelationData=4 Payload="27 bytes" "longer-than-ten-bytes-again"
	| response 5: "longer-than-ten-bytes-again"
	| > PUBACK PacketID=3
	# Its time passes meanwhile.
	half {"Topic":"r","QoS":1,"Payload":"longer-than-ten-bytes","Properties":{"CorrelationData":"5"}}
	after 10s
	| response 6: no response in time
	rest
	| Stray late=true token=21474836481 id=1 publish=PUBLISH QoS=1 Topic=r PacketID=1 CorrelationData=5 Payload="21 bytes" "longer-than-ten-bytes"
	stats
	| {Attempts:2 Connections:2 Handled:1 Unhandled:0 Orphaned:0 Responses:3 Failed:2 Late:1 Stray:0}
	`)
}
