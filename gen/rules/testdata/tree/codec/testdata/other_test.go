package data

// [MQTT-3.9.9-9] v5 is passed over.
