package session_test

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// writes pulls all events and returns what is to be written.
func writes(s *session.Server) (data [][]byte) {
	for ev, ok := s.Next(); ok; ev, ok = s.Next() {
		if ev.Kind == events.Write {
			data = append(data, ev.Data...)
			s.ReplaceWriteBuffer(nil)
		}
	}
	return data
}

// TestPiecesAreReferredTo: also where messages of others lie between, receivers
// refer to the same bytes, unless a message is smaller than a reference.
func TestPiecesAreReferredTo(t *testing.T) {
	for qos := codec.QoS0; qos <= codec.QoS2; qos++ {
		for _, size := range []int{10, 100, 1000, 3000} {
			var shared session.Shared
			var all []*session.Server
			for range 6 {
				all = append(all, connected(t, codec.V311, session.Config{Shared: &shared}))
			}
			var want [2][]byte
			for i := range 10 {
				p := &codec.Publish{Topic: codec.Bytes("a/b"), Payload: bytes.Repeat(codec.Bytes{byte(i)}, size)}
				for j, s := range all {
					if i%2 == j%2 {
						if _, err := s.PublishShared(start, p, session.Delivery{QoS: qos, Several: true}); err != nil {
							t.Fatal(err)
						}
					}
				}
				q := *p
				if q.QoS = qos; qos > codec.QoS0 {
					q.PacketID = uint32(i + 1)
				}
				want[i%2] = append(want[i%2], encode(t, &q, codec.V311)...)
			}
			var first [2][][]byte
			for j, s := range all {
				data := writes(s)
				if !bytes.Equal(bytes.Join(data, nil), want[j%2]) {
					t.Fatalf("QoS %d, %d bytes: receiver %d got %X", qos, size, j, data)
				}
				if n := 5; size >= 100 && len(data) != n {
					t.Errorf("QoS %d, %d bytes: receiver %d has %d pieces, want %d", qos, size, j, len(data), n)
				} else if size < 64 && len(data) != 2 { // the first piece needs no buffer
					t.Errorf("QoS %d, %d bytes: receiver %d has %d pieces", qos, size, j, len(data))
				}
				if j < 2 {
					first[j] = data
				}
				for i, b := range data {
					if size >= 100 && &b[0] != &first[j%2][i][0] {
						t.Errorf("QoS %d, %d bytes: receiver %d has a copy of message %d", qos, size, j, i)
					}
				}
			}
		}
	}
}

// two is a pair of receivers of the same messages, of which the second is sent
// other packets too.
type two struct {
	t      *testing.T
	shared session.Shared
	a, b   *session.Server
	want   []byte // of b
}

func newTwo(t *testing.T) *two {
	w := &two{t: t}
	w.a, w.b = connected(t, codec.V311, session.Config{Shared: &w.shared}), connected(t, codec.V311, session.Config{Shared: &w.shared})
	return w
}

// ping makes PINGRESP due for b.
func (w *two) ping() {
	w.b.SetWriteBlocked(start, true)
	w.b.Receive(start, []byte{0xC0, 0})
	drain(w.b)
	w.b.SetWriteBlocked(start, false)
	w.want = append(w.want, 0xD0, 0)
}

// send makes a message of n bytes due for both.
func (w *two) send(n int) {
	p := &codec.Publish{Topic: codec.Bytes("a"), Payload: bytes.Repeat(codec.Bytes{byte(len(w.want))}, n-5)}
	for _, s := range []*session.Server{w.a, w.b} {
		if _, err := s.PublishShared(start, p, session.Delivery{Several: true}); err != nil {
			w.t.Fatal(err)
		}
	}
	w.want = append(w.want, encode(w.t, p, codec.V311)...)
}

// written returns what b writes, and the pieces of it that a writes too.
func (w *two) written() (data [][]byte, common int) {
	w.t.Helper()
	whole := writes(w.a)
	data = writes(w.b) // the last one, whose memory is used again first
	if !bytes.Equal(bytes.Join(data, nil), w.want) {
		w.t.Fatalf("got %X, want %X", data, w.want)
	}
	w.want = nil
	if len(whole) != 1 {
		w.t.Fatalf("%d pieces of a receiver of messages alone", len(whole))
	}
	for _, b := range data {
		for i := range whole[0] {
			if &b[0] == &whole[0][i] {
				common++
			}
		}
	}
	return data, common
}

// TestSmallPiecesJoin: what is copied behind other bytes, as it is little, is
// referred to when what follows makes it more.
func TestSmallPiecesJoin(t *testing.T) {
	for messages := 1; messages < 12; messages++ {
		w := newTwo(t)
		w.ping()
		for range messages {
			w.send(11)
		}
		if data, common := w.written(); (common == 1) != (messages*11 >= 64) || len(data) != 1+common {
			t.Errorf("%d messages: %d of %d pieces are in common", messages, common, len(data))
		}
		if n := w.b.Stats().PacketsOut; n != uint64(messages+2) { // CONNACK and PINGRESP
			t.Errorf("%d messages: %d packets", messages, n)
		}
	}
}

// TestSmallPiecesApart: what was copied does not join what follows it in the chunk
// but not in the output, or not in the same one.
func TestSmallPiecesApart(t *testing.T) {
	w := newTwo(t)
	w.ping()
	w.send(40)
	w.ping()
	w.send(40)
	if data, common := w.written(); common != 0 || len(data) != 1 {
		t.Errorf("%d of %d pieces are in common", common, len(data))
	}
	w.ping()
	w.send(40)
	w.written()
	for range 21 {
		w.ping()
	}
	w.send(40)
	if data, common := w.written(); common != 0 || len(data) != 1 {
		t.Errorf("in the next Write %d of %d pieces are in common", common, len(data))
	}
}

// TestSlowReaderKeepsLittle: a peer that does not read holds on to few of the
// chunks that others have gone through.
func TestSlowReaderKeepsLittle(t *testing.T) {
	for qos := codec.QoS0; qos <= codec.QoS2; qos++ {
		var shared session.Shared
		all := make([]*listener, 3)
		for i := range all {
			all[i] = newListener(t, codec.V5, session.ServerConfig{Config: session.Config{Shared: &shared}}, 0xFFFF, 1)
		}
		slow := all[2].s
		slow.SetWriteBlocked(start, true)
		before := heapInUse()
		for i := range 20_000 {
			kept := shared.Keep(&codec.Publish{Topic: codec.Bytes("a/b"), Payload: make(codec.Bytes, 100)})
			to := all
			if i%100 != 0 {
				to = all[:2]
			}
			for _, l := range to {
				if _, err := l.s.PublishShared(start, &kept.Publish, session.Delivery{QoS: qos, Several: true, Kept: kept}); err != nil {
					t.Fatal(err)
				}
			}
			kept.Release()
			for _, l := range all[:2] {
				l.settle()
				l.written, l.got, l.sent = nil, nil, nil
			}
			drain(slow)
			shared.Reclaim()
		}
		for range 2048 {
			shared.Reclaim() // so that Shared has nothing of the burst itself
		}
		if kept := heapInUse() - before; kept > 400<<10 {
			t.Errorf("QoS %d: %d bytes are kept", qos, kept)
		}
		slow.SetWriteBlocked(start, false)
		if n := drain(slow); n < 200*100 {
			t.Errorf("QoS %d: %d bytes written", qos, n)
		}
	}
}

// TestQueuesKeepNoChunks: messages that wait do not hold on to the chunks in which
// others got them, and are right all the same.
func TestQueuesKeepNoChunks(t *testing.T) {
	var shared session.Shared
	cfg := session.ServerConfig{Config: session.Config{Shared: &shared}}
	cfg.Queue.Messages = -1
	fast, slow := newListener(t, codec.V311, cfg, 0, 1), newListener(t, codec.V311, cfg, 0, 1)
	slow.s.Closed(start, nil)
	for range slow.s.Events() {
	}
	st := slow.s.State()
	before := heapInUse()
	const messages = 3000
	var want []byte
	for i := range messages {
		p := &codec.Publish{Topic: codec.Bytes("a/b"), Payload: []byte{byte(i), byte(i >> 8)}}
		kept, other := shared.Keep(p), shared.Keep(&codec.Publish{Topic: codec.Bytes("a"), Payload: make(codec.Bytes, 4000)})
		d := session.Delivery{QoS: codec.QoS1, Several: true, Kept: kept}
		if _, err := st.Enqueue(start, &kept.Publish, d, cfg.Queue, nil); err != nil {
			t.Fatal(err)
		}
		for _, k := range []*session.Kept{kept, other, other, other, other} { // which fill a chunk
			d.Kept = k
			if _, err := fast.s.PublishShared(start, &k.Publish, d); err != nil {
				t.Fatal(err)
			}
		}
		kept.Release()
		other.Release()
		fast.settle()
		fast.written, fast.got, fast.sent = nil, nil, nil
		shared.Reclaim()
		q := *p
		q.QoS, q.PacketID = codec.QoS1, uint32(i%65535+1)
		want = append(want, encode(t, &q, codec.V311)...)
	}
	if kept := heapInUse() - before; kept > 1024*(4<<10)*4/3+messages*1500 {
		t.Errorf("%d bytes are kept for %d messages that wait", kept, messages)
	}
	for range 1024 {
		shared.Reclaim()
	}
	if kept := heapInUse() - before; kept > messages*1500 {
		t.Errorf("%d bytes are kept for good for %d messages that wait", kept, messages)
	}
	slow.jumps = true
	slow.connect(st)
	slow.settle()
	if !bytes.HasSuffix(slow.got, want) {
		t.Error("what waited is not what was sent")
	}
	runtime.KeepAlive(fast)
}

// TestLastEncodesForItself: the last one that needs a message makes no encoding for
// others.
func TestLastEncodesForItself(t *testing.T) {
	for _, last := range []bool{false, true} {
		var shared session.Shared
		s := connected(t, codec.V311, session.Config{Shared: &shared, MaximumInflight: 1})
		kept := shared.Keep(&codec.Publish{Topic: codec.Bytes("a"), Payload: make(codec.Bytes, 100)})
		for range 2 { // of which one waits
			if _, err := s.PublishShared(start, &kept.Publish, session.Delivery{QoS: codec.QoS1, Several: true, Kept: kept}); err != nil {
				t.Fatal(err)
			}
		}
		drain(s)
		for range 1024 {
			shared.Reclaim() // which forgets the encoding
		}
		if last {
			kept.Release()
		}
		s.Receive(start, []byte{0x40, 2, 0, 1})
		for ev, ok := s.Next(); ok; ev, ok = s.Next() {
			if ev.Kind != events.Write {
				continue
			}
			if own := s.ReplaceWriteBuffer(nil) != nil; own != last {
				t.Errorf("the last one: %v, in memory of its own: %v", last, own)
			}
		}
	}
}

// TestManyKinds: of a message that each peer needs in another form, each gets its
// own, the first two forms are encoded once, and all have the payload of these.
func TestManyKinds(t *testing.T) {
	var shared session.Shared
	var all []*session.Server
	for range 40 {
		all = append(all, connected(t, codec.V5, session.Config{Shared: &shared}))
	}
	p := &codec.Publish{Topic: codec.Bytes("a/b"), Payload: make(codec.Bytes, 100)}
	var first []*byte
	payloads := make(map[*byte]int)
	for i, s := range all {
		q := *p
		q.Properties.SubscriptionIdentifiers = *fanOutIdentifiers(uint32(i%20) + 1)
		if _, err := s.PublishShared(start, p, session.Delivery{SubscriptionIdentifiers: &q.Properties.SubscriptionIdentifiers, Several: true}); err != nil {
			t.Fatal(err)
		}
		data := writes(s)
		if got := bytes.Join(data, nil); !bytes.Equal(got, encode(t, &q, codec.V5)) {
			t.Fatalf("receiver %d got %X", i, got)
		}
		first = append(first, &data[0][0])
		if i >= 20 && first[i] == first[i-20] != (i-20 < 2) {
			t.Errorf("form %d is encoded once: %v", i-20, first[i] == first[i-20])
		}
		last := data[len(data)-1]
		payloads[&last[len(last)-100]]++
	}
	if len(payloads) != 2 {
		t.Errorf("the payload is there %d times", len(payloads))
	}
}

// TestAliasesInStep: peers that know topics under the same aliases refer to the same
// bytes, in any QoS, and those that know them under other ones to the payload.
func TestAliasesInStep(t *testing.T) {
	for qos := codec.QoS0; qos <= codec.QoS2; qos++ {
		var shared session.Shared
		var all []*session.Server
		known := []int{0, 0, 0, 0, 4, 5}
		for _, n := range known {
			all = append(all, withAliases(t, session.Config{Shared: &shared}, n))
		}
		want := make([][]byte, len(all))
		places := make([]map[*byte]bool, 6) // where each message has its payload
		for i := range places {
			places[i] = make(map[*byte]bool)
			p := &codec.Publish{Topic: codec.Bytes(fmt.Sprint("topic/", i%2)), Payload: bytes.Repeat(codec.Bytes{byte('0' + i)}, 100)}
			for j, s := range all {
				if _, err := s.PublishShared(start, p, session.Delivery{QoS: qos, Several: true}); err != nil {
					t.Fatal(err)
				}
				q := *p
				if q.QoS = qos; qos > codec.QoS0 {
					q.PacketID = uint32(i + 1)
				}
				q.Properties.TopicAlias = codec.Some(uint16(known[j] + i%2 + 1))
				if i > 1 {
					q.Topic = nil
				}
				want[j] = append(want[j], encode(t, &q, codec.V5)...)
			}
		}
		for j, s := range all {
			data := writes(s)
			if got := bytes.Join(data, nil); !bytes.Equal(got, want[j]) {
				t.Fatalf("QoS %d, receiver %d got\n% X, want\n% X", qos, j, got, want[j])
			}
			if j < 4 && len(data) != len(places) {
				t.Errorf("QoS %d, receiver %d, in step: %d pieces", qos, j, len(data))
			}
			for i := range places {
				for _, b := range data {
					if at := bytes.Index(b, bytes.Repeat([]byte{byte('0' + i)}, 100)); at >= 0 {
						places[i][&b[at]] = true
					}
				}
			}
		}
		for i, at := range places {
			if len(at) != 2 {
				t.Errorf("QoS %d: the payload of message %d is there %d times", qos, i, len(at))
			}
		}
	}
}
