package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/mqttcore/mqttcore/codec"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
)

// Sizes of the buffer that a link reads into, which grows while reads fill it.
const (
	smallRead = 1 << 10
	largeRead = 256 << 10
)

// handshake is the time in which a broker has to answer CONNECT and SUBSCRIBE.
const handshake = 30 * time.Second

// link is a connection that consists of packets. It knows no more of the
// protocol than a load needs, so that it takes little time itself.
type link struct {
	net.Conn
	o       *options
	id      string
	v       codec.Version // of what it reads
	connack codec.Connack
	present atomic.Bool  // is connected
	active  atomic.Bool  // has written since the last look
	pings   atomic.Int64 // PINGREQ that were sent, or are about to be
	pongs   atomic.Int64 // PINGRESP that came

	buf     []byte // buf[at:end] was read and not handled
	at, end int
}

// handler handles what a link reads: begin and end stand around each batch of
// packets.
type handler interface {
	begin()
	handle(h codec.Header, body []byte) error
	end() error
}

// open connects, and waits for CONNACK.
func (l *link) open(ctx context.Context, clean bool) error {
	to := l.o.Transport()
	conn, err := to.Dial(ctx)
	if err != nil {
		return cli.Unreachable(l.o.Address(), err)
	}
	l.Conn, l.v, l.at, l.end = conn, l.o.Version.Codec().FromServer(), 0, 0
	connect := &codec.Connect{CleanStart: clean, KeepAlive: l.o.keepAlive, ClientID: codec.Bytes(l.id)}
	if !clean && l.v.IsV5() {
		connect.Properties.SessionExpiryInterval = codec.Some[uint32](sessionLife)
	}
	l.o.Introduce(connect)
	body, err := l.request(connect, codec.TypeConnack)
	if err == nil {
		err = l.connack.Decode(codec.Header{Type: codec.TypeConnack, Remaining: len(body), Len: 2}, body, l.v)
	}
	switch {
	case err != nil:
		conn.Close()
		return cli.Ended(l.o.Address(), err, false)
	case l.connack.ReasonCode.IsError():
		conn.Close()
		return cli.Refused(l.o.Address(), l.v, &l.connack)
	}
	l.present.Store(true)
	return nil
}

// sessionLife is how long a session of --durable outlives its connection, in
// seconds, should bench not come to remove it.
const sessionLife = 3600

// subscribe waits for SUBACK.
func (l *link) subscribe(filters []codec.Subscription) error {
	body, err := l.request(&codec.Subscribe{PacketID: 1, Filters: filters}, codec.TypeSuback)
	if err != nil {
		return cli.Ended(l.o.Address(), err, true)
	}
	var ack codec.Suback
	h := codec.Header{Type: codec.TypeSuback, Remaining: len(body), Len: 2}
	if err := ack.Decode(h, body, l.v); err != nil {
		return cli.Ended(l.o.Address(), err, true)
	}
	for i, code := range ack.ReasonCodes {
		if code.IsError() {
			return cli.Failf(cli.ExitDenied, "the broker refused the subscription to %s: %s", filters[i].Filter, code.Name(codec.TypeSuback))
		}
	}
	return nil
}

// request sends a packet and waits for the answer, the first packet of the given
// type. Others that are before it are left out.
func (l *link) request(p codec.Packet, answer codec.PacketType) (body []byte, err error) {
	if err := l.SetDeadline(time.Now().Add(handshake)); err != nil {
		return nil, err
	}
	if err := l.send(p); err != nil {
		return nil, err
	}
	for {
		h, body, err := l.next()
		switch {
		case err != nil:
			return nil, err
		case body == nil:
			if err := l.fill(); err != nil {
				return nil, err
			}
		case h.Type == answer:
			return body, l.SetDeadline(time.Time{})
		}
	}
}

// send writes one packet.
func (l *link) send(p codec.Packet) error {
	b, err := p.AppendTo(nil, l.o.Version.Codec().FromClient())
	if err != nil {
		return err
	}
	return l.write(b)
}

func (l *link) write(b []byte) error {
	l.active.Store(true)
	_, err := l.Write(b)
	return err
}

// ping sends PINGREQ if nothing was written since the last call.
func (l *link) ping() error {
	if !l.present.Load() || l.active.Swap(false) {
		return nil
	}
	return l.ask()
}

var pingreq = []byte{byte(codec.TypePingreq) << 4, 0}

// ask sends PINGREQ.
func (l *link) ask() error {
	l.pings.Add(1)
	_, err := l.Write(pingreq)
	return err
}

// silent reports whether a PINGREQ is not answered yet.
func (l *link) silent() bool { return l.pongs.Load() < l.pings.Load() }

// serve reads until the connection ends.
func (l *link) serve(to handler) error {
	for {
		to.begin()
		for {
			h, body, err := l.next()
			if err != nil {
				return err
			}
			if body == nil {
				break
			}
			switch h.Type {
			case codec.TypeDisconnect:
				return l.dismissed(h, body)
			case codec.TypePingresp:
				l.pongs.Add(1)
			default:
				if err := to.handle(h, body); err != nil {
					return err
				}
			}
		}
		if err := to.end(); err != nil {
			return err
		}
		if err := l.fill(); err != nil {
			return err
		}
	}
}

// dismissed returns the error that a DISCONNECT tells.
func (l *link) dismissed(h codec.Header, body []byte) error {
	var d codec.Disconnect
	if err := d.Decode(h, body, l.v); err != nil {
		return err
	}
	return fmt.Errorf("the broker said %s", d.ReasonCode.Name(codec.TypeDisconnect))
}

// next returns the next packet of what was read. body is nil where there is
// none. It is valid until fill.
func (l *link) next() (h codec.Header, body []byte, err error) {
	h, n, err := codec.Frame(l.buf[l.at:l.end], 0)
	if err != nil || n == 0 {
		return h, nil, err
	}
	body = l.buf[l.at+h.Len : l.at+n : l.at+n]
	l.at += n
	return h, body, nil
}

// fill reads once.
func (l *link) fill() error {
	full := l.end == len(l.buf)
	l.end = copy(l.buf, l.buf[l.at:l.end])
	l.at = 0
	if full && len(l.buf) < largeRead || l.end == len(l.buf) {
		grown := make([]byte, max(smallRead, 2*len(l.buf)))
		copy(grown, l.buf[:l.end])
		l.buf = grown
	}
	n, err := l.Read(l.buf[l.end:])
	if l.end += n; n > 0 {
		return nil
	}
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}

// leave ends the connection by DISCONNECT.
func (l *link) leave() {
	if !l.present.Swap(false) {
		return
	}
	_ = l.SetWriteDeadline(time.Now().Add(time.Second)) // it may be gone already
	_ = l.send(&codec.Disconnect{})
	l.Close()
}

// forget removes the session that the broker keeps.
func (l *link) forget(ctx context.Context) error {
	if err := l.open(ctx, true); err != nil {
		return err
	}
	l.leave()
	return nil
}
