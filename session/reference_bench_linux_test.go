package session_test

import (
	"fmt"
	"io"
	"net"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// BenchmarkReference compares the two ways in which a message can reach many
// peers: copied into the output of each, or referred to. It takes the time of the
// processor from PublishShared to the end of each Write, which goes nowhere or to
// a socket of its own. The thresholds of encoding.go follow from it.
func BenchmarkReference(b *testing.B) {
	for _, socket := range []bool{false, true} {
		for qos := range codec.QoS(2) {
			for _, receivers := range []int{10, 100} {
				for _, messages := range []int{1, 50} {
					for _, size := range []int{16, 64, 256, 1 << 10, 4 << 10} {
						for _, refer := range []bool{false, true} {
							name := fmt.Sprintf("socket=%v/QoS=%d/1:%d/%d a round/%d bytes/refer=%v", socket, qos, receivers, messages, size, refer)
							b.Run(name, func(b *testing.B) {
								f := newFan(b, qos, receivers, size, refer, socket)
								b.ReportAllocs()
								for b.Loop() {
									f.round(messages)
								}
								b.ReportMetric(float64(f.took.Nanoseconds())/float64(b.N*messages*receivers), "cpu-ns/delivery")
							})
						}
					}
				}
			}
		}
	}
}

// fan is a sender with many peers.
type fan struct {
	t       testing.TB
	shared  session.Shared
	servers []*session.Server
	conns   []net.Conn
	message codec.Publish
	refer   bool
	qos     codec.QoS
	next    uint16 // Packet Identifier
	acks    []byte
	took    time.Duration
	ev      events.Event
}

func newFan(b *testing.B, qos codec.QoS, receivers, size int, refer, socket bool) *fan {
	f := &fan{t: b, qos: qos, refer: refer, next: 1}
	f.message = codec.Publish{Topic: codec.Bytes("bench/topic"), Payload: make(codec.Bytes, size)}
	cfg := session.Config{Shared: &f.shared, ReferenceSize: 1 << 20, HighWater: 1 << 20}
	if refer {
		cfg.ReferenceSize = 1
		if qos == codec.QoS0 {
			cfg.ReferenceSize = 1 << 20 // whole packets
		}
	}
	for range receivers {
		f.servers = append(f.servers, connected(b, codec.V311, cfg))
		if socket {
			f.conns = append(f.conns, sink(b))
		}
	}
	runtime.LockOSThread()
	b.Cleanup(runtime.UnlockOSThread)
	return f
}

// round sends messages to all.
func (f *fan) round(messages int) {
	start := processorTime()
	for range messages {
		p := f.message // another message for the cache of encodings
		for _, s := range f.servers {
			f.publish(s, &p)
		}
	}
	for i, s := range f.servers {
		for s.NextInto(&f.ev) {
			if f.ev.Kind == events.Write && f.conns != nil {
				data := net.Buffers(f.ev.Data)
				if _, err := data.WriteTo(f.conns[i]); err != nil {
					f.t.Fatal(err)
				}
			}
		}
	}
	f.took += processorTime() - start
	f.acknowledge(messages)
}

func (f *fan) publish(s *session.Server, p *codec.Publish) {
	var err error
	if f.refer || f.qos > codec.QoS0 {
		_, err = s.PublishShared(start, p, session.Delivery{QoS: f.qos, Several: true})
	} else {
		_, err = s.Publish(start, p)
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

// acknowledge answers what was sent.
func (f *fan) acknowledge(messages int) {
	if f.qos == codec.QoS0 {
		return
	}
	f.acks = f.acks[:0]
	for range messages {
		f.acks = append(f.acks, 0x40, 2, byte(f.next>>8), byte(f.next))
		if f.next++; f.next == 0 {
			f.next = 1
		}
	}
	for _, s := range f.servers {
		s.Receive(start, f.acks)
		for s.NextInto(&f.ev) {
		}
		if s.Inflight() > 0 {
			f.t.Fatal("not acknowledged")
		}
	}
}

// processorTime is what this thread has used.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_THREAD, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// sink returns a connection whose other end reads all there is.
func sink(t testing.TB) net.Conn {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	other, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		io.Copy(io.Discard, other)
		other.Close()
	}()
	t.Cleanup(func() { c.Close() })
	return c
}
