// Package client drives a session.Client over TCP.
//
// A reader goroutine hands over whole buffers, a writer goroutine writes what
// is due, and the goroutine that called Dial owns the session:
//
//	for {
//		for ev := range link.Events() {
//			// Connected, Message, Published, … and at last Close
//		}
//		select {
//		case h := <-link.Happened():
//			link.Handle(h)
//		case <-whatever: // call methods of link.Session here
//		}
//	}
//
// The session is never blocked for writing, so it always goes on reading and
// acknowledging: two peers that send to each other cannot lock each other up.
// In return a program that sends much looks at Backlog first.
package client

import (
	"context"
	"errors"
	"io"
	"iter"
	"net"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"

	"github.com/mqttcore/mqttcore/examples/internal/netio"
)

// Options say where to connect to, and how long to wait.
type Options struct {
	// Address is host:port.
	Address string
	// Bind is the local address to connect from; empty for any.
	Bind string
	// DialTimeout bounds the time to connect; 0 stands for 10 s.
	DialTimeout time.Duration
	// WriteTimeout bounds the time in which a write makes no progress; 0
	// stands for 30 s.
	WriteTimeout time.Duration
}

const (
	defaultDialTimeout  = 10 * time.Second
	defaultWriteTimeout = 30 * time.Second
	lingerTimeout       = 250 * time.Millisecond // for the peer to close too
	readSize            = 64 << 10
)

// Link is a session and its connection.
type Link struct {
	Session *session.Client

	conn         net.Conn
	writeTimeout time.Duration
	happened     chan Happening
	more         chan struct{} // lets the reader go on
	done         chan struct{} // closed by Close
	timer        *time.Timer

	reading bool // the reader waits until its buffer was handled
	readAll bool // the reader has ended
	writing bool
	pending net.Buffers // waits for the writer
	backlog int         // bytes in pending and with the writer
	handed  int         // bytes with the writer
}

// Happening is something that a goroutine of the link tells its owner.
type Happening struct {
	what happening
	data []byte
	err  error
}

type happening uint8

const (
	wasRead happening = iota
	wasWritten
	timeCame
)

// Dial opens a connection and begins a session on it by CONNECT.
func Dial(ctx context.Context, o Options, s *session.Client, connect *codec.Connect) (*Link, error) {
	d := net.Dialer{Timeout: orDefault(o.DialTimeout, defaultDialTimeout)}
	if o.Bind != "" {
		local, err := net.ResolveTCPAddr("tcp", net.JoinHostPort(o.Bind, "0"))
		if err != nil {
			return nil, err
		}
		d.LocalAddr = local
	}
	conn, err := d.DialContext(ctx, "tcp", o.Address)
	if err != nil {
		return nil, err
	}
	if err := s.Connect(time.Now(), connect); err != nil {
		conn.Close()
		return nil, err
	}
	l := &Link{
		Session: s, conn: conn,
		writeTimeout: orDefault(o.WriteTimeout, defaultWriteTimeout),
		happened:     make(chan Happening),
		more:         make(chan struct{}, 1),
		done:         make(chan struct{}),
	}
	l.timer = time.AfterFunc(time.Hour, func() { l.tell(Happening{what: timeCame}) })
	l.timer.Stop()
	go l.read()
	return l, nil
}

func orDefault(d, fallback time.Duration) time.Duration {
	if d == 0 {
		return fallback
	}
	return d
}

// tell hands a happening to the owner, unless the link was closed.
func (l *Link) tell(h Happening) bool {
	select {
	case l.happened <- h:
		return true
	case <-l.done:
		return false
	}
}

// read runs in the reader's goroutine.
func (l *Link) read() {
	buf := make([]byte, readSize)
	for {
		n, err := l.conn.Read(buf)
		if !l.tell(Happening{what: wasRead, data: buf[:n], err: err}) || err != nil {
			return
		}
		select {
		case <-l.more:
		case <-l.done:
			return
		}
	}
}

// Happened tells of what Handle is to be called with.
func (l *Link) Happened() <-chan Happening { return l.happened }

// Handle passes on to the session what has happened. Events may be due then.
func (l *Link) Handle(h Happening) {
	now := time.Now()
	switch h.what {
	case timeCame:
		l.Session.Tick(now)
	case wasWritten:
		l.writing = false
		l.backlog -= l.handed
		if h.err != nil {
			l.pending = nil
			l.Session.Closed(now, h.err)
			return
		}
		l.write()
	case wasRead:
		l.Session.Receive(now, h.data)
		if h.err != nil {
			l.readAll = true
			l.Session.Closed(now, h.err)
			return
		}
		l.reading = true
	}
}

// Events yields the events that are due. It serves Write and Timer itself.
// After Close the owner calls Close.
func (l *Link) Events() iter.Seq[events.Event] {
	return func(yield func(events.Event) bool) {
		for ev := range l.Session.Events() {
			switch ev.Kind {
			case events.Write:
				l.Session.ReplaceWriteBuffer(nil) // the bytes are ours now
				l.pending = append(l.pending, ev.Data...)
				l.backlog += int(ev.Size)
				l.write()
			case events.Timer:
				l.setTimer(ev.Deadline)
			default:
				if !yield(ev) {
					return
				}
			}
		}
		if l.reading {
			l.reading = false
			l.more <- struct{}{} // has room for the one that can be due
		}
	}
}

func (l *Link) setTimer(deadline time.Time) {
	if deadline.IsZero() {
		l.timer.Stop()
		return
	}
	l.timer.Reset(time.Until(deadline))
}

// write starts the writer if it is at rest and there is something to write.
func (l *Link) write() {
	if l.writing || len(l.pending) == 0 {
		return
	}
	bufs := l.pending
	l.pending, l.writing, l.handed = nil, true, l.backlog
	go func() {
		err := netio.WriteBuffers(l.conn, bufs, l.writeTimeout)
		l.tell(Happening{what: wasWritten, err: err})
	}()
}

// Backlog is the number of bytes that are not written yet.
func (l *Link) Backlog() int { return l.backlog }

// Close writes what is still due and closes the connection. It is called once,
// after the Close event or in its place. The patience bounds the time for
// writing; 0 stands for as long as the write makes progress.
func (l *Link) Close(patience time.Duration) {
	l.timer.Stop()
	var timeout <-chan time.Time
	if patience > 0 {
		timeout = time.After(patience)
	}
	if l.reading {
		l.reading = false
		l.more <- struct{}{}
	}
	if l.flush(timeout) {
		// Wait for the peer to close first: closing with unread bytes would
		// reset the connection, and what was written last could be lost.
		netio.CloseWrite(l.conn)
		l.drain(time.After(lingerTimeout))
	}
	close(l.done)
	l.conn.Close()
}

// flush waits until everything was written.
func (l *Link) flush(timeout <-chan time.Time) bool {
	for l.writing {
		select {
		case h := <-l.happened:
			l.discard(h)
			if h.what != wasWritten {
				continue
			}
			l.writing = false
			if h.err != nil {
				return false
			}
			l.write()
		case <-timeout:
			return false
		}
	}
	return true
}

// drain waits until the peer has closed.
func (l *Link) drain(timeout <-chan time.Time) {
	for !l.readAll {
		select {
		case h := <-l.happened:
			l.discard(h)
		case <-timeout:
			return
		}
	}
}

// discard drops bytes that come after the end of the session.
func (l *Link) discard(h Happening) {
	switch {
	case h.what != wasRead:
	case h.err != nil:
		l.readAll = true
	default:
		l.more <- struct{}{}
	}
}

// IsEOF reports whether a connection ended because the peer closed it.
func IsEOF(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, session.ErrTransport) }
