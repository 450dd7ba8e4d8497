package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket/layers"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
)

func unhex(t *testing.T, digits string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const (
	connect311 = "10 0d 0004 4d515454 04 02 003c 0001 63"
	connect5   = "10 0e 0004 4d515454 05 02 003c 00 0001 63"
	connack311 = "20 02 00 00"
	connack5   = "20 03 00 00 00"
	subscribe  = "82 06 0001 0001 61 01"
	suback     = "90 03 0001 01"
	publish1   = "32 07 0001 61 0007 6869"
	publish2   = "34 07 0001 61 0008 6869"
	puback7    = "40 02 0007"
	disconnect = "e0 00"
)

// packets returns the lines of a text without the time and the address.
func packets(got string) string {
	var lines []string
	for line := range strings.Lines(got) {
		fields := strings.Fields(line)
		if strings.HasPrefix(line, "12:00:") {
			fields = append(fields[1:2], fields[3:]...)
		}
		lines = append(lines, strings.Join(fields, " "))
	}
	return strings.Join(lines, "\n")
}

// captured shows a capture and compares the lines, without the time and the address.
func (tp *tape) expect(want string, code int, args ...string) {
	tp.t.Helper()
	got, stderr, exit := call(tp.t, tp.pcap(), append(args, "-")...)
	if want = strings.TrimSpace(want); packets(got) != want || exit != code || stderr != "" {
		tp.t.Errorf("exit code %d, want %d, %s\ngot\n%s\nwant\n%s", exit, code, stderr, packets(got), want)
	}
}

// Both formats, all link layers, both versions of IP.
func TestCapture(t *testing.T) {
	for _, link := range []layers.LinkType{layers.LinkTypeEthernet, layers.LinkTypeNull, layers.LinkTypeRaw, layers.LinkTypeLinuxSLL, layers.LinkTypeLinuxSLL2} {
		for _, ip := range [][2]string{{"10.0.0.1", "10.0.0.2"}, {"fd00::1", "fd00::2"}} {
			if link == layers.LinkTypeNull && ip[0] != "10.0.0.1" {
				continue // whose number differs between systems
			}
			tp := newTape(t)
			tp.link = link
			k := tp.talk(ip[0], ip[1], 40000).open()
			k.send(client, connect5).send(server, connack5).send(client, "30 04 0001 61 00"+disconnect).close()
			address := "10.0.0.1:40000"
			if ip[0] != "10.0.0.1" {
				address = "[fd00::1]:40000"
			}
			want := fmt.Sprintf(`12:00:00.004 > %[1]s CONNECT v5.0 CleanStart KeepAlive=60 ClientID=c
12:00:00.005 < %[1]s CONNACK 0x00 Success
12:00:00.006 > %[1]s PUBLISH q0 a 0 bytes
12:00:00.006 > %[1]s DISCONNECT 0x00 Normal disconnection
`, address)
			for name, b := range map[string][]byte{"pcap": tp.pcap(), "pcapng": tp.pcapng()} {
				t.Run(fmt.Sprint(link, ip[0], name), func(t *testing.T) {
					expect(t, strings.Replace(want, "DISCONNECT 0x00 Normal disconnection", "DISCONNECT", 1), 0, b, "-")
				})
			}
		}
	}
}

const wholeTalk = `
> CONNECT v3.1.1 CleanStart KeepAlive=60 ClientID=c
< CONNACK 0x00 Success
> SUBSCRIBE #1 a q1
< SUBACK #1 0x01 Granted QoS 1
> PUBLISH q1 #7 a 2 bytes
< PUBACK #7
> DISCONNECT
`

// Retransmission, reordering and any cutting of segments make no difference.
func TestReassembly(t *testing.T) {
	tp := newTape(t)
	k := tp.talk("10.0.0.1", "10.0.0.2", 40000).open()
	k.send(client, connect311)
	k.segment(client, k.seq[client]-15, layers.TCP{}, unhex(t, connect311)) // again
	k.send(server, connack311)
	late := k.late(client, "82 06 00")
	k.send(client, "01 0001 61")
	later := k.late(client, "01")
	k.send(client, publish1[:8])
	later()
	late()
	k.segment(client, k.seq[client]-4, layers.TCP{}, unhex(t, "0161"+"01"+publish1[:2])) // overlaps
	k.send(server, suback)
	for _, digits := range strings.Fields(publish1[8:]) {
		k.send(client, digits)
	}
	k.send(server, puback7).send(client, disconnect).close()
	tp.expect(wholeTalk, 0)
}

// A gap is told; what follows is found again, and nothing is claimed of what may
// have been in it.
func TestGap(t *testing.T) {
	tp := newTape(t)
	k := tp.talk("10.0.0.1", "10.0.0.2", 40000).open()
	k.send(client, connect311).send(server, connack311)
	k.miss(client, publish1).send(server, puback7) // to a message that is not there
	tp.now = tp.now.Add(time.Second)
	k.send(client, "c000").send(server, "d000")
	tp.now = tp.now.Add(5 * time.Second)
	k.send(server, "90 03 0009 00").send(server, "d000").send(client, disconnect).close()
	tp.expect(`
> CONNECT v3.1.1 CleanStart KeepAlive=60 ClientID=c
< CONNACK 0x00 Success
< PUBACK #7
< PINGRESP
< SUBACK #9 0x00 Granted QoS 0
* 9 bytes of the client are missing
> PINGREQ
< PINGRESP
> DISCONNECT
`, 0)
}

// Of a capture that lacks the answers nothing is claimed that depends on them.
func TestOneSide(t *testing.T) {
	twice := strings.TrimSpace(`
> CONNECT v3.1.1 CleanStart KeepAlive=60 ClientID=c
> PUBLISH q1 #7 a 2 bytes
> PUBLISH q1 #7 a 2 bytes
`)
	tp := newTape(t)
	tp.talk("10.0.0.1", "10.0.0.2", 40000).open().send(client, connect311).send(client, publish1).send(client, publish1).close()
	all := tp.frames
	tp.frames = nil
	for i, f := range all {
		if i != 1 && i != 7 { // those of the server
			tp.frames = append(tp.frames, f)
		}
	}
	tp.expect(twice, 0)

	tp = newTape(t)
	k := tp.talk("10.0.0.1", "10.0.0.2", 40000).open()
	k.send(client, connect311).send(client, publish1).miss(client, "c000").send(client, publish1)
	tp.expect(strings.Replace(twice, "2 bytes\n>", "2 bytes\n* 2 bytes of the client are missing\n>", 1), 0)
	tp.expect("", 0, "-i", "d")
}

// Of a connection that was there before the capture the version is guessed, and a
// packet that is cut by its beginning is not shown.
func TestJoined(t *testing.T) {
	tp := newTape(t)
	k := tp.talk("10.0.0.1", "10.0.0.2", 40000)
	k.send(client, "61 62 63 64").send(client, publish1).send(server, puback7).send(server, "40 02 0055")
	tp.expect(`
* 4 bytes of the client could not be read before this
* no CONNECT tells the version; it is guessed to be v3.1.1, which the packets fit better
`, 0, "-T", "CONNECT")
	got, _, code := call(t, tp.pcap(), "-")
	if code != 0 || !strings.Contains(got, "PUBLISH q1 #7 a 2 bytes") || strings.Count(got, "PUBACK") != 2 {
		t.Errorf("exit code %d, %s", code, got)
	}
}

// What is something else, or on another port.
func TestForeign(t *testing.T) {
	tp := newTape(t)
	k := tp.talk("10.0.0.1", "10.0.0.2", 40000).open()
	k.send(client, "16 03 01 00 05 01 02 03 04 05").send(server, "16 03 03 00 05").close()
	h := tp.talk("10.0.0.1", "10.0.0.2", 40001).open()
	h.send(client, hex.EncodeToString([]byte("GET /mqtt HTTP/1.1\r\n\r\n"))).close()
	other := tp.talk("10.0.0.1", "10.0.0.2", 40002)
	other.port[server] = 1884
	other.open().send(client, connect311).close()
	joined := tp.talk("10.0.0.1", "10.0.0.2", 40003)
	joined.send(client, "00 01 02 03").send(client, "ff ff ff ff ff ff").close()
	tp.expect(`
* not MQTT but TLS
* not MQTT but HTTP
* not MQTT, or joined within a packet: none can be found in 10 bytes of the client
`, 0)
	tp.expect("> CONNECT v3.1.1 CleanStart KeepAlive=60 ClientID=c", 0, "-p", "1884")
	if got, stderr, code := call(t, tp.pcap(), "-", "-p", "1885,1886"); got != "" || code != 0 || !strings.Contains(stderr, "nothing of TCP port 1885 or 1886") {
		t.Errorf("exit code %d, %s, %s", code, got, stderr)
	}
}

// A payload above what is kept is measured and not kept.
func TestLarge(t *testing.T) {
	tp := newTape(t)
	k := tp.talk("10.0.0.1", "10.0.0.2", 40000).open()
	packet := append(unhex(t, "30 83 80 a0 01 0001 61"), bytes.Repeat([]byte{'x'}, 5<<19)...)
	k.send(client, connect311)
	for len(packet) > 0 {
		n := min(len(packet), 60000)
		k.segment(client, k.seq[client], layers.TCP{}, packet[:n])
		k.seq[client] += uint32(n)
		packet = packet[n:]
	}
	k.send(client, disconnect).close()
	tp.expect(`
> CONNECT v3.1.1 CleanStart KeepAlive=60 ClientID=c
> PUBLISH q0 a 2621440 bytes
> DISCONNECT
`, 0)
}

func TestBadCaptures(t *testing.T) {
	tp := newTape(t)
	tp.talk("10.0.0.1", "10.0.0.2", 40000).open().send(client, connect311)
	whole := tp.pcap()
	for _, c := range []struct {
		b    []byte
		want string
		code int
	}{
		{whole[:10], "this is no capture", cli.ExitFile},
		{whole[:24], "the capture is empty", cli.ExitFile},
		{whole[:len(whole)-3], "the capture ends within a frame", 0},
	} {
		got, stderr, code := call(t, c.b, "-")
		if code != c.code || !strings.Contains(got+stderr, c.want) {
			t.Errorf("exit code %d, %s%s, want %s", code, got, stderr, c.want)
		}
	}
}

// A capture may claim any time, also one that JSON has no form for.
func TestTimeBeyondJSON(t *testing.T) {
	var out bytes.Buffer
	i := newInspector(&options{json: true}, &out)
	for _, year := range []int{10000, -1} {
		i.say(newConnection(i), time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC), "x")
	}
	if err := i.flush(); err != nil || out.String() != strings.Repeat("{\"note\":\"x\"}\n", 2) {
		t.Errorf("shown %s, error %v", out.String(), err)
	}
}
