package client_test

import "testing"

// TestSubscribe sends filters with the identifier of their handler, eight to a
// packet, and again only when the session was lost.
func TestSubscribe(t *testing.T) {
	scenario(t, `
	client {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	subscribe a a/+:1 a/b:2
	subscribe b b1 b2 b3 b4 b5 b6 b7 b8 b9
	set
	| a/+ QoS 1 false
	| a/b QoS 2 false
	| b1 QoS 0 false
	| b2 QoS 0 false
	| b3 QoS 0 false
	| b4 QoS 0 false
	| b5 QoS 0 false
	| b6 QoS 0 false
	| b7 QoS 0 false
	| b8 QoS 0 false
	| b9 QoS 0 false
	up
	| Open attempt=1
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| > SUBSCRIBE PacketID=1 SubscriptionIdentifier=1 Filters[0].Filter=a/+ Filters[0].QoS=1 Filters[1].Filter=a/b Filters[1].QoS=2
	| > SUBSCRIBE PacketID=2 SubscriptionIdentifier=2 Filters[0].Filter=b1 Filters[1].Filter=b2 Filters[2].Filter=b3 Filters[3].Filter=b4 Filters[4].Filter=b5 Filters[5].Filter=b6 Filters[6].Filter=b7 Filters[7].Filter=b8
	| > SUBSCRIBE PacketID=3 SubscriptionIdentifier=2 Filters[0].Filter=b9
	| < SUBACK PacketID=1 ReasonCodes="0x01 Granted QoS 1, 0x02 Granted QoS 2"
	| < SUBACK PacketID=2 ReasonCodes="0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0"
	| < SUBACK PacketID=3 ReasonCodes="0x00 Granted QoS 0"
	| Subscribed filter=a/+ reason=0x01
	| Subscribed filter=a/b reason=0x02
	| Subscribed filter=b1 reason=0x00
	| Subscribed filter=b2 reason=0x00
	| Subscribed filter=b3 reason=0x00
	| Subscribed filter=b4 reason=0x00
	| Subscribed filter=b5 reason=0x00
	| Subscribed filter=b6 reason=0x00
	| Subscribed filter=b7 reason=0x00
	| Subscribed filter=b8 reason=0x00
	| Subscribed filter=b9 reason=0x00
	set
	| a/+ QoS 1 true
	| a/b QoS 2 true
	| b1 QoS 0 true
	| b2 QoS 0 true
	| b3 QoS 0 true
	| b4 QoS 0 true
	| b5 QoS 0 true
	| b6 QoS 0 true
	| b7 QoS 0 true
	| b8 QoS 0 true
	| b9 QoS 0 true
	# The session goes on: nothing is sent.
	again
	| Close reason=0x80 error=transport closed
	| Waiting attempt=2 reason=0x80 error=transport closed wait=1s
	| Open attempt=2 reason=0x80 error=transport closed
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK SessionPresent=true
	| Connected session=true packet=CONNACK SessionPresent=true
	# It is lost: everything is sent again.
	forget
	again
	| Close reason=0x80 error=transport closed
	| Waiting attempt=3 reason=0x80 error=transport closed wait=2s
	| Open attempt=3 reason=0x80 error=transport closed
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| SessionLost lost=0 queued=0
	| > SUBSCRIBE PacketID=4 SubscriptionIdentifier=1 Filters[0].Filter=a/+ Filters[0].QoS=1 Filters[1].Filter=a/b Filters[1].QoS=2
	| > SUBSCRIBE PacketID=5 SubscriptionIdentifier=2 Filters[0].Filter=b1 Filters[1].Filter=b2 Filters[2].Filter=b3 Filters[3].Filter=b4 Filters[4].Filter=b5 Filters[5].Filter=b6 Filters[6].Filter=b7 Filters[7].Filter=b8
	| > SUBSCRIBE PacketID=6 SubscriptionIdentifier=2 Filters[0].Filter=b9
	| < SUBACK PacketID=4 ReasonCodes="0x01 Granted QoS 1, 0x02 Granted QoS 2"
	| < SUBACK PacketID=5 ReasonCodes="0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0"
	| < SUBACK PacketID=6 ReasonCodes="0x00 Granted QoS 0"
	| Subscribed filter=a/+ restored=true reason=0x01
	| Subscribed filter=a/b restored=true reason=0x02
	| Subscribed filter=b1 restored=true reason=0x00
	| Subscribed filter=b2 restored=true reason=0x00
	| Subscribed filter=b3 restored=true reason=0x00
	| Subscribed filter=b4 restored=true reason=0x00
	| Subscribed filter=b5 restored=true reason=0x00
	| Subscribed filter=b6 restored=true reason=0x00
	| Subscribed filter=b7 restored=true reason=0x00
	| Subscribed filter=b8 restored=true reason=0x00
	| Subscribed filter=b9 restored=true reason=0x00
	# What was not answered is sent again.
	noack
	subscribe c c:1
	| > SUBSCRIBE PacketID=7 SubscriptionIdentifier=3 Filters[0].Filter=c Filters[0].QoS=1
	unsubscribe b1
	| > UNSUBSCRIBE PacketID=8 Filters=b1
	set
	| a/+ QoS 1 true
	| a/b QoS 2 true
	| b2 QoS 0 true
	| b3 QoS 0 true
	| b4 QoS 0 true
	| b5 QoS 0 true
	| b6 QoS 0 true
	| b7 QoS 0 true
	| b8 QoS 0 true
	| b9 QoS 0 true
	| c QoS 1 false
	noack off
	again
	| Close reason=0x80 error=transport closed
	| Waiting attempt=4 reason=0x80 error=transport closed wait=4s
	| Open attempt=4 reason=0x80 error=transport closed
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK SessionPresent=true
	| Connected session=true packet=CONNACK SessionPresent=true
	| > UNSUBSCRIBE PacketID=9 Filters=b1
	| > SUBSCRIBE PacketID=10 SubscriptionIdentifier=3 Filters[0].Filter=c Filters[0].QoS=1
	| < UNSUBACK PacketID=9 ReasonCodes="0x11 No subscription existed"
	| < SUBACK PacketID=10 ReasonCodes="0x01 Granted QoS 1"
	| Unsubscribed filter=b1 reason=0x11
	| Subscribed filter=c reason=0x01
	set
	| a/+ QoS 1 true
	| a/b QoS 2 true
	| b2 QoS 0 true
	| b3 QoS 0 true
	| b4 QoS 0 true
	| b5 QoS 0 true
	| b6 QoS 0 true
	| b7 QoS 0 true
	| b8 QoS 0 true
	| b9 QoS 0 true
	| c QoS 1 true
	serversubs
	| 11
	# Nothing of this ever was at the server.
	cut
	| Close reason=0x80 error=transport closed
	| Waiting attempt=5 reason=0x80 error=transport closed wait=8s
	unsubscribe b2 d
	forget
	retrynow
	| Open attempt=5 reason=0x80 error=transport closed
	open
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| Unsubscribed filter=b2 reason=0x11
	| Unsubscribed filter=d reason=0x11
	| SessionLost lost=0 queued=0
	| > SUBSCRIBE PacketID=11 SubscriptionIdentifier=1 Filters[0].Filter=a/+ Filters[0].QoS=1 Filters[1].Filter=a/b Filters[1].QoS=2
	| > SUBSCRIBE PacketID=12 SubscriptionIdentifier=2 Filters[0].Filter=b3 Filters[1].Filter=b4 Filters[2].Filter=b5 Filters[3].Filter=b6 Filters[4].Filter=b7 Filters[5].Filter=b8 Filters[6].Filter=b9
	| > SUBSCRIBE PacketID=13 SubscriptionIdentifier=3 Filters[0].Filter=c Filters[0].QoS=1
	| < SUBACK PacketID=11 ReasonCodes="0x01 Granted QoS 1, 0x02 Granted QoS 2"
	| < SUBACK PacketID=12 ReasonCodes="0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0"
	| < SUBACK PacketID=13 ReasonCodes="0x01 Granted QoS 1"
	| Subscribed filter=a/+ restored=true reason=0x01
	| Subscribed filter=a/b restored=true reason=0x02
	| Subscribed filter=b3 restored=true reason=0x00
	| Subscribed filter=b4 restored=true reason=0x00
	| Subscribed filter=b5 restored=true reason=0x00
	| Subscribed filter=b6 restored=true reason=0x00
	| Subscribed filter=b7 restored=true reason=0x00
	| Subscribed filter=b8 restored=true reason=0x00
	| Subscribed filter=b9 restored=true reason=0x00
	| Subscribed filter=c restored=true reason=0x01
	set
	| a/+ QoS 1 true
	| a/b QoS 2 true
	| b3 QoS 0 true
	| b4 QoS 0 true
	| b5 QoS 0 true
	| b6 QoS 0 true
	| b7 QoS 0 true
	| b8 QoS 0 true
	| b9 QoS 0 true
	| c QoS 1 true
	serversubs
	| 10
	`)
	scenario(t, `
	v311
	config {"FiltersPerPacket":2}
	client {"ClientID":"c"}
	subscribe a a/+:1 a/b:2
	subscribe b b
	unsubscribe b x
	up
	| Open attempt=1
	| > CONNECT ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| Unsubscribed filter=b reason=0x11
	| Unsubscribed filter=x reason=0x11
	| > SUBSCRIBE PacketID=1 Filters[0].Filter=a/+ Filters[0].QoS=1 Filters[1].Filter=a/b Filters[1].QoS=2
	| < SUBACK PacketID=1 ReasonCodes="0x01 Granted QoS 1, 0x02 Granted QoS 2"
	| Subscribed filter=a/+ reason=0x01
	| Subscribed filter=a/b reason=0x02
	unsubscribe a/b
	| > UNSUBSCRIBE PacketID=2 Filters=a/b
	| < UNSUBACK PacketID=2
	| Unsubscribed filter=a/b reason=0x00
	set
	| a/+ QoS 1 true
	again
	| Close reason=0x80 error=transport closed
	| Waiting attempt=2 reason=0x80 error=transport closed wait=1s
	| Open attempt=2 reason=0x80 error=transport closed
	| > CONNECT ClientID=c
	| < CONNACK SessionPresent=true
	| Connected session=true packet=CONNACK SessionPresent=true
	forget
	again
	| Close reason=0x80 error=transport closed
	| Waiting attempt=3 reason=0x80 error=transport closed wait=2s
	| Open attempt=3 reason=0x80 error=transport closed
	| > CONNECT ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| SessionLost lost=0 queued=0
	| > SUBSCRIBE PacketID=3 Filters[0].Filter=a/+ Filters[0].QoS=1
	| < SUBACK PacketID=3 ReasonCodes="0x01 Granted QoS 1"
	| Subscribed filter=a/+ restored=true reason=0x01
	subscribe a a/#/b
	| error mqtt: Subscribe: SUBSCRIBE: protocol error: Filters[0].Filter: # is not the whole last level of the filter rule MQTT-4.7.1-2
	unsubscribe a/#/b
	| error mqtt: Unsubscribe: UNSUBSCRIBE: protocol error: Filters[0]: # is not the whole last level of the filter rule MQTT-4.7.1-2
	subscribe a
	| error mqtt: Subscribe: SUBSCRIBE: protocol error: Filters: the packet has no element of the list rule MQTT-3.8.3-3
	`)
	scenario(t, `
	client {"ClientID":"c"}
	subscribe a $share//b
	| error mqtt: Subscribe: SUBSCRIBE: protocol error: Filters[0].Filter: the shared subscription has no ShareName rule MQTT-4.8.2-1
	`)
}

// TestSubscribeChanges changes the set while answers are awaited.
func TestSubscribeChanges(t *testing.T) {
	scenario(t, `
	client {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	up
	| Open attempt=1
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	noack
	subscribe a a:1
	| > SUBSCRIBE PacketID=1 SubscriptionIdentifier=1 Filters[0].Filter=a Filters[0].QoS=1
	subscribe b a:2
	unsubscribe a
	subscribe c a:0
	set
	| a QoS 0 false
	noack off
	again
	| Close reason=0x80 error=transport closed
	| Waiting attempt=2 reason=0x80 error=transport closed wait=1s
	| Open attempt=2 reason=0x80 error=transport closed
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK SessionPresent=true
	| Connected session=true packet=CONNACK SessionPresent=true
	| > SUBSCRIBE PacketID=2 SubscriptionIdentifier=3 Filters[0].Filter=a
	| < SUBACK PacketID=2 ReasonCodes="0x00 Granted QoS 0"
	| Subscribed filter=a reason=0x00
	set
	| a QoS 0 true
	unsubscribe a
	| > UNSUBSCRIBE PacketID=3 Filters=a
	| < UNSUBACK PacketID=3 ReasonCodes="0x00 Success"
	| Unsubscribed filter=a reason=0x00
	unsubscribe a
	| > UNSUBSCRIBE PacketID=4 Filters=a
	| < UNSUBACK PacketID=4 ReasonCodes="0x11 No subscription existed"
	| Unsubscribed filter=a reason=0x11
	subscribe d a:1
	| > SUBSCRIBE PacketID=5 SubscriptionIdentifier=4 Filters[0].Filter=a Filters[0].QoS=1
	| < SUBACK PacketID=5 ReasonCodes="0x01 Granted QoS 1"
	| Subscribed filter=a reason=0x01
	subscribe e a:1 a:2
	| > SUBSCRIBE PacketID=6 SubscriptionIdentifier=5 Filters[0].Filter=a Filters[0].QoS=2
	| < SUBACK PacketID=6 ReasonCodes="0x02 Granted QoS 2"
	| Subscribed filter=a reason=0x02
	set
	| a QoS 2 true
	`)
	scenario(t, `
	client {"ClientID":"c"}
	up
	| Open attempt=1
	| > CONNECT ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	code a 0x87
	subscribe a a:1
	| > SUBSCRIBE PacketID=1 SubscriptionIdentifier=1 Filters[0].Filter=a Filters[0].QoS=1
	| < SUBACK PacketID=1 ReasonCodes="0x87 Not authorized"
	| Subscribed filter=a reason=0x87
	set
	subscribe a a:1
	| > SUBSCRIBE PacketID=2 SubscriptionIdentifier=2 Filters[0].Filter=a Filters[0].QoS=1
	| < SUBACK PacketID=2 ReasonCodes="0x87 Not authorized"
	| Subscribed filter=a reason=0x87
	unsubscribe a
	| > UNSUBSCRIBE PacketID=3 Filters=a
	| < UNSUBACK PacketID=3 ReasonCodes="0x11 No subscription existed"
	| Unsubscribed filter=a reason=0x11
	noack
	subscribe a b
	| > SUBSCRIBE PacketID=4 SubscriptionIdentifier=3 Filters[0].Filter=b
	subscribe b b
	noack off
	subscribe a a c
	| > SUBSCRIBE PacketID=5 SubscriptionIdentifier=5 Filters[0].Filter=a Filters[1].Filter=c
	| < SUBACK PacketID=5 ReasonCodes="0x87 Not authorized, 0x00 Granted QoS 0"
	| Subscribed filter=a reason=0x87
	| Subscribed filter=c reason=0x00
	`)
}

// TestRefusedFilters drops refused filters from the set or keeps them.
func TestRefusedFilters(t *testing.T) {
	scenario(t, `
	client {"ClientID":"c"}
	code b 0x87
	subscribe a a:1 b:1 c:1
	up
	| Open attempt=1
	| > CONNECT ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| > SUBSCRIBE PacketID=1 SubscriptionIdentifier=1 Filters[0].Filter=a Filters[0].QoS=1 Filters[1].Filter=b Filters[1].QoS=1 Filters[2].Filter=c Filters[2].QoS=1
	| < SUBACK PacketID=1 ReasonCodes="0x01 Granted QoS 1, 0x87 Not authorized, 0x01 Granted QoS 1"
	| Subscribed filter=a reason=0x01
	| Subscribed filter=b reason=0x87
	| Subscribed filter=c reason=0x01
	set
	| a QoS 1 true
	| c QoS 1 true
	`)
	scenario(t, `
	config {"Refused":1}
	client {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	code b 0x97
	subscribe a a:1 b:1 c:1
	up
	| Open attempt=1
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| > SUBSCRIBE PacketID=1 SubscriptionIdentifier=1 Filters[0].Filter=a Filters[0].QoS=1 Filters[1].Filter=b Filters[1].QoS=1 Filters[2].Filter=c Filters[2].QoS=1
	| < SUBACK PacketID=1 ReasonCodes="0x01 Granted QoS 1, 0x97 Quota exceeded, 0x01 Granted QoS 1"
	| Subscribed filter=a reason=0x01
	| Subscribed filter=b reason=0x97
	| Subscribed filter=c reason=0x01
	set
	| a QoS 1 true
	| b QoS 1 false
	| c QoS 1 true
	code b 1
	again
	| Close reason=0x80 error=transport closed
	| Waiting attempt=2 reason=0x80 error=transport closed wait=1s
	| Open attempt=2 reason=0x80 error=transport closed
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK SessionPresent=true
	| Connected session=true packet=CONNACK SessionPresent=true
	| > SUBSCRIBE PacketID=2 SubscriptionIdentifier=1 Filters[0].Filter=b Filters[0].QoS=1
	| < SUBACK PacketID=2 ReasonCodes="0x01 Granted QoS 1"
	| Subscribed filter=b reason=0x01
	set
	| a QoS 1 true
	| b QoS 1 true
	| c QoS 1 true
	`)
}
