package session_test

import "testing"

func TestClientConnects(t *testing.T) {
	scenario(t, `
	client v311
	connect {"ClientID":"c","CleanStart":true,"KeepAlive":10}
	| Write CONNECT CleanStart=true KeepAlive=10 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	limits
	| {ClientID:c KeepAlive:10 SessionExpiry:0 ReceiveMaximum:65535 OwnReceiveMaximum:65535 MaximumPacketSize:0 OwnMaximumPacketSize:0 TopicAliasMaximum:0 OwnTopicAliasMaximum:0 MaximumQoS:2 Retain:true WildcardSubscriptions:true SubscriptionIdentifiers:true SharedSubscriptions:true ResponseInformation: ServerReference:}
	disconnect
	| Write DISCONNECT
	| Close
	`)
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true,"Properties":{"ReceiveMaximum":7,"TopicAliasMaximum":3,"MaximumPacketSize":500,"RequestResponseInformation":1}}
	| Write CONNECT CleanStart=true ReceiveMaximum=7 MaximumPacketSize=500 TopicAliasMaximum=3 RequestResponseInformation=1 ClientID=c
	| Timer +10s
	recv CONNACK {"Properties":{"ReceiveMaximum":5,"MaximumQoS":1,"RetainAvailable":0,"MaximumPacketSize":1000,"AssignedClientIdentifier":"x","TopicAliasMaximum":2,"WildcardSubscriptionAvailable":0,"SubscriptionIdentifierAvailable":0,"SharedSubscriptionAvailable":0,"ServerKeepAlive":20,"ResponseInformation":"r","ServerReference":"s","SessionExpiryInterval":9}}
	| Connected session=false packet=CONNACK SessionExpiryInterval=9 ReceiveMaximum=5 MaximumQoS=1 RetainAvailable=0 MaximumPacketSize=1000 AssignedClientIdentifier=x TopicAliasMaximum=2 WildcardSubscriptionAvailable=0 SubscriptionIdentifierAvailable=0 SharedSubscriptionAvailable=0 ServerKeepAlive=20 ResponseInformation=r ServerReference=s
	limits
	| {ClientID:x KeepAlive:20 SessionExpiry:9 ReceiveMaximum:5 OwnReceiveMaximum:7 MaximumPacketSize:1000 OwnMaximumPacketSize:500 TopicAliasMaximum:2 OwnTopicAliasMaximum:3 MaximumQoS:1 Retain:false WildcardSubscriptions:false SubscriptionIdentifiers:false SharedSubscriptions:false ResponseInformation:r ServerReference:s}
	disconnect {"ReasonCode":4}
	| Write DISCONNECT ReasonCode="0x04 Disconnect with Will Message"
	| Close reason=0x04
	`)
}
