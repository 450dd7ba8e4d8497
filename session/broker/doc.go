// Package broker is what makes many sessions an MQTT broker: the registry of
// sessions, the index of subscriptions, retained messages, wills, shared
// subscriptions and expiry, for v3.1.1 and v5.0 clients together. Like a
// session it does no I/O: bytes and time go in, events come out.
//
// A Broker has one owner, who calls it from one goroutine. The owner reads and
// writes the transports elsewhere and names each of them by the Handle that
// Open returned:
//
//	h := b.Open(now)            // a transport was accepted
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
// A driver that writes in the background calls SetWriteBlocked while a
// connection cannot take bytes, and reads no more from a connection while
// InputPaused says so. What waits for a slow reader is then bounded by the
// configuration, and nobody else waits for it.
package broker
