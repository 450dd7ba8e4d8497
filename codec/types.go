package codec

import "encoding/json"

// QoS is the quality of service of a message or subscription: 0 at most once,
// 1 at least once, 2 exactly once. (v3.1.1 4.3, v5.0 4.3)
type QoS uint8

// The three levels of QoS.
const (
	QoS0 QoS = iota // at most once
	QoS1            // at least once
	QoS2            // exactly once
)

// RetainHandling says which retained messages a SUBSCRIBE asks for.
// (v5.0 3.8.3.1)
type RetainHandling uint8

// The three values of Retain Handling.
const (
	RetainSend      RetainHandling = iota // send them at every SUBSCRIBE
	RetainSendIfNew                       // send them if the subscription did not exist
	RetainDoNotSend                       // send none
)

// Bytes is a text or binary field of a packet. In a decoded packet it is a
// view into the decoded bytes. It has a name of its own for the sake of JSON
// alone: text becomes a string there, anything that is not UTF-8 an object
// with the one member "base64".
type Bytes []byte

// Opt is an optional value, such as a property that a packet may carry. Its
// zero value is absent.
type Opt[T any] struct {
	Value T    // meaningful only where Set
	Set   bool // whether the packet carries the value
}

// Some returns an Opt that is set to value.
func Some[T any](value T) Opt[T] { return Opt[T]{Value: value, Set: true} }

// Text returns an Opt that is set to the bytes of s.
func Text(s string) Opt[Bytes] { return Some(Bytes(s)) }

// Get returns the value and whether it is set.
func (o Opt[T]) Get() (T, bool) { return o.Value, o.Set }

// Or returns the value, or fallback where none is set.
func (o Opt[T]) Or(fallback T) T {
	if o.Set {
		return o.Value
	}
	return fallback
}

// IsZero reports whether o is absent; encoding/json leaves it out then.
func (o Opt[T]) IsZero() bool { return !o.Set }

// MarshalJSON writes the value, or null where none is set.
func (o Opt[T]) MarshalJSON() ([]byte, error) {
	if !o.Set {
		return []byte("null"), nil
	}
	return json.Marshal(o.Value)
}

// UnmarshalJSON reads what MarshalJSON writes, and refuses unknown keys.
func (o *Opt[T]) UnmarshalJSON(data []byte) error {
	*o = Opt[T]{}
	if string(data) == "null" {
		return nil
	}
	o.Set = true
	return strictUnmarshal(data, &o.Value)
}
