package client_test

import (
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/client"
)

// Between the end of its requests and Stopped a Client cannot be started, so that
// Stopped is the last event until Start.
func TestStartBeforeStopped(t *testing.T) {
	now := time.Unix(1, 0)
	c := client.New(client.Config{
		Session:  session.ClientConfig{Version: codec.V5},
		Connect:  &codec.Connect{ClientID: codec.Bytes("c")},
		Requests: client.Requests{ResponseTopic: "r"},
	})
	if err := c.Start(now); err != nil {
		t.Fatal(err)
	}
	var began error
	handled := false
	if _, err := c.Request(now, &codec.Publish{Topic: codec.Bytes("question")}, time.Minute, func(now time.Time, _ uint64, _ *codec.Publish, err error) {
		handled, began = true, c.Start(now)
	}); err != nil {
		t.Fatal(err)
	}
	if err := c.Stop(now, nil); err != nil {
		t.Fatal(err)
	}
	var last client.Kind
	for ev := range c.Events() {
		last = ev.Kind
	}
	if !handled || began == nil || last != client.Stopped {
		t.Errorf("handled %v, Start: %v, the last event is %v", handled, began, last)
	}
	if err := c.Start(now); err != nil {
		t.Error(err)
	}
}
