package hostiletest

import (
	"errors"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
)

// A thousand subscribers that do not read cost references to the messages, and
// those that read get everything at once.
func TestSlowReaders(t *testing.T) {
	const readers, messages, size = 1000, 1500, 128 << 10
	b := attack(t, 128*mebi, "--max-queued-messages", "100", "--write-timeout", "1m")
	for i := range readers {
		b.connect(foe, "slow-"+strconv.Itoa(i)).deaf().subscribe("news")
	}
	fast := b.connect(friend, "fast")
	fast.subscribe("news")
	sender := b.connect(friend, "sender")
	payload := make([]byte, size)
	for range messages {
		sender.send(&codec.Publish{Topic: codec.Bytes("news"), Payload: payload})
		_ = fast.SetDeadline(time.Now().Add(limit))
		fast.expect(codec.TypePublish)
		_ = sender.SetDeadline(time.Now().Add(limit))
	}
}

// Messages of QoS 1 for readers that do not read are bounded too.
func TestSlowReadersQoS1(t *testing.T) {
	const readers, messages, size = 200, 6000, 48 << 10
	b := attack(t, 96*mebi, "--max-inflight-messages", "100", "--max-queued-bytes", "4194304", "--write-timeout", "1m")
	for i := range readers {
		c := b.connect(foe, "slow-"+strconv.Itoa(i)).deaf()
		c.send(&codec.Subscribe{PacketID: 1, Filters: []codec.Subscription{{Filter: codec.Bytes("news"), QoS: codec.QoS1}}})
		c.expect(codec.TypeSuback)
	}
	sender := b.connect(friend, "sender")
	payload := make([]byte, size)
	for i := range messages {
		sender.send(&codec.Publish{Topic: codec.Bytes("news"), QoS: codec.QoS1, PacketID: uint32(i%100 + 1), Payload: payload})
		sender.expect(codec.TypePuback)
	}
}

// Who asks and does not read the answers is not listened to any more.
func TestUnreadAnswers(t *testing.T) {
	b := attack(t, 96*mebi, "--write-timeout", "2s")
	var pings []byte
	for range 10000 {
		pings, _ = (&codec.Pingreq{}).AppendTo(pings, codec.V5)
	}
	var all sync.WaitGroup
	for i := range 8 {
		c := b.connect(foe, "ask-"+strconv.Itoa(i)).deaf()
		all.Go(func() {
			var err error
			for err == nil {
				_, err = c.Write(pings) // fails at the latest with the deadline
			}
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("it could ask for ever")
			}
		})
	}
	all.Wait()
}
