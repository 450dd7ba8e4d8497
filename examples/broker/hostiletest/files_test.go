//go:build unix

package hostiletest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/mqttcore/mqttcore/codec"

	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

// Clients take all file descriptors that they may have. The store has enough for
// what comes, everybody is served, and SIGHUP reads its files.
func TestOutOfFiles(t *testing.T) {
	rules := filepath.Join(t.TempDir(), "acl")
	if err := os.WriteFile(rules, []byte("topic readwrite #\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	process := programtest.LimitedBroker(t, 72, "--acl-file", rules)
	b := besiege(t, 96*mebi, process, process.Port(t))
	process.Stderr.Await(t, "the limit of open files, 72, allows ")
	publisher := b.connect(friend, "publisher")
	b.crowd()
	const window = 100
	payload := make([]byte, 2<<10)
	for i := range 120 {
		var batch []codec.Packet
		for j := range window {
			batch = append(batch, &codec.Publish{
				Topic: codec.Bytes(fmt.Sprint("kept/", i*window+j)), QoS: codec.QoS1, PacketID: uint32(j + 1), Retain: true, Payload: payload,
			})
		}
		publisher.send(batch...)
		for range batch {
			publisher.expect(codec.TypePuback)
		}
	}
	process.Signal(syscall.SIGHUP)
	process.Stderr.Await(t, "were read again")
}

// crowd connects clients until one is refused.
func (b *target) crowd() {
	b.t.Helper()
	for i := range 100 {
		c := b.dial(friend)
		_, err := c.Write(connectPacket(b.t, fmt.Sprint("idle", i)))
		if err == nil {
			_, err = c.Read(make([]byte, 64))
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			b.t.Fatal("a connection is neither served nor refused")
		}
		if err != nil {
			return
		}
	}
	b.t.Fatal("nobody was refused")
}

// Where the limit leaves nothing for clients, the broker says so at the start.
func TestTooFewFiles(t *testing.T) {
	p := programtest.LimitedBroker(t, 40)
	if code := p.Wait(limit); code == 0 {
		t.Error("it ended well")
	}
	p.Stderr.Await(t, "the limit of open files is 40, and the broker needs ")
}
