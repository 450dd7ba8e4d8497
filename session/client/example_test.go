package client_test

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session/broker"
	"github.com/mqttcore/mqttcore/session/client"
)

// run is a complete driver. It owns c and serves it until it has stopped. Other
// goroutines reach c by way of calls.
func run(c *client.Client, dial func(server string) (io.ReadWriteCloser, error), calls <-chan func(now time.Time)) error {
	type opened struct {
		conn io.ReadWriteCloser
		err  error
	}
	type input struct {
		from io.ReadWriteCloser
		data []byte
		err  error
	}
	var (
		conn  io.ReadWriteCloser
		open  = make(chan opened, 1)
		in    = make(chan input)
		quit  = make(chan struct{})
		timer = time.NewTimer(time.Hour)
	)
	defer close(quit)
	read := func(from io.ReadWriteCloser) {
		buf := make([]byte, 64<<10)
		for {
			n, err := from.Read(buf)
			select {
			case in <- input{from, bytes.Clone(buf[:n]), err}:
			case <-quit:
				return
			}
			if err != nil {
				return
			}
		}
	}
	for {
		for ev := range c.Events() {
			switch ev.Kind {
			case client.Open:
				go func() {
					conn, err := dial(ev.Server)
					open <- opened{conn, err}
				}()
			case client.Write:
				if _, err := ev.WriteTo(conn); err != nil {
					c.Closed(time.Now(), err)
				}
			case client.Timer:
				timer.Reset(time.Until(ev.Deadline))
			case client.Close:
				conn.Close()
				conn = nil
			case client.Stopped:
				return ev.Err
			}
		}
		select {
		case o := <-open:
			if o.err != nil {
				c.OpenFailed(time.Now(), o.err)
			} else if c.Opened(time.Now()) != nil {
				o.conn.Close()
			} else {
				conn = o.conn
				go read(conn)
			}
		case i := <-in:
			if i.from != conn {
				break // a transport that is closed
			}
			c.Receive(time.Now(), i.data)
			if i.err != nil {
				c.Closed(time.Now(), i.err)
			}
		case <-timer.C:
			c.Tick(time.Now())
		case call := <-calls:
			call(time.Now())
		}
	}
}

// memory is a transport to a broker in the same program.
type memory struct {
	b    *broker.Broker
	h    broker.Handle
	data chan []byte // from the broker
}

func (m *memory) Write(p []byte) (int, error) {
	m.b.Receive(time.Now(), m.h, p)
	for ev := range m.b.Events() {
		switch ev.Kind {
		case events.Write:
			m.data <- bytes.Join(ev.Data, nil)
		case events.Close:
			close(m.data)
		}
	}
	return len(p), nil
}

func (m *memory) Read(p []byte) (int, error) {
	data, ok := <-m.data
	if !ok {
		return 0, io.EOF
	}
	return copy(p, data), nil
}

func (m *memory) Close() error { return nil }

// A client asks itself a question by way of a broker, with a driver that
// reconnects.
func Example() {
	b := broker.New(broker.Config{})
	attempts := 0
	dial := func(string) (io.ReadWriteCloser, error) {
		if attempts++; attempts == 1 {
			return nil, fmt.Errorf("the network is not up yet")
		}
		return &memory{b, b.Open(time.Now(), nil), make(chan []byte, 100)}, nil
	}

	c := client.New(client.Config{
		Connect:  &codec.Connect{ClientID: codec.Bytes("me"), CleanStart: true, KeepAlive: 60},
		Backoff:  client.Backoff{Minimum: time.Millisecond},
		Requests: client.Requests{ResponseTopic: "answers/me"},
	})
	calls := make(chan func(time.Time), 10)

	// Whatever a handler does, it cannot block or run another handler.
	answer := func(now time.Time, m client.Incoming) {
		fmt.Printf("%s: %s\n", m.Topic, m.Payload)
		if _, err := c.Respond(now, m.Publish, &codec.Publish{Payload: codec.Bytes("42")}); err != nil {
			fmt.Println(err)
		}
	}
	if err := c.Subscribe(time.Now(), answer, codec.Subscription{Filter: codec.Bytes("questions/#"), QoS: codec.QoS1}); err != nil {
		fmt.Println(err)
	}
	if err := c.Start(time.Now()); err != nil {
		fmt.Println(err)
	}

	calls <- func(now time.Time) {
		question := &codec.Publish{Topic: codec.Bytes("questions/all"), QoS: codec.QoS1, Payload: codec.Bytes("6 x 7?")}
		_, err := c.Request(now, question, time.Minute, func(now time.Time, _ uint64, p *codec.Publish, err error) {
			if err != nil {
				fmt.Println(err)
			} else {
				fmt.Printf("%s: %s\n", p.Topic, p.Payload)
			}
			if err := c.Stop(now, nil); err != nil {
				fmt.Println(err)
			}
		})
		if err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(run(c, dial, calls), attempts)
	// Output:
	// questions/all: 6 x 7?
	// answers/me: 42
	// <nil> 2
}
