package codec_test

import "encoding/binary"

// The floor's encoder: it works out the size once, makes room once, and writes
// by index. It checks lengths and UTF-8.

// floorRoom returns dst with n more bytes, and the place where they begin.
func floorRoom(dst []byte, n int) ([]byte, int) {
	at := len(dst)
	if cap(dst)-at < n {
		dst = append(dst[:at], make([]byte, n)...)
		return dst, at
	}
	return dst[:at+n], at
}

func floorVarintSize(n int) int {
	switch {
	case n < 1<<7:
		return 1
	case n < 1<<14:
		return 2
	case n < 1<<21:
		return 3
	}
	return 4
}

// putVarint, putText, put16 and put32 write at b[i:] and return what follows.
func putVarint(b []byte, i, n int) int {
	for n >= 0x80 {
		b[i] = byte(n) | 0x80
		n >>= 7
		i++
	}
	b[i] = byte(n)
	return i + 1
}

func putText(b []byte, i int, s []byte) int {
	binary.BigEndian.PutUint16(b[i:], uint16(len(s)))
	return i + 2 + copy(b[i+2:], s)
}

func put16(b []byte, i int, x uint16) int {
	binary.BigEndian.PutUint16(b[i:], x)
	return i + 2
}

func put32(b []byte, i int, x uint32) int {
	binary.BigEndian.PutUint32(b[i:], x)
	return i + 4
}

// floorSendable reports whether s may go out as a string.
func floorSendable(s []byte) bool { return len(s) <= 0xFFFF && floorValid(s) }

// floorUserBlock reports whether b is whole user properties with UTF-8 in them.
// A sender keeps them as they go out.
func floorUserBlock(b []byte) bool {
	for i := 0; i < len(b); {
		if b[i] != idUserProperty {
			return false
		}
		if _, i = floorText(b, i+1); i < 0 {
			return false
		}
		if _, i = floorText(b, i); i < 0 {
			return false
		}
	}
	return true
}

// floorOut is a packet that can be sent.
type floorOut interface {
	appendTo(dst []byte, v5 bool) ([]byte, error)
}

// floorPublishOut is a PUBLISH to send; a property is sent if its bit is set.
type floorPublishOut struct {
	dup, retain     bool
	qos             byte
	id              uint16
	topic           []byte
	payload         []byte
	have            uint64
	payloadFormat   byte
	messageExpiry   uint32
	topicAlias      uint16
	contentType     []byte
	responseTopic   []byte
	correlationData []byte
	users           []byte // user properties as they go out
}

func (p *floorPublishOut) propsSize() int {
	n := len(p.users)
	if p.have == 0 {
		return n
	}
	if p.have>>idPayloadFormat&1 != 0 {
		n += 2
	}
	if p.have>>idMessageExpiry&1 != 0 {
		n += 5
	}
	if p.have>>idTopicAlias&1 != 0 {
		n += 3
	}
	if p.have>>idContentType&1 != 0 {
		n += 3 + len(p.contentType)
	}
	if p.have>>idResponseTopic&1 != 0 {
		n += 3 + len(p.responseTopic)
	}
	if p.have>>idCorrelationData&1 != 0 {
		n += 3 + len(p.correlationData)
	}
	return n
}

func (p *floorPublishOut) appendTo(dst []byte, v5 bool) ([]byte, error) {
	if !floorSendable(p.topic) {
		return dst, errFloorText
	}
	if p.qos > 2 || p.dup && p.qos == 0 {
		return dst, errFloorFlags
	}
	if !v5 && p.have != 0 {
		return dst, errFloorProperty
	}
	remaining := 2 + len(p.topic) + len(p.payload)
	if p.qos > 0 {
		remaining += 2
	}
	props := 0
	if v5 {
		props = p.propsSize()
		remaining += floorVarintSize(props) + props
	}
	if remaining > 268435455 {
		return dst, errFloorLength
	}
	out, i := floorRoom(dst, 1+floorVarintSize(remaining)+remaining)
	first := 0x30 | p.qos<<1
	if p.dup {
		first |= 8
	}
	if p.retain {
		first |= 1
	}
	out[i] = first
	i = putVarint(out, i+1, remaining)
	i = putText(out, i, p.topic)
	if p.qos > 0 {
		i = put16(out, i, p.id)
	}
	if v5 {
		i = putVarint(out, i, props)
		if props > 0 {
			if i = p.putProps(out, i); i < 0 {
				return dst, errFloorText
			}
		}
	}
	copy(out[i:], p.payload)
	return out, nil
}

func (p *floorPublishOut) putProps(b []byte, i int) int {
	if p.have>>idPayloadFormat&1 != 0 {
		b[i], b[i+1] = idPayloadFormat, p.payloadFormat
		i += 2
	}
	if p.have>>idMessageExpiry&1 != 0 {
		b[i] = idMessageExpiry
		i = put32(b, i+1, p.messageExpiry)
	}
	if p.have>>idTopicAlias&1 != 0 {
		b[i] = idTopicAlias
		i = put16(b, i+1, p.topicAlias)
	}
	if p.have>>idResponseTopic&1 != 0 {
		if !floorSendable(p.responseTopic) {
			return -1
		}
		b[i] = idResponseTopic
		i = putText(b, i+1, p.responseTopic)
	}
	if p.have>>idCorrelationData&1 != 0 {
		if len(p.correlationData) > 0xFFFF {
			return -1
		}
		b[i] = idCorrelationData
		i = putText(b, i+1, p.correlationData)
	}
	if p.have>>idContentType&1 != 0 {
		if !floorSendable(p.contentType) {
			return -1
		}
		b[i] = idContentType
		i = putText(b, i+1, p.contentType)
	}
	if len(p.users) > 0 {
		if !floorUserBlock(p.users) {
			return -1
		}
		i += copy(b[i:], p.users)
	}
	return i
}

// floorAckOut is a PUBACK, PUBREC, PUBREL or PUBCOMP without properties.
type floorAckOut struct {
	first  byte
	reason byte
	id     uint16
}

func (p *floorAckOut) appendTo(dst []byte, v5 bool) ([]byte, error) {
	if p.reason == 0 {
		return append(dst, p.first, 2, byte(p.id>>8), byte(p.id)), nil
	}
	if !v5 {
		return dst, errFloorProperty
	}
	return append(dst, p.first, 3, byte(p.id>>8), byte(p.id), p.reason), nil
}

type floorSubscribeOut struct {
	id      uint16
	filters []floorFilter
}

func (p *floorSubscribeOut) appendTo(dst []byte, v5 bool) ([]byte, error) {
	remaining, reserved := 2, byte(0xFC)
	if v5 {
		remaining, reserved = 3, 0xC0
	}
	if len(p.filters) == 0 {
		return dst, errFloorLength
	}
	for i := range p.filters {
		f := &p.filters[i]
		if !floorSendable(f.filter) {
			return dst, errFloorText
		}
		if f.options&reserved != 0 || f.options&3 == 3 {
			return dst, errFloorFlags
		}
		remaining += 3 + len(f.filter)
	}
	if remaining > 268435455 {
		return dst, errFloorLength
	}
	out, i := floorRoom(dst, 1+floorVarintSize(remaining)+remaining)
	out[i] = 0x82
	i = putVarint(out, i+1, remaining)
	i = put16(out, i, p.id)
	if v5 {
		out[i] = 0
		i++
	}
	for k := range p.filters {
		f := &p.filters[k]
		i = putText(out, i, f.filter)
		out[i] = f.options
		i++
	}
	return out, nil
}

type floorSubackOut struct {
	id      uint16
	reasons []byte
}

func (p *floorSubackOut) appendTo(dst []byte, v5 bool) ([]byte, error) {
	remaining := 2 + len(p.reasons)
	if v5 {
		remaining++
	}
	if len(p.reasons) == 0 || remaining > 268435455 {
		return dst, errFloorLength
	}
	out, i := floorRoom(dst, 1+floorVarintSize(remaining)+remaining)
	out[i] = 0x90
	i = putVarint(out, i+1, remaining)
	i = put16(out, i, p.id)
	if v5 {
		out[i] = 0
		i++
	}
	copy(out[i:], p.reasons)
	return out, nil
}

// floorPingOut is a PINGREQ or PINGRESP.
type floorPingOut struct{ first byte }

func (p *floorPingOut) appendTo(dst []byte, _ bool) ([]byte, error) {
	return append(dst, p.first, 0), nil
}

// floorDisconnectOut is a DISCONNECT without properties.
type floorDisconnectOut struct{ reason byte }

func (p *floorDisconnectOut) appendTo(dst []byte, v5 bool) ([]byte, error) {
	if p.reason == 0 {
		return append(dst, 0xE0, 0), nil
	}
	if !v5 {
		return dst, errFloorProperty
	}
	return append(dst, 0xE0, 1, p.reason), nil
}
