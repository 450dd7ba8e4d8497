package codec

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The classes of errors, for use with errors.Is.
var (
	// ErrMalformed is the class of packets that cannot be parsed. (v5.0 1.2)
	ErrMalformed = errors.New("malformed packet")
	// ErrProtocol is the class of packets that can be parsed but whose content
	// the standard forbids. (v5.0 1.2)
	ErrProtocol = errors.New("protocol error")
	// ErrTooLarge is the class of packets and fields over a limit.
	ErrTooLarge = errors.New("too large")
	// ErrUnsupportedVersion is the class of CONNECT packets of another
	// protocol or another version of this one.
	ErrUnsupportedVersion = errors.New("unsupported protocol version")
	// ErrVersion is the class of packets and fields that do not exist in the
	// version of the link, such as a property under v3.1.1.
	ErrVersion = errors.New("not part of this version")
)

// Error is the first fault that was found in a packet.
type Error struct {
	// Packet is the type of the packet, 0 where it is not known.
	Packet PacketType
	// Version is the version of the link, 0 where it does not matter.
	Version Version
	// Field is the name of the faulty field, such as "Topic",
	// "Properties.ReceiveMaximum" or "Filters[2].QoS"; empty for the packet.
	Field string
	// Offset is the position in bytes of the faulty field from the first byte
	// of the packet, or -1 where the packet did not come from bytes.
	Offset int
	// Rule is the statement of the standard that is broken, such as
	// "MQTT-3.3.1-4", or an id of our own for rules without a number, such as
	// "U5-3.3.2.1-a"; spec/rules holds both. Empty where no rule says it.
	Rule string
	// Code is the v5.0 reason code that fits the fault.
	Code ReasonCode
	// Detail says in words what is wrong.
	Detail string
	// Err is the class of the fault: ErrMalformed, ErrProtocol and so on.
	Err error
}

// Error returns one line that names the packet, the field, the offset, the
// fault and the rule.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Packet != 0 {
		fmt.Fprintf(&b, "%v: ", e.Packet)
	}
	b.WriteString(e.Err.Error())
	if e.Field != "" {
		fmt.Fprintf(&b, ": %s", e.Field)
	}
	if e.Offset >= 0 {
		fmt.Fprintf(&b, " at byte %d", e.Offset)
	}
	fmt.Fprintf(&b, ": %s", e.Detail)
	if e.Rule != "" {
		fmt.Fprintf(&b, " [%s]", e.Rule)
	}
	return b.String()
}

// Unwrap returns the class of the error.
func (e *Error) Unwrap() error { return e.Err }

// Reason returns the v5.0 reason code that tells the peer of the fault.
func (e *Error) Reason() ReasonCode { return e.Code }

// fault is one way in which a field can be wrong. The constants and their
// table are generated from spec/faults.yaml; 0 stands for no fault.
type fault uint8

// faultInfo is what is known of a fault without its field.
type faultInfo struct {
	detail    string
	structure bool // the rest of the packet cannot be read: DecodeLoose fails too
	v311, v5  verdict
}

// verdict is how one version judges a fault: its class, its reason code and
// the rule that is broken.
type verdict struct {
	class error
	code  ReasonCode
	rule  string
}

// field is a field of a packet as errors name it, with the verdicts that
// differ from the general ones of its faults.
type field struct {
	packet   PacketType
	name     string
	verdicts []fieldVerdict
}

// fieldVerdict is the verdict on one fault of one field.
type fieldVerdict struct {
	fault    fault
	v311, v5 verdict
}

// named returns a copy of f with another name.
func (f field) named(name string) *field {
	f.name = name
	return &f
}

// verdict returns how v judges a fault of the field.
func (f *field) verdict(why fault, v Version) verdict {
	info := &faults[why]
	general, special := info.v5, verdict{}
	if v&levelMask == V311 {
		general = info.v311
	}
	for i := range f.verdicts {
		if f.verdicts[i].fault == why {
			special = f.verdicts[i].v5
			if v&levelMask == V311 {
				special = f.verdicts[i].v311
			}
		}
	}
	if special.class != nil {
		general.class, general.code = special.class, special.code
	}
	if special.rule != "" {
		general.rule = special.rule
	}
	return general
}

// fault returns the error for a fault of the field, found at byte offset of
// the packet, or -1.
func (f *field) fault(why fault, v Version, offset int) *Error {
	judged := f.verdict(why, v)
	return &Error{
		Packet:  f.packet,
		Version: v.Base(),
		Field:   f.name,
		Offset:  offset,
		Rule:    judged.rule,
		Code:    judged.code,
		Detail:  faults[why].detail,
		Err:     judged.class,
	}
}

// ofElement fills the index of a list element, item - 1, into a name such as
// "Filters[%d].QoS". Where item is 0 the name is that of the list.
func ofElement(name string, item int) string {
	if item > 0 {
		return strings.Replace(name, "%d", strconv.Itoa(item-1), 1)
	}
	return strings.Replace(name, "[%d]", "", 1)
}
