package hostiletest

import (
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
)

// connectPacket is the CONNECT of a client.
func connectPacket(t *testing.T, id string) []byte {
	t.Helper()
	b, err := (&codec.Connect{CleanStart: true, ClientID: codec.Bytes(id)}).AppendTo(nil, codec.V5)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Connections that say nothing, or begin and do not go on, take little, leave
// room for others, and end by themselves.
func TestHalfOpen(t *testing.T) {
	b := attack(t, 24*mebi, "--connect-timeout", "2s")
	packet := connectPacket(t, "half")
	var all []net.Conn
	for i := range 1500 { // more than may be pending
		c := b.dial(foe)
		_, _ = c.Write(packet[:i%len(packet)]) // the broker may have closed it
		all = append(all, c)
	}
	b.connect(friend, "late")
	for _, c := range all {
		closed(t, c)
	}
}

// One byte at a time does not put off the time for CONNECT.
func TestTrickle(t *testing.T) {
	b := attack(t, 24*mebi, "--connect-timeout", "2s")
	var all sync.WaitGroup
	for range 300 {
		c := b.dial(foe)
		all.Go(func() {
			// A CONNECT with a large Will could take for ever.
			packet := append([]byte("\x10\xff\xff\x03\x00\x04MQTT\x05\x06\x00\x00\x00\x00\x01a\x00\x00\x01t\xff\xff"), make([]byte, 1000)...)
			start := time.Now()
			var err error
			for i := 0; err == nil; i++ {
				if time.Since(start) > limit/2 {
					t.Error("it goes on for ever")
					return
				}
				_, err = c.Write(packet[i : i+1])
				time.Sleep(50 * time.Millisecond)
			}
		})
	}
	all.Wait()
}

// Who comes and goes leaves nothing behind.
func TestChurn(t *testing.T) {
	b := attack(t, 20*mebi)
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for i := range 600 {
				c, err := b.tryDial(foe)
				if err != nil {
					t.Error(err)
					return
				}
				// Every third one is cut off in the middle of things.
				_, _ = c.Write(connectPacket(t, "churn-"+strconv.Itoa(w*1000+i)))
				if i%3 > 0 {
					_, _ = io.ReadFull(c, make([]byte, 4))
				}
				if i%3 > 1 {
					_, _ = c.Write([]byte{0xE0, 0x00})
				}
				c.Close()
			}
		})
	}
	all.Wait()
}

// Random bytes, and packets with random changes, harm nobody.
func TestGarbage(t *testing.T) {
	b := attack(t, 48*mebi)
	r := rand.New(rand.NewPCG(1, 2))
	packets := [][]byte{connectPacket(t, "garbage")}
	for _, p := range []codec.Packet{
		&codec.Subscribe{PacketID: 1, Filters: []codec.Subscription{{Filter: codec.Bytes("a/+/#"), QoS: codec.QoS2}}},
		&codec.Publish{Topic: codec.Bytes("a/b/c"), QoS: codec.QoS2, PacketID: 1, Payload: codec.Bytes("payload")},
		&codec.Unsubscribe{PacketID: 1, Filters: []codec.Bytes{codec.Bytes("a/+/#")}},
	} {
		b, err := p.AppendTo(nil, codec.V5)
		if err != nil {
			t.Fatal(err)
		}
		packets = append(packets, b)
	}
	for range 1000 {
		c := b.dial(foe)
		var in []byte
		for i, p := range packets {
			at := len(in)
			in = append(in, p...)
			if i > 0 && r.IntN(2) == 0 {
				in[at+r.IntN(len(p))] = byte(r.Uint32())
			}
		}
		if r.IntN(4) == 0 {
			for i := range in {
				in[i] = byte(r.Uint32())
			}
		}
		_, _ = c.Write(in) // the broker may have closed it
		c.Close()
	}
}
