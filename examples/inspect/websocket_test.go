package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

const (
	request = "GET /mqtt?token=mysterious HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	answer  = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
	forMQTT = "Sec-WebSocket-Protocol: mqtt\r\n\r\n"
	deflate = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
)

// spoken is what a side sends at a time, in hexadecimal digits.
type spoken struct {
	from   side
	digits string
}

// dialogue is what two sides say in turn.
type dialogue []spoken

// shaken begins a dialogue with the handshake, the answer of which has more headers.
func shaken(more string) dialogue {
	return dialogue{{client, ascii(request + forMQTT)}, {server, ascii(answer + more + forMQTT)}}
}

// and goes on with what sides say, which are pairs of a side and digits.
func (d dialogue) and(more ...any) dialogue {
	d = slices.Clip(d)
	for pair := range slices.Chunk(more, 2) {
		d = append(d, spoken{pair[0].(side), pair[1].(string)})
	}
	return d
}

// on puts a dialogue on a connection, in a segment each or in one for each byte.
func (d dialogue) on(k *talk, byBytes bool) *talk {
	for _, s := range d {
		pieces := []string{s.digits}
		if b := unhex(k.t, s.digits); byBytes {
			pieces = nil
			for i := range b {
				pieces = append(pieces, hex.EncodeToString(b[i:i+1]))
			}
		}
		for _, piece := range pieces {
			k.send(s.from, piece)
		}
	}
	return k
}

// expect shows a dialogue as a capture.
func (d dialogue) expect(t *testing.T, want string, code int, args ...string) {
	t.Helper()
	tp := newTape(t)
	d.on(tp.talk("10.0.0.1", "10.0.0.2", 40000).open(), false).close()
	tp.expect(want, code, args...)
}

func ascii(s string) string { return hex.EncodeToString([]byte(s)) }

// frame returns a frame as a side sends it, in hexadecimal digits.
func frame(from side, h ws.Header, payload []byte) string {
	h.Length = int64(len(payload))
	payload = bytes.Clone(payload)
	if from == client {
		h.Masked, h.Mask = true, [4]byte{0x12, 0xfe, 0x00, 0x7a}
		ws.Cipher(payload, h.Mask, 0)
	}
	var b bytes.Buffer
	_ = ws.WriteHeader(&b, h) // which has room
	return hex.EncodeToString(append(b.Bytes(), payload...))
}

// message returns a frame with digits as its payload.
func message(t *testing.T, from side, digits string) string {
	t.Helper()
	return frame(from, ws.Header{Fin: true, OpCode: ws.OpBinary}, unhex(t, digits))
}

// conversation has all that is legal: packets over borders of frames and several
// in one, messages of several frames, frames of no bytes, and control frames between.
func conversation(t *testing.T) dialogue {
	pub := unhex(t, publish1+subscribe)
	return shaken("").and(
		client, message(t, client, connect311),
		server, message(t, server, connack311),
		client, frame(client, ws.Header{OpCode: ws.OpBinary}, pub[:4]),
		client, frame(client, ws.Header{Fin: true, OpCode: ws.OpPing}, []byte("are you there?")),
		client, frame(client, ws.Header{}, nil)+frame(client, ws.Header{Fin: true}, pub[4:11]),
		server, frame(server, ws.Header{Fin: true, OpCode: ws.OpPong}, []byte("are you there?")),
		client, message(t, client, "")+message(t, client, hex.EncodeToString(pub[11:])),
		server, message(t, server, puback7+suback),
		client, message(t, client, disconnect)+frame(client, ws.Header{Fin: true, OpCode: ws.OpClose}, ws.NewCloseFrameBody(1000, "bye")),
		server, frame(server, ws.Header{Fin: true, OpCode: ws.OpClose}, nil),
	)
}

const conversed = `
* WebSocket at /mqtt for the sub-protocol mqtt
> CONNECT v3.1.1 CleanStart KeepAlive=60 ClientID=c
< CONNACK 0x00 Success
> PUBLISH q1 #7 a 2 bytes
> SUBSCRIBE #1 a q1
< PUBACK #7
< SUBACK #1 0x01 Granted QoS 1
> DISCONNECT
* the client closes the WebSocket: 1000 "bye"
* the server closes the WebSocket
`

func TestWebSocket(t *testing.T) {
	for _, ip := range [][2]string{{"10.0.0.1", "10.0.0.2"}, {"fd00::1", "fd00::2"}} {
		for _, byBytes := range []bool{false, true} {
			tp := newTape(t)
			conversation(t).on(tp.talk(ip[0], ip[1], 40000).open(), byBytes).close()
			tp.expect(conversed, 0)
		}
	}
}

// However the bytes are cut in two, they are the same packets.
func TestWebSocketCuts(t *testing.T) {
	whole := conversation(t)
	for i, s := range whole {
		for at := 2; at < len(s.digits); at += 2 {
			cut := slices.Concat(whole[:i], dialogue{{s.from, s.digits[:at]}, {s.from, s.digits[at:]}}, whole[i+1:])
			cut.expect(t, conversed, 0)
			if t.Failed() {
				t.Fatalf("cut at byte %d of %d", at/2, i)
			}
		}
	}
}

// What -v, -x and JSON tell is of the packets.
func TestWebSocketForms(t *testing.T) {
	d := shaken("").and(client, message(t, client, connect311), client, frame(client, ws.Header{Fin: true, OpCode: ws.OpText}, []byte("mysterious")))
	tp := newTape(t)
	d.on(tp.talk("10.0.0.1", "10.0.0.2", 40000).open(), false)
	got, _, code := call(t, tp.pcap(), "-x", "-")
	if want := "    000000  10 "; code != exitFaults || !strings.Contains(got, want) || strings.Contains(got, "mysterious") {
		t.Errorf("exit code %d, no %q in %s", code, want, got)
	}
	got, _, code = call(t, tp.pcap(), "--json", "-")
	var last around
	lines := strings.Split(strings.TrimSpace(got), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || code != exitFaults {
		t.Fatalf("%v, exit code %d", err, code)
	}
	if f := last.Faults[0]; len(lines) != 3 || last.Type != "WebSocket" || last.From != "client" || last.Client != "10.0.0.1:40000" ||
		last.ClientID != "c" || last.What != "text frame of 10 bytes" || f.Rule != "MQTT-6.0.0-1" || f.Says == "" || last.Time == nil {
		t.Errorf("shown %s", got)
	}
	for _, args := range []string{"-T SUBACK", "-t #", "-i d"} {
		if got, _, code := call(t, tp.pcap(), append(strings.Fields(args), "-")...); code != 0 || strings.Contains(got, "frame") {
			t.Errorf("%s: exit code %d, %s", args, code, got)
		}
	}
	got, _, _ = call(t, tp.pcap(), "--secrets", "-")
	if !strings.Contains(got, "/mqtt?token=mysterious") {
		t.Errorf("no query in %s", got)
	}
}

// A file has one direction; offsets are those of the packets.
func TestWebSocketFile(t *testing.T) {
	b := unhex(t, ascii(request+forMQTT)+message(t, client, connect311)+message(t, client, disconnect))
	expect(t, `
@0 CONNECT v3.1.1 CleanStart KeepAlive=60 ClientID=c
@15 DISCONNECT
`, 0, b, "-")
	expect(t, `
@0 > CONNECT v3.1.1 CleanStart KeepAlive=60 ClientID=c
@15 > DISCONNECT
* the client ends within a message of the WebSocket
`, 0, append(b, 0x82), "-", "--from", "client")
}

// What breaks section 6 of the standards, or makes frames unreadable. After a
// handshake without faults.
func TestWebSocketFaults(t *testing.T) {
	connected := shaken("").and(client, message(t, client, connect311))
	with := func(h ws.Header, from side) dialogue {
		return connected.and(from, frame(from, h, []byte("x")), from, message(t, from, "c000"))
	}
	fin := ws.Header{Fin: true}
	kind := func(h ws.Header, op ws.OpCode) ws.Header { h.OpCode = op; return h }
	unmasked := "8202c000"
	for _, c := range []struct {
		name string
		d    dialogue
		want string
	}{
		{"text", with(kind(fin, ws.OpText), client), `
> WebSocket text frame of 1 byte
! protocol error: MQTT travels in binary frames; this one is left out MQTT-6.0.0-1
> PINGREQ`},
		{"text within a packet", connected.and(client, message(t, client, "c0"), client, frame(client, kind(fin, ws.OpText), []byte("x")), client, message(t, client, "00")), `
> WebSocket text frame of 1 byte
! protocol error: MQTT travels in binary frames; this one is left out MQTT-6.0.0-1
> PINGREQ`},
		{"reserved data", with(kind(fin, 5), client), `
> WebSocket frame of type 5 of 1 byte
! protocol error: MQTT travels in binary frames; this one is left out MQTT-6.0.0-1
> PINGREQ`},
		{"reserved control", with(kind(fin, 12), server), `
< WebSocket frame
! protocol error: WebSocket: use of reserved op code
* 5 bytes more of the server cannot be read`},
		{"continuation of nothing", with(fin, server), `
< WebSocket frame
! protocol error: WebSocket: unexpected continuation data frame
* 5 bytes more of the server cannot be read`},
		{"no continuation", connected.and(server, frame(server, ws.Header{OpCode: ws.OpBinary}, nil), server, message(t, server, "d000")), `
< WebSocket frame
! protocol error: WebSocket: unexpected non-continuation data frame
* 2 bytes more of the server cannot be read`},
		{"compressed without an agreement", with(ws.Header{Fin: true, Rsv: rsvCompressed, OpCode: ws.OpBinary}, client), `
> WebSocket frame
! protocol error: WebSocket: non-zero rsv bits with no extension negotiated
* 9 bytes more of the client cannot be read`},
		{"no mask", connected.and(client, unmasked), `
> WebSocket frame
! protocol error: WebSocket: frames from client to server must be masked
* 2 bytes more of the client cannot be read`},
		{"mask of the server", connected.and(server, message(t, client, "d000")), `
< WebSocket frame
! protocol error: WebSocket: frames from server to client must be not masked
* 2 bytes more of the server cannot be read`},
		{"ping in parts", with(ws.Header{OpCode: ws.OpPing}, server), `
< WebSocket frame
! protocol error: WebSocket: control frame is not final
* 5 bytes more of the server cannot be read`},
		{"negative length", connected.and(server, "827f8000000000000000"), `
< WebSocket frame
! protocol error: WebSocket: header error: the most significant bit must be 0`},
		{"after the closing frame", connected.and(client, frame(client, kind(fin, ws.OpClose), nil), client, message(t, client, "c000")), `
* the client closes the WebSocket
* 8 bytes more of the client cannot be read`},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := "* WebSocket at /mqtt for the sub-protocol mqtt\n> CONNECT v3.1.1 CleanStart KeepAlive=60 ClientID=c" + c.want
			code := 0
			if strings.Contains(c.want, "!") {
				code = exitFaults
			}
			got := shown(t, c.d, code)
			if got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// shown returns what is printed of a dialogue, without what rules say and brackets.
func shown(t *testing.T, d dialogue, code int, args ...string) string {
	t.Helper()
	tp := newTape(t)
	d.on(tp.talk("10.0.0.1", "10.0.0.2", 40000).open(), false).close()
	got, stderr, exit := call(t, tp.pcap(), append(args, "-")...)
	if exit != code || stderr != "" {
		t.Errorf("exit code %d, want %d, %s", exit, code, stderr)
	}
	lines := strings.Split(packets(strings.NewReplacer("[", "", "]", "").Replace(got)), "\n")
	return strings.Join(slices.DeleteFunc(lines, func(line string) bool { return strings.Contains(line, " says: ") }), "\n")
}

func TestHandshake(t *testing.T) {
	const (
		host    = "GET / HTTP/1.1\r\nHost: h\r\n"
		to      = "Upgrade: websocket\r\n"
		no3     = "! protocol error: it offers %s and not mqtt MQTT-6.0.0-3"
		no4     = "! protocol error: it selects %s and not mqtt MQTT-6.0.0-4"
		asks    = "> WebSocket request for /\n"
		answers = "< WebSocket answer\n"
		connect = "> CONNECT v3.1.1 CleanStart KeepAlive=60 ClientID=c"
	)
	protocol := func(s string) string { return "Sec-WebSocket-Protocol: " + s + "\r\n" }
	for _, c := range []struct {
		name, request, answer, want string
	}{
		{"several offered", host + to + protocol("mqttv3.1, mqtt") + protocol("x"), answer + protocol("mqtt"),
			"* WebSocket at / for the sub-protocol mqtt\n" + connect},
		{"the old one", host + to + protocol("mqttv3.1"), answer + protocol("mqttv3.1"),
			asks + fmt.Sprintf(no3, "the sub-protocol mqttv3.1") + "\n" + answers + fmt.Sprintf(no4, "the sub-protocol mqttv3.1") + "\n* WebSocket at / for the sub-protocol mqttv3.1\n" + connect},
		{"none", host + to, answer, asks + fmt.Sprintf(no3, "no sub-protocol") + "\n" + answers + fmt.Sprintf(no4, "no sub-protocol") + "\n* WebSocket at / for no sub-protocol\n" + connect},
		{"another one", host + to + protocol("chat, mqtt"), answer + protocol("chat"),
			answers + fmt.Sprintf(no4, "the sub-protocol chat") + "\n* not MQTT but a WebSocket for the sub-protocol chat"},
		{"a secret", host + to + protocol("bearer."+strings.Repeat("mysterious", 3)), answer + protocol("mqtt"),
			asks + fmt.Sprintf(no3, "the sub-protocol REDACTED") + "\n* WebSocket at / for the sub-protocol mqtt\n" + connect},
		{"many", host + to + protocol("a,b,c,d,e,f\x1b,g"), answer + protocol("mqtt"),
			"* not MQTT but HTTP"},
		{"more", host + to + protocol("a,b,c,d,e,f,g"), answer + protocol("mqtt"),
			asks + fmt.Sprintf(no3, "the sub-protocol a, b, c, d, e, 2 more") + "\n* WebSocket at / for the sub-protocol mqtt\n" + connect},
		{"hints before", host + to + protocol("mqtt"), "HTTP/1.1 103 Early Hints\r\n\r\n" + answer + protocol("mqtt"), "* WebSocket at / for the sub-protocol mqtt\n" + connect},
		{"refused", host + to + protocol("mqtt"), "HTTP/1.1 404 Nothing\x1b here\r\n", "* not MQTT but HTTP, the answer is 404 Not Found"},
		{"no upgrade", host, answer, "* not MQTT but HTTP"},
		{"no HTTP", "GET mysterious\r\n", answer, "* not MQTT but HTTP"},
		{"no HTTP in the answer", host + to + protocol("mqtt"), "HTTP/one\r\n", "* not MQTT but HTTP"},
		{"no answer", host + to + protocol("mqtt"), "\x20\x02\x00\x00", "* not MQTT but a WebSocket that the server does not answer"},
		{"another extension", host + to + protocol("mqtt"), answer + protocol("mqtt") + "Sec-WebSocket-Extensions: x-zip; a=b\r\n",
			"* not MQTT but a WebSocket with the extension x-zip, which is not known"},
		{"a long head", host + to + "X: " + strings.Repeat("x", maxGreeting), answer, "* not MQTT but HTTP with a head above 16 KiB"},
		{"half a head", host[:len(host)-3], "", "* not MQTT but the beginning of HTTP"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := dialogue{{client, ascii(c.request + "\r\n")}, {server, ascii(c.answer + "\r\n")}}
			if c.answer == "" {
				d = dialogue{{client, ascii(c.request)}}
			}
			d = d.and(client, message(t, client, connect311))
			code := 0
			if strings.Contains(c.want, "!") {
				code = exitFaults
			}
			if got := shown(t, d, code); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// A gap within a frame leaves the frames behind it where they are.
func TestWebSocketGap(t *testing.T) {
	whole := frame(client, ws.Header{Fin: true, OpCode: ws.OpBinary}, unhex(t, long))
	run := func(from, to int, after ...string) string {
		tp := newTape(t)
		k := shaken("").and(client, message(t, client, connect311)).on(tp.talk("10.0.0.1", "10.0.0.2", 40000).open(), false)
		k.send(client, whole[:2*from]).miss(client, whole[2*from:2*to])
		k.send(server, message(t, server, connack311)) // acknowledges it
		tp.now = tp.now.Add(5 * time.Second)
		k.send(client, whole[2*to:]+strings.Join(after, "")).close()
		got, _, code := call(t, tp.pcap(), "-")
		if code != 0 {
			t.Errorf("exit code %d, %s", code, got)
		}
		return packets(got)
	}
	ping := message(t, client, "c000")
	if got := run(30, 60, ping); !strings.Contains(got, "30 bytes of the client are missing") || !strings.Contains(got, "> PINGREQ") || strings.Contains(got, "PUBLISH") {
		t.Error(got)
	}
	// Where frames begin is not known any more, until a segment begins with one.
	if got := run(3, 60, ping); !strings.Contains(got, "57 bytes of the client are missing") || strings.Contains(got, "PINGREQ") {
		t.Error(got)
	}
	if got := run(3, len(whole)/2, ping); !strings.Contains(got, "> PINGREQ") {
		t.Error(got)
	}
	// Nor are they if the gap goes beyond the frame; and nothing else is taken for one.
	whole += ping
	for _, n := range []int{1, 2} {
		if got := run(30, len(whole)/2, strings.Repeat(ping, n)); strings.Count(got, "> PINGREQ") != n {
			t.Error(got)
		}
	}
	if got := run(30, len(whole)/2, "c000"); strings.Contains(got, "PINGREQ") {
		t.Error(got)
	}
}

// Frames are found in a connection that was there before the capture, whatever
// carries them there; of a compressed one it is told that it may be that.
func TestWebSocketJoined(t *testing.T) {
	pub := unhex(t, publish1)
	dialogue := func(d ...any) *tape {
		tp := newTape(t)
		dialogue{}.and(d...).on(tp.talk("10.0.0.1", "10.0.0.2", 40000), false).close()
		return tp
	}
	dialogue(
		client, "616263",
		client, frame(client, ws.Header{OpCode: ws.OpBinary}, pub[:1])+frame(client, ws.Header{Fin: true}, pub[1:]),
		server, "6162",
		server, message(t, server, puback7)+"82", server, "02d000",
	).expect(`
* MQTT over WebSocket, joined after its beginning
* 3 bytes of the client could not be read before this
> PUBLISH q1 #7 a 2 bytes
* 2 bytes of the server could not be read before this
< PUBACK #7
< PINGRESP
`, 0, "-V", "311")
	var p packer
	for range 2 {
		p.pack(t, client, long)
	}
	dialogue(client, p.pack(t, client, long), client, p.pack(t, client, long), server, "616263").expect(`
* a compressed WebSocket by its looks, joined after its beginning: 22 bytes of the client cannot be read
* not MQTT, or joined within a packet: none can be found in 3 bytes of the server
`, 0)
	// Each side has frames of its own kind.
	dialogue(client, message(t, server, "c000"), server, message(t, client, "d000")).expect(`
* not MQTT, or joined within a packet: none can be found in 4 bytes of the client
* not MQTT, or joined within a packet: none can be found in 8 bytes of the server
`, 0)
	// Packets that are as they are stay so, also if a SUBSCRIBE looks like a head.
	dialogue(client, "82 81 01 0001 00 7c 61"+strings.Repeat("62", 123)+"00", client, "c000").expect(`
> SUBSCRIBE #1 `+"a"+strings.Repeat("b", 123)+` q0
> PINGREQ
`, 0, "-V", "311")
}

// Lengths that are claimed take no memory, nor does a head without an end. What
// becomes too much when it is unpacked is not.
func TestWebSocketBounds(t *testing.T) {
	var before, after runtime.MemStats
	run := func(d dialogue) string {
		t.Helper()
		var out bytes.Buffer
		i := newInspector(&options{}, &out)
		c := newConnection(i)
		runtime.GC()
		runtime.ReadMemStats(&before)
		for _, s := range d {
			for piece := range slices.Chunk(unhex(t, s.digits), readSize) {
				c.carriers[s.from].feed(piece, func(int) time.Time { return time.Time{} })
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 6<<20 {
			t.Errorf("%d bytes are kept", grown)
		}
		runtime.KeepAlive(c)
		runtime.KeepAlive(d)
		_ = i.flush()
		return out.String()
	}
	run(shaken("").and(client, "82ff7fffffffffffffff01020304", client, message(t, client, connect311)))
	run(shaken(deflate).and(client, "c2ff7fffffffffffffff01020304", client, strings.Repeat("11", 8<<20)))
	run(dialogue{{client, ascii("GET / HTTP/1.1\r\n")}, {client, strings.Repeat("61", 8<<20)}})
	bomb := packedZeros(t, unhex(t, "30 80 80 80 20 0001 61"), 64)
	if got := run(shaken(deflate).and(client, bomb)); len(bomb) > 1<<20 || !strings.Contains(got, "64 MiB when unpacked, cannot be read") {
		t.Errorf("of %d bytes that become 64 MiB is shown %s", len(bomb)/2, got)
	}
}
