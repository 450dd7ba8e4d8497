package codec_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// floorOne decodes a whole packet; it must take all of it.
func floorOne(d *floorDecoder, wire []byte) error {
	start, end, err := floorFrame(wire)
	if err != nil {
		return err
	}
	if end == 0 || end != len(wire) {
		return errFloorShort
	}
	return d.decode(wire[0], wire[start:end])
}

// The floor reads the inputs of the benchmarks and finds in them what was put
// there: a floor that skipped work would make the comparison unfair.
func TestFloorReadsInputs(t *testing.T) {
	d := &floorDecoder{v5: true}
	decode := func(wire []byte) {
		t.Helper()
		if err := floorOne(d, wire); err != nil {
			t.Fatalf("%x: %v", wire, err)
		}
	}
	equal := func(what string, got []byte, want string) {
		t.Helper()
		if string(got) != want {
			t.Errorf("%s: got %q, want %q", what, got, want)
		}
	}
	decode(wirePublish(64))
	equal("topic", d.publish.topic, benchTopic)
	equal("payload", d.publish.payload, string(payload(64)))

	decode(wirePublishProps)
	p := &d.publish.props
	if p.have != 1<<idUserProperty|benchPublishOut().have || p.users != 1 {
		t.Errorf("properties of PUBLISH: %#x, %d user properties", p.have, p.users)
	}
	equal("Response Topic", p.responseTopic, benchResponseTopic)
	equal("Correlation Data", p.correlationData, benchCorrelation)
	equal("Content Type", p.contentType, benchContentType)
	if p.payloadFormat != 1 || p.messageExpiry != 3600 || p.topicAlias != 7 {
		t.Errorf("properties of PUBLISH: %+v", p)
	}
	equal("payload", d.publish.payload, string(payload(256)))

	decode(wireConnect)
	c := &d.connect
	if !c.v5 || !c.cleanStart || !c.hasWill || c.willQoS != 1 || !c.willRetain || c.keepAlive != 60 {
		t.Errorf("CONNECT: %+v", c)
	}
	equal("Client Identifier", c.clientID, "gateway-0041-north")
	equal("Will Topic", c.willTopic, "gateways/0041/state/last")
	equal("Password", c.password, "correct horse battery")
	if c.props.receiveMaximum != 100 || c.willProps.willDelay != 30 || c.willProps.messageExpiry != 86400 {
		t.Errorf("properties of CONNECT: %+v", c)
	}

	decode(wireConnack)
	if d.connack.props.serverKeepAlive != 30 || d.connack.props.maximumPacketSize != 1<<20 {
		t.Errorf("properties of CONNACK: %+v", d.connack.props)
	}
	equal("Assigned Client Identifier", d.connack.props.assignedClientID, "auto-8f14e45fceea167a")

	decode(wireSubscribe)
	if len(d.subscribe.filters) != len(benchFilters) {
		t.Fatalf("SUBSCRIBE: %d filters", len(d.subscribe.filters))
	}
	for i, f := range d.subscribe.filters {
		equal("filter", f.filter, benchFilters[i])
	}
	decode(wirePuback)
	if d.ack.id != 0x1234 || d.ack.reason != 0 {
		t.Errorf("PUBACK: %+v", d.ack)
	}
	if n, err := d.stream(mixedWire()); n != 1000 || err != nil {
		t.Errorf("stream: %d packets, %v", n, err)
	}
	d.v5 = false
	decode(wirePublishV311)
	equal("payload", d.publish.payload, string(payload(64)))
}

// The floor reads the good packets of the vectors, of the types that it knows.
func TestFloorReadsVectors(t *testing.T) {
	data, err := os.ReadFile("testdata/vectors.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Valid []struct {
			Version int
			Name    string
			Hex     string
		}
	}
	if err := yaml.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, v := range vectors.Valid {
		wire, err := hex.DecodeString(v.Hex)
		if err != nil {
			t.Fatal(v.Name, err)
		}
		if first := wire[0] >> 4; first == 10 || first == 11 || first == 15 {
			continue // UNSUBSCRIBE, UNSUBACK, AUTH
		}
		if err := floorOne(&floorDecoder{v5: v.Version == 5}, wire); err != nil {
			t.Errorf("version %d, %s: %v", v.Version, v.Name, err)
		}
		read++
	}
	if read < 30 {
		t.Errorf("only %d packets read", read)
	}
}

// The floor writes the same bytes that were put together by hand.
func TestFloorWrites(t *testing.T) {
	for _, tt := range []struct {
		name string
		out  floorOut
		want []byte
	}{
		{"PUBLISH", &floorPublishOut{topic: []byte(benchTopic), payload: payload(64)}, wirePublish(64)},
		{"PUBLISH with properties", benchPublishOut(), wirePublishProps},
		{"SUBSCRIBE", &floorSubscribeOut{id: 10, filters: benchFilterOut()}, wireSubscribe},
		{"PUBACK", &floorAckOut{first: 0x40, id: 0x1234}, wirePuback},
	} {
		got, err := tt.out.appendTo(nil, true)
		if err != nil || !bytes.Equal(got, tt.want) {
			t.Errorf("%s:\n got %x, %v\nwant %x", tt.name, got, err, tt.want)
		}
	}
	long := strings.Repeat("a", 65536)
	for name, out := range map[string]floorOut{
		"topic too long":    &floorPublishOut{topic: []byte(long)},
		"topic not UTF-8":   &floorPublishOut{topic: []byte("a\xFFb")},
		"topic with U+0000": &floorPublishOut{topic: []byte("twelve\x00bytes")},
		"property too long": &floorPublishOut{topic: []byte("a"), have: 1 << idCorrelationData, correlationData: []byte(long)},
		"property bad text": &floorPublishOut{topic: []byte("a"), have: 1 << idContentType, contentType: []byte("\xC0\x80")},
		"user property":     &floorPublishOut{topic: []byte("a"), users: wireUser("k", "\xFF")},
		"QoS 3":             &floorPublishOut{topic: []byte("a"), qos: 3},
		"no filter":         &floorSubscribeOut{id: 1},
		"filter not UTF-8":  &floorSubscribeOut{id: 1, filters: []floorFilter{{[]byte("\xFF"), 0}}},
		"reserved option":   &floorSubscribeOut{id: 1, filters: []floorFilter{{[]byte("a"), 0x40}}},
		"no reason":         &floorSubackOut{id: 1},
	} {
		dst := []byte("kept")
		if got, err := out.appendTo(dst, true); err == nil || string(got) != "kept" {
			t.Errorf("%s: got %x, %v", name, got, err)
		}
	}
}

func TestFloorRefuses(t *testing.T) {
	for _, tt := range []struct {
		v5        bool
		name, hex string
	}{
		{true, "type 0", "0000"},
		{true, "type 10", "a208000a000003612f62"},
		{true, "PUBREL flags", "6002000a"},
		{true, "PUBACK flags", "4102000a"},
		{true, "SUBSCRIBE flags", "8007000a0000016100"},
		{true, "PINGREQ flags", "c100"},
		{true, "DISCONNECT flags", "e100"},
		{true, "five bytes of length", "c08080808000"},
		{true, "padded length", "c08000"},
		{true, "PINGREQ with a body", "c00100"},
		{true, "PUBACK of one byte", "400100"},
		{false, "PUBACK of three bytes", "4003000a00"},
		{true, "PUBACK with bytes after the properties", "4005000a000000"},
		{true, "QoS 3", "3606000174000a00"},
		{true, "DUP at QoS 0", "380400017400"},
		{true, "topic beyond the packet", "3003000574"},
		{true, "topic not UTF-8", "30040001ff00"},
		{true, "overlong", "30050002c0af00"},
		{true, "surrogate", "30060003eda08000"},
		{true, "U+0000", "3006000361006200"},
		{true, "U+0000 in a long topic", "300d000a6162636465660068696a00"},
		{true, "PUBLISH without identifier", "320300017400"[:10]},
		{true, "PUBLISH without properties", "3003000174"},
		{true, "properties beyond the packet", "300400017405"},
		{true, "padded property length", "30050001748000"},
		{true, "unknown property", "3006000174027f00"},
		{true, "identifier above 63", "30060001740226ff"},
		{true, "property of another packet", "3008000174041f000178"},
		{true, "property twice", "300a00017406230001230001"},
		{true, "property cut short", "3006000174020200"},
		{true, "property string not UTF-8", "30080001740403" + "0001ff"},
		{true, "Subscription Identifier twice", "820b000a040b010b0200016100"},
		{true, "SUBSCRIBE without filter", "8203000a00"},
		{true, "filter without options", "8206000a00000161"},
		{true, "reserved option", "8207000a0000016180"},
		{false, "No Local in v3.1.1", "8206000a00016104"},
		{true, "SUBACK without reasons", "9003000a00"},
		{true, "CONNECT reserved flag", "100e00044d5154540503003c00000163"},
		{true, "Will QoS 3", "101500044d515454051e003c0000016300000177000178"},
		{true, "Will QoS without will", "100e00044d515454050a003c00000163"},
		{true, "user name missing", "100e00044d5154540582003c00000163"},
		{true, "bytes after CONNECT", "100f00044d5154540502003c0000016300"},
		{false, "password without user name", "101000044d5154540442003c000163000170"},
		{true, "protocol name", "100e00044d5154580502003c00000163"},
		{true, "Will Delay outside Will Properties", "101300044d5154540502003c051800000001000163"},
		{true, "CONNACK flags", "2003020000"},
		{true, "CONNACK without properties", "20020000"},
		{true, "bytes after CONNACK", "200400000000"},
		{true, "bytes after DISCONNECT", "e003000000"},
		{false, "DISCONNECT with a body", "e00100"},
	} {
		wire, err := hex.DecodeString(tt.hex)
		if err != nil {
			t.Fatal(tt.name, err)
		}
		if start, end, err := floorFrame(wire); err == nil && end != len(wire) {
			t.Errorf("%s: the input %s is not one packet: %d, %d", tt.name, tt.hex, start, end)
		}
		if floorOne(&floorDecoder{v5: tt.v5}, wire) == nil {
			t.Errorf("%s: %s is accepted", tt.name, tt.hex)
		}
	}
}

// No prefix of a good packet is one, and none makes the floor panic; the same
// with the body cut but the header saying so.
func TestFloorPrefixes(t *testing.T) {
	for _, wire := range [][]byte{wirePublish(0), wirePublishProps, wireConnect, wireConnack, wireSubscribe, wirePuback} {
		d := &floorDecoder{v5: true}
		start, end, err := floorFrame(wire)
		if err != nil || end != len(wire) {
			t.Fatal(start, end, err)
		}
		for i := range wire {
			if floorOne(d, wire[:i]) == nil {
				t.Errorf("%d bytes of %x are accepted", i, wire)
			}
			body := append([]byte(nil), wire[start:max(i, start)]...)
			// The payload of PUBLISH and the filters of SUBSCRIBE may end early.
			if err := d.decode(wire[0], body); err == nil && wire[0] != 0x30 && wire[0] != 0x82 && i > start {
				t.Errorf("a body of %d bytes of %x is accepted", i-start, wire)
			}
		}
	}
}
