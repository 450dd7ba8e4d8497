package hostiletest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"

	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

func TestMain(m *testing.M) { os.Exit(programtest.Main(m)) }

const (
	// patience is the time that the broker may work until the witness gets its own
	// message back. Processor time is as long on a machine that is busy.
	patience = 3 * time.Second
	// limit is the time in which that and all else has to happen.
	limit = programtest.Limit

	mebi = 1 << 20
)

// Addresses that clients connect from, so that a bound for one address does not
// hit the other.
const (
	friend = "127.0.0.1"
	foe    = "127.0.0.2"
)

// target is a broker under attack.
type target struct {
	t       *testing.T
	process *programtest.Process
	port    string
	idle    int64 // memory before the attack, in bytes
	most    atomic.Int64
	longest atomic.Int64 // that the witness waited, in nanoseconds
	work    atomic.Int64 // of the broker meanwhile, at most
	rounds  atomic.Int64 // of the witness
	over    chan struct{}
	ended   sync.WaitGroup
}

// attack starts a broker, its witness and the watch of its memory, which may
// grow by so many bytes. It returns when the witness is served.
func attack(t *testing.T, growth int64, args ...string) *target {
	t.Helper()
	process, port := programtest.Broker(t, args...)
	return besiege(t, growth, process, port)
}

// besiege is attack on a broker that runs.
func besiege(t *testing.T, growth int64, process *programtest.Process, port string) *target {
	t.Helper()
	b := &target{t: t, process: process, port: port, over: make(chan struct{})}
	w := b.connect(friend, "witness")
	w.subscribe("witness/#")
	b.idle = b.memory()
	b.ended.Go(func() { b.watch(w) })
	b.ended.Go(b.weigh)
	t.Cleanup(func() {
		b.end()
		used := b.most.Load() - b.idle
		t.Logf("memory grew by %.1f MiB, of %.1f MiB that it may; the witness waited for %v at most, and for %v of work, in %d rounds",
			float64(used)/mebi, float64(growth)/mebi, time.Duration(b.longest.Load()).Round(time.Millisecond), time.Duration(b.work.Load()), b.rounds.Load())
		if used > growth {
			t.Error("the memory grew too much")
		}
	})
	return b
}

// end ends the watch, when the witness was served once more.
func (b *target) end() {
	for more := b.rounds.Load() + 2; b.rounds.Load() < more && !b.t.Failed(); {
		time.Sleep(time.Millisecond)
	}
	close(b.over)
	b.ended.Wait()
}

// watch sends messages from the witness to itself until the end.
func (b *target) watch(w *client) {
	for i := 0; ; i++ {
		select {
		case <-b.over:
			return
		case <-time.After(5 * time.Millisecond):
		}
		start, worked := time.Now(), b.worked()
		_ = w.SetDeadline(start.Add(limit))
		err := w.try(&codec.Publish{Topic: codec.Bytes("witness/" + strconv.Itoa(i)), QoS: codec.QoS1, PacketID: 1})
		for got := 0; err == nil && got < 2; got++ { // PUBACK and PUBLISH
			_, err = w.r.ReadPacket()
		}
		took := b.worked() - worked
		if err != nil || took > patience {
			b.t.Errorf("the broker works for %v before it serves the witness: %v", took, err)
			return
		}
		b.rounds.Add(1)
		b.longest.Store(max(b.longest.Load(), int64(time.Since(start))))
		b.work.Store(max(b.work.Load(), int64(took)))
	}
}

// worked returns the processor time of the broker, or 0 where it cannot be told.
func (b *target) worked() time.Duration {
	if runtime.GOOS != "linux" {
		return 0
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", b.process.PID()))
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 15 {
		b.t.Errorf("the broker has ended: %v", err)
		return 0
	}
	user, _ := strconv.ParseInt(fields[13], 10, 64)
	system, _ := strconv.ParseInt(fields[14], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond
}

// weigh follows the memory of the broker until the end.
func (b *target) weigh() {
	for {
		b.most.Store(max(b.most.Load(), b.memory()))
		select {
		case <-b.over:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// memory returns the resident bytes of the broker, or 0 where they cannot be
// told.
func (b *target) memory() int64 {
	if runtime.GOOS != "linux" {
		return 0
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", b.process.PID()))
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 2 {
		b.t.Errorf("the broker has ended: %v", err)
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

// dial connects from an address and says nothing.
func (b *target) dial(from string) net.Conn {
	b.t.Helper()
	c, err := b.tryDial(from)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(limit))
	return c
}

func (b *target) tryDial(from string) (net.Conn, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	return d.Dial("tcp", "127.0.0.1:"+b.port)
}

// client is a client that consists of packets.
type client struct {
	net.Conn
	t *testing.T
	r *codec.Reader
}

func (b *target) connect(from, id string) *client {
	b.t.Helper()
	c := &client{Conn: b.dial(from), t: b.t}
	c.r = codec.NewReader(c.Conn, codec.V5, 0)
	c.send(&codec.Connect{CleanStart: true, ClientID: codec.Bytes(id)})
	if ack := c.expect(codec.TypeConnack).(*codec.Connack); ack.ReasonCode != codec.ReasonSuccess {
		b.t.Fatal(ack)
	}
	return c
}

// deaf makes the system take few bytes that the client does not read.
func (c *client) deaf() *client {
	_ = c.Conn.(*net.TCPConn).SetReadBuffer(4 << 10)
	return c
}

func (c *client) try(packets ...codec.Packet) error {
	var b []byte
	var err error
	for _, p := range packets {
		if b, err = p.AppendTo(b, codec.V5); err != nil {
			return err
		}
	}
	_, err = c.Write(b)
	return err
}

func (c *client) send(packets ...codec.Packet) {
	c.t.Helper()
	if err := c.try(packets...); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) expect(want codec.PacketType) codec.Packet {
	c.t.Helper()
	got, err := c.r.ReadPacket()
	if err != nil || got.Type() != want {
		c.t.Fatalf("got %v %v, want %v", got, err, want)
	}
	return got
}

func (c *client) subscribe(filters ...string) *codec.Suback {
	c.t.Helper()
	s := &codec.Subscribe{PacketID: 1}
	for _, f := range filters {
		s.Filters = append(s.Filters, codec.Subscription{Filter: codec.Bytes(f)})
	}
	c.send(s)
	return c.expect(codec.TypeSuback).(*codec.Suback)
}

// closed waits until the broker has closed the connection.
func closed(t *testing.T, c net.Conn) {
	t.Helper()
	buf := make([]byte, 4096)
	for {
		_, err := c.Read(buf)
		var n net.Error
		if errors.As(err, &n) && n.Timeout() {
			t.Error("the broker does not close the connection")
		}
		if err != nil {
			return
		}
	}
}
