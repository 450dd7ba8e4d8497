package session_test

import (
	"bytes"
	"fmt"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// A client and a server without a network: what one writes, the other receives.
func Example() {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	client := session.NewClient(session.ClientConfig{Version: codec.V5})
	server := session.NewServer(session.ServerConfig{})
	server.Open(now)
	if err := client.Connect(now, &codec.Connect{ClientID: codec.Bytes("me"), CleanStart: true}); err != nil {
		fmt.Println(err)
	}
	for busy := true; busy; {
		busy = false
		for ev := range client.Events() {
			switch ev.Kind {
			case events.Write:
				server.Receive(now, bytes.Join(ev.Data, nil))
				busy = true
			case events.Connected:
				fmt.Println("client: connected")
				_, err := client.Publish(now, &codec.Publish{Topic: codec.Bytes("greeting"), QoS: codec.QoS1, Payload: codec.Bytes("hello")})
				if err != nil {
					fmt.Println(err)
				}
			case events.Published:
				fmt.Println("client: published")
				if err := client.Disconnect(now, nil); err != nil {
					fmt.Println(err)
				}
			case events.Close:
				fmt.Println("client: closed")
			}
		}
		for ev := range server.Events() {
			switch ev.Kind {
			case events.Write:
				client.Receive(now, bytes.Join(ev.Data, nil))
				busy = true
			case events.Connect:
				fmt.Printf("server: CONNECT of %s\n", ev.Packet.(*codec.Connect).ClientID)
				if err := server.Accept(now, nil, nil); err != nil {
					fmt.Println(err)
				}
			case events.Message:
				fmt.Printf("server: %s: %s\n", ev.Publish.Topic, ev.Publish.Payload)
			case events.Disconnected:
				fmt.Println("server: DISCONNECT")
			}
		}
	}
	// Output:
	// server: CONNECT of me
	// client: connected
	// server: greeting: hello
	// client: published
	// client: closed
	// server: DISCONNECT
}
