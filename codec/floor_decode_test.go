package codec_test

import "encoding/binary"

// Packets of the floor's decoder. first is the first byte of the fixed header, b
// the body.

type floorPublish struct {
	dup, retain bool
	qos         byte
	id          uint16
	topic       []byte
	payload     []byte
	props       floorProps
}

func (p *floorPublish) decode(first byte, b []byte, v5 bool) error {
	qos := first >> 1 & 3
	if qos == 3 || first&0x0E == 0x08 {
		return errFloorFlags
	}
	topic, i := floorText(b, 0)
	if i < 0 {
		return errFloorText
	}
	p.topic, p.qos = topic, qos
	p.dup, p.retain = first&8 != 0, first&1 != 0
	if qos > 0 {
		if i+2 > len(b) {
			return errFloorShort
		}
		p.id = binary.BigEndian.Uint16(b[i:])
		i += 2
	}
	if v5 {
		if i < len(b) && b[i] == 0 {
			p.props.have, p.props.users, p.props.subs = 0, 0, 0
			i++
		} else if i = p.props.decode(b, i, floorOnPublish, floorRepeatable); i < 0 {
			return errFloorProperty
		}
	}
	p.payload = b[i:len(b):len(b)]
	return nil
}

type floorConnect struct {
	v5, cleanStart, hasWill, willRetain, hasUser, hasPassword bool
	willQoS                                                   byte
	keepAlive                                                 uint16
	clientID, willTopic, willPayload, username, password      []byte
	props, willProps                                          floorProps
}

func (p *floorConnect) decode(first byte, b []byte) error {
	if first != 0x10 {
		return errFloorFlags
	}
	if len(b) < 10 {
		return errFloorShort
	}
	if binary.BigEndian.Uint32(b) != 0x00044D51 || binary.BigEndian.Uint16(b[4:]) != 0x5454 {
		return errFloorType
	}
	switch b[6] {
	case 4:
		p.v5 = false
	case 5:
		p.v5 = true
	default:
		return errFloorType
	}
	flags := b[7]
	if flags&1 != 0 || flags&0x04 == 0 && flags&0x38 != 0 || flags&0x18 == 0x18 || !p.v5 && flags&0xC0 == 0x40 {
		return errFloorFlags
	}
	p.cleanStart, p.hasWill, p.willRetain = flags&2 != 0, flags&4 != 0, flags&0x20 != 0
	p.willQoS = flags >> 3 & 3
	p.hasUser, p.hasPassword = flags&0x80 != 0, flags&0x40 != 0
	p.keepAlive = binary.BigEndian.Uint16(b[8:])
	i := 10
	if p.v5 {
		if i = p.props.decode(b, i, floorOnConnect, floorRepeatable); i < 0 {
			return errFloorProperty
		}
	}
	if p.clientID, i = floorText(b, i); i < 0 {
		return errFloorText
	}
	if p.hasWill {
		if p.v5 {
			if i = p.willProps.decode(b, i, floorOnWill, floorRepeatable); i < 0 {
				return errFloorProperty
			}
		}
		if p.willTopic, i = floorText(b, i); i < 0 {
			return errFloorText
		}
		if p.willPayload, i = floorBinary(b, i); i < 0 {
			return errFloorShort
		}
	}
	if p.hasUser {
		if p.username, i = floorText(b, i); i < 0 {
			return errFloorText
		}
	}
	if p.hasPassword {
		if p.password, i = floorBinary(b, i); i < 0 {
			return errFloorShort
		}
	}
	if i != len(b) {
		return errFloorLength
	}
	return nil
}

type floorConnack struct {
	sessionPresent bool
	reason         byte
	props          floorProps
}

func (p *floorConnack) decode(first byte, b []byte, v5 bool) error {
	if first != 0x20 {
		return errFloorFlags
	}
	if len(b) < 2 {
		return errFloorShort
	}
	if b[0] > 1 {
		return errFloorFlags
	}
	p.sessionPresent, p.reason = b[0] == 1, b[1]
	i := 2
	if v5 {
		if i = p.props.decode(b, i, floorOnConnack, floorRepeatable); i < 0 {
			return errFloorProperty
		}
	}
	if i != len(b) {
		return errFloorLength
	}
	return nil
}

// floorAck is PUBACK, PUBREC, PUBREL or PUBCOMP.
type floorAck struct {
	first  byte
	reason byte
	id     uint16
	props  floorProps
}

func (p *floorAck) decode(first byte, b []byte, v5 bool) error {
	want := byte(0)
	if first>>4 == 6 {
		want = 2
	}
	if first&0x0F != want {
		return errFloorFlags
	}
	p.first = first
	if len(b) == 2 {
		p.id = binary.BigEndian.Uint16(b)
		p.reason, p.props.have, p.props.users = 0, 0, 0
		return nil
	}
	if len(b) < 3 || !v5 {
		return errFloorLength
	}
	p.id, p.reason = binary.BigEndian.Uint16(b), b[2]
	p.props.have, p.props.users = 0, 0
	if len(b) > 3 && p.props.decode(b, 3, floorOnAck, floorRepeatable) != len(b) {
		return errFloorProperty
	}
	return nil
}

type floorFilter struct {
	filter  []byte
	options byte
}

type floorSubscribe struct {
	id      uint16
	props   floorProps
	filters []floorFilter
}

func (p *floorSubscribe) decode(first byte, b []byte, v5 bool) error {
	if first != 0x82 {
		return errFloorFlags
	}
	if len(b) < 2 {
		return errFloorShort
	}
	p.id = binary.BigEndian.Uint16(b)
	i, reserved := 2, byte(0xFC)
	if v5 {
		reserved = 0xC0
		if i = p.props.decode(b, i, floorOnSubscribe, 1<<idUserProperty); i < 0 {
			return errFloorProperty
		}
	}
	filters := p.filters[:0]
	for i < len(b) {
		filter, end := floorText(b, i)
		if end < 0 {
			return errFloorText
		}
		if end >= len(b) {
			return errFloorShort
		}
		options := b[end]
		if options&reserved != 0 || options&3 == 3 {
			return errFloorFlags
		}
		filters = append(filters, floorFilter{filter, options})
		i = end + 1
	}
	if len(filters) == 0 {
		return errFloorLength
	}
	p.filters = filters
	return nil
}

type floorSuback struct {
	id      uint16
	props   floorProps
	reasons []byte
}

func (p *floorSuback) decode(first byte, b []byte, v5 bool) error {
	if first != 0x90 {
		return errFloorFlags
	}
	if len(b) < 2 {
		return errFloorShort
	}
	p.id = binary.BigEndian.Uint16(b)
	i := 2
	if v5 {
		if i = p.props.decode(b, i, floorOnAck, floorRepeatable); i < 0 {
			return errFloorProperty
		}
	}
	if i == len(b) {
		return errFloorLength
	}
	p.reasons = b[i:len(b):len(b)]
	return nil
}

type floorDisconnect struct {
	reason byte
	props  floorProps
}

func (p *floorDisconnect) decode(first byte, b []byte, v5 bool) error {
	if first != 0xE0 {
		return errFloorFlags
	}
	p.reason, p.props.have, p.props.users = 0, 0, 0
	if len(b) == 0 {
		return nil
	}
	if !v5 {
		return errFloorLength
	}
	p.reason = b[0]
	if len(b) > 1 && p.props.decode(b, 1, floorOnDisconnect, floorRepeatable) != len(b) {
		return errFloorProperty
	}
	return nil
}

// floorDecoder holds one struct of each packet.
type floorDecoder struct {
	v5         bool
	connect    floorConnect
	connack    floorConnack
	publish    floorPublish
	ack        floorAck
	subscribe  floorSubscribe
	suback     floorSuback
	disconnect floorDisconnect
}

// decode reads the packet with that first byte and body into its struct.
func (d *floorDecoder) decode(first byte, b []byte) error {
	switch first >> 4 {
	case 1:
		return d.connect.decode(first, b)
	case 2:
		return d.connack.decode(first, b, d.v5)
	case 3:
		return d.publish.decode(first, b, d.v5)
	case 4, 5, 6, 7:
		return d.ack.decode(first, b, d.v5)
	case 8:
		return d.subscribe.decode(first, b, d.v5)
	case 9:
		return d.suback.decode(first, b, d.v5)
	case 12, 13:
		if first&0x0F != 0 {
			return errFloorFlags
		}
		if len(b) != 0 {
			return errFloorLength
		}
		return nil
	case 14:
		return d.disconnect.decode(first, b, d.v5)
	}
	return errFloorType
}

// stream reads all packets of buf and returns their number.
func (d *floorDecoder) stream(buf []byte) (n int, err error) {
	for len(buf) > 0 {
		start, end, err := floorFrame(buf)
		if err != nil {
			return n, err
		}
		if end == 0 {
			return n, errFloorShort
		}
		if err := d.decode(buf[0], buf[start:end]); err != nil {
			return n, err
		}
		buf = buf[end:]
		n++
	}
	return n, nil
}
