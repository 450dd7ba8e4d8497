// Package session is one side of one MQTT connection, client or server, v3.1.1
// or v5.0, and the session state that survives it. It does no I/O: bytes and
// time go in, events come out.
//
// A driver owns the transport. It feeds what it reads to Receive, calls Tick
// when the deadline has come, calls Publish, Subscribe and so on for the
// application, and after each of these pulls events with Next until there are
// none left, doing what each asks for:
//
//	for {
//		for ev := range c.Events() {
//			switch ev.Kind {
//			case events.Write:
//				ev.WriteTo(conn)
//			case events.Timer:
//				timer = ev.Deadline
//			case events.Close:
//				conn.Close()
//				return ev.Err
//			case events.Message:
//				use(ev.Publish)
//			}
//		}
//		// wait for bytes, the deadline or the application, then call
//		// Receive, Tick or Publish
//	}
//
// # Time
//
// Times are those of time.Now, with their monotonic readings, or of a virtual clock
// without any. Where there are readings only these count, so that setting the wall
// clock ends nothing early and keeps nothing longer, and deadlines that are told are
// to be compared with time.Now. What is stored is by the wall clock as it goes then.
// If that is set later, a record that came before is not corrected, and means
// another time after a restart.
//
// # Ownership
//
// A Client or Server is not safe for concurrent use. It starts no goroutine,
// holds no lock, reads no clock and calls nobody, so publishing from within
// the handling of an event is always possible.
//
// What an event points to is borrowed until the next call on the Client or
// Server, and, where several of them have a [Shared] in common, until the next
// call on any of these.
//
// # Order
//
// A message is delivered before it is acknowledged: the acknowledgement is
// formed when the driver asks for the event after the Message. What has to be
// durable is told by a Store event before the Write that depends on it. Close
// is the last event of a connection, comes exactly once, and the Write before
// it carries the CONNACK or DISCONNECT that tells the peer why.
//
// # Errors
//
// What the peer does wrong ends in Close with an [*codec.Error] that names the
// rule. What the caller does wrong is an [*Error] of the method, which then
// changed nothing.
package session
