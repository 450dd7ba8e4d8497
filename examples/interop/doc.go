// Package interop tests the programs of this module against those of Eclipse
// Mosquitto: mosquitto_pub and mosquitto_sub against our broker, and our publish
// and subscribe against mosquitto. Without MQTTCORE_INTEROP=1 in the
// environment the tests are skipped; with it mosquitto has to be installed.
package interop
