package broker_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session/broker"
)

// Clients under a mount point see nothing of it, whatever way a message takes,
// and nobody sees theirs without it.
func TestMountPoint(t *testing.T) {
	room := &broker.Endpoint{Name: "room", MountPoint: "room/"}
	for _, v := range bothVersions {
		for qos := codec.QoS0; qos <= codec.QoS2; qos++ {
			w := newWorld(t, broker.Config{})
			hall := w.connect(v, clean("hall")).subscribed(filter("#", qos))
			w.at = room
			in := w.connect(v, clean("in")).subscribed(filter("#", qos))
			shared := w.connect(v, clean("shared")).subscribed(filter("$share/g/t", qos))
			away := w.connect(v, lasting("away", v)).subscribed(filter("+", 2))
			away.drop()
			pub := w.connect(v, withWill(clean("pub"), "t", 0))
			pub.send(retained("t", "x", qos), publish("other/t", "y", 0))
			pub.drop()
			hall.expect(fmt.Sprintf("room/t=x q%d", qos), "room/other/t=y q0", fmt.Sprintf("room/t=gone q%d", min(1, qos)))
			in.expect(fmt.Sprintf("t=x q%d", qos), "other/t=y q0", fmt.Sprintf("t=gone q%d", min(1, qos)))
			shared.expect(fmt.Sprintf("t=x q%d", qos), fmt.Sprintf("t=gone q%d", min(1, qos)))
			want := []string{"t=gone q1"}
			if qos > 0 {
				want = []string{fmt.Sprintf("t=x q%d", qos), "t=gone q1"}
			}
			w.present(v, lasting("away", v), true).expect(want...)
			late := w.connect(v, clean("late"))
			late.send(subscribe(filter("#", 0), filter("$SYS/#", 0)))
			late.expect("SUBACK 00 00", "t=x q0 retain")
			late.send(&codec.Unsubscribe{PacketID: 1, Filters: []codec.Bytes{codec.Bytes("#")}})
			late.packets()
			in.packets()
			hall.send(publish("room/t", "z", 0), publish("t", "z", 0))
			in.expect("t=z q0")
			late.expect()
		}
	}
}

// A Response Topic is the same for all under one mount point, whatever way a
// request takes. Those without one get its full name, and those that cannot reach
// it none. [MQTT-3.3.2-15] v5
func TestMountPointResponse(t *testing.T) {
	request := func(topic, response string, qos codec.QoS) *codec.Publish {
		p := retained(topic, "x", qos)
		p.Properties.ResponseTopic = codec.Text(response)
		return p
	}
	for qos := codec.QoS0; qos <= codec.QoS2; qos++ {
		w := durable(t, broker.Config{})
		watch := filter("#", qos)
		hall := w.connect(codec.V5, clean("hall")).subscribed(watch)
		w.at = &broker.Endpoint{Name: "room", MountPoint: "room/"}
		in := w.connect(codec.V5, clean("in")).subscribed(watch)
		w.connect(codec.V5, lasting("away", codec.V5)).subscribed(filter("#", 2)).drop()
		will := withWill(clean("pub"), "t", 0)
		will.Will.Value.Properties.ResponseTopic = codec.Text("r")
		pub := w.connect(codec.V5, will)
		pub.send(request("t", "r", qos))
		pub.drop()
		for i, response := range []string{"room/s/1", "room", "room/"} {
			p := request("room/t", response, qos)
			if qos > codec.QoS0 {
				p.PacketID = uint32(i + 1)
			}
			hall.send(p)
		}
		responses := func(c *client, want ...string) {
			t.Helper()
			var got []string
			for _, p := range c.packets() {
				if p, ok := p.(*codec.Publish); ok {
					got = append(got, string(p.Properties.ResponseTopic.Or(codec.Bytes("-"))))
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("QoS %d: %q, want %q", qos, got, want)
			}
		}
		responses(hall, "room/r", "room/r", "room/s/1", "room", "room/")
		responses(in, "r", "r", "s/1", "-", "-")
		w.restart()
		want := []string{"r", "r", "s/1", "-", "-"}
		if qos == codec.QoS0 {
			want = want[1:2] // the Will
		}
		responses(w.present(codec.V5, lasting("away", codec.V5), true), want...)
	}
}

// What is beside the mount point is not below it, though "room/#" matches it: neither
// "room" nor "room/", which would be an empty topic. [MQTT-4.7.3-1] v5
func TestBesideMountPoint(t *testing.T) {
	w := newWorld(t, broker.Config{})
	hall := w.connect(codec.V5, clean("hall")).subscribed(filter("$share/g/room/#", 0))
	w.at = &broker.Endpoint{MountPoint: "room/"}
	in := w.connect(codec.V5, clean("in")).subscribed(filter("#", 0), filter("$share/g/#", 0))
	w.at = nil
	w.connect(codec.V5, clean("pub")).send(retained("room", "1", 0), publish("room", "2", 0), retained("room/", "3", 0))
	in.expect()
	hall.expect("room=1 q0", "room=2 q0", "room/=3 q0")
	in.send(subscribe(filter("#", 0), filter("+", 0)))
	in.expect("SUBACK 00 00")
	if n := w.b.Stats().Dropped; n != 0 {
		t.Errorf("%d messages dropped that nobody should get", n)
	}
}

// Which topics begin with $ is what a client under a mount point sees: it may not
// publish to them, and wildcards at the beginning of its filters do not match them.
// For those without the mount point they are topics like others.
// [MQTT-4.7.2-1] v5 [MQTT-4.7.2-1] v311 [U5-4.7.2-a] v5 [U311-4.7.2-a] v311
func TestMountPointDollar(t *testing.T) {
	long := "$x/" + strings.Repeat("long", 20)
	for _, v := range bothVersions {
		for _, dollar := range []bool{false, true} {
			w := durable(t, broker.Config{DollarTopics: dollar})
			hall := w.connect(v, clean("hall")).subscribed(filter("#", 1), filter("$share/h/room/#", 1))
			w.at = &broker.Endpoint{Name: "room", MountPoint: "room/"}
			all := w.connect(v, clean("all")).subscribed(filter("#", 2), filter("+/+", 2), filter("+/"+long[3:], 2), filter("$share/g/#", 2))
			w.connect(v, lasting("away", v)).subscribed(filter("#", 2), filter("+/x", 2)).drop()
			some := w.connect(v, clean("some")).subscribed(filter("#", 2), filter("$x/#", 0), filter("$share/f/$x/+", 1))

			refused := func(topic string, code codec.ReasonCode) {
				t.Helper()
				if !v.IsV5() {
					code = codec.ReasonSuccess // there is no way to tell
				}
				some.send(retained(topic, "x", 1))
				some.expect(fmt.Sprintf("PUBACK 100 %02X", byte(code)))
			}
			refused("$SYS", codec.ReasonNotAuthorized)
			refused("$SYS/x", codec.ReasonNotAuthorized)
			refused("$share/g/x", codec.ReasonTopicNameInvalid)
			if !dollar {
				refused("$x/x", codec.ReasonNotAuthorized)
			} else {
				some.send(publish("$x/x", "1", 1))
				some.expect("$x/x=1 q0", "$x/x=1 q1", "PUBACK 100 00")
				hall.expect("room/$x/x=1 q1", "room/$x/x=1 q1")
			}
			hall.expect()
			hall.send(retained("room/$x/x", "2", 2), numbered(retained("room/"+long, "3", 2), 101))
			some.expect("$x/x=2 q0", "$x/x=2 q1", long+"=3 q0", long+"=3 q1")
			late := w.connect(v, clean("late"))
			late.send(subscribe(filter("#", 2), filter("+/"+long[3:], 2), filter("$x/x", 2)))
			late.expect("SUBACK 02 02 02", "$x/x=2 q2 retain")
			all.expect()

			w.restart()
			w.at = nil
			if err := w.b.Publish(w.now, publish("room/$x/x", "4", 1)); err != nil {
				t.Fatal(err)
			}
			w.drain()
			w.at = &broker.Endpoint{Name: "room", MountPoint: "room/"}
			w.present(v, lasting("away", v), true).expect()
		}
	}
}

// Of members with and without a mount point that share a subscription, only those
// get a topic that see it. [MQTT-4.7.2-1] v5
func TestMountPointDollarShared(t *testing.T) {
	w := newWorld(t, broker.Config{})
	hall := w.connect(codec.V5, clean("hall")).subscribed(filter("$share/g/room/#", 0))
	w.at = &broker.Endpoint{MountPoint: "room/"}
	in := w.connect(codec.V5, clean("in")).subscribed(filter("$share/g/#", 0))
	w.at = nil
	pub := w.connect(codec.V5, clean("pub"))
	for range 3 {
		pub.send(publish("room/$x", "", 0))
	}
	hall.expect("room/$x= q0", "room/$x= q0", "room/$x= q0")
	for range 2 {
		pub.send(publish("room/x", "", 0))
	}
	hall.expect("room/x= q0")
	in.expect("x= q0")
}

// With its mount point a topic may become too long.
func TestMountPointLength(t *testing.T) {
	w := newWorld(t, broker.Config{})
	w.at = &broker.Endpoint{MountPoint: "room/"}
	c := w.connect(codec.V5, clean("c"))
	for room, want := range map[int][]string{65530: {"SUBACK 00", "PUBACK 100 00"}, 65531: {"SUBACK 8F", "PUBACK 100 90"}} {
		topic := strings.Repeat("x", room)
		c.send(subscribe(filter(topic, 0)), publish(topic, "", 1))
		var got []string
		for _, p := range c.packets() {
			if p.Type() != codec.TypePublish {
				got = append(got, short(p))
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%d bytes: %v, want %v", room, got, want)
		}
	}
}

// So may a Response Topic and those of a Will, which could not be stored.
func TestMountPointLengthOfMore(t *testing.T) {
	for room, want := range map[int]string{65530: "PUBACK 100 10 CONNACK 00 present=false CONNACK 00 present=false", 65531: "PUBACK 100 90 CONNACK 90 present=false CONNACK 90 present=false"} {
		w := durable(t, broker.Config{})
		w.at = &broker.Endpoint{MountPoint: "room/"}
		long := strings.Repeat("x", room)
		request := publish("t", "", 1)
		request.Properties.ResponseTopic = codec.Text(long)
		pub := w.connect(codec.V5, clean("pub"))
		pub.send(request)
		got := short(pub.packets()[0])
		responding := withWill(clean("a"), "t", 1)
		responding.Will.Value.Properties.ResponseTopic = codec.Text(long)
		for _, p := range []*codec.Connect{responding, withWill(clean("b"), long, 1)} {
			c := w.open(codec.V5)
			c.send(p)
			got += " " + short(c.packets()[0])
		}
		w.restart()
		if got != want {
			t.Errorf("%d bytes: %s, want %s", room, got, want)
		}
	}
}

// A session belongs to its mount point, also over a restart; its user is kept.
func TestMountPointOfSession(t *testing.T) {
	var seen *broker.Client
	cfg := broker.Config{Ask: broker.AskConnect}
	cfg.Policy.Deliver = func(c *broker.Client, _ *codec.Publish, from *broker.Client) bool {
		seen = c
		return true
	}
	w := durable(t, cfg)
	come := func(e *broker.Endpoint, want string) *client {
		w.at = e
		c := w.open(codec.V5)
		c.send(lasting("c", codec.V5))
		w.b.Accept(w.now, c.h, broker.Admission{User: "ann"})
		w.drain()
		if got := c.packets(); short(got[0]) != "CONNACK 00 present="+want {
			t.Errorf("%s: got %v", e.Name, got)
		}
		return c
	}
	a, b := &broker.Endpoint{Name: "a", MountPoint: "a/"}, &broker.Endpoint{Name: "b", MountPoint: "b/"}
	come(a, "false").subscribed(filter("t", 1)).drop()
	w.restart()
	if err := w.b.Publish(w.now, publish("a/t", "x", 1)); err != nil {
		t.Fatal(err)
	}
	w.drain()
	if seen == nil || seen.ID != "c" || seen.User != "ann" || seen.Endpoint.Name != "a" || seen.Endpoint.MountPoint != "a/" {
		t.Errorf("client %+v", seen)
	}
	w.restart()
	come(a, "true").drop()
	come(b, "false").drop()
	come(a, "false")
}

// What an endpoint says goes before what the configuration says.
func TestEndpointSettings(t *testing.T) {
	cfg := broker.Config{TopicAliasMaximum: 3, MaximumKeepAlive: 100, ClientIDPrefix: "x-"}
	strict := &broker.Endpoint{
		MaximumQoS: codec.Some(codec.QoS0), TopicAliasMaximum: codec.Some(uint16(0)), MaximumKeepAlive: 10, ClientIDPrefix: "y-",
	}
	for want, e := range map[string]*broker.Endpoint{
		"{0 false} {3 true} {100 true} x-1": nil,
		"{0 true} {0 false} {10 true} y-1":  strict,
	} {
		w := newWorld(t, cfg)
		w.at = e
		c := w.open(codec.V5)
		p := clean("")
		p.KeepAlive = 1000
		c.send(p)
		ack := c.packets()[0].(*codec.Connack).Properties
		if got := fmt.Sprint(ack.MaximumQoS, " ", ack.TopicAliasMaximum, " ", ack.ServerKeepAlive, " ", string(ack.AssignedClientIdentifier.Value)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	w := newWorld(t, broker.Config{})
	w.at = strict
	old := w.connect(codec.V311, slowPing(clean("old"), 10)).subscribed(filter("t", 2))
	w.at = nil
	w.connect(codec.V5, clean("pub")).send(publish("t", "x", 2))
	old.expect("t=x q0")
	old.send(publish("t", "x", 1))
	if !old.closed {
		t.Error("a QoS beyond the maximum was taken")
	}
}

func slowPing(p *codec.Connect, seconds uint16) *codec.Connect {
	p.KeepAlive = seconds
	return p
}

// Who is refused at an endpoint.
func TestEndpointRefuses(t *testing.T) {
	for _, tt := range []struct {
		e       broker.Endpoint
		v       codec.Version
		connect *codec.Connect
		want    string
	}{
		{broker.Endpoint{RefuseV311: true}, codec.V311, clean("c"), "CONNACK 84"},
		{broker.Endpoint{RefuseV311: true}, codec.V5, clean("c"), "CONNACK 00"},
		{broker.Endpoint{RefuseV5: true}, codec.V5, clean("c"), "CONNACK 84"},
		{broker.Endpoint{RefuseEmptyClientID: true}, codec.V5, clean(""), "CONNACK 85"},
		{broker.Endpoint{RefuseEmptyClientID: true}, codec.V311, clean(""), "CONNACK 85"},
		{broker.Endpoint{MaximumKeepAlive: 60}, codec.V311, slowPing(clean("c"), 61), "CONNACK 00"},
	} {
		w := newWorld(t, broker.Config{})
		w.at = &tt.e
		c := w.open(tt.v)
		c.send(tt.connect)
		c.expect(tt.want + " present=false")
	}
}

// [MQTT-3.2.2-21] v5
func TestMaximumSessionExpiry(t *testing.T) {
	for _, v := range bothVersions {
		w := newWorld(t, broker.Config{MaximumSessionExpiry: 60})
		c := w.open(v)
		c.send(lasting("c", v))
		if e := c.packets()[0].(*codec.Connack).Properties.SessionExpiryInterval; v.IsV5() && e.Value != 60 {
			t.Errorf("announced %v", e)
		}
		bye := &codec.Disconnect{}
		if v.IsV5() {
			bye.Properties.SessionExpiryInterval = codec.Some(uint32(1 << 30))
		}
		c.send(bye)
		w.pass(60*1e9 - 1)
		if n := w.b.Stats().Sessions; n != 1 {
			t.Errorf("%v: the session ended too early", v)
		}
		w.pass(1)
		if s := w.b.Stats(); s.Sessions != 0 || s.Expired != 1 {
			t.Errorf("%v: %+v", v, s)
		}
	}
}

// A client for whose session there is no room is refused; one that has a session
// is not.
func TestMaximumSessions(t *testing.T) {
	for _, v := range bothVersions {
		w := newWorld(t, broker.Config{MaximumSessions: 2})
		w.connect(v, lasting("a", v)).drop()
		w.connect(v, clean("b"))
		c := w.open(v)
		c.send(clean("c"))
		if got := c.packets()[0].(*codec.Connack).ReasonCode; v.IsV5() && got != codec.ReasonQuotaExceeded || !v.IsV5() && got != codec.ReasonServerUnavailable {
			t.Errorf("%v: refused with %v", v, got)
		}
		w.connect(v, clean("b")) // takes over
		w.present(v, lasting("a", v), true)
	}
}

// UpgradeOutgoingQoS delivers at the QoS of the subscription.
func TestUpgradeOutgoingQoS(t *testing.T) {
	w := newWorld(t, broker.Config{UpgradeOutgoingQoS: true})
	c := w.connect(codec.V5, clean("c")).subscribed(filter("t", 1), filter("$share/g/t", 2))
	away := w.connect(codec.V5, lasting("away", codec.V5)).subscribed(filter("t", 2))
	away.drop()
	w.connect(codec.V5, clean("pub")).send(retained("t", "x", 0))
	c.expect("t=x q1", "t=x q2")
	w.present(codec.V5, lasting("away", codec.V5), true).expect("t=x q2")
	late := w.connect(codec.V5, clean("late"))
	late.send(subscribe(filter("t", 2)))
	late.expect("SUBACK 02", "t=x q2 retain")
}
