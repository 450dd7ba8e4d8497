// Package driver adds transports to a client.Client, which does no I/O itself.
//
// The goroutine that owns the Driver owns the Client too. Others dial, read and
// write, and tell it what has happened:
//
//	d.Client.Start(time.Now())
//	for {
//		for ev := range d.Events() {
//			// Connected, Message, Published, … and at last Stopped
//		}
//		select {
//		case h := <-d.Happened():
//			d.Handle(h)
//		case <-whatever: // call methods of d.Client here
//		}
//	}
//
// The owner never waits for another goroutine, and the Client is never blocked
// for writing, so it always goes on reading and acknowledging: two peers that
// send to each other cannot lock each other up. In return a program that sends
// much looks at Backlog first.
package driver

import (
	"context"
	"iter"
	"net"
	"time"

	"github.com/mqttcore/mqttcore/session/client"
)

// Options configure a Driver.
type Options struct {
	// Dial opens a transport. server is empty, or a Server Reference.
	Dial func(ctx context.Context, server string) (net.Conn, error)
	// WriteTimeout bounds the time in which a write makes no progress; 0
	// stands for 30 s.
	WriteTimeout time.Duration
}

const (
	defaultWriteTimeout = 30 * time.Second
	lingerTimeout       = 250 * time.Millisecond // for the peer to close too
	readSize            = 64 << 10
)

// DialError is the error of a transport that could not be opened.
type DialError struct{ Err error }

func (e *DialError) Error() string { return e.Err.Error() }

// Unwrap returns what Dial returned.
func (e *DialError) Unwrap() error { return e.Err }

// Driver serves a Client.
type Driver struct {
	// Client is the one that is served.
	Client *client.Client

	dial         func(ctx context.Context, server string) (net.Conn, error)
	writeTimeout time.Duration
	happened     chan Happening
	done         chan struct{} // closed by Close
	timer        *time.Timer
	context      context.Context // of dialing
	cancel       context.CancelFunc

	conn   *conn   // the transport of now
	ending []*conn // those of before that are being closed
}

// Happening is something that a goroutine of the driver tells its owner.
type Happening struct {
	what happening
	conn *conn
	data []byte
	err  error
	open net.Conn
}

type happening uint8

const (
	wasRead happening = iota
	wasWritten
	wasOpened
	timeCame
)

// New returns a driver for a client that is not started yet.
func New(c *client.Client, o Options) *Driver {
	d := &Driver{
		Client: c, dial: o.Dial, writeTimeout: o.WriteTimeout,
		happened: make(chan Happening),
		done:     make(chan struct{}),
	}
	if d.writeTimeout == 0 {
		d.writeTimeout = defaultWriteTimeout
	}
	d.context, d.cancel = context.WithCancel(context.Background())
	d.timer = time.AfterFunc(time.Hour, func() { d.tell(Happening{what: timeCame}) })
	d.timer.Stop()
	return d
}

// tell hands a happening to the owner, unless the driver was closed.
func (d *Driver) tell(h Happening) bool {
	select {
	case d.happened <- h:
		return true
	case <-d.done:
		return false
	}
}

// Happened tells of what Handle is to be called with.
func (d *Driver) Happened() <-chan Happening { return d.happened }

// Handle passes on to the client what has happened. Events may be due then.
func (d *Driver) Handle(h Happening) {
	now := time.Now()
	switch {
	case h.what == timeCame:
		d.Client.Tick(now)
	case h.what == wasOpened:
		d.opened(now, h)
	case h.conn != d.conn: // a transport of before
	case h.what == wasWritten:
		if h.err != nil {
			d.Client.Closed(now, h.err)
		}
	case h.what == wasRead:
		d.Client.Receive(now, h.data)
		if h.err != nil {
			d.Client.Closed(now, h.err)
			return
		}
		d.conn.reading = true
	}
}

// open dials in a goroutine of its own.
func (d *Driver) open(server string) {
	go func() {
		nc, err := d.dial(d.context, server)
		if !d.tell(Happening{what: wasOpened, open: nc, err: err}) && err == nil {
			nc.Close()
		}
	}()
}

func (d *Driver) opened(now time.Time, h Happening) {
	switch {
	case h.err != nil:
		d.Client.OpenFailed(now, &DialError{h.err})
	case d.Client.Opened(now) != nil:
		h.open.Close() // nobody wants it any more, or Stopped says why
	default:
		d.conn = newConn(d, h.open)
	}
}

// Events yields the events that are due. It serves Open, Write, Timer and Close
// itself. A Write is yielded before its bytes go out: what has to be durable
// then can be made so.
func (d *Driver) Events() iter.Seq[client.Event] {
	return func(yield func(client.Event) bool) {
		for ev := range d.Client.Events() {
			switch ev.Kind {
			case client.Open:
				d.open(ev.Server)
			case client.Timer:
				d.timer.Reset(time.Until(ev.Deadline))
				continue
			case client.Close:
				d.release()
			case client.Write:
				d.Client.ReplaceWriteBuffer(nil) // the bytes are ours now
				if !yield(ev) {
					return
				}
				d.conn.push(ev.Data, int(ev.Size))
				continue
			}
			if !yield(ev) {
				return
			}
		}
		if d.conn != nil {
			d.conn.next()
		}
	}
}

// release gives the transport up.
func (d *Driver) release() {
	if d.conn == nil {
		return
	}
	d.conn.end()
	live := d.ending[:0]
	for _, c := range d.ending {
		select {
		case <-c.finished:
		default:
			live = append(live, c)
		}
	}
	d.ending = append(live, d.conn)
	d.conn = nil
}

// Backlog is the number of bytes that are not written yet.
func (d *Driver) Backlog() int {
	if d.conn == nil {
		return 0
	}
	return d.conn.unwritten()
}

// Close ends the driver: what is still due is written and transports are
// closed. It is called once, after Stopped or in its place. The patience bounds
// the time for that; 0 stands for as long as the write makes progress.
func (d *Driver) Close(patience time.Duration) {
	d.timer.Stop()
	close(d.done)
	d.cancel()
	d.release()
	var timeout <-chan time.Time
	if patience > 0 {
		timeout = time.After(patience)
	}
	for _, c := range d.ending {
		select {
		case <-c.finished:
		case <-timeout:
			return // the end of the process closes them
		}
	}
}
