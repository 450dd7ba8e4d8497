package main

import (
	"bytes"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// addresses are those of both versions of IP.
var addresses = [][2]string{{"10.0.0.1", "10.0.0.2"}, {"fd00::1", "fd00::2"}}

// apart takes the last frame off the tape, and returns its fragments of so many
// bytes. ahead is what stands before the segment in an IPv6 packet.
func (tp *tape) apart(id uint16, size int, ahead ...byte) (fragments [][]byte) {
	tp.t.Helper()
	whole := tp.frames[len(tp.frames)-1].data
	tp.frames = tp.frames[:len(tp.frames)-1]
	p := gopacket.NewPacket(whole, tp.link, gopacket.Default)
	payload := append(ahead, p.NetworkLayer().LayerPayload()...)
	for at := 0; at < len(payload); at += size {
		piece := payload[at:min(at+size, len(payload))]
		fragments = append(fragments, tp.fragment(p, id, at, at+size < len(payload), len(ahead) > 0, piece))
	}
	return fragments
}

// fragment returns a frame like p with a fragment in it.
func (tp *tape) fragment(p gopacket.Packet, id uint16, at int, more, options bool, piece []byte) []byte {
	tp.t.Helper()
	all := []gopacket.SerializableLayer{p.LinkLayer().(gopacket.SerializableLayer)}
	switch ip := p.NetworkLayer().(type) {
	case *layers.IPv4:
		part := *ip
		part.Id, part.FragOffset, part.Flags = id, uint16(at/8), 0
		if more {
			part.Flags = layers.IPv4MoreFragments
		}
		all = append(all, &part)
	case *layers.IPv6:
		part := *ip
		part.NextHeader = layers.IPProtocolIPv6Fragment
		next := layers.IPProtocolTCP
		if options {
			next = layers.IPProtocolIPv6Destination
		}
		all = append(all, &part, &layers.IPv6Fragment{NextHeader: next, FragmentOffset: uint16(at / 8), MoreFragments: more, Identification: uint32(id)})
	}
	b := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, append(all, gopacket.Payload(piece))...); err != nil {
		tp.t.Fatal(err)
	}
	return bytes.Clone(b.Bytes())
}

// padding is how many bytes Ethernet adds to a frame with 8 bytes of IP.
func padding(ip string) int {
	if strings.Contains(ip, ":") {
		return 0
	}
	return 60 - 14 - 20 - 8
}

// put puts frames on the tape.
func (tp *tape) put(frames ...[]byte) {
	for _, data := range frames {
		tp.now = tp.now.Add(time.Millisecond)
		tp.frames = append(tp.frames, taped{tp.now, data})
	}
}

// playFragmented plays a talk in which put gets the fragments of SUBSCRIBE.
func playFragmented(t *testing.T, ip [2]string, put func(tp *tape, fragments [][]byte)) *tape {
	t.Helper()
	tp := newTape(t)
	k := tp.talk(ip[0], ip[1], 40000).open()
	k.send(client, connect311).send(server, connack311).send(client, subscribe)
	put(tp, tp.apart(7, 8))
	k.send(server, suback).send(client, publish1)
	tp.put(tp.apart(8, 16)...)
	k.send(server, puback7).send(client, disconnect).close()
	return tp
}

const fragmentsMissing = `
> CONNECT v3.1.1 CleanStart KeepAlive=60 ClientID=c
< CONNACK 0x00 Success
< SUBACK #1 0x01 Granted QoS 1
< PUBACK #7
* 8 bytes of the client are missing
> PUBLISH q1 #7 a 2 bytes
> DISCONNECT
* IP packets whose fragments could not be put together: of `

// Fragments in any order, and again, are the packet.
func TestFragments(t *testing.T) {
	for _, ip := range addresses {
		for name, put := range map[string]func(tp *tape, f [][]byte){
			"in order":  func(tp *tape, f [][]byte) { tp.put(f...) },
			"backwards": func(tp *tape, f [][]byte) { slices.Reverse(f); tp.put(f...) },
			"last first": func(tp *tape, f [][]byte) {
				tp.put(f[len(f)-1])
				tp.put(f[:len(f)-1]...)
			},
			"each twice": func(tp *tape, f [][]byte) {
				for _, frame := range f {
					tp.put(frame, frame)
				}
			},
			"all twice": func(tp *tape, f [][]byte) { tp.put(f...); tp.put(f...) },
			"slowly": func(tp *tape, f [][]byte) {
				tp.put(f[0])
				tp.now = tp.now.Add(fragmentLife - time.Second)
				tp.put(f[1:]...)
			},
			"another packet between": func(tp *tape, f [][]byte) {
				tp.put(f[0])
				other := tp.talk(ip[0], ip[1], 40001)
				other.port[server] = 1884
				other.send(client, "616263")
				tp.put(tp.apart(9, 8)[1:]...)
				tp.frames = append(tp.frames[:len(tp.frames)-2:len(tp.frames)-2], tp.frames[len(tp.frames)-1])
				tp.put(f[1:]...)
			},
		} {
			want := wholeTalk
			if name == "another packet between" {
				want += "* IP packets whose fragments could not be put together: of 1 not all are there"
			}
			t.Run(name+" "+ip[0], func(t *testing.T) { playFragmented(t, ip, put).expect(want, 0) })
		}
	}
}

// What is not all there, or contradicts itself, is left out and told.
func TestFragmentsLeftOut(t *testing.T) {
	const lost, overlap = "1 not all are there", "1 they overlap or contradict each other"
	for _, ip := range addresses {
		for _, c := range []struct {
			name, want string
			put        func(tp *tape, f [][]byte, other func(at int, more bool, digits string) []byte)
		}{
			{"the first is lost", lost, func(tp *tape, f [][]byte, _ func(int, bool, string) []byte) { tp.put(f[1:]...) }},
			{"one is lost", lost, func(tp *tape, f [][]byte, _ func(int, bool, string) []byte) { tp.put(f[0]); tp.put(f[2:]...) }},
			{"the last is lost", lost, func(tp *tape, f [][]byte, _ func(int, bool, string) []byte) { tp.put(f[:len(f)-1]...) }},
			{"one is cut", lost, func(tp *tape, f [][]byte, _ func(int, bool, string) []byte) {
				tp.put(f[0], f[1][:len(f[1])-1-padding(ip[0])])
				tp.put(f[2:]...)
			}},
			{"too late", "2 not all are there", func(tp *tape, f [][]byte, _ func(int, bool, string) []byte) {
				tp.put(f[0])
				tp.now = tp.now.Add(fragmentLife + time.Second)
				tp.put(f[1:2]...)
			}},
			{"other bytes", overlap, func(tp *tape, f [][]byte, other func(int, bool, string) []byte) {
				tp.put(f[0], other(0, true, "0011223344556677"))
				tp.put(f[1:]...)
			}},
			{"over a border", overlap, func(tp *tape, f [][]byte, other func(int, bool, string) []byte) {
				tp.put(f[0], f[1], other(0, true, "00112233445566778899aabbccddeeff"))
				tp.put(f[2:]...)
			}},
			{"no whole unit", overlap, func(tp *tape, f [][]byte, other func(int, bool, string) []byte) {
				tp.put(f[0], other(8, true, "00112233445566"))
				tp.put(f[2:]...)
			}},
			{"empty", overlap, func(tp *tape, f [][]byte, other func(int, bool, string) []byte) {
				tp.put(f[0], other(16, false, ""))
				tp.put(f[1:]...)
			}},
			{"behind the end", overlap, func(tp *tape, f [][]byte, other func(int, bool, string) []byte) {
				tp.put(f[3], other(32, true, "0011223344556677"))
				tp.put(f[:3]...)
			}},
			{"another end", overlap, func(tp *tape, f [][]byte, other func(int, bool, string) []byte) {
				tp.put(f[3], other(32, false, "0011223344556677"))
				tp.put(f[:3]...)
			}},
			{"an end before others", overlap, func(tp *tape, f [][]byte, other func(int, bool, string) []byte) {
				tp.put(f[2], other(8, false, "0011223344556677"))
				tp.put(f[0], f[1], f[3])
			}},
			{"too large", overlap, func(tp *tape, f [][]byte, other func(int, bool, string) []byte) {
				tp.put(f[0], other(65528, true, "0011223344556677"))
				tp.put(f[1:3]...)
			}},
		} {
			t.Run(c.name+" "+ip[0], func(t *testing.T) {
				tp := playFragmented(t, ip, func(tp *tape, f [][]byte) {
					like := gopacket.NewPacket(f[0], tp.link, gopacket.Default)
					c.put(tp, f, func(at int, more bool, digits string) []byte {
						return tp.fragment(like, 7, at, more, false, unhex(t, digits))
					})
				})
				tp.expect(fragmentsMissing+c.want, 0)
			})
		}
	}
}

// In JSON it is told too. What is not of a broker's port, or not TCP, is not.
func TestFragmentsTold(t *testing.T) {
	tp := playFragmented(t, addresses[0], func(tp *tape, f [][]byte) { tp.put(f[:3]...) })
	if got, _, _ := call(t, tp.pcap(), "--json", "-"); !strings.HasSuffix(got, "{\"note\":\"IP packets whose fragments could not be put together: of 1 not all are there\"}\n") {
		t.Error(got)
	}
	tp = playFragmented(t, addresses[0], func(tp *tape, f [][]byte) {
		tp.put(f...)
		other := tp.talk("10.0.0.1", "10.0.0.3", 53)
		other.port[server] = 54
		other.send(client, "616263")
		p := gopacket.NewPacket(tp.frames[len(tp.frames)-1].data, tp.link, gopacket.Default)
		tp.put(tp.apart(10, 8)[0])
		p.NetworkLayer().(*layers.IPv4).Protocol = layers.IPProtocolUDP
		tp.put(tp.fragment(p, 11, 8, true, false, make([]byte, 8)))
	})
	tp.expect(wholeTalk, 0)
}

// Before the segment there may be options, in the fragments too.
func TestFragmentsOptions(t *testing.T) {
	tp := newTape(t)
	k := tp.talk("fd00::1", "fd00::2", 40000).open()
	k.send(client, connect311)
	tp.put(tp.apart(7, 16, byte(layers.IPProtocolTCP), 0, 1, 4, 0, 0, 0, 0)...)
	k.send(client, disconnect).close()
	tp.expect("> CONNECT v3.1.1 CleanStart KeepAlive=60 ClientID=c\n> DISCONNECT", 0)
}

// An identifier may be used again soon, and what is open is bounded.
func TestFragmentsBounds(t *testing.T) {
	d := newDefragmenter(func(uint16) bool { return true })
	now := time.Unix(0, 0)
	network := layers.NewIPEndpoint(net.IPv4(10, 0, 0, 1))
	flow, _ := gopacket.FlowFromEndpoints(network, network)
	f := func(id, start, size int, more bool) fragment {
		return fragment{of: packetID{flow, layers.IPProtocolTCP, uint32(id)}, next: layers.IPProtocolTCP, start: start, data: make([]byte, size), more: more}
	}
	for round := range 3 {
		now = now.Add(patience + time.Millisecond)
		d.add(f(1, 0, 8, true), now)
		if whole, _ := d.add(f(1, 8, 4, false), now); len(whole) != 12 {
			t.Fatalf("round %d: %d bytes", round, len(whole))
		}
	}
	for id := range 2 * maxFragmented {
		d.add(f(id+2, 0, 8, true), now)
	}
	if len(d.open) != maxFragmented || d.oldest.Len() != maxFragmented || d.incomplete != maxFragmented {
		t.Errorf("%d and %d are open, %d were given up", len(d.open), d.oldest.Len(), d.incomplete)
	}
	for id := range maxFragmented / 2 {
		d.add(f(id, 0, 60000, true), now)
	}
	if d.held > maxFragmentBytes || d.held < maxFragmentBytes-70000 {
		t.Errorf("%d bytes are held", d.held)
	}
	if d.verdict(); d.held != 0 || len(d.open) != 0 || d.oldest.Len() != 0 {
		t.Errorf("%d bytes of %d packets are left", d.held, len(d.open))
	}
}
