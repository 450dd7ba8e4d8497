// Command first is the first program of the README: it subscribes to a topic,
// publishes to it, prints what comes back, and disconnects.
package main

import (
	"fmt"
	"log"
	"net"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

func main() {
	conn, err := net.Dial("tcp", "127.0.0.1:1883")
	if err != nil {
		log.Fatalf("no broker: %v; start one with `make run`", err)
	}
	c := session.NewClient(session.ClientConfig{})
	c.Connect(time.Now(), &codec.Connect{CleanStart: true, KeepAlive: 60})
	for buf := make([]byte, 4096); ; {
		for ev := range c.Events() {
			switch ev.Kind {
			case events.Write:
				ev.WriteTo(conn)
			case events.Connected:
				c.Subscribe(time.Now(), &codec.Subscribe{Filters: []codec.Subscription{{Filter: codec.Bytes("hello/#"), QoS: codec.QoS1}}})
			case events.Subscribed:
				c.Publish(time.Now(), &codec.Publish{Topic: codec.Bytes("hello/world"), QoS: codec.QoS1, Payload: codec.Bytes("hi")})
			case events.Message:
				fmt.Printf("%s: %s\n", ev.Publish.Topic, ev.Publish.Payload)
				c.Disconnect(time.Now(), nil)
			case events.Close:
				conn.Close()
				return
			}
		}
		conn.SetReadDeadline(c.Deadline()) // the session asks for no other timer
		n, err := conn.Read(buf)
		c.Receive(time.Now(), buf[:n])
		if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
			c.Tick(time.Now())
		} else if err != nil {
			c.Closed(time.Now(), err)
		}
	}
}
