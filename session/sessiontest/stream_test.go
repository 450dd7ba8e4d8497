package sessiontest_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/sessiontest"
)

// pattern is the byte of a payload at an offset; it tells payloads and places
// apart.
func pattern(message int, offset int64) byte {
	return byte(offset) ^ byte(offset>>8)*7 ^ byte(offset>>16)*13 ^ byte(message)
}

func fill(message int, offset int64, p []byte) {
	for i := range p {
		p[i] = pattern(message, offset+int64(i))
	}
}

// large streams one message from the client to the server, over as many
// connections as it takes.
type large struct {
	*sessiontest.Pair
	t       *testing.T
	connect *codec.Connect
	size    int64
	got     int64 // of the payload that is coming
	whole   int   // times that it came
	void    int   // times that it was cut
	through bool  // Published
	heap    uint64
	looked  int
}

func newLarge(t *testing.T, v codec.Version, cfg sessiontest.Config) *large {
	cfg.Client.Version = v
	cfg.Server.StreamAbove = 1
	cfg.Payload = func(_ sessiontest.Side, _ uint64, offset int64, p []byte) { fill(1, offset, p) }
	l := &large{t: t, Pair: sessiontest.New(cfg), connect: &codec.Connect{ClientID: codec.Bytes("c")}}
	if v.IsV5() {
		l.connect.Properties.SessionExpiryInterval = codec.Some(uint32(1000))
	}
	return l
}

// run handles events until nothing is left to do.
func (l *large) run() {
	limit := l.Now().Add(time.Hour)
	for {
		side, ev, ok := l.Next(limit)
		if !ok {
			return
		}
		l.handle(side, ev)
		if l.through && l.Server.State().Received() == 0 {
			return
		}
	}
}

func (l *large) handle(side sessiontest.Side, ev events.Event) {
	switch ev.Kind {
	case events.MessageBegin:
		l.got = 0
		if ev.Size != l.size {
			l.t.Fatalf("%v, want a payload of %d bytes", ev, l.size)
		}
	case events.MessageData:
		for _, b := range ev.Data[0] {
			if b != pattern(1, l.got) {
				l.t.Fatalf("byte %d is wrong", l.got)
			}
			l.got++
		}
		l.look()
	case events.MessageEnd:
		if ev.Err != nil {
			l.void++
		} else if l.whole++; l.got != l.size {
			l.t.Fatalf("%d of %d bytes came", l.got, l.size)
		}
	case events.Published:
		l.through = true
	case events.Message, events.Dropped, events.SessionLost, events.Unexpected:
		l.t.Fatalf("%v %v", side, ev)
	case events.Close:
		if ev.Err != nil && ev.Err != sessiontest.ErrCut && ev.Err != session.ErrTransport {
			l.t.Fatalf("%v %v", side, ev)
		}
	}
}

// look measures the heap now and then.
func (l *large) look() {
	if l.looked++; l.looked%50 == 0 && l.heap != 0 {
		l.heap = max(l.heap, heap())
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestStream200MiB passes a message of 200 MiB through a pair that holds less
// than 1 MiB, in both versions and at every QoS, and in chunks of several sizes.
func TestStream200MiB(t *testing.T) {
	if testing.Short() {
		t.Skip("moves 1 GiB")
	}
	const size = 200 << 20
	for _, test := range []struct {
		v     codec.Version
		qos   codec.QoS
		piece int
	}{{codec.V311, 2, 0}, {codec.V5, 1, 4000}, {codec.V5, 0, 0}} {
		t.Run(fmt.Sprintf("%v QoS %d", test.v, test.qos), func(t *testing.T) {
			l := newLarge(t, test.v, sessiontest.Config{MaximumPiece: test.piece, Window: 100_000})
			l.size = size
			if err := l.Connect(l.connect); err != nil {
				t.Fatal(err)
			}
			l.run()
			before := heap()
			l.heap = before
			var a, b runtime.MemStats
			runtime.ReadMemStats(&a)
			p := &codec.Publish{Topic: codec.Bytes("large"), QoS: test.qos}
			if _, err := l.Client.PublishStream(l.Now(), p, size); err != nil {
				t.Fatal(err)
			}
			for l.whole == 0 {
				l.run()
			}
			runtime.ReadMemStats(&b)
			if l.looked < 1000 {
				t.Errorf("only %d pieces", l.looked)
			}
			if held := int64(l.heap) - int64(before); held > 1<<20 {
				t.Errorf("%d bytes of the heap were in use", held)
			}
			t.Logf("at most %d bytes of the heap were in use, network included; %d MiB were allocated by the test's network",
				int64(l.heap)-int64(before), (b.TotalAlloc-a.TotalAlloc)>>20)
		})
	}
}

// TestStreamChunks passes a message through pairs whose network and application
// cut it in all kinds of ways.
func TestStreamChunks(t *testing.T) {
	for _, v := range []codec.Version{codec.V311, codec.V5, codec.V311Wide, codec.V5Wide} {
		for _, chunk := range []int{1, 2, 7, 100, 0} {
			for _, piece := range []int{1, 3, 64, 0} {
				for _, water := range []int{1, 10, 1000} {
					cfg := sessiontest.Config{MaximumChunk: chunk, MaximumPiece: piece}
					cfg.Client.HighWater, cfg.Server.HighWater = water, water
					cfg.Server.Wide = v.Wide()
					l := newLarge(t, v, cfg)
					l.size = 1000
					if err := l.Connect(l.connect); err != nil {
						t.Fatal(err)
					}
					if _, err := l.Client.PublishStream(l.Now(), &codec.Publish{Topic: codec.Bytes("large"), QoS: 2}, 1000); err != nil {
						t.Fatal(err)
					}
					l.run()
					if l.whole != 1 || l.void != 0 || !l.through {
						t.Fatalf("%v, chunks of %d, pieces of %d: came %d times, cut %d times, through: %v", v, chunk, piece, l.whole, l.void, l.through)
					}
				}
			}
		}
	}
}

// TestStreamCuts cuts the connection at every byte; the message comes whole in
// the end, at QoS 2 once.
func TestStreamCuts(t *testing.T) {
	const size = 100
	for _, v := range []codec.Version{codec.V311, codec.V5} {
		for qos := codec.QoS1; qos <= codec.QoS2; qos++ {
			for at := 0; ; at++ {
				l := newLarge(t, v, sessiontest.Config{MaximumChunk: 9, MaximumPiece: 30, Seed: uint64(at)})
				l.size = size
				if _, err := l.Client.PublishStream(l.Now(), &codec.Publish{Topic: codec.Bytes("large"), QoS: qos}, size); err != nil {
					t.Fatal(err)
				}
				connections := 0
				for !l.through || l.Server.State().Received() > 0 {
					if err := l.Connect(l.connect); err != nil {
						t.Fatal(err)
					}
					if connections++; connections == 1 {
						l.CutAfter(at)
					}
					l.run()
				}
				if l.whole < 1 || qos == codec.QoS2 && l.whole > 1 {
					t.Fatalf("%v QoS %d, cut after %d bytes: came %d times", v, qos, at, l.whole)
				}
				if connections == 1 {
					if at < size {
						t.Fatalf("only %d bytes", at)
					}
					break
				}
			}
		}
	}
}

// TestStreamCrash loses what was not stored, on either side, within a payload.
func TestStreamCrash(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 7))
		cfg := sessiontest.Config{MaximumChunk: 9, MaximumPiece: 30, Seed: seed}
		cfg.Client.Persist, cfg.Server.Persist = true, true
		l := newLarge(t, codec.V5, cfg)
		l.size = 300
		if err := l.Connect(l.connect); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Client.PublishStream(l.Now(), &codec.Publish{Topic: codec.Bytes("large"), QoS: 1}, 300); err != nil {
			t.Fatal(err)
		}
		for range 6 + r.IntN(40) {
			if side, ev, ok := l.Next(l.Now()); ok {
				l.handle(side, ev)
			}
		}
		if l.through {
			continue
		}
		l.Crash(sessiontest.Side(r.IntN(2)))
		for n := 0; !l.through; n++ {
			if n == 3 {
				t.Fatalf("seed %d: not through", seed)
			}
			if l.Client.Status() == session.StatusIdle || l.Client.Status() == session.StatusClosed {
				if err := l.Connect(l.connect); err != nil {
					t.Fatal(err)
				}
			}
			l.run()
		}
	}
}
