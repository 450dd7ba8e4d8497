package codec

import (
	"errors"
	"reflect"
	"testing"
)

// built calls every method of every builder and returns what they build.
func built(t *testing.T) map[PacketType]Packet {
	must := func(p Packet, err error) Packet {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	will := Will{
		Retain: true, QoS: QoS1, Topic: Bytes("text"), Payload: Bytes("text"),
		Properties: WillProperties{
			WillDelayInterval: Some[uint32](1), PayloadFormatIndicator: Some[uint8](1), MessageExpiryInterval: Some[uint32](1),
			ContentType: Text("text"), ResponseTopic: Text("text"), CorrelationData: Text("text"),
		},
	}
	will.Properties.UserProperties.Add("name", "first")
	will.Properties.UserProperties.Add("name", "second")
	text := []byte("text")
	return map[PacketType]Packet{
		TypeConnect: must(NewConnect("text").CleanStart(true).KeepAlive(1).SessionExpiryInterval(1).ReceiveMaximum(1).
			MaximumPacketSize(1).TopicAliasMaximum(1).RequestResponseInformation(1).RequestProblemInformation(1).
			UserProperty("name", "first").UserProperty("name", "second").AuthenticationMethod("text").
			AuthenticationData(text).Will(will).Username("text").Password(text).Build(V5)),
		TypeConnack: must(NewConnack(ReasonUseAnotherServer).SessionPresent(true).SessionPresent(false).
			SessionExpiryInterval(1).ReceiveMaximum(1).MaximumQoS(1).RetainAvailable(1).MaximumPacketSize(1).
			AssignedClientIdentifier("text").TopicAliasMaximum(1).ReasonString("text").UserProperty("name", "first").
			UserProperty("name", "second").WildcardSubscriptionAvailable(1).SubscriptionIdentifierAvailable(1).
			SharedSubscriptionAvailable(1).ServerKeepAlive(1).ResponseInformation("text").ServerReference("text").
			AuthenticationMethod("text").AuthenticationData(text).Build(V5)),
		TypePublish: must(NewPublish("text").Dup(true).QoS(QoS1, 1).Retain(true).PayloadFormatIndicator(1).
			MessageExpiryInterval(1).TopicAlias(1).ResponseTopic("text").CorrelationData(text).
			UserProperty("name", "first").UserProperty("name", "second").SubscriptionIdentifier(1).
			SubscriptionIdentifier(200).ContentType("text").Payload(text).Build(V5)),
		TypePuback: must(NewPuback(1).ReasonCode(ReasonNotAuthorized).ReasonString("text").
			UserProperty("name", "first").UserProperty("name", "second").Build(V5)),
		TypePubrec: must(NewPubrec(1).ReasonCode(ReasonNotAuthorized).ReasonString("text").
			UserProperty("name", "first").UserProperty("name", "second").Build(V5)),
		TypePubrel: must(NewPubrel(1).ReasonCode(ReasonPacketIdentifierNotFound).ReasonString("text").
			UserProperty("name", "first").UserProperty("name", "second").Build(V5)),
		TypePubcomp: must(NewPubcomp(1).ReasonCode(ReasonPacketIdentifierNotFound).ReasonString("text").
			UserProperty("name", "first").UserProperty("name", "second").Build(V5)),
		TypeSubscribe: must(NewSubscribe(1).SubscriptionIdentifier(1).UserProperty("name", "first").
			UserProperty("name", "second").Filters(everyOption).Filters(everyOption).Build(V5)),
		TypeSuback: must(NewSuback(1).ReasonString("text").UserProperty("name", "first").UserProperty("name", "second").
			ReasonCodes(ReasonGrantedQoS1, ReasonNotAuthorized).Build(V5)),
		TypeUnsubscribe: must(NewUnsubscribe(1).UserProperty("name", "first").UserProperty("name", "second").
			Filters("text", "text").Build(V5)),
		TypeUnsuback: must(NewUnsuback(1).ReasonString("text").UserProperty("name", "first").UserProperty("name", "second").
			ReasonCodes(ReasonSuccess).ReasonCodes(ReasonNoSubscriptionExisted).Build(V5)),
		TypePingreq:  must(NewPingreq().Build(V5)),
		TypePingresp: must(NewPingresp().Build(V5)),
		TypeDisconnect: must(NewDisconnect(ReasonUnspecifiedError).SessionExpiryInterval(1).ReasonString("text").
			UserProperty("name", "first").UserProperty("name", "second").ServerReference("text").Build(V5)),
		TypeAuth: must(NewAuth(ReasonContinueAuthentication).AuthenticationMethod("text").AuthenticationData(text).
			ReasonString("text").UserProperty("name", "first").UserProperty("name", "second").Build(V5)),
	}
}

var everyOption = Subscription{Filter: Bytes("text"), RetainHandling: RetainSendIfNew, RetainAsPublished: true, NoLocal: true, QoS: QoS1}

// The builders reach every field of every packet.
func TestBuilders(t *testing.T) {
	packets := built(t)
	for _, kind := range everyType {
		want, got := fullPacket(kind), packets[kind]
		if jsonOf(t, got) != jsonOf(t, want) {
			t.Errorf("%s\nwant %s", jsonOf(t, got), jsonOf(t, want))
		}
		mustDecode(t, mustEncode(t, got, V5), V5)
	}
}

// Build refuses what Validate refuses, with the same error.
func TestBuildersValidate(t *testing.T) {
	type buildErr struct {
		name string
		err  error
		want error
	}
	var all []buildErr
	add := func(name string, p Packet, err, want error) {
		if !reflect.ValueOf(p).IsNil() {
			t.Errorf("%s: built %v", name, p)
		}
		all = append(all, buildErr{name, err, want})
	}
	connect, err := NewConnect("").Build(V311)
	add("CONNECT", connect, err, ErrProtocol)
	connack, err := NewConnack(ReasonBanned).SessionPresent(true).Build(V5)
	add("CONNACK", connack, err, ErrProtocol)
	publish, err := NewPublish("a/#").Build(V5)
	add("PUBLISH", publish, err, ErrProtocol)
	publish, err = NewPublish("a").QoS(QoS1, 0).Build(V5)
	add("PUBLISH without identifier", publish, err, ErrProtocol)
	puback, err := NewPuback(0).Build(V311)
	add("PUBACK", puback, err, ErrProtocol)
	pubrec, err := NewPubrec(1).ReasonCode(ReasonBanned).Build(V5)
	add("PUBREC", pubrec, err, ErrMalformed)
	pubrel, err := NewPubrel(1).ReasonString("x").Build(V311)
	add("PUBREL", pubrel, err, ErrVersion)
	pubcomp, err := NewPubcomp(1).UserProperty("\x00", "").Build(V5)
	add("PUBCOMP", pubcomp, err, ErrMalformed)
	subscribe, err := NewSubscribe(1).Build(V5)
	add("SUBSCRIBE", subscribe, err, ErrProtocol)
	subscribe, err = NewSubscribe(1).Filter("$share/g/a", QoS1).Filter("a#", QoS0).Build(V5)
	add("SUBSCRIBE with a bad filter", subscribe, err, ErrProtocol)
	suback, err := NewSuback(1).Build(V311)
	add("SUBACK", suback, err, ErrProtocol)
	unsubscribe, err := NewUnsubscribe(1).Filters("").Build(V311)
	add("UNSUBSCRIBE", unsubscribe, err, ErrProtocol)
	unsuback, err := NewUnsuback(1).ReasonCodes(0).Build(V311)
	add("UNSUBACK", unsuback, err, ErrVersion)
	pingreq, err := NewPingreq().Build(V5.FromServer())
	add("PINGREQ", pingreq, err, ErrProtocol)
	pingresp, err := NewPingresp().Build(3)
	add("PINGRESP", pingresp, err, ErrUnsupportedVersion)
	disconnect, err := NewDisconnect(ReasonServerBusy).Build(V5.FromClient())
	add("DISCONNECT", disconnect, err, ErrProtocol)
	auth, err := NewAuth(ReasonContinueAuthentication).Build(V5)
	add("AUTH", auth, err, ErrProtocol)
	for _, x := range all {
		if e := typed(t, x.err); !errors.Is(e, x.want) || e.Offset != -1 {
			t.Errorf("%s: %v, want %v", x.name, x.err, x.want)
		}
	}
}

// Setting something again replaces it; nothing of the first value is left.
func TestBuildersReplace(t *testing.T) {
	first := Will{QoS: QoS1, Retain: true, Topic: Bytes("first"), Payload: Bytes("1"), Properties: WillProperties{ContentType: Text("x")}}
	second := Will{QoS: QoS2, Topic: Bytes("second"), Payload: Bytes("2")}
	p, err := NewConnect("c").CleanStart(true).Will(first).Will(second).Username("u").Username("").Build(V5)
	if err != nil {
		t.Fatal(err)
	}
	data := mustEncode(t, p, V5)
	if flags := data[9]; flags != 0x80|2<<3|0x04|0x02 {
		t.Errorf("connect flags %08b", flags)
	}
	q := mustDecode(t, data, V5).(*Connect)
	if w := q.Will.Value; w.QoS != QoS2 || w.Retain || string(w.Topic) != "second" || string(w.Payload) != "2" || w.Properties.ContentType.Set {
		t.Errorf("the will is %+v", w)
	}
	if q.Username.Value == nil || len(q.Username.Value) != 0 {
		t.Errorf("user name %q", q.Username.Value)
	}

	m, err := NewPublish("t").QoS(QoS2, 7).QoS(QoS0, 0).Payload([]byte("1")).Payload(nil).TopicAlias(1).TopicAlias(2).Build(V5)
	if err != nil || m.QoS != QoS0 || m.PacketID != 0 || m.Payload != nil || m.Properties.TopicAlias != Some[uint16](2) {
		t.Errorf("%v, %v", m, err)
	}
	s, err := NewSubscribe(1).Filter("a", QoS1).Filter("b", QoS2).Build(V311)
	if err != nil || len(s.Filters) != 2 || string(s.Filters[1].Filter) != "b" || s.Filters[1].QoS != QoS2 {
		t.Errorf("%v, %v", s, err)
	}
}

func TestOpt(t *testing.T) {
	var none Opt[uint16]
	if x, ok := none.Get(); ok || x != 0 || none.Or(7) != 7 || !none.IsZero() {
		t.Errorf("an absent value: %d, %v, %d", x, ok, none.Or(7))
	}
	zero := Some[uint16](0)
	if x, ok := zero.Get(); !ok || x != 0 || zero.Or(7) != 0 || zero.IsZero() {
		t.Errorf("a value of 0: %d, %v, %d", x, ok, zero.Or(7))
	}
	if o := Text("x"); !o.Set || string(o.Value) != "x" {
		t.Errorf("Text = %v", o)
	}
	if o := Text(""); !o.Set || o.IsZero() {
		t.Errorf("Text of nothing = %v", o)
	}
}
