package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
)

// readSize is how many bytes are read at a time.
const readSize = 64 << 10

// read shows a file, the standard input or the digits of --hex.
func (i *inspector) read(ctx context.Context, env *cli.Env) error {
	name, in := i.file, env.Stdin
	switch {
	case i.file == "":
		return failed("--hex", i.readPackets(ctx, newHexReader(strings.NewReader(i.hex))))
	case i.file == "-":
		name = "the standard input"
	default:
		f, err := os.Open(i.file)
		if err != nil {
			return failed(name, err)
		}
		defer f.Close()
		in = f
	}
	r := bufio.NewReaderSize(prompt{in, i}, readSize)
	head, err := r.Peek(1)
	if len(head) > 0 && beginsCapture(head) {
		head, err = r.Peek(len(ngMagic))
	}
	switch {
	case err != nil && len(head) == 0 && !errors.Is(err, io.EOF):
		return failed(name, err)
	case isCapture(head):
		err := i.readCapture(ctx, r)
		if err == nil && i.segments == 0 {
			ports := strings.ReplaceAll(strings.Trim(fmt.Sprint(i.ports), "[]"), " ", " or ")
			env.Complain("nothing of TCP port %s is in %s; name the port of the broker by -p", ports, name)
		}
		return failed(name, err)
	}
	head, _ = r.Peek(r.Buffered()) // it is all there
	if looksHex(head) {
		return failed(name, i.readPackets(ctx, newHexReader(r)))
	}
	return failed(name, i.readPackets(ctx, r))
}

// prompt is an input before whose reading, which may take long, everything is
// printed that is known.
type prompt struct {
	io.Reader
	i *inspector
}

func (p prompt) Read(b []byte) (int, error) {
	if err := p.i.flush(); err != nil {
		return 0, err
	}
	return p.Reader.Read(b)
}

// failed returns the Failure for an error of the input.
func failed(name string, err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	if err == nil {
		return nil
	}
	return cli.Failf(cli.ExitFile, "%s: %v", name, err)
}

// readPackets shows a stream of packets of one direction.
func (i *inspector) readPackets(ctx context.Context, r io.Reader) error {
	c := newConnection(i)
	c.version, c.offsets = i.version, true
	w := &c.carriers[i.sender]
	never := func(int) time.Time { return time.Time{} }
	for b := make([]byte, readSize); ctx.Err() == nil; {
		n, err := r.Read(b)
		w.feed(b[:n], never)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	w.end(time.Time{}, true)
	return nil
}

// The magic numbers of captures, in both orders of bytes: pcap with micro- and
// nanoseconds, and pcapng.
var captureMagic = [][]byte{
	{0xA1, 0xB2, 0xC3, 0xD4}, {0xD4, 0xC3, 0xB2, 0xA1}, {0xA1, 0xB2, 0x3C, 0x4D}, {0x4D, 0x3C, 0xB2, 0xA1}, ngMagic,
}

var ngMagic = []byte{0x0A, 0x0D, 0x0D, 0x0A}

// beginsCapture reports whether a byte may be the first one of a capture.
func beginsCapture(head []byte) bool {
	return slices.ContainsFunc(captureMagic, func(magic []byte) bool { return magic[0] == head[0] })
}

func isCapture(head []byte) bool {
	for _, magic := range captureMagic {
		if bytes.Equal(head, magic) {
			return true
		}
	}
	return false
}
