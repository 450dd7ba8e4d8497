// Package events defines what a session tells its driver: the bytes to write,
// the next deadline, and what happened on the connection.
//
// A session does no I/O. Its driver feeds it bytes, time and calls, then pulls
// [Event] values until there are none left, and acts on each in the order in
// which they come. Everything that an event points to is borrowed: it is valid
// until the next call on the session that returned it.
package events
