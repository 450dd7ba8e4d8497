package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
	"github.com/mqttcore/mqttcore/examples/internal/netio"
)

// proxy shows what passes between clients and a broker, until ctx is done.
func (i *inspector) proxy(ctx context.Context, env *cli.Env) error {
	l, err := net.Listen("tcp", i.listen)
	if err != nil {
		return cli.Failf(exitListen, "--listen %s: %v; choose another port", i.listen, errors.Unwrap(err))
	}
	defer context.AfterFunc(ctx, func() { l.Close() })()
	env.Complain("listens on %v and passes on to %s; Ctrl-C ends it", l.Addr(), i.target.Address())
	var all sync.WaitGroup
	defer all.Wait()
	for {
		conn, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return cli.Failf(exitListen, "no more connections can be taken: %v", err)
		}
		all.Go(func() { i.pass(ctx, env, conn) })
	}
}

// pass connects a client to the broker and shows both directions.
func (i *inspector) pass(ctx context.Context, env *cli.Env, near net.Conn) {
	defer near.Close()
	far, err := i.target.Dial(ctx)
	if err != nil {
		if ctx.Err() == nil {
			env.Complain("%v; the client at %v is closed", cli.Unreachable(i.target.Address(), err), near.RemoteAddr())
		}
		return
	}
	defer far.Close()
	defer context.AfterFunc(ctx, func() { near.Close(); far.Close() })()
	c := newConnection(i)
	c.version, c.tracker.whole = i.version, true
	c.addresses = [2]string{near.RemoteAddr().String(), i.target.Address()}
	i.tell(c, "connected")
	var back sync.WaitGroup
	back.Go(func() { c.pass(server, far, near) })
	c.pass(client, near, far)
	back.Wait()
}

// pass passes on what one side sends until that ends. What cannot be written is
// not read, so a side that is slow holds the other one back.
func (c *connection) pass(from side, src, dst net.Conn) {
	w := &c.carriers[from]
	for b := make([]byte, readSize); ; {
		n, err := src.Read(b)
		if n > 0 {
			c.see(w, b[:n])
			if _, e := dst.Write(b[:n]); e != nil && err == nil {
				err = fmt.Errorf("the %v does not take what the %v sends: %w", from.other(), from, e)
			}
		}
		switch {
		case err == nil:
			continue
		case errors.Is(err, io.EOF):
			c.over(w, fmt.Sprintf("the %v has closed", from))
			netio.CloseWrite(dst)
		default:
			if !errors.Is(err, net.ErrClosed) {
				c.over(w, fmt.Sprintf("the connection of the %v is broken: %v", from, err))
			}
			src.Close()
			dst.Close()
		}
		return
	}
}

// see shows bytes, before the other side can answer them.
func (c *connection) see(w *carrier, b []byte) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	w.feed(b, func(int) time.Time { return now })
	_ = c.flush() // the end of the program has the error; passing on goes before it
}

// over tells why a direction has ended.
func (c *connection) over(w *carrier, text string) {
	c.mu.Lock()
	w.end(time.Now(), false)
	c.mu.Unlock()
	c.tell(c, text)
}

// tell says how a connection goes, at once.
func (i *inspector) tell(c *connection, text string) {
	if i.onlyFault {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.say(c, time.Now(), text)
	_ = i.flush() // as in see
}
