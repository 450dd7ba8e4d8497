package hostiletest

import (
	"strconv"
	"testing"

	"github.com/mqttcore/mqttcore/codec"
)

// One address gets as many connections as are allowed, and others get theirs.
func TestOneAddress(t *testing.T) {
	b := attack(t, 24*mebi, "--max-connections-per-address", "20")
	for i := range 20 {
		b.connect(foe, "many-"+strconv.Itoa(i))
	}
	for range 100 {
		closed(t, b.dial(foe))
	}
	for i := range 10 {
		b.connect(friend, "few-"+strconv.Itoa(i))
	}
}

// Sessions that stay when their clients are gone are as many as are allowed.
func TestSessionFlood(t *testing.T) {
	b := attack(t, 32*mebi, "--max-clients", "300")
	refused := 0
	for i := range 1000 {
		c := &client{Conn: b.dial(foe), t: t}
		c.r = codec.NewReader(c.Conn, codec.V5, 0)
		connect := &codec.Connect{CleanStart: true, ClientID: codec.Bytes("stays-" + strconv.Itoa(i))}
		connect.Properties.SessionExpiryInterval = codec.Some(uint32(3600))
		c.send(connect)
		if c.expect(codec.TypeConnack).(*codec.Connack).ReasonCode.IsError() {
			refused++
		}
		c.Close()
	}
	if refused != 1000-300+1 { // the witness has one
		t.Errorf("%d were refused", refused)
	}
}

// Retained messages take no more than is allowed.
func TestRetainedFlood(t *testing.T) {
	b := attack(t, 64*mebi, "--max-retained-bytes", "4194304")
	c := b.connect(foe, "retained")
	payload := make([]byte, 64<<10)
	for i := range 2000 {
		c.send(&codec.Publish{Topic: codec.Bytes("kept/" + strconv.Itoa(i)), Retain: true, QoS: codec.QoS1, PacketID: 1, Payload: payload})
		c.expect(codec.TypePuback)
	}
	c.subscribe("kept/#")
	c.send(&codec.Pingreq{})
	kept := 0
	for {
		p, err := c.r.ReadPacket()
		if err != nil {
			t.Fatal(err)
		}
		if p.Type() == codec.TypePingresp {
			break
		}
		kept++
	}
	if kept == 0 || kept > 64 {
		t.Errorf("%d are kept", kept)
	}
}
