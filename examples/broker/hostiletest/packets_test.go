package hostiletest

import (
	"net"
	"strconv"
	"testing"

	"github.com/mqttcore/mqttcore/codec"
)

// Lengths that are claimed cost nothing until their bytes come.
func TestHugeClaims(t *testing.T) {
	b := attack(t, 24*mebi, "--connect-timeout", "2s")
	for _, claim := range []string{
		"\x10\xff\xff\xff\x7f", // CONNECT of 256 MiB
		"\x10\xff\xff\x03\x00\x04MQTT\x05\x02\x00\x00\xff\xff\x03", // Property Length
		"\x10\xff\xff\x03\x00\x04MQTT\x05\x02\x00\x00\x00\xff\xff", // Client Identifier
		"\x82\xff\xff\xff\x7f\x00",                                 // SUBSCRIBE before CONNECT
		"\x10\xff\xff\xff\xff\x01",                                 // five bytes of length
	} {
		for range 80 { // fewer in all than may be pending
			if _, err := b.dial(foe).Write([]byte(claim)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := range 100 {
		c := b.connect(foe, "claim-"+strconv.Itoa(i))
		if _, err := c.Write([]byte("\x30\xff\xff\xff\x7f\x00\x01topic")); err != nil {
			t.Fatal(err)
		}
	}
	b.connect(friend, "late")
}

// Clients that are not let in yet share what large CONNECT packets may take.
func TestLargeConnects(t *testing.T) {
	// 64 MiB are let in, into buffers that double as they grow.
	b := attack(t, 288*mebi, "--connect-timeout", "2s", "--max-pending-connections", "2000")
	const size = 200 << 10
	packet := append([]byte("\x10\x90\xa1\x0f\x00\x04MQTT\x05\x06\x00\x00\x00\x00\x01a\x00\x00\x01t\xff\xff"), make([]byte, size)...)
	var all []net.Conn
	for range 1000 { // 200 MB of packets of 250,000 bytes, none of which is whole
		c := b.dial(foe)
		_, _ = c.Write(packet) // the broker may have closed it
		all = append(all, c)
	}
	for _, c := range all {
		closed(t, c)
	}
	b.connect(friend, "late")
}

// Packets up to the size that is allowed, of which the last byte does not come.
func TestUnfinishedPackets(t *testing.T) {
	b := attack(t, 120*mebi, "--max-packet-size", "1048576")
	packet, err := (&codec.Publish{Topic: codec.Bytes("t"), Payload: make([]byte, 1<<20-10)}).AppendTo(nil, codec.V5)
	if err != nil {
		t.Fatal(err)
	}
	var all []*client
	for i := range 50 {
		c := b.connect(foe, "unfinished-"+strconv.Itoa(i))
		if _, err := c.Write(packet[:len(packet)-1]); err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	for _, c := range all {
		if _, err := c.Write(packet[len(packet)-1:]); err != nil {
			t.Fatal(err)
		}
		c.send(&codec.Pingreq{})
		c.expect(codec.TypePingresp)
	}
	over := b.connect(foe, "over")
	if _, err := over.Write([]byte("\x30\xff\xff\xff\x7f")); err != nil {
		t.Fatal(err)
	}
	if d := over.expect(codec.TypeDisconnect).(*codec.Disconnect); d.ReasonCode != codec.ReasonPacketTooLarge {
		t.Error(d)
	}
}

// Messages of QoS 2 that are never released stay as few as was agreed on.
func TestUnreleased(t *testing.T) {
	b := attack(t, 48*mebi)
	c := b.connect(foe, "unreleased")
	go func() {
		for id := 1; id <= 65535; id++ {
			p := &codec.Publish{Topic: codec.Bytes("t"), QoS: codec.QoS2, PacketID: uint32(id), Payload: make([]byte, 1000)}
			if c.try(p) != nil {
				return
			}
		}
	}()
	for {
		p, err := c.r.ReadPacket()
		if err != nil {
			t.Fatal(err)
		}
		if d, ok := p.(*codec.Disconnect); ok {
			if d.ReasonCode != codec.ReasonReceiveMaximumExceeded {
				t.Error(d)
			}
			return
		}
	}
}

// The same message of QoS 2 again and again takes no more than once.
func TestRepeated(t *testing.T) {
	b := attack(t, 32*mebi)
	c := b.connect(foe, "repeated")
	payload := make([]byte, 10_000)
	for range 100 {
		var all []codec.Packet
		for range 100 {
			all = append(all, &codec.Publish{Dup: true, Topic: codec.Bytes("t"), QoS: codec.QoS2, PacketID: 7, Payload: payload})
		}
		c.send(all...)
		for range all {
			c.expect(codec.TypePubrec)
		}
	}
}
