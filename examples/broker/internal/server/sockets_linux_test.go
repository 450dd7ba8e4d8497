package server

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session/broker"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
	"github.com/mqttcore/mqttcore/examples/broker/internal/listen"
	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

// connections asks the server how many there are.
func (r *rig) connections() (n int) {
	r.t.Helper()
	st, err := r.server.Stats(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	for _, of := range st.Connections {
		n += of
	}
	return n
}

// awaitConnections polls until there are n.
func (r *rig) awaitConnections(n int) {
	r.t.Helper()
	for end := time.Now().Add(limit); r.connections() != n; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("%d connections, want %d", r.connections(), n)
		}
	}
}

// descriptors counts those of the process.
func descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// What there is for each socket fills what the allocator hands out for it, on 64
// bits.
func TestSocketSize(t *testing.T) {
	if n := reflect.TypeFor[socket]().Size(); n > 144 {
		t.Errorf("%d bytes", n)
	}
}

func TestOneByteAtATime(t *testing.T) {
	r := start(t, nil, nil)
	c := r.dial()
	b, _ := (&codec.Connect{CleanStart: true, ClientID: codec.Bytes("c")}).AppendTo(nil, codec.V5)
	b, _ = (&codec.Subscribe{PacketID: 1, Filters: []codec.Subscription{{Filter: codec.Bytes("a")}}}).AppendTo(b, codec.V5)
	b, _ = message("a", codec.QoS0, 0).AppendTo(b, codec.V5)
	for i := range b {
		if _, err := c.Write(b[i : i+1]); err != nil {
			t.Fatal(err)
		}
	}
	c.expect(codec.TypeConnack)
	c.expect(codec.TypeSuback)
	c.expect(codec.TypePublish)
}

// stalls returns how many connections take nothing of what is written to them.
// With over their time for writing is over.
func (r *rig) stalls(over bool) int {
	r.t.Helper()
	found := make(chan int)
	r.server.ask(func() {
		n := 0
		for _, c := range r.server.conns {
			if s, ok := c.link.(*socket); ok && s.stall != nil {
				n++
				if over {
					s.stall.timer.Reset(0)
				}
			}
		}
		found <- n
	})
	return <-found
}

// buffers sets a size of all sockets of the server. Its owner calls it.
func (r *rig) buffers(option, size int) {
	for _, c := range r.server.conns {
		if err := unix.SetsockoptInt(int(c.link.(*socket).fd), unix.SOL_SOCKET, option, size); err != nil {
			r.t.Error(err)
		}
	}
}

// flood sends requests and reads no answers until the server holds it back, and
// no more are taken. Sockets that do not grow are soon full. It returns how many
// were begun, and whether the second byte of the last one, a zero, is missing.
func (r *rig) flood(p *peer) (begun int, cut bool) {
	r.t.Helper()
	const little = 64 << 10
	r.server.ask(func() { r.buffers(unix.SO_SNDBUF, little) })
	tcp := p.Conn.(*net.TCPConn)
	if err := errors.Join(tcp.SetReadBuffer(little), tcp.SetWriteBuffer(little)); err != nil {
		r.t.Fatal(err)
	}
	var b []byte
	for range 10000 {
		b, _ = (&codec.Pingreq{}).AppendTo(b, codec.V5)
	}
	for sent, held := 0, 0; ; held = r.stalls(false) {
		_ = p.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
		n, err := p.Write(b[sent%2:])
		sent += n
		switch {
		case err != nil && !isTimeout(err):
			r.t.Fatal(err)
		case err != nil && n == 0 && held > 0:
			return (sent + 1) / 2, sent%2 == 1
		}
	}
}

// drain reads that many answers. There may be millions of them, as sockets grow, so
// each handful has the time that otherwise a whole test has.
func (p *peer) drain(answers int) {
	p.t.Helper()
	one, _ := (&codec.Pingresp{}).AppendTo(nil, codec.V5)
	want, got := bytes.Repeat(one, handful/len(one)), make([]byte, handful)
	for left := answers * len(one); left > 0; {
		_ = p.SetReadDeadline(time.Now().Add(limit))
		n, err := io.ReadFull(p, got[:min(left, len(got))])
		if err != nil || !bytes.Equal(got[:n], want[:n]) {
			p.t.Fatalf("%d of %d bytes are missing, and then %x came, %v", left-n, answers*len(one), got[:min(n, 10)], err)
		}
		left -= n
	}
}

// A socket that is full both ways loses nothing, and goes on.
func TestFullBothWays(t *testing.T) {
	r := start(t, nil, nil)
	c := r.enter("c")
	n, cut := r.flood(c)
	t.Logf("%d requests fill the sockets", n)
	written := make(chan error, 1)
	go func() {
		_ = c.SetWriteDeadline(time.Now().Add(limit))
		var err error
		if cut {
			_, err = c.Write([]byte{0})
		}
		written <- err
	}()
	c.drain(n)
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	c.send(&codec.Pingreq{})
	c.expect(codec.TypePingresp)
}

// A client that is held back may end in any way. Where its end cannot be seen
// behind what it sent, its time for writing ends it.
func TestEndsWhileHeldBack(t *testing.T) {
	before := descriptors(t)
	for name, end := range map[string]func(*rig, *net.TCPConn){
		"closed": func(_ *rig, c *net.TCPConn) { c.Close() },
		"half": func(r *rig, c *net.TCPConn) {
			_ = c.CloseWrite()
			for end := time.Now().Add(limit); r.connections() > 1 && time.Now().Before(end); time.Sleep(time.Millisecond) {
				r.stalls(true) // again, as the socket may take some more bytes
			}
		},
		"reset": func(_ *rig, c *net.TCPConn) { _ = c.SetLinger(0); c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, nil, nil)
			good, c := r.enter("good"), r.enter("c")
			r.flood(c)
			end(r, c.Conn.(*net.TCPConn))
			r.awaitConnections(1)
			good.send(&codec.Pingreq{})
			good.expect(codec.TypePingresp)
			c.Close()
			good.Close()
			if err := r.stop(); err != nil {
				t.Error(err)
			}
		})
	}
	for end := time.Now().Add(limit); descriptors(t) > before; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d descriptors are open, and were %d", descriptors(t), before)
		}
	}
}

// Connections that come when the server has ended are closed, and touch nothing
// that is the owner's: the race detector would see it.
func TestComesTooLate(t *testing.T) {
	r := start(t, nil, nil)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var wg sync.WaitGroup
	for range 4 {
		client, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			r.server.serve(&listen.Conn{Conn: c})
			_ = client.SetReadDeadline(time.Now().Add(limit))
			if n, err := client.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("%d bytes, %v, want the end", n, err)
			}
		})
	}
	wg.Wait()
}

// A client that never closes is not waited for, and what it goes on to send does
// not matter.
func TestNeverCloses(t *testing.T) {
	r := start(t, nil, nil)
	c := r.enter("c")
	c.send(&codec.Disconnect{})
	for end := time.Now().Add(limit); ; {
		if _, err := c.Write(make([]byte, 1000)); err != nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal("it can send for ever")
		}
	}
	r.awaitConnections(0)
}

// The time for writing is for a part of a message, so that a slow reader has as
// long as it needs for a large one.
func TestSlowButSteadyReader(t *testing.T) {
	programtest.Patiently(t, time.Second, func(timeout time.Duration) error {
		r := start(t, nil, func(c *config.Config) { c.Limits.WriteTimeout = timeout })
		small := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
			return raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 32<<10) })
		}}
		conn, err := small.DialContext(t.Context(), "tcp", r.address)
		if err != nil {
			return err
		}
		defer conn.Close()
		c := &peer{Conn: conn, t: t, r: codec.NewReader(conn, codec.V5, 0)}
		c.send(&codec.Connect{CleanStart: true, ClientID: codec.Bytes("c")})
		c.expect(codec.TypeConnack)
		c.subscribe("big")
		r.enter("pub").send(&codec.Publish{Topic: codec.Bytes("big"), Payload: make([]byte, 24<<20)})
		buf := make([]byte, 50<<10)
		for range 12 { // three times the time in all
			time.Sleep(timeout / 4)
			if _, err := io.ReadFull(c, buf); err != nil {
				return err
			}
		}
		// What is in the buffers comes also after the end.
		if text := r.log.String(); strings.Contains(text, "less than 64 KiB") {
			return errors.New(text)
		}
		return nil
	})
}

// busy keeps the owner of the broker busy while f runs, so that all that the
// clients do there comes in one round. The sockets take more than is read in one.
func (r *rig) busy(f func()) {
	begun, done := make(chan struct{}), make(chan struct{})
	r.server.ask(func() {
		r.buffers(unix.SO_RCVBUF, 4*handful)
		close(begun)
		<-done
	})
	<-begun
	defer close(done)
	f()
}

// Clients that send more than is read in a round leave a turn to others.
func TestTurns(t *testing.T) {
	r := start(t, nil, nil)
	watcher := r.enter("watcher")
	watcher.subscribe("end/#")
	var floods []*peer
	for i := range 4 {
		floods = append(floods, r.enter(fmt.Sprint(i)))
	}
	quiet := r.enter("quiet")
	r.busy(func() {
		for _, p := range floods {
			p.send(&codec.Publish{Topic: codec.Bytes("nobody"), Payload: make([]byte, 10*handful)}, message("end/flood", codec.QoS0, 0))
		}
		quiet.send(message("end/quiet", codec.QoS0, 0))
	})
	if got := watcher.expect(codec.TypePublish).(*codec.Publish); string(got.Topic) != "end/quiet" {
		t.Errorf("the first one to end is %s", got.Topic)
	}
	for range floods {
		watcher.expect(codec.TypePublish)
	}
}

// A client that says something and closes at once is heard, and gone.
func TestBytesAndEnd(t *testing.T) {
	r := start(t, nil, nil)
	watcher, c := r.enter("watcher"), r.enter("c")
	watcher.subscribe("a")
	r.busy(func() {
		c.send(message("a", codec.QoS0, 0))
		c.Close()
	})
	watcher.expect(codec.TypePublish)
	r.awaitConnections(1)
}

// Connections come and go by thousands, in all ways, and use descriptors again.
func TestComingAndGoing(t *testing.T) {
	r := start(t, nil, func(c *config.Config) { c.Log.NoConnections = true })
	good := r.enter("good")
	before := descriptors(t)
	hello, _ := (&codec.Connect{CleanStart: true}).AppendTo(nil, codec.V5)
	bye, _ := (&codec.Disconnect{}).AppendTo(nil, codec.V5)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 750 {
				c, err := net.Dial("tcp", r.address)
				if err != nil {
					t.Error(err)
					return
				}
				_ = c.SetDeadline(time.Now().Add(limit))
				_, _ = c.Write(hello)
				if i%2 == 0 {
					var b [2]byte
					if _, err := io.ReadFull(c, b[:]); err != nil || b[0] != byte(codec.TypeConnack)<<4 {
						t.Errorf("got % x %v", b, err)
					}
				}
				switch i % 3 {
				case 0:
					_, _ = c.Write(bye)
				case 1:
					_ = c.(*net.TCPConn).SetLinger(0)
				}
				c.Close()
			}
		})
	}
	all.Wait()
	r.awaitConnections(1)
	good.send(&codec.Pingreq{})
	good.expect(codec.TypePingresp)
	if n := descriptors(t); n > before {
		t.Errorf("%d descriptors, and %d before", n, before)
	}
}

// A connection for which there is no second descriptor is served all the same.
func TestLastDescriptor(t *testing.T) {
	r := start(t, nil, nil)
	first := r.enter("first") // everything is open that the programs need
	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	little := was
	little.Cur = 256
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &little); err != nil {
		t.Fatal(err)
	}
	defer unix.Setrlimit(unix.RLIMIT_NOFILE, &was)
	var taken []int
	free := func() {
		unix.Close(taken[0])
		taken = taken[1:]
	}
	defer func() {
		for len(taken) > 0 {
			free()
		}
	}()
	for {
		fd, err := unix.FcntlInt(os.Stderr.Fd(), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			break
		}
		taken = append(taken, fd)
	}
	free() // for the client
	free() // for the server
	last := r.enter("last")
	kinds := make(chan string, 1)
	r.server.ask(func() {
		s := ""
		for _, c := range r.server.conns {
			s += fmt.Sprintf("%T ", c.link)
		}
		kinds <- s
	})
	if got := <-kinds; got != "*server.socket *server.stream " && got != "*server.stream *server.socket " {
		t.Errorf("served as %s", got)
	}
	for _, p := range []*peer{first, last} {
		p.send(&codec.Pingreq{})
		p.expect(codec.TypePingresp)
	}
}

// Readiness of a connection that was closed reaches nobody.
func TestStaleReadiness(t *testing.T) {
	r := start(t, nil, nil)
	old := r.enter("old")
	handles := make(chan broker.Handle, 1)
	r.server.ask(func() {
		for h := range r.server.conns {
			handles <- h
		}
	})
	stale := <-handles
	old.Close()
	r.awaitConnections(0)
	c := r.enter("c") // most likely with the same descriptor
	reached := make(chan bool, 1)
	r.server.ask(func() {
		s := r.server
		s.sockets.ready(readiness{handle: stale, reading: true, writing: true, end: true})
		reached <- len(s.eager)+len(s.sockets.due) > 0
	})
	if <-reached {
		t.Error("it reached somebody")
	}
	c.send(&codec.Pingreq{})
	c.expect(codec.TypePingresp)
}

// Each number is worked on once, by as many hands as are worth it.
func TestCrew(t *testing.T) {
	c := crew{hands: make([]hand, 4), jobs: make(chan job)}
	for i := range c.hands[1:] {
		go c.serve(&c.hands[i+1])
	}
	defer c.stop()
	for n := range 100 {
		did := make([]int, n)
		var mu sync.Mutex
		hands := make(map[*hand]bool)
		c.work(n, func(h *hand, i int) {
			mu.Lock()
			defer mu.Unlock()
			hands[h] = true
			did[i]++
		})
		for i, times := range did {
			if times != 1 {
				t.Fatalf("%d of %d was worked on %d times", i, n, times)
			}
		}
		if most := n/share + 1; len(hands) > most {
			t.Errorf("%d numbers, %d hands", n, len(hands))
		}
	}
}
