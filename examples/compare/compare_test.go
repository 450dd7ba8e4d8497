package main

import (
	"bytes"
	"slices"
	"testing"

	pahov5 "github.com/eclipse/paho.golang/packets"

	"github.com/mqttcore/mqttcore/codec"
)

// TestInputs proves that every library understands every input that it is
// measured with: what it has read, it writes again, and that is the same packet.
func TestInputs(t *testing.T) {
	for _, version := range []byte{v311, v5} {
		for _, in := range inputs(version) {
			want := canonical(t, version, in.wire, in.packets)
			for _, l := range libraries() {
				if l.decode == nil || !l.reads(version) {
					continue
				}
				t.Run(versionName(version)+"/"+in.name+"/"+l.name, func(t *testing.T) {
					if err := l.decode(version, in.wire)(3); err != nil {
						t.Fatal(err)
					}
					if l.encode == nil {
						return
					}
					if l.name == "paho.golang" && in.wire[0] == 0x10 {
						pahoReadsWill(t, in.wire)
						return
					}
					write, err := l.encode(version, in.wire)
					if err != nil {
						t.Fatal(err)
					}
					out, err := write(3)
					if err != nil {
						t.Fatal(err)
					}
					if got := canonical(t, version, out, in.packets); !bytes.Equal(got, want) {
						t.Errorf("written again:\n got %x\nwant %x", got, want)
					}
				})
			}
		}
	}
}

// pahoReadsWill stands in for writing the CONNECT again, which paho.golang does
// with one of the four properties of the will.
func pahoReadsWill(t *testing.T, wire []byte) {
	t.Helper()
	p, err := pahov5.ReadPacket(bytes.NewReader(wire))
	if err != nil {
		t.Fatal(err)
	}
	c := p.Content.(*pahov5.Connect)
	if w := c.WillProperties; *w.WillDelayInterval != 30 || *w.PayloadFormat != 1 || *w.MessageExpiry != 86400 || w.ContentType != "application/json" {
		t.Errorf("will properties: %v", w)
	}
	if string(c.Password) != "correct horse battery" || len(c.Properties.User) != 1 || *c.Properties.ReceiveMaximum != 100 {
		t.Errorf("CONNECT: %v", c)
	}
}

// canonical brings properties into one order and acknowledgements into their
// short form.
func canonical(t *testing.T, version byte, wire []byte, count int) (out []byte) {
	t.Helper()
	packets, err := decodeAll(codec.Version(version), wire)
	if err != nil {
		t.Fatal(err)
	}
	if len(packets) != count {
		t.Fatalf("%d packets, want %d", len(packets), count)
	}
	for _, p := range packets {
		if out, err = p.AppendTo(out, codec.Version(version)); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// TestOwnRows keeps what the tables say of this library.
func TestOwnRows(t *testing.T) {
	valid, invalid, err := vectors()
	if err != nil {
		t.Fatal(err)
	}
	l := ours()
	for i, x := range slices.Concat(valid, invalid) {
		if err := x.try(l); (err == nil) != (i < len(valid)) {
			t.Errorf("%s %s: %v", versionName(x.Version), x.Name, err)
		}
	}
	if len(invalid) < 60 {
		t.Errorf("only %d illegal inputs", len(invalid))
	}
	if got := l.sayLongTopic(); got != "error" {
		t.Errorf("a topic of 65,536 bytes: %s", got)
	}
	if got, err := needsNet(l.protocol); got != "no" || err != nil {
		t.Errorf("needs net: %s, %v", got, err)
	}
}
