// Package hostiletest attacks the broker program: with half-open connections,
// with handshakes of one byte at a time, with lengths that are claimed and never
// come, with floods of subscriptions, with deep topics and with readers that do
// not read. In every test the memory of the broker stays under a bound, and
// another client, the witness, is served all the time.
package hostiletest
