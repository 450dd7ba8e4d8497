package main

import (
	"bytes"
	"net"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// tape is a capture in the making.
type tape struct {
	t      *testing.T
	now    time.Time
	link   layers.LinkType
	frames []taped
}

type taped struct {
	at   time.Time
	data []byte
}

func newTape(t *testing.T) *tape {
	return &tape{t: t, now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC), link: layers.LinkTypeEthernet}
}

// talk is a TCP connection on it.
type talk struct {
	*tape
	ip   [2]net.IP
	port [2]layers.TCPPort
	seq  [2]uint32
}

func (tp *tape) talk(client, server string, port uint16) *talk {
	return &talk{tape: tp, ip: [2]net.IP{net.ParseIP(client), net.ParseIP(server)}, port: [2]layers.TCPPort{layers.TCPPort(port), 1883}, seq: [2]uint32{1000, 1<<32 - 20}}
}

// segment is a frame of TCP at a place of its own.
func (k *talk) segment(from side, seq uint32, tcp layers.TCP, payload []byte) {
	k.t.Helper()
	k.now = k.now.Add(time.Millisecond)
	to := from.other()
	tcp.SrcPort, tcp.DstPort, tcp.Seq, tcp.Window = k.port[from], k.port[to], seq, 65535
	if !tcp.SYN || from == server {
		tcp.ACK, tcp.Ack = true, k.seq[to]
	}
	var network gopacket.SerializableLayer
	var netLayer gopacket.NetworkLayer
	kind := layers.EthernetTypeIPv4
	if k.ip[0].To4() != nil {
		ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: k.ip[from], DstIP: k.ip[to]}
		network, netLayer = ip, ip
	} else {
		ip := &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: layers.IPProtocolTCP, SrcIP: k.ip[from], DstIP: k.ip[to]}
		network, netLayer, kind = ip, ip, layers.EthernetTypeIPv6
	}
	if err := tcp.SetNetworkLayerForChecksum(netLayer); err != nil {
		k.t.Fatal(err)
	}
	all := []gopacket.SerializableLayer{network, &tcp, gopacket.Payload(payload)}
	b := gopacket.NewSerializeBuffer()
	switch k.link {
	case layers.LinkTypeEthernet:
		mac := net.HardwareAddr{2, 0, 0, 0, 0, 1}
		all = append([]gopacket.SerializableLayer{&layers.Ethernet{SrcMAC: mac, DstMAC: mac, EthernetType: kind}}, all...)
	case layers.LinkTypeNull:
		all = append([]gopacket.SerializableLayer{&layers.Loopback{Family: layers.ProtocolFamilyIPv4}}, all...)
	}
	if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, all...); err != nil {
		k.t.Fatal(err)
	}
	data := bytes.Clone(b.Bytes())
	switch k.link {
	case layers.LinkTypeLinuxSLL:
		data = append([]byte{0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, byte(kind >> 8), byte(kind)}, data...)
	case layers.LinkTypeLinuxSLL2:
		data = append([]byte{byte(kind >> 8), byte(kind), 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0}, data...)
	}
	k.frames = append(k.frames, taped{k.now, data})
}

// open is the handshake of TCP.
func (k *talk) open() *talk {
	k.segment(client, k.seq[client], layers.TCP{SYN: true}, nil)
	k.seq[client]++
	k.segment(server, k.seq[server], layers.TCP{SYN: true}, nil)
	k.seq[server]++
	k.segment(client, k.seq[client], layers.TCP{}, nil)
	return k
}

// send sends bytes that are given in hexadecimal digits.
func (k *talk) send(from side, digits string) *talk {
	k.segment(from, k.seq[from], layers.TCP{PSH: true}, unhex(k.t, digits))
	return k.miss(from, digits)
}

// miss sends bytes that the capture does not have.
func (k *talk) miss(from side, digits string) *talk {
	k.seq[from] += uint32(len(unhex(k.t, digits)))
	return k
}

// late sends bytes that come behind those that are sent next.
func (k *talk) late(from side, digits string) (arrive func()) {
	seq := k.seq[from]
	k.miss(from, digits)
	return func() { k.segment(from, seq, layers.TCP{PSH: true}, unhex(k.t, digits)) }
}

func (k *talk) close() {
	for _, from := range []side{client, server} {
		k.segment(from, k.seq[from], layers.TCP{FIN: true}, nil)
		k.seq[from]++
	}
	k.segment(client, k.seq[client], layers.TCP{}, nil)
}

// pcap returns the capture.
func (tp *tape) pcap() []byte {
	var out bytes.Buffer
	w := pcapgo.NewWriterNanos(&out)
	if err := w.WriteFileHeader(1<<16, tp.link); err != nil {
		tp.t.Fatal(err)
	}
	for _, f := range tp.frames {
		if err := w.WritePacket(f.info(), f.data); err != nil {
			tp.t.Fatal(err)
		}
	}
	return out.Bytes()
}

// pcapng returns it in the newer format.
func (tp *tape) pcapng() []byte {
	var out bytes.Buffer
	w, err := pcapgo.NewNgWriter(&out, tp.link)
	if err != nil {
		tp.t.Fatal(err)
	}
	for _, f := range tp.frames {
		if err := w.WritePacket(f.info(), f.data); err != nil {
			tp.t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		tp.t.Fatal(err)
	}
	return out.Bytes()
}

func (f taped) info() gopacket.CaptureInfo {
	return gopacket.CaptureInfo{Timestamp: f.at, CaptureLength: len(f.data), Length: len(f.data)}
}
