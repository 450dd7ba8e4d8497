// Package client is what an MQTT client needs above one connection: it connects
// again when the connection is gone, makes the subscriptions again when the
// server has lost them, hands messages to handlers, and matches responses to
// requests. Like the session that it owns it does no I/O: bytes and time go in,
// events come out.
//
// A driver opens transports and moves bytes. It calls Start, and then serves
// events until there are none left, waits for bytes, the deadline or the
// application, tells the Client, and serves events again:
//
//	c := client.New(client.Config{Connect: &codec.Connect{ClientID: codec.Bytes("c")}})
//	c.Subscribe(now, handler, codec.Subscription{Filter: codec.Bytes("a/#"), QoS: codec.QoS1})
//	c.Start(now)
//	for {
//		for ev := range c.Events() {
//			switch ev.Kind {
//			case client.Open: // open a transport to ev.Server, then call Opened or OpenFailed
//			case client.Write: // ev.WriteTo(conn); if that fails, Closed
//			case client.Timer: // call Tick at ev.Deadline
//			case client.Close: // close the transport
//			case client.Stopped:
//				return ev.Err
//			}
//		}
//		// wait, then call Opened, OpenFailed, Receive, Closed or Tick
//	}
//
// All other events are for information; a driver may ignore them. The package's
// example is a complete program.
//
// # Ownership
//
// A Client has one owner, who calls it from one goroutine. It starts no
// goroutine, holds no lock, and reads no clock; chance comes from
// Backoff.Random alone, so that the same calls always have the same effects.
//
// Handlers run within Next, on the owner's stack, one at a time. Publishing,
// subscribing, requesting and acknowledging within a handler only changes what
// the next events will be: it cannot block, and no handler is called meanwhile.
//
// # Large payloads
//
// With StreamAbove of the session, payloads above that size are never held as a
// whole, except for responses to requests: the StreamHandler of SubscribeWith takes them piece by piece, or the
// driver as MessageBegin, MessageData and MessageEnd.
//
// # Outcomes
//
// Every message that Publish took has exactly one outcome, the event Published
// or Dropped with its token; every request ends exactly once; every filter given
// to Subscribe has an event Subscribed each time that the server answers for it.
//
// # Lost connections and lost sessions
//
// A lost connection costs nothing but time: messages wait in the session, the
// server keeps the subscriptions, and both go on where they were. When the
// server has lost the session, which it tells by Session Present 0, the
// subscriptions are sent again first; then the messages that were under way, if
// the OrphanPolicy says so; then what was queued and never sent.
package client
