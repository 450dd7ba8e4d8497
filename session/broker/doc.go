// Package broker is what makes many sessions an MQTT broker: the registry of
// sessions, the index of subscriptions, retained messages, wills, shared
// subscriptions and expiry, for v3.1.1 and v5.0 clients together. Like a
// session it does no I/O: bytes and time go in, events come out.
//
// A Broker has one owner, who calls it from one goroutine. The owner reads and
// writes the transports elsewhere and names each of them by the Handle that
// Open returned:
//
//	h := b.Open(now, endpoint)  // a transport was accepted
//	b.Receive(now, h, bytes)    // it brought bytes
//	b.Closed(now, h, err)       // it broke, or the peer closed it
//	b.Tick(now)                 // the deadline has come
//
// After each of these, or of any other method, it serves the events that are
// due:
//
//	for ev := range b.Events() {
//		switch ev.Kind {
//		case events.Write: // ev.Data is for the transport of ev.Conn
//		case events.Timer: // call Tick at ev.Deadline
//		case events.Close: // close the transport of ev.Conn, after what was written; its handle is void
//		}
//	}
//
// All other events are for information; a driver may ignore them.
//
// # Durability
//
// With Config.Server.Persist, Store and Discard events tell what has to survive,
// as values under keys: sessions, their subscriptions, messages that wait or are
// under way, retained messages and Wills with their deadlines. All changes of a
// batch come before its first Write. A driver makes them durable, all or none,
// before it serves that Write; with Restore another Broker begins with what is
// stored. A driver that can only store one after the other loses no message, but
// may deliver one of QoS 2 twice. A payload for several sessions is told once, so
// that what is stored stays in proportion.
//
// Not stored are messages of QoS 0 that wait, the figures of $SYS, and sessions that
// end with their connection, except for their Wills and for what such a member of a
// shared subscription has not acknowledged, if another member outlives the broker:
// that gets it after Restore.
//
// # Time
//
// While a broker runs, setting the wall clock ends nothing early and keeps nothing
// longer, as only the monotonic readings of time.Now count. That it was set is stored
// too, and deadlines that are stored keep their distance to each other. How long no
// broker ran is told by the wall clock alone. Where it has gone back, the time goes
// on from the latest that is stored: sessions and messages then live too long, rather
// than end too early, as that would lose what was acknowledged. A machine that starts
// with a wall clock that is ahead ends sessions, which no broker can know.
//
// # Policy and questions
//
// Who may do what is decided in one of two ways, or in both. The hooks of
// Config.Policy answer at once, which costs a call: they are for rules that are in
// memory, such as a list of who may use which topics, and see each delivery too.
// With Config.Ask the broker asks its driver by an event and goes on with all else
// until the answer comes, which costs a copy of the packet and keeps the client
// waiting: it is for passwords, databases and other services. Where both are in use
// the Policy is asked about what the driver allowed.
//
// Clients differ by their Endpoint, the listener that they came by, and by the
// User and Limits of their Admission.
//
// # Choices
//
// Where the standards leave a choice:
//
//   - Overlapping subscriptions of one client get one copy of a message.
//   - A Topic Filter that begins with $share is a shared subscription for v3.1.1
//     clients too, in which v3.1.1 gives it no meaning; this is what other
//     brokers do. One that is not well formed, such as $share/g, is an ordinary
//     filter there, which matches nothing, as topics that begin with $share/ are
//     refused.
//   - A message of a shared subscription stays with the member that was chosen
//     until its session ends. Then it goes to another one, unless it is of
//     QoS 2 and was sent.
//   - Messages of QoS 0 are not kept for clients that are away, and are the first
//     to go when the queue of a client is full.
//   - Retained messages follow SUBACK as the client takes them, and do not fill
//     its queue. What is stored after SUBACK comes by itself and is not repeated, and
//     what is due of a topic comes before what is published to it meanwhile.
//   - What waits for a client is asked about again when its session goes on, as
//     the rules may have changed. One of QoS 1 or 2 that was sent and is refused
//     then is not sent again; that of QoS 2 is released, as its client may have
//     it.
//   - A client of v3.1.1 that publishes with a QoS or with RETAIN that is not on
//     offer is disconnected, and the message is not acknowledged, as there is no way
//     to tell it. One with such a Will gets no CONNACK, which has no code for it.
//   - A client is silent if neither a packet nor a KiB of one came for 1.5 times its
//     Keep Alive, not counting the time in which it was not to be read from.
//   - Wills are published at Shutdown or, with Persist, after Restore.
//
// # Memory
//
// In steady state routing allocates nothing, in any QoS, with and without changes
// for the disk: messages that sessions have in common, what connections have in
// hand, keys and values are in memory that is used again once nobody needs it. All
// of it is bounded; that of messages and buffers shrinks after a burst. What Writes
// refer to for as long as a driver likes is not used again: payloads from 1 KiB on,
// one allocation for all receivers, and the encodings that receivers have in common,
// of which 16 KiB are allocated at a time. A retained message has memory of its own.
//
// Whoever gets a message that goes to several, in any QoS, at once or later, refers
// to one encoding. Above QoS 0 all send it under the same Packet Identifier, so that
// the bytes are the same, and each may skip some. Who needs other bytes before the
// payload, as that identifier is in use or past, or as it knows the topic under
// another alias, gets these alone and refers to the payload. What is less than a
// reference takes, 64 bytes, is copied, where it does not follow in memory what was
// sent before. And a client that is slow to read keeps alive three of those 16 KiB,
// and one more for each KiB of them that waits for it; what is less is copied too.
// See the figures in session/reference.go.
//
// A driver that writes in the background calls SetWriteBlocked while a
// connection cannot take bytes, and reads no more from a connection while
// InputPaused says so. What waits for a slow reader is then bounded by the
// configuration, and nobody else waits for it.
package broker
