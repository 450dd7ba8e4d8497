package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"

	"github.com/mqttcore/mqttcore/codec"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
)

const (
	largePayload   = 64 << 10
	linesInAdvance = 256
)

// maxPayload bounds what is read for one message. Tests lower it.
var maxPayload int64 = codec.MaxRemaining

// message is what a source brings: a payload, or the error that ends it.
type message struct {
	payload []byte
	err     error
}

// open returns the messages that are to be sent. The channel is closed behind
// the last one.
func (o *options) open(ctx context.Context, stdin io.Reader) (<-chan message, error) {
	switch {
	case o.lines:
		out := make(chan message, linesInAdvance)
		go readLines(ctx, stdin, out)
		return out, nil
	case o.stdin:
		out := make(chan message, 1)
		go readAll(stdin, out)
		return out, nil
	}
	payload := []byte(o.message)
	if o.file != "" {
		var err error
		if payload, err = readFile(o.file); err != nil {
			return nil, err
		}
	}
	out := make(chan message, 1)
	out <- message{payload: payload}
	close(out)
	return out, nil
}

func tooLarge(what string) error {
	return cli.Failf(cli.ExitFile, "%s is larger than MQTT allows: a packet has at most %d bytes", what, maxPayload)
}

// readFile reads a file that fits a message.
func readFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, cli.File(name, err)
	}
	if info.Size() > maxPayload {
		return nil, tooLarge(name)
	}
	payload, err := os.ReadFile(name)
	if err != nil {
		return nil, cli.File(name, err)
	}
	return payload, nil
}

// readLines hands over each line without its end.
func readLines(ctx context.Context, in io.Reader, out chan<- message) {
	defer close(out)
	r := bufio.NewReaderSize(in, 64<<10)
	for {
		line, err := readLine(r)
		if len(line) > 0 && line[len(line)-1] == '\n' {
			line = line[:len(line)-1]
		} else if err == io.EOF && len(line) == 0 {
			return
		}
		m := message{payload: line}
		if err != nil && err != io.EOF {
			m = message{err: err}
		}
		select {
		case out <- m:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// readLine is ReadBytes with a bound.
func readLine(r *bufio.Reader) (line []byte, err error) {
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case int64(len(line)) > maxPayload:
			return nil, tooLarge("a line")
		case !errors.Is(err, bufio.ErrBufferFull):
			return line, err
		}
	}
}

// readAll hands over the whole input.
func readAll(in io.Reader, out chan<- message) {
	defer close(out)
	payload, err := io.ReadAll(io.LimitReader(in, maxPayload+1))
	if err == nil && int64(len(payload)) > maxPayload {
		err = tooLarge("the standard input")
	}
	out <- message{payload, err}
}

// inputFailure returns how the program ends when the input fails.
func inputFailure(err error) error {
	var f *cli.Failure
	if errors.As(err, &f) {
		return err
	}
	return cli.Failf(cli.ExitFile, "the standard input cannot be read: %v", err)
}
