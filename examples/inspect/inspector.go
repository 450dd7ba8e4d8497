package main

import (
	"bufio"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/mqttcore/mqttcore/codec"
)

// inspector shows packets. All connections share it.
type inspector struct {
	*options
	mu       sync.Mutex // of everything below, and of all connections
	out      *bufio.Writer
	color    bool
	segments int   // of TCP in a capture that may be MQTT
	faults   int   // packets that are illegal, and what is wrong around them
	err      error // of what could not be turned into JSON
	clear    []byte
	inflater inflater
}

func newInspector(o *options, stdout io.Writer) *inspector {
	f, isFile := stdout.(*os.File)
	color := isFile && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && !o.json
	return &inspector{options: o, out: bufio.NewWriterSize(stdout, 64<<10), color: color}
}

// flush writes what was shown.
func (i *inspector) flush() error { return errors.Join(i.out.Flush(), i.err) }

// show prints a packet, unless the flags leave it out.
func (i *inspector) show(c *connection, p *packet) {
	if !i.wanted(c, p) {
		return
	}
	if len(p.faults) > 0 {
		i.faults++
	}
	switch {
	case i.onlyFault && len(p.faults) == 0:
	case i.json:
		i.showJSON(c, p)
	default:
		i.showText(c, p)
	}
}

// showBreach prints what is wrong around packets, unless the flags ask for certain
// packets.
func (i *inspector) showBreach(c *connection, b *breach) {
	if i.types != nil || i.topic != "" || i.client != "" && c.id != i.client {
		return
	}
	i.faults++
	if i.json {
		i.showBreachJSON(c, b)
	} else {
		i.showBreachText(c, b)
	}
}

// wanted reports whether the flags ask for a packet, legal or not.
func (i *inspector) wanted(c *connection, p *packet) bool {
	switch {
	case i.types != nil && !i.types[codec.PacketType(p.bytes[0]>>4)]:
		return false
	case i.client != "" && c.id != i.client:
		return false
	case i.topic != "":
		_, isPublish := p.body.(*codec.Publish)
		return isPublish && codec.Match(i.topic, []byte(p.topic))
	}
	return true
}

// say prints something about a connection, unless that is not asked for.
func (i *inspector) say(c *connection, at time.Time, text string) {
	if i.client != "" && c.id != i.client {
		return
	}
	if i.json {
		i.sayJSON(c, at, text)
		return
	}
	words := []string{i.paint(dim, "*"), c.addresses[client], text}
	if !at.IsZero() {
		words = append([]string{i.paint(dim, clock(at))}, words...)
	}
	i.write(strings.Join(strings.Fields(strings.Join(words, " ")), " ") + "\n")
}

func (i *inspector) write(s string) { _, _ = i.out.WriteString(s) } // flush has the error

// clock returns the time of day for people.
func clock(t time.Time) string { return t.Local().Format("15:04:05.000") }

// The colours of a terminal.
const (
	red   = "31"
	green = "32"
	cyan  = "36"
	dim   = "2"
	bold  = "1"
)

func (i *inspector) paint(color, s string) string {
	if !i.color || s == "" {
		return s
	}
	return "\x1b[" + color + "m" + s + "\x1b[0m"
}
