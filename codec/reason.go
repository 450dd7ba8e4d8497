package codec

import "fmt"

// IsError reports whether the code stands for a failure: 0x80 and above.
func (c ReasonCode) IsError() bool { return c >= 0x80 }

// String returns the name that the standard gives the code. 0x00 has other
// names in DISCONNECT and SUBACK, see Name.
func (c ReasonCode) String() string { return c.Name(0) }

// Name returns the name of the code in packets of type t.
func (c ReasonCode) Name(t PacketType) string {
	if name := specialName(c, t); name != "" {
		return name
	}
	if name := reasonNames[c]; name != "" {
		return name
	}
	return fmt.Sprintf("reason code 0x%02X", uint8(c))
}

// ConnackV311 returns the return code that a v3.1.1 CONNACK carries for c. ok
// is false where v3.1.1 has none; the server closes without a CONNACK then.
// (v3.1.1 3.2.2.3)
func (c ReasonCode) ConnackV311() (code byte, ok bool) { return toV311(TypeConnack, c) }

// AllowedIn reports whether packets of type t on a link of version v may carry
// the code.
func (c ReasonCode) AllowedIn(t PacketType, v Version) bool {
	if v.IsV5() {
		return checkReason(c, t, v) == 0
	}
	_, ok := toV311(t, c)
	return ok
}

// checkReason returns what is wrong with a code of v5.0 in a packet of type t.
func checkReason(c ReasonCode, t PacketType, v Version) fault {
	by := &reasonSides[c]
	client, server := by.client>>t&1 != 0, by.server>>t&1 != 0
	side := v.sides()
	switch {
	case client && side&byClient != 0, server && side&byServer != 0:
		return 0
	case client || server:
		return faultReasonSide
	}
	return faultReasonCode
}

// wireReason returns the byte that stands for the code, which was checked.
func wireReason(c ReasonCode, t PacketType, v Version) byte {
	if v.IsV5() {
		return byte(c)
	}
	code, _ := toV311(t, c)
	return code
}
