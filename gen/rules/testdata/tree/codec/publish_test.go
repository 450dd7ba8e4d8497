package codec

// [MQTT-3.3.1-4] v5 and, in the same line, [MQTT-1.5.4-1] v5.

/*
A block comment:
	[MQTT-3.1.0-2] v311
*/

var names = []string{"[U5-3.3.2.1-a] v5", `raw
[MQTT-3.1.0-2] v5`}
