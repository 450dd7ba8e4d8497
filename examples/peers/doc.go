// Package peers tests the broker with the client libraries that people use:
// Paho for Python and MQTT.js. Each scenario runs with every library, with MQTT
// 3.1.1 and 5.0. A small program for each library (testdata) carries out what
// the scenario says, in JSON lines, and tells what the library made of it.
//
// Without MQTTCORE_INTEROP=1 in the environment the tests are skipped. A library
// that is not installed is skipped with a message too, unless CI=true, where
// that is a failure. `make peers` installs MQTT.js below testdata; Paho is
// Debian's package python3-paho-mqtt.
//
// With -broker mosquitto the same scenarios run against Eclipse Mosquitto, which
// shows whose fault a difference is:
//
//	MQTTCORE_INTEROP=1 go test ./peers -v -broker mosquitto
package peers
