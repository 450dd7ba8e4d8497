// Package interop tests the programs of this module against those of Eclipse
// Mosquitto: theirs against our broker, ours against mosquitto, and ours beside
// theirs with the same flags, which have to print the same bytes. Without
// MQTTCORE_INTEROP=1 in the environment the tests are skipped; with it mosquitto
// has to be installed.
package interop
