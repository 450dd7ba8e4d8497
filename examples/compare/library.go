package main

import "slices"

// library is one codec of the comparison.
type library struct {
	name     string
	module   string
	versions []byte // protocol levels that it reads

	// decode returns a function that reads the packets of wire n times, in the
	// fastest way that the library offers.
	decode func(version byte, wire []byte) func(n int) error
	// encode returns a function that writes the packets of wire n times into a
	// buffer with room, and returns that buffer. It is nil in the rows that
	// only decode. The packets are made beforehand.
	encode func(version byte, wire []byte) (func(n int) ([]byte, error), error)
	// check reads all packets of wire and applies the checks that the codec
	// offers beyond its decoder.
	check func(version byte, toServer bool, wire []byte) error
	// longTopic writes a PUBLISH of QoS 0 with a topic of the given size.
	longTopic func(size int) ([]byte, error)
	// claim reads wire, which claims more than it has, from a stream.
	claim func(wire []byte) error

	client, server string // constructors of the two roles
	protocol       string // package that holds the protocol above the codec
}

func (l *library) reads(version byte) bool { return slices.Contains(l.versions, version) }

func libraries() []*library {
	return []*library{ours(), oursOwned(), pahoV3(), pahoV5(), mochi(), atWat()}
}
