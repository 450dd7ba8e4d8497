package main

import (
	"strings"
	"testing"
)

// What is illegal between packets, and what is not. Each line is a packet, > from
// the client; the rest of it are the texts that are complained about.
func TestTracker(t *testing.T) {
	const (
		up5   = "> " + connect5 + "\n< " + connack5 + "\n"
		up311 = "> " + connect311 + "\n< " + connack311 + "\n"
	)
	for _, c := range []struct{ name, packets, want string }{
		{"no CONNECT", "> c000\n> c000", "PINGREQ: the first packet of a client has to be CONNECT MQTT-3.1.0-1"},
		{"two CONNECT", up5 + "> " + connect5, "CONNECT: it is the second CONNECT of the connection MQTT-3.1.0-2"},
		{"no CONNACK", "> " + connect311 + "\n< d000\n< d000", "PINGRESP: the server has not sent CONNACK MQTT-3.2.0-1"},
		{"two CONNACK", up5 + "< " + connack5, "CONNACK: it is the second CONNACK of the connection MQTT-3.2.0-2"},
		{"after DISCONNECT", up311 + "> e000\n> c000", "PINGREQ: it is sent after DISCONNECT MQTT-3.14.4-2"},
		{"after DISCONNECT of the server", up5 + "< e000\n< d000", "PINGRESP: it is sent after DISCONNECT MQTT-3.14.4-1"},
		{"nobody's PUBACK", up311 + "< " + puback7, "PUBACK: PacketID: nobody has used this identifier MQTT-2.3.1-6"},
		{"nobody's PUBREL", up5 + "> 62020009", "PUBREL: PacketID: nobody has used this identifier MQTT-2.2.1-5"},
		{"nobody's PUBACK in a session from before", "> " + strings.Replace(connect311, "04 02", "04 00", 1) + "\n< 20020100\n< " + puback7, ""},
		{"PUBACK for QoS 2", up311 + "> " + publish2 + "\n< 40020008", "PUBACK: PacketID: PUBLISH with this identifier waits for PUBREC MQTT-2.3.1-6"},
		{"PUBCOMP before PUBREL", up311 + "> " + publish2 + "\n< 50020008\n< 70020008", "PUBCOMP: PacketID: PUBLISH with this identifier waits for PUBREL MQTT-2.3.1-6"},
		{"QoS 2", up311 + "> " + publish2 + "\n< 50020008\n> 62020008\n< 70020008\n> " + publish2, ""},
		{"QoS 2 of the server", up311 + "< " + publish2 + "\n> 50020008\n< 62020008\n> 70020008\n< " + publish2, ""},
		{"PUBREL again", up311 + "> " + publish2 + "\n< 50020008\n> 62020008\n> 62020008\n< 70020008\n< 70020008", ""},
		{"AUTH before CONNACK", "> " + connect5 + "\n< f0 06 18 04 150001 6d\n< e000", "DISCONNECT: the server has not sent CONNACK MQTT-3.2.0-1"},
		{"QoS 2 refused", up5 + "> 34080001610008006869\n< 5003000887\n> 34080001610008006869", ""},
		{"identifier in use", up311 + "> " + publish1 + "\n> 82060007000161 01", "SUBSCRIBE: PacketID: what was begun with this identifier is not complete MQTT-2.3.1-2"},
		{"identifier in use, server", up5 + "< 3206 0001610007 00\n< 3206 0001610007 00", "PUBLISH: PacketID: what was begun with this identifier is not complete MQTT-2.2.1-4"},
		{"again with DUP", up311 + "> " + publish1 + "\n> 3a" + publish1[2:] + "\n< " + puback7 + "\n< " + puback7, ""},
		{"late answer to what was sent again", up311 + "> " + publish1 + "\n> 3a" + publish1[2:] + "\n< " + puback7 + "\n> 34" + publish1[2:] + "\n< " + puback7, ""},
		{"both sides use it", up311 + "> " + publish1 + "\n< " + publish1 + "\n> " + puback7 + "\n< " + puback7, ""},
		{"nobody's SUBACK", up311 + "< 9003000101", "SUBACK: PacketID: nobody has used this identifier MQTT-2.3.1-7"},
		{"UNSUBACK for SUBSCRIBE", up311 + "> " + subscribe + "\n< b0020001", "UNSUBACK: PacketID: SUBSCRIBE with this identifier waits for SUBACK MQTT-2.3.1-7"},
		{"codes of SUBACK", up311 + "> " + subscribe + "\n< 900400010101", "SUBACK: ReasonCodes: it has another number of codes than the request had filters MQTT-3.8.4-5"},
		{"codes of UNSUBACK", up5 + "> a206000100000161\n< b00500010000 00", "UNSUBACK: ReasonCodes: it has another number of codes than the request had filters MQTT-3.11.3-2"},
		{"UNSUBACK", up311 + "> a2050001000161\n< b0020001", ""},
		{"alias above the maximum", up5 + "> 3007 0001 61 03 230001", "PUBLISH: Properties.TopicAlias: it is above the Topic Alias Maximum of the receiver MQTT-3.3.2-9"},
		{"alias of the server above the maximum", up5 + "< 3007 0001 61 03 230001", "PUBLISH: Properties.TopicAlias: it is above the Topic Alias Maximum of the receiver MQTT-3.3.2-11"},
		{"alias", "> " + connect5 + "\n< 2006 00 00 03 22000a\n> 3007 0001 61 03 230001\n> 3006 0000 03 230001", ""},
		{"unknown alias", "> " + connect5 + "\n< 2006 00 00 03 22000a\n> 3006 0000 03 230001", "PUBLISH: Properties.TopicAlias: no packet before this one said which topic the alias stands for"},
		{"Receive Maximum", "> 10 11 0004 4d515454 05 02 003c 03 210001 0001 63\n< " + connack5 + "\n< 3206 0001610007 00\n< 3206 0001610008 00", "PUBLISH: more messages are open than the client's Receive Maximum allows MQTT-3.3.4-9"},
		{"Receive Maximum, acknowledged", "> 10 11 0004 4d515454 05 02 003c 03 210001 0001 63\n< " + connack5 + "\n< 3206 0001610007 00\n> " + puback7 + "\n< 3206 0001610008 00", ""},
		{"Maximum Packet Size", "> 10 13 0004 4d515454 05 02 003c 05 2700000006 0001 63\n< " + connack5 + "\n< 3005 0001610000", "PUBLISH: it is larger than the client's Maximum Packet Size MQTT-3.1.2-24"},
		{"after a packet that cannot be read", up311 + "< 4001 00\n< " + puback7, "PUBACK: PacketID at byte 2: the packet ends before the field does"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tp := newTape(t)
			k := tp.talk("10.0.0.1", "10.0.0.2", 40000).open()
			for line := range strings.Lines(c.packets) {
				from := client
				if line[0] == '<' {
					from = server
				}
				k.send(from, strings.TrimSpace(line[1:]))
			}
			got, _, _ := call(t, tp.pcap(), "-")
			var faults []string
			name := ""
			for line := range strings.Lines(got) {
				text, isFault := strings.CutPrefix(strings.TrimSpace(line), "! ")
				switch fields := strings.Fields(line); {
				case isFault:
					_, text, _ = strings.Cut(strings.NewReplacer("[", "", "]", "").Replace(text), ": ") // without the class
					faults = append(faults, name+": "+text)
				case strings.HasPrefix(line, "12:00:"):
					name = fields[3]
				}
			}
			if s := strings.Join(faults, "\n"); s != c.want {
				t.Errorf("complaints\n%s\nwant\n%s\nof\n%s", s, c.want, got)
			}
		})
	}
}

// An alias stands for its topic in the line and for -t.
func TestAliasTopic(t *testing.T) {
	tp := newTape(t)
	k := tp.talk("10.0.0.1", "10.0.0.2", 40000).open()
	k.send(client, connect5).send(server, "2006 00 00 03 22000a").send(client, "3007 0001 61 03 230001").send(client, "3006 0000 03 230001")
	tp.expect(`
> PUBLISH q0 a TopicAlias=1 0 bytes
> PUBLISH q0 (a) TopicAlias=1 0 bytes
`, 0, "-t", "a")
}
