package codec_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"unicode/utf8"
)

// The floor is what the benchmarks hold the codec against: a decoder and an
// encoder written by hand for speed, in plain Go, knowing nothing of the
// generated code. It checks what no decoder may leave out: lengths, the flags of
// the fixed header, UTF-8 without U+0000, identifiers, types and repeats of
// properties, and bytes left over. It does not check what the codec checks
// beyond that: topic names and filters, ranges of values, reason codes, control
// characters, rules between fields and between the two sides; and its errors say
// nothing of the place.
//
// It reuses its structs between calls and borrows from the input. An optional
// value counts only if its bit in have is set, so nothing is cleared first.

var (
	errFloorShort    = errors.New("cut short")
	errFloorLength   = errors.New("bad length")
	errFloorFlags    = errors.New("bad flags")
	errFloorText     = errors.New("not UTF-8")
	errFloorProperty = errors.New("bad property")
	errFloorType     = errors.New("bad packet type")
)

const (
	floorOnes  = 0x0101010101010101
	floorHighs = 0x8080808080808080
)

// floorPlain makes floorValid do what the standard library offers for it.
var floorPlain bool

// floorValid reports whether s is UTF-8 without U+0000. Eight bytes of ASCII are
// checked at once; w-ones carries into the high bit of a zero byte, and a carry
// can start at a zero byte only.
func floorValid(s []byte) bool {
	if floorPlain {
		return floorValidSlow(s)
	}
	if len(s) < 8 {
		for _, c := range s {
			if c-1 >= 0x7F {
				return floorValidSlow(s)
			}
		}
		return true
	}
	for t := s; len(t) >= 8; t = t[8:] {
		w := binary.LittleEndian.Uint64(t)
		if (w|(w-floorOnes))&floorHighs != 0 {
			return floorValidSlow(s)
		}
	}
	w := binary.LittleEndian.Uint64(s[len(s)-8:])
	if (w|(w-floorOnes))&floorHighs != 0 {
		return floorValidSlow(s)
	}
	return true
}

func floorValidSlow(s []byte) bool {
	return utf8.Valid(s) && bytes.IndexByte(s, 0) < 0
}

// floorU8, floorU16 and floorU32 read an integer at b[i:]; end is negative if it
// is not there.
func floorU8(b []byte, i int) (x byte, end int) {
	if i >= len(b) {
		return 0, -1
	}
	return b[i], i + 1
}

func floorU16(b []byte, i int) (x uint16, end int) {
	if i+2 > len(b) {
		return 0, -1
	}
	return binary.BigEndian.Uint16(b[i:]), i + 2
}

func floorU32(b []byte, i int) (x uint32, end int) {
	if i+4 > len(b) {
		return 0, -1
	}
	return binary.BigEndian.Uint32(b[i:]), i + 4
}

// floorBinary reads a length and that many bytes at b[i:]; end is negative if
// they are not there.
func floorBinary(b []byte, i int) (s []byte, end int) {
	if i+2 > len(b) {
		return nil, -1
	}
	end = i + 2 + (int(b[i])<<8 | int(b[i+1]))
	if end > len(b) {
		return nil, -1
	}
	return b[i+2 : end : end], end
}

// floorText is floorBinary for a string.
func floorText(b []byte, i int) (s []byte, end int) {
	if i+2 > len(b) {
		return nil, -1
	}
	end = i + 2 + (int(b[i])<<8 | int(b[i+1]))
	if end > len(b) {
		return nil, -1
	}
	s = b[i+2 : end : end]
	if !floorValid(s) {
		return nil, -1
	}
	return s, end
}

// floorVarint reads a Variable Byte Integer in its shortest form.
func floorVarint(b []byte, i int) (x, end int) {
	for shift := 0; shift < 28 && i < len(b); shift += 7 {
		c := b[i]
		i++
		x |= int(c&0x7F) << shift
		if c < 0x80 {
			if c == 0 && shift > 0 {
				return 0, -1
			}
			return x, i
		}
	}
	return 0, -1
}

// floorBlock finds the end of the properties whose length is at b[i].
func floorBlock(b []byte, i int) (start, end int) {
	if i >= len(b) {
		return 0, -1
	}
	n := int(b[i])
	i++
	if n >= 0x80 {
		if n, i = floorVarint(b, i-1); i < 0 {
			return 0, -1
		}
	}
	if i+n > len(b) {
		return 0, -1
	}
	return i, i + n
}

// floorFrame cuts the first packet off buf. A size of 0 asks for more bytes.
func floorFrame(buf []byte) (start, end int, err error) {
	if len(buf) < 2 {
		return 0, 0, nil
	}
	n, i := int(buf[1]), 2
	if n >= 0x80 {
		n, i = floorVarint(buf, 1)
		if i < 0 {
			if len(buf) < 5 && buf[len(buf)-1] >= 0x80 {
				return 0, 0, nil
			}
			return 0, 0, errFloorLength
		}
	}
	if i+n > len(buf) {
		return 0, 0, nil
	}
	return i, i + n, nil
}

// Property identifiers, by hand like everything here.
const (
	idPayloadFormat     = 0x01
	idMessageExpiry     = 0x02
	idContentType       = 0x03
	idResponseTopic     = 0x08
	idCorrelationData   = 0x09
	idSubscriptionID    = 0x0B
	idSessionExpiry     = 0x11
	idAssignedClientID  = 0x12
	idServerKeepAlive   = 0x13
	idAuthMethod        = 0x15
	idAuthData          = 0x16
	idRequestProblem    = 0x17
	idWillDelay         = 0x18
	idRequestResponse   = 0x19
	idResponseInfo      = 0x1A
	idServerReference   = 0x1C
	idReasonString      = 0x1F
	idReceiveMaximum    = 0x21
	idTopicAliasMaximum = 0x22
	idTopicAlias        = 0x23
	idMaximumQoS        = 0x24
	idRetainAvailable   = 0x25
	idUserProperty      = 0x26
	idMaximumPacketSize = 0x27
	idWildcardAvailable = 0x28
	idSubIDAvailable    = 0x29
	idSharedAvailable   = 0x2A
)

// floorProps holds the properties of any packet: a value of each type that its
// identifier selects, and a bit for each identifier that is there. User
// properties and Subscription Identifiers stay in the block.
type floorProps struct {
	have  uint64
	block []byte
	users int
	subs  int

	sessionExpiry, messageExpiry, willDelay, maximumPacketSize     uint32
	receiveMaximum, topicAliasMaximum, topicAlias, serverKeepAlive uint16
	payloadFormat, requestProblem, requestResponse, maximumQoS     byte
	retainAvailable, wildcardAvailable, subIDAvailable             byte
	sharedAvailable                                                byte
	contentType, responseTopic, correlationData, assignedClientID  []byte
	authMethod, authData, responseInfo, serverReference            []byte
	reasonString                                                   []byte
}

// floorRepeatable has the bits of the properties that may occur again.
const floorRepeatable = 1<<idUserProperty | 1<<idSubscriptionID

// floorAllowed has, for each packet, the bits of its properties.
const (
	floorOnConnect = 1<<idSessionExpiry | 1<<idAuthMethod | 1<<idAuthData | 1<<idRequestProblem | 1<<idRequestResponse |
		1<<idReceiveMaximum | 1<<idTopicAliasMaximum | 1<<idUserProperty | 1<<idMaximumPacketSize
	floorOnWill = 1<<idPayloadFormat | 1<<idMessageExpiry | 1<<idContentType | 1<<idResponseTopic |
		1<<idCorrelationData | 1<<idWillDelay | 1<<idUserProperty
	floorOnConnack = 1<<idSessionExpiry | 1<<idAssignedClientID | 1<<idServerKeepAlive | 1<<idAuthMethod |
		1<<idAuthData | 1<<idResponseInfo | 1<<idServerReference | 1<<idReasonString | 1<<idReceiveMaximum |
		1<<idTopicAliasMaximum | 1<<idMaximumQoS | 1<<idRetainAvailable | 1<<idUserProperty |
		1<<idMaximumPacketSize | 1<<idWildcardAvailable | 1<<idSubIDAvailable | 1<<idSharedAvailable
	floorOnPublish = 1<<idPayloadFormat | 1<<idMessageExpiry | 1<<idContentType | 1<<idResponseTopic |
		1<<idCorrelationData | 1<<idSubscriptionID | 1<<idTopicAlias | 1<<idUserProperty
	floorOnAck        = 1<<idReasonString | 1<<idUserProperty
	floorOnSubscribe  = 1<<idSubscriptionID | 1<<idUserProperty
	floorOnDisconnect = 1<<idSessionExpiry | 1<<idServerReference | 1<<idReasonString | 1<<idUserProperty
)

// decode reads the properties at b[i:], of which those in allowed may occur and
// those in repeat more than once. It returns where they end, or a negative
// number.
func (p *floorProps) decode(b []byte, i int, allowed, repeat uint64) int {
	start, end := floorBlock(b, i)
	if end < 0 {
		return -1
	}
	p.block = b[start:end:end]
	have, users, subs := uint64(0), 0, 0
	b = b[:end]
	for i = start; i < end; {
		id := b[i]
		i++
		bit := uint64(1) << id // 0 for identifiers from 64 on
		if bit&allowed == 0 || bit&have&^repeat != 0 {
			return -1
		}
		have |= bit
		switch id {
		case idUserProperty:
			if _, i = floorText(b, i); i < 0 {
				return -1
			}
			if _, i = floorText(b, i); i < 0 {
				return -1
			}
			users++
			continue
		case idSubscriptionID:
			if _, i = floorVarint(b, i); i < 0 {
				return -1
			}
			subs++
			continue
		case idContentType:
			p.contentType, i = floorText(b, i)
		case idResponseTopic:
			p.responseTopic, i = floorText(b, i)
		case idAssignedClientID:
			p.assignedClientID, i = floorText(b, i)
		case idAuthMethod:
			p.authMethod, i = floorText(b, i)
		case idResponseInfo:
			p.responseInfo, i = floorText(b, i)
		case idServerReference:
			p.serverReference, i = floorText(b, i)
		case idReasonString:
			p.reasonString, i = floorText(b, i)
		case idCorrelationData:
			p.correlationData, i = floorBinary(b, i)
		case idAuthData:
			p.authData, i = floorBinary(b, i)
		case idSessionExpiry:
			p.sessionExpiry, i = floorU32(b, i)
		case idMessageExpiry:
			p.messageExpiry, i = floorU32(b, i)
		case idWillDelay:
			p.willDelay, i = floorU32(b, i)
		case idMaximumPacketSize:
			p.maximumPacketSize, i = floorU32(b, i)
		case idReceiveMaximum:
			p.receiveMaximum, i = floorU16(b, i)
		case idTopicAliasMaximum:
			p.topicAliasMaximum, i = floorU16(b, i)
		case idTopicAlias:
			p.topicAlias, i = floorU16(b, i)
		case idServerKeepAlive:
			p.serverKeepAlive, i = floorU16(b, i)
		case idPayloadFormat:
			p.payloadFormat, i = floorU8(b, i)
		case idRequestProblem:
			p.requestProblem, i = floorU8(b, i)
		case idRequestResponse:
			p.requestResponse, i = floorU8(b, i)
		case idMaximumQoS:
			p.maximumQoS, i = floorU8(b, i)
		case idRetainAvailable:
			p.retainAvailable, i = floorU8(b, i)
		case idWildcardAvailable:
			p.wildcardAvailable, i = floorU8(b, i)
		case idSubIDAvailable:
			p.subIDAvailable, i = floorU8(b, i)
		case idSharedAvailable:
			p.sharedAvailable, i = floorU8(b, i)
		}
		if i < 0 {
			return -1
		}
	}
	p.have, p.users, p.subs = have, users, subs
	return end
}
