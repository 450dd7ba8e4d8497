package codec_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// Inputs of the benchmarks, put together byte by byte, so that neither side of a
// comparison has made them.

// wireText is a string or binary field.
func wireText(s string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...)
}

// wireLen is a Variable Byte Integer.
func wireLen(n int) (b []byte) {
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

// wireBlock is a length and the parts that it counts.
func wireBlock(parts ...[]byte) []byte {
	body := slices.Concat(parts...)
	return append(wireLen(len(body)), body...)
}

// wirePacket is a whole packet.
func wirePacket(first byte, parts ...[]byte) []byte {
	return append([]byte{first}, wireBlock(parts...)...)
}

func wireProp(id byte, value ...byte) []byte { return append([]byte{id}, value...) }

func wireTextProp(id byte, value string) []byte { return append([]byte{id}, wireText(value)...) }

func wireUser(name, value string) []byte {
	return slices.Concat([]byte{idUserProperty}, wireText(name), wireText(value))
}

const (
	benchTopic         = "building/7/floor/3/temp1" // 24 bytes
	benchResponseTopic = "clients/gateway-0041/replies"
	benchCorrelation   = "0123456789abcdef"
	benchContentType   = "application/json"
)

// noProps is an empty block of properties.
var noProps = []byte{0}

var benchPublishProps = [][]byte{
	wireProp(idPayloadFormat, 1),
	wireProp(idMessageExpiry, 0, 0, 0x0E, 0x10),
	wireProp(idTopicAlias, 0, 7),
	wireTextProp(idResponseTopic, benchResponseTopic),
	wireTextProp(idCorrelationData, benchCorrelation),
	wireTextProp(idContentType, benchContentType),
	wireUser("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-01"),
}

func payload(n int) []byte { return []byte(strings.Repeat("{\"celsius\":21.5}", n/16+1)[:n]) }

// wirePublish is a PUBLISH of QoS 0 without properties.
func wirePublish(payloadSize int) []byte {
	return wirePacket(0x30, wireText(benchTopic), noProps, payload(payloadSize))
}

var (
	wirePublishV311  = wirePacket(0x30, wireText(benchTopic), payload(64))
	wirePublishProps = wirePacket(0x30, wireText(benchTopic), wireBlock(benchPublishProps...), payload(256))

	wireConnect = wirePacket(0x10,
		[]byte{0, 4, 'M', 'Q', 'T', 'T', 5, 0xEE, 0, 60}, // user name, password, retained will of QoS 1, Clean Start
		wireBlock(
			wireProp(idSessionExpiry, 0, 0, 0x0E, 0x10),
			wireProp(idReceiveMaximum, 0, 100),
			wireProp(idMaximumPacketSize, 0, 1, 0, 0),
			wireProp(idTopicAliasMaximum, 0, 16),
			wireProp(idRequestProblem, 1),
			wireUser("firmware", "2.14.0"),
		),
		wireText("gateway-0041-north"),
		wireBlock(
			wireProp(idWillDelay, 0, 0, 0, 30),
			wireProp(idPayloadFormat, 1),
			wireProp(idMessageExpiry, 0, 1, 0x51, 0x80),
			wireTextProp(idContentType, benchContentType),
		),
		wireText("gateways/0041/state/last"), wireText(`{"state":"lost","since":"start"}`),
		wireText("gateway-0041"), wireText("correct horse battery"),
	)

	wireConnack = wirePacket(0x20, []byte{0, 0}, wireBlock(
		wireProp(idSessionExpiry, 0, 0, 0x0E, 0x10),
		wireProp(idReceiveMaximum, 0, 20),
		wireProp(idMaximumQoS, 1),
		wireProp(idRetainAvailable, 1),
		wireProp(idMaximumPacketSize, 0, 0x10, 0, 0),
		wireTextProp(idAssignedClientID, "auto-8f14e45fceea167a"),
		wireProp(idTopicAliasMaximum, 0, 10),
		wireProp(idWildcardAvailable, 1),
		wireProp(idServerKeepAlive, 0, 30),
		wireTextProp(idReasonString, "welcome"),
	))

	wireSubscribe = wirePacket(0x82, []byte{0, 10}, noProps, slices.Concat(subscribeParts()...))
	wirePuback    = []byte{0x40, 2, 0x12, 0x34}
)

var benchFilters = []string{
	"building/7/floor/3/temp1", "building/+/floor/+/humidity", "gateways/#", "clients/gateway-0041/replies",
	"building/7/#", "+/+/alarms/critical", "$share/workers/jobs/pending", "plant/line-4/press/+/cycle",
}

func subscribeParts() (parts [][]byte) {
	for i, f := range benchFilters {
		parts = append(parts, wireText(f), []byte{byte(i % 3)})
	}
	return parts
}

// mixedOut makes the 1000 packets of the mixed stream, for v5.0: what a busy
// link carries in both directions, in an order that is always the same.
func mixedOut() []floorOut {
	r := rand.New(rand.NewPCG(3, 11))
	topic := func() []byte {
		return fmt.Appendf(nil, "building/%d/floor/%d/%s", r.IntN(40), r.IntN(12),
			[]string{"temp1", "humidity", "door/north", "hvac/fan/speed"}[r.IntN(4)])
	}
	id := func() uint16 { return uint16(1 + r.IntN(65535)) }
	var out []floorOut
	add := func(n int, make func() floorOut) {
		for range n {
			out = append(out, make())
		}
	}
	publish := func(qos byte) func() floorOut {
		return func() floorOut {
			p := &floorPublishOut{qos: qos, topic: topic(), payload: payload(16 + r.IntN(200)), retain: r.IntN(8) == 0}
			if qos > 0 {
				p.id, p.dup = id(), r.IntN(20) == 0
			}
			return p
		}
	}
	ack := func(first byte) func() floorOut {
		return func() floorOut {
			a := &floorAckOut{first: first, id: id()}
			if first == 0x40 && r.IntN(10) == 0 {
				a.reason = 0x87
			}
			return a
		}
	}
	add(360, publish(0))
	add(120, publish(1))
	add(60, publish(2))
	add(40, func() floorOut {
		p := benchPublishOut()
		p.payload = payload(16 + r.IntN(300))
		return p
	})
	add(160, ack(0x40))
	add(60, ack(0x50))
	add(60, ack(0x62))
	add(60, ack(0x70))
	add(30, func() floorOut { return &floorPingOut{0xC0} })
	add(20, func() floorOut {
		return &floorSubscribeOut{id: id(), filters: benchFilterOut()[:1+r.IntN(4)]}
	})
	add(20, func() floorOut { return &floorSubackOut{id: id(), reasons: []byte{0, 1, 2, 0x87}[:1+r.IntN(4)]} })
	add(10, func() floorOut { return &floorDisconnectOut{} })
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// benchPublishOut is the PUBLISH of wirePublishProps to send.
func benchPublishOut() *floorPublishOut {
	return &floorPublishOut{
		topic:           []byte(benchTopic),
		payload:         payload(256),
		have:            1<<idPayloadFormat | 1<<idMessageExpiry | 1<<idTopicAlias | 1<<idResponseTopic | 1<<idCorrelationData | 1<<idContentType,
		payloadFormat:   1,
		messageExpiry:   3600,
		topicAlias:      7,
		responseTopic:   []byte(benchResponseTopic),
		correlationData: []byte(benchCorrelation),
		contentType:     []byte(benchContentType),
		users:           benchPublishProps[6],
	}
}

func benchFilterOut() (filters []floorFilter) {
	for i, f := range benchFilters {
		filters = append(filters, floorFilter{[]byte(f), byte(i % 3)})
	}
	return filters
}

// mixedWire is the mixed stream as bytes.
func mixedWire() (wire []byte) {
	for _, p := range mixedOut() {
		var err error
		if wire, err = p.appendTo(wire, true); err != nil {
			panic(err)
		}
	}
	return wire
}
