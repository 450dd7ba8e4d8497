// Package codec encodes, decodes, builds and validates the control packets of
// MQTT v3.1.1 and v5.0. It keeps no state and does no I/O, so it can be
// imported alone by sniffers, proxies, load generators and other packet tools.
//
// There is one struct for each of the fifteen packets, for both versions. The
// version is an argument of every call, see [Version]. The structs, their
// methods and their builders are generated from the YAML files in spec/.
//
// # Borrowed bytes
//
// Decoding copies nothing: topics, strings, binary data and payloads of a
// decoded packet are views into the bytes it was decoded from. They are valid
// until the caller changes that buffer. Clone makes a packet that owns its
// bytes.
//
// # Strictness
//
// Decode accepts nothing that the standard forbids, and AppendTo writes
// nothing that it forbids; both report the first fault as an [*Error] with
// packet, field, byte offset and the rule that is broken. DecodeLoose checks
// the structure alone and is meant for tools that have to look at illegal
// packets.
package codec

//go:generate go run github.com/mqttcore/mqttcore/cmd/mqttgen -spec ../spec -out ..
