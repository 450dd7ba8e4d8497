package codec

func f() {
	_ = "x" // [MQTT-3.3.1-99] v5
	_ = `
  [MQTT-1.5.4-1] v311`
	_ = "[MQTT-3.3.1-4] without a version"
}

func Example() {
	// Output:
	// what is printed [MQTT-3.3.1-4]
	// is no citation [MQTT-3.3.1-99] v5
}

// This is one: [MQTT-3.3.1-98] v5
