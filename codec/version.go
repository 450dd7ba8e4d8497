package codec

// Version says how one link speaks: the protocol level, the width of packet
// identifiers and, where the caller knows them, which side sends and which
// leniency is granted. Its constants are [V311], [V5], [V311Wide] and [V5Wide].
type Version uint8

const (
	levelMask   Version = 0x07
	wide        Version = 0x08
	fromClient  Version = 0x10
	fromServer  Version = 0x20
	lenientText Version = 0x40
)

const (
	// V311 is MQTT v3.1.1, protocol level 4.
	V311 Version = 4
	// V5 is MQTT v5.0, protocol level 5.
	V5 Version = 5
	// V311Wide is V311 with packet identifiers of four bytes. It is meant for
	// links between the nodes of a broker and is not MQTT towards clients.
	V311Wide = V311 | wide
	// V5Wide is V5 with packet identifiers of four bytes, see V311Wide.
	V5Wide = V5 | wide
)

// IsV5 reports whether v speaks MQTT v5.0.
func (v Version) IsV5() bool { return v&levelMask == V5 }

// Level returns the protocol level that CONNECT carries: 4 or 5.
func (v Version) Level() byte { return byte(v & levelMask) }

// Wide reports whether packet identifiers take four bytes instead of two.
func (v Version) Wide() bool { return v&wide != 0 }

// Known reports whether v names one of the two versions this package speaks.
func (v Version) Known() bool { return v&levelMask&^1 == V311 }

// MaxPacketID returns the largest packet identifier of the link: 65,535, or
// 4,294,967,295 where identifiers are wide.
func (v Version) MaxPacketID() uint32 {
	if v.Wide() {
		return 1<<32 - 1
	}
	return 1<<16 - 1
}

// FromClient returns v for packets that a client sends: packets, properties
// and reason codes that only a server may send are then illegal. A server
// decodes and a client encodes with it. Without a direction, what either side
// may send is legal.
func (v Version) FromClient() Version { return v&^fromServer | fromClient }

// FromServer returns v for packets that a server sends, see FromClient.
func (v Version) FromServer() Version { return v&^fromClient | fromServer }

// AllowControlCharacters returns v with the one leniency of this package: the
// characters U+0001 to U+001F and U+007F to U+009F and the 66 Unicode
// non-characters, which the standards say should not be sent, are accepted in
// strings. U+0000 and ill-formed UTF-8 never are. (v3.1.1 1.5.3, v5.0 1.5.4)
func (v Version) AllowControlCharacters() Version { return v | lenientText }

// Base returns v without direction and leniency.
func (v Version) Base() Version { return v & (levelMask | wide) }

// sides returns the directions that v leaves open, as bits of a sides mask.
func (v Version) sides() sides {
	switch v & (fromClient | fromServer) {
	case fromClient:
		return byClient
	case fromServer:
		return byServer
	}
	return byBoth
}

// sides is a set of senders.
type sides uint8

const (
	byClient sides = 1
	byServer sides = 2
	byBoth   sides = byClient | byServer
)

// String returns the version in the standards' own notation, such as "v5.0".
func (v Version) String() string {
	var s string
	switch v & levelMask {
	case V311:
		s = "v3.1.1"
	case V5:
		s = "v5.0"
	default:
		return "unknown version"
	}
	if v.Wide() {
		s += " with 32-bit packet identifiers"
	}
	return s
}
