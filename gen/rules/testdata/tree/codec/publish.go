package codec

// Not a test, so this counts for nothing: [MQTT-3.9.9-9] v5.
