package endtoend

import (
	"testing"

	. "github.com/mqttcore/mqttcore/examples/internal/programtest"
)

// A client that is killed at any moment loses nothing, and nothing comes twice.
func TestKilledSender(t *testing.T) {
	_, port := Broker(t)
	for _, v := range versions {
		KilledSender(t, port, v)
	}
}

func TestKilledReceiver(t *testing.T) {
	_, port := Broker(t)
	for _, v := range versions {
		KilledReceiver(t, port, v, false)
	}
}
