package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	mqtt "github.com/at-wat/mqtt-go"
)

// atWat has no codec that can be imported, so only its client is asked.
func atWat() *library {
	return &library{
		name:     "at-wat/mqtt-go",
		module:   "github.com/at-wat/mqtt-go",
		versions: []byte{v311},
		client:   "mqtt.BaseClient",
		protocol: "github.com/at-wat/mqtt-go",

		longTopic: func(size int) (_ []byte, err error) {
			defer func() {
				if r := recover(); r != nil {
					err = fmt.Errorf("%w: %v", errPanic, r)
				}
			}()
			conn := newScript(nil)
			c := &mqtt.BaseClient{Transport: conn}
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			if _, err := c.Connect(ctx, "c"); err != nil {
				return nil, err
			}
			defer c.Close()
			conn.written.Reset()
			err = c.Publish(ctx, &mqtt.Message{Topic: strings.Repeat("t", size)})
			return conn.written.Bytes(), err
		},

		claim: func(wire []byte) error {
			c := &mqtt.BaseClient{Transport: newScript(wire)}
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			if _, err := c.Connect(ctx, "c"); err != nil && !errors.Is(err, mqtt.ErrClosedTransport) {
				return err
			}
			if len(wire) > 0 {
				<-c.Done()
			}
			return c.Err()
		},
	}
}

// script is a connection whose peer answers the first bytes that it gets with a
// CONNACK and what follows that. Without more, it stays open until Close.
type script struct {
	more    []byte
	answer  io.Reader
	asked   chan struct{}
	closed  chan struct{}
	written bytes.Buffer
}

func newScript(more []byte) *script {
	return &script{more: more, asked: make(chan struct{}), closed: make(chan struct{})}
}

func (s *script) Write(p []byte) (int, error) {
	if s.answer == nil {
		s.answer = bytes.NewReader(append([]byte{0x20, 2, 0, 0}, s.more...))
		close(s.asked)
	}
	return s.written.Write(p)
}

func (s *script) Read(p []byte) (int, error) {
	<-s.asked
	n, err := s.answer.Read(p)
	if n == 0 && len(s.more) == 0 {
		<-s.closed
	}
	return n, err
}

func (s *script) Close() error {
	select {
	case <-s.closed:
	default:
		close(s.closed)
	}
	return nil
}
