package main

import (
	"bytes"
	"compress/flate"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// packer compresses messages of one side.
type packer struct {
	out bytes.Buffer
	w   *flate.Writer
}

// pack returns a message that refers to those before it.
func (p *packer) pack(t *testing.T, from side, digits string) string {
	t.Helper()
	if p.w == nil {
		p.w, _ = flate.NewWriter(&p.out, flate.BestCompression)
	}
	p.out.Reset()
	_, err := p.w.Write(unhex(t, digits))
	if err == nil {
		err = p.w.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	return frame(from, ws.Header{Fin: true, OpCode: ws.OpBinary, Rsv: rsvCompressed}, bytes.TrimSuffix(p.out.Bytes(), []byte("\x00\x00\xff\xff")))
}

// packedZeros returns a message of the client that begins with some bytes, and goes
// on with as many MiB of zeros.
func packedZeros(t *testing.T, begin []byte, n int) string {
	t.Helper()
	var out bytes.Buffer
	w, _ := flate.NewWriter(&out, flate.BestCompression)
	packed := func(b []byte) []byte {
		out.Reset()
		w.Reset(&out)
		_, _ = w.Write(b)
		_ = w.Flush()
		return bytes.Clone(out.Bytes())
	}
	all := append(packed(begin), bytes.Repeat(packed(make([]byte, 1<<20)), n)...)
	return frame(client, ws.Header{Fin: true, OpCode: ws.OpBinary, Rsv: rsvCompressed}, bytes.TrimSuffix(all, []byte("\x00\x00\xff\xff")))
}

// long is a PUBLISH that can be compressed.
var long = "30 64 0001 61" + strings.Repeat("68", 97)

const longShown = "> PUBLISH q0 a 97 bytes\n"

func TestCompressed(t *testing.T) {
	var p packer
	first, again := p.pack(t, client, connect311+long), p.pack(t, client, long)
	if len(again) >= len(first) {
		t.Fatal("the second message does not refer to the first one")
	}
	const begin = "* WebSocket at /mqtt for the sub-protocol mqtt, messages may be compressed\n> CONNECT v3.1.1 CleanStart KeepAlive=60 ClientID=c\n"
	// Blocks that are the last ones, and one more byte as RFC 7692 7.2.3.4 has it.
	var last bytes.Buffer
	w, _ := flate.NewWriter(&last, flate.BestCompression)
	_, _ = w.Write(unhex(t, long))
	_ = w.Close()
	final := frame(client, ws.Header{Fin: true, OpCode: ws.OpBinary, Rsv: rsvCompressed}, slices.Concat(last.Bytes(), last.Bytes(), []byte{0}))
	d := shaken(deflate).and(client, first, client, again, client, message(t, client, "c000"), client, again, client, final, client, again)
	d.expect(t, begin+longShown+longShown+"> PINGREQ\n"+strings.Repeat(longShown, 4), 0)

	// In several frames, with a ping between.
	b := unhex(t, first)
	payload := bytes.Clone(b[len(b)-int(b[1]&0x7F):])
	ws.Cipher(payload, [4]byte(b[2:6]), 0)
	d = shaken(deflate).and(client, frame(client, ws.Header{OpCode: ws.OpBinary, Rsv: rsvCompressed}, payload[:5]),
		client, frame(client, ws.Header{Fin: true, OpCode: ws.OpPing}, nil), client, frame(client, ws.Header{Fin: true}, payload[5:]), client, again)
	d.expect(t, begin+longShown+longShown, 0)

	// Not within a message.
	d = shaken(deflate).and(client, frame(client, ws.Header{OpCode: ws.OpBinary, Rsv: rsvCompressed}, payload[:5]),
		client, frame(client, ws.Header{Fin: true, Rsv: rsvCompressed}, payload[5:]))
	if got := shown(t, d, exitFaults); !strings.Contains(got, "non-zero rsv bits") {
		t.Error(got)
	}
	// Nor anything that is not compressed at all.
	d = shaken(deflate).and(client, frame(client, ws.Header{Fin: true, OpCode: ws.OpBinary, Rsv: rsvCompressed}, []byte("mysterious")), client, again)
	if got := shown(t, d, exitFaults); !strings.Contains(got, "WebSocket: what was compressed cannot be read: flate: corrupt") {
		t.Error(got)
	}
	// A text message belongs to what the next one refers to.
	text := strings.Replace(first, "c2", "c1", 1)
	d = shaken(deflate).and(client, text, client, again)
	if got := shown(t, d, exitFaults); !strings.Contains(got, "MQTT-6.0.0-1\n* no CONNECT") || !strings.HasSuffix(got, strings.TrimSpace(longShown)) {
		t.Error(got)
	}
}

// What refers to a message that is missing cannot be read, and that is told.
func TestCompressedGap(t *testing.T) {
	for _, c := range []struct {
		fresh bool
		sent  int // bytes of the message from which some are missing
	}{{false, 0}, {true, 0}, {false, 10}, {true, 10}} {
		fresh := c.fresh
		var p packer
		more := deflate
		if fresh {
			more = strings.Replace(deflate, "\r\n", "; client_no_context_takeover\r\n", 1)
		}
		next := func() string {
			if fresh {
				p = packer{}
			}
			return p.pack(t, client, long)
		}
		tp := newTape(t)
		k := shaken(more).and(client, message(t, client, connect311)).on(tp.talk("10.0.0.1", "10.0.0.2", 40000).open(), false)
		k.send(client, next())
		torn := next()
		k.send(client, torn[:2*c.sent]).miss(client, torn[2*c.sent:])
		k.send(server, message(t, server, connack311)) // acknowledges it
		tp.now = tp.now.Add(5 * time.Second)
		k.send(client, message(t, client, long)).send(client, next()).send(client, next()).send(client, message(t, client, "c000")).close()
		got, _, code := call(t, tp.pcap(), "-")
		want := 2
		if fresh {
			want = 4
		}
		if strings.Count(got, "PUBLISH") != want || strings.Contains(got, "nor what refers to") == (fresh && c.sent == 0) || code != 0 || !strings.Contains(got, "PINGREQ") {
			t.Errorf("%v: exit code %d, %s", c, code, got)
		}
	}
}
