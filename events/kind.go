package events

import "strconv"

// Kind says what an Event is about. The comment of each kind names the fields
// that it sets; all others are zero.
type Kind uint8

const (
	// None is the kind of the zero Event, which no session returns.
	None Kind = iota

	// Write carries in Data all bytes that are due. The driver hands them to
	// the transport in this order. Size is their number.
	Write
	// Timer carries in Deadline the time at which Tick is to be called. It
	// replaces the deadline told before; zero stands for none. A deadline that
	// only moved back is not told: a timer that fires early costs one call of
	// Tick, after which the new deadline is told. It has a monotonic reading if
	// the times that were given have one.
	Timer
	// Close asks the driver to close the transport. It is the last event of
	// every connection and comes exactly once. Reason and Err say why; Err is
	// nil after a normal end.
	Close

	// Connect tells a server that CONNECT arrived: Packet is the
	// *codec.Connect, Version what it speaks. The server answers with Accept,
	// Refuse or, for enhanced authentication, Auth.
	Connect
	// Connected tells that the connection stands. On a client Packet is the
	// *codec.Connack; a server knows its own. SessionPresent says whether an
	// earlier session goes on.
	Connected
	// Refused tells a client that the server refused its CONNECT: Packet is
	// the *codec.Connack, Reason its code. Close follows.
	Refused
	// Auth tells that AUTH arrived: Packet is the *codec.Auth, Reason its
	// code.
	Auth
	// Disconnected tells that the peer sent DISCONNECT: Packet is the
	// *codec.Disconnect, Reason its code. Close follows.
	Disconnected

	// Message delivers an application message: Publish, PacketID and, above
	// QoS 0, the Token with which Ack names it. Flags may have Resolved.
	Message
	// MessageBegin tells that a message began whose payload comes in pieces:
	// Publish, which has no payload yet, in Size the length of the payload,
	// and the rest as in Message.
	MessageBegin
	// MessageData is the next piece of that payload: Data, and in Size its
	// length. PacketID and Token are those of the message.
	MessageData
	// MessageEnd tells that the payload is complete; only now the message is
	// acknowledged. With an Err the connection ended first: what came is void,
	// and above QoS 0 the message comes again, from its beginning, when the
	// session goes on. PacketID and Token are those of the message.
	MessageEnd
	// Released tells that PUBREL arrived where PUBCOMP is left to the
	// application: Packet is the *codec.Pubrel, Token what Complete takes.
	Released

	// Wanted asks for the next piece of a payload that is sent in pieces, see
	// PublishStream: Token and PacketID of the message, in Offset where the
	// piece begins, in Size the most bytes that it may have. An Offset of 0
	// starts the payload, also a second time when the session went on.
	Wanted
	// Received tells the sender of a QoS 2 message that PUBREC arrived where
	// PUBREL is left to the application: Token, PacketID, Reason, and Packet,
	// the *codec.Pubrec. It is told again, without Packet, when the session
	// goes on and the message still waits for Release.
	Received
	// Published tells that a message of QoS 1 or 2 is through: Token, PacketID
	// and Reason; Packet is the *codec.Puback, *codec.Pubcomp or, after a
	// refusal, *codec.Pubrec. A Reason of 0x80 or above is a refusal, except
	// 0x92 in PUBCOMP, which is normal after a session went on.
	Published
	// Dropped tells that a message will not be sent, or not be sent again:
	// Token, Publish, and Err, which says why. Publish is nil after PUBREC,
	// and for a SUBSCRIBE or UNSUBSCRIBE whose connection ended.
	Dropped

	// Subscribe tells a server that SUBSCRIBE arrived: Packet is the
	// *codec.Subscribe. It is answered with Suback.
	Subscribe
	// Subscribed tells a client that SUBACK arrived: Packet is the
	// *codec.Suback, Token that of the request.
	Subscribed
	// Unsubscribe tells a server that UNSUBSCRIBE arrived: Packet is the
	// *codec.Unsubscribe. It is answered with Unsuback.
	Unsubscribe
	// Unsubscribed tells a client that UNSUBACK arrived: Packet is the
	// *codec.Unsuback, Token that of the request.
	Unsubscribed

	// Ping tells a server that PINGREQ arrived where PINGRESP is left to the
	// application.
	Ping

	// SessionLost tells that the session state was lost, by Session Present 0,
	// Clean Start or expiry. Count messages that were under way have been
	// Dropped before it; Queued messages that were never sent stay queued.
	SessionLost
	// Unexpected reports an acknowledgement whose Packet Identifier is not in
	// use. It changed nothing. Packet and PacketID.
	Unexpected

	// Store asks for a record of the session state to be made durable, in
	// place of the one with the same Key. It comes before the Write that
	// depends on it. Record says what it is; see session.AppendRecord.
	Store
	// Discard asks for the record with the Key to be removed.
	Discard

	kinds
)

var kindNames = [kinds]string{
	"None", "Write", "Timer", "Close",
	"Connect", "Connected", "Refused", "Auth", "Disconnected",
	"Message", "MessageBegin", "MessageData", "MessageEnd", "Released",
	"Wanted", "Received", "Published", "Dropped",
	"Subscribe", "Subscribed", "Unsubscribe", "Unsubscribed",
	"Ping", "SessionLost", "Unexpected", "Store", "Discard",
}

// String returns the name of the constant.
func (k Kind) String() string {
	if k < kinds {
		return kindNames[k]
	}
	return "Kind(" + strconv.Itoa(int(k)) + ")"
}

// Flags are details of a few kinds of events.
type Flags uint8

const (
	// Resolved marks a Message whose topic came from a topic alias.
	Resolved Flags = 1 << iota
	// SessionPresent marks a Connected that goes on with an earlier session.
	SessionPresent
	// Streamed marks the Store of a message whose payload is sent in pieces.
	// The record holds Size, the length of the payload, but not the payload.
	Streamed
	// Unreleased marks the Store of a RecordRelease whose PUBREL waits for
	// the application.
	Unreleased
	// GivenUp marks the Store of a RecordRelease whose message was told as
	// Dropped: only its identifier is left.
	GivenUp
)

// Record says what a Store or Discard event is about.
type Record uint8

const (
	// RecordMessage is an outgoing message: Publish, QoS and Token, PacketID
	// once it has been sent, in Deadline the time at which it expires, and
	// with the flag Streamed in Size the length of its payload.
	RecordMessage Record = iota + 1
	// RecordRelease is an outgoing QoS 2 message of which PUBREC arrived: Token,
	// PacketID, in Count its place among those, and perhaps the flag
	// Unreleased. It takes the place of the RecordMessage, also where a message
	// that was sent is given up before PUBREC arrives: with the flag GivenUp
	// and a Count of 0.
	RecordRelease
	// RecordReceived is an incoming QoS 2 message that was delivered and whose
	// PUBREL has not arrived: PacketID.
	RecordReceived
	// RecordSession is the session itself: ClientID, in Size its Session
	// Expiry Interval in seconds, in Deadline the end of its last connection,
	// in Count the last token, in PacketID the next Packet Identifier.
	RecordSession
)

// String returns a short name.
func (r Record) String() string {
	switch r {
	case RecordMessage:
		return "message"
	case RecordRelease:
		return "release"
	case RecordReceived:
		return "received"
	case RecordSession:
		return "session"
	}
	return "none"
}
