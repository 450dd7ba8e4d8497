package format

import (
	"bufio"
	"io"
	"time"

	"github.com/mqttcore/mqttcore/codec"
)

// Printer prints messages as mosquitto's clients do.
type Printer struct {
	Format    *Format // nil for the payload alone
	Verbose   bool    // the topic before the payload, without a Format
	NoNewline bool
	Pretty    bool // JSON in several lines

	out  *bufio.Writer
	line []byte // is used again
}

// SetOutput tells where to.
func (p *Printer) SetOutput(w io.Writer) { p.out = bufio.NewWriterSize(w, 64<<10) }

// Flush writes what was printed. It has the first error of printing too.
func (p *Printer) Flush() error { return p.out.Flush() }

// Print prints a message. Errors are seen by Flush. It reports false if the
// format wants JSON and the payload is none.
func (p *Printer) Print(pub *codec.Publish, id uint32) bool {
	m := Message{Publish: pub, PacketID: id, At: time.Now(), Pretty: p.Pretty}
	p.line = p.line[:0]
	switch {
	case p.Format != nil:
		p.line = p.Format.Append(p.line, &m)
	case p.Verbose && len(pub.Payload) > 0:
		p.line = append(append(append(p.line, pub.Topic...), ' '), pub.Payload...)
	case len(pub.Payload) > 0:
		p.line = append(p.line, pub.Payload...)
	case p.Verbose && !p.NoNewline:
		p.line = append(append(p.line, pub.Topic...), " (null)"...)
	default:
		return true // an empty payload is nothing, not even a line
	}
	if !p.NoNewline {
		p.line = append(p.line, '\n')
	}
	_, _ = p.out.Write(p.line)
	return !m.NotJSON
}
