package session_test

import (
	"strings"
	"testing"
)

// expectClose checks that a trace ends the connection: told by the given
// packet, or by none, and exactly one Close, which is last.
func expectClose(t *testing.T, what, trace, told string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(trace, "\n"), "\n")
	last := lines[len(lines)-1]
	if !strings.HasPrefix(last, "Close ") || strings.Count(trace, "Close ") != 1 || !strings.Contains(last, "error=") {
		t.Errorf("%s: want exactly one Close with an error, at the end:\n%s", what, trace)
		return
	}
	wrote := strings.Count(trace, "Write ")
	if told == "" && wrote > 0 || told != "" && (wrote != 1 || !strings.Contains(trace, "Write "+told+"\n")) {
		t.Errorf("%s: want written %q:\n%s", what, told, trace)
	}
}

// packets is one legal packet of each type, by version.
var packets = map[string]string{
	"CONNECT":     `CONNECT {"ClientID":"c","CleanStart":true}`,
	"CONNACK":     `CONNACK {}`,
	"PUBLISH":     `PUBLISH {"Topic":"a","QoS":1,"PacketID":9}`,
	"PUBACK":      `PUBACK {"PacketID":1}`,
	"PUBREC":      `PUBREC {"PacketID":2}`,
	"PUBREL":      `PUBREL {"PacketID":9}`,
	"PUBCOMP":     `PUBCOMP {"PacketID":3}`,
	"SUBSCRIBE":   `SUBSCRIBE {"PacketID":9,"Filters":[{"Filter":"a"}]}`,
	"SUBACK":      `SUBACK {"PacketID":4,"ReasonCodes":[0]}`,
	"UNSUBSCRIBE": `UNSUBSCRIBE {"PacketID":9,"Filters":["a"]}`,
	"UNSUBACK":    `UNSUBACK {"PacketID":5,"ReasonCodes":[0]}`,
	"PINGREQ":     `PINGREQ {}`,
	"PINGRESP":    `PINGRESP {}`,
	"DISCONNECT":  `DISCONNECT {}`,
	"AUTH":        `AUTH {"ReasonCode":24,"Properties":{"AuthenticationMethod":"m"}}`,
}

// TestEveryPacketInEveryState sends every packet type in every state of both
// roles and versions. Only those that accepted names do not end the
// connection.
func TestEveryPacketInEveryState(t *testing.T) {
	const (
		refused    = `CONNACK ReasonCode="0x82 Protocol Error"`
		protocol   = `DISCONNECT ReasonCode="0x82 Protocol Error"`
		silent     = ""
		both       = " PUBLISH PUBACK PUBREC PUBREL PUBCOMP "
		fromClient = both + "SUBSCRIBE UNSUBSCRIBE PINGREQ DISCONNECT "
		fromServer = both + "SUBACK UNSUBACK PINGRESP "
	)
	serverUp := []string{`publish {"Topic":"a","QoS":1}`, `publish {"Topic":"a","QoS":2}`, `publish {"Topic":"a","QoS":2}`, `recv PUBREC {"PacketID":3}`}
	clientUp := append(serverUp[:3:3], `subscribe {"Filters":[{"Filter":"a"}]}`, `unsubscribe {"Filters":["a"]}`, `recv PUBREC {"PacketID":3}`)
	const withMethod = `{"ClientID":"c","CleanStart":true,"Properties":{"AuthenticationMethod":"m"}}`
	states := []struct {
		name, version string
		setup         []string
		accepted      string
		told          string
	}{
		// [MQTT-3.1.0-1] v5
		{"server opened", "v5", []string{`server v5`}, " CONNECT ", silent},
		// [MQTT-3.1.0-1] v311
		{"server opened", "v311", []string{`server v311`}, " CONNECT ", silent},
		// [MQTT-3.1.2-30] v5
		{"server authenticating", "v5", []string{`server v5`, `recv CONNECT ` + withMethod, `auth {"ReasonCode":24}`}, " DISCONNECT AUTH ", refused},
		// [U5-2.1.2-b] v5 [MQTT-3.1.0-2] v5
		{"server connected", "v5", append([]string{`server v5`, `recv ` + packets["CONNECT"], `accept`}, serverUp...), fromClient, protocol},
		// [MQTT-4.8.0-1] v311 [MQTT-3.1.0-2] v311
		{"server connected", "v311", append([]string{`server v311`, `recv ` + packets["CONNECT"], `accept`}, serverUp...), fromClient, silent},
		// [MQTT-3.2.0-1] v5 [U5-4.13.1-a] v5
		{"client connecting", "v5", []string{`client v5`, `connect {"ClientID":"c","CleanStart":true}`}, " CONNACK ", protocol},
		// [MQTT-3.2.0-1] v311
		{"client connecting", "v311", []string{`client v311`, `connect {"ClientID":"c","CleanStart":true}`}, " CONNACK ", silent},
		{"client authenticating", "v5", []string{`client v5`, `connect ` + withMethod}, " AUTH ", protocol},
		// [MQTT-3.2.0-2] v5
		{"client connected", "v5", append([]string{`client v5`, `connect {"ClientID":"c","CleanStart":true}`, `recv CONNACK`}, clientUp...), fromServer + "DISCONNECT ", protocol},
		{"client connected", "v311", append([]string{`client v311`, `connect {"ClientID":"c","CleanStart":true}`, `recv CONNACK`}, clientUp...), fromServer, silent},
	}
	for _, state := range states {
		for name, packet := range packets {
			what := state.name + " " + state.version + " " + name
			r := newRig()
			for _, line := range state.setup {
				if trace, err := r.run(line); err != nil || strings.Contains(trace, "Close") {
					t.Fatal(what, err, trace)
				}
			}
			if state.version == "v311" {
				if name == "UNSUBACK" {
					packet = `UNSUBACK {"PacketID":5}`
				}
				if name == "AUTH" {
					packet = "hex F0 00"
				}
			}
			trace, err := r.run("recv " + packet)
			if err != nil {
				t.Fatal(what, err)
			}
			switch {
			case !strings.Contains(state.accepted, " "+name+" "):
				expectClose(t, what, trace, state.told)
			case strings.Contains(trace, "Close ") || name != "DISCONNECT" && strings.Contains(trace, "Close"):
				t.Errorf("%s: not accepted:\n%s", what, trace)
			case name == "DISCONNECT" && !strings.HasSuffix(trace, "Close\n"):
				t.Errorf("%s: want Close:\n%s", what, trace)
			}
			// Nothing follows Close.
			if strings.Contains(trace, "Close") {
				after, err := r.run("recv " + packet)
				if err != nil || after != "" {
					t.Errorf("%s: after Close came %v\n%s", what, err, after)
				}
			}
		}
		// Reserved type 0.
		r := newRig()
		for _, line := range state.setup {
			if _, err := r.run(line); err != nil {
				t.Fatal(err)
			}
		}
		trace, err := r.run("recv hex 00 00")
		if err != nil {
			t.Fatal(err)
		}
		told := strings.Replace(state.told, "0x82 Protocol Error", "0x81 Malformed Packet", 1)
		expectClose(t, state.name+" type 0", trace, told)
	}
}

// TestEveryPacketWhileWaiting sends every packet type while the application of a
// server has to answer CONNECT or AUTH. None is looked at before; then each does
// what it does in the state that follows.
func TestEveryPacketWhileWaiting(t *testing.T) {
	const withMethod = `recv CONNECT {"ClientID":"c","CleanStart":true,"Properties":{"AuthenticationMethod":"m"}}`
	for _, wait := range []struct {
		name, version string
		setup         []string
		answer        string
		told          string // what is written for the answer
		after         []string
	}{
		// [MQTT-3.1.4-5] v5
		{"accept", "v5", []string{`server v5`, `recv ` + packets["CONNECT"]}, `accept`, "Write CONNACK\n", nil},
		{"accept", "v311", []string{`server v311`, `recv ` + packets["CONNECT"]}, `accept`, "Write CONNACK\n", nil},
		{"accept", "v5", []string{`server v5`, withMethod, `auth {"ReasonCode":24}`, `recv ` + packets["AUTH"]}, `accept`, "Write CONNACK AuthenticationMethod=m\n", nil},
		{"auth", "v5", []string{`server v5`, withMethod}, `auth {"ReasonCode":24}`, "Write AUTH ReasonCode=\"0x18 Continue authentication\" AuthenticationMethod=m\n", nil},
		// [MQTT-3.1.4-6] v5: after a refusal nothing is looked at.
		{"refuse", "v5", []string{`server v5`, `recv ` + packets["CONNECT"]}, `refuse {"ReasonCode":137}`, "Write CONNACK ReasonCode=\"0x89 Server busy\"\n", nil},
		// [MQTT-3.1.4-5] v311
		{"refuse", "v311", []string{`server v311`, `recv ` + packets["CONNECT"]}, `refuse {"ReasonCode":136}`, "Write CONNACK ReasonCode=\"0x88 Server unavailable\"\n", nil},
	} {
		for name, packet := range packets {
			if wait.version == "v311" {
				switch name {
				case "AUTH":
					packet = "hex F0 00"
				case "UNSUBACK":
					packet = `UNSUBACK {"PacketID":5}`
				}
			}
			what := wait.name + " " + wait.version + " " + name
			waited, plain := newRig(), newRig()
			for _, line := range wait.setup {
				for _, r := range []*rig{waited, plain} {
					if _, err := r.run(line); err != nil {
						t.Fatal(err)
					}
				}
			}
			if trace, err := waited.run("recv " + packet); err != nil || trace != "" || !waited.InputPaused() {
				t.Errorf("%s: %v, input paused: %v, want nothing:\n%s", what, err, waited.InputPaused(), trace)
			}
			got, err := waited.run(wait.answer)
			if err != nil {
				t.Fatal(err)
			}
			want, err := plain.run(wait.answer)
			if err != nil {
				t.Fatal(err)
			}
			then, err := plain.run("recv " + packet)
			if err != nil {
				t.Fatal(err)
			}
			if a, b := inOrder(got), inOrder(want+then); a != b {
				t.Errorf("%s: got\n%swant\n%s", what, a, b)
			}
			if wait.name == "refuse" && then != "" {
				t.Errorf("%s: after Close came %s", what, then)
			}
			if strings.Count(got, wait.told) != 1 {
				t.Errorf("%s: want once %q:\n%s", what, wait.told, got)
			}
		}
	}
}

// inOrder returns the writes of a trace and then its other events, without the
// timers: packets that came together may be answered by one Write.
func inOrder(trace string) string {
	var writes, rest strings.Builder
	for line := range strings.Lines(trace) {
		switch {
		case strings.HasPrefix(line, "Timer"):
		case strings.HasPrefix(line, "Write"):
			writes.WriteString(line)
		default:
			rest.WriteString(line)
		}
	}
	return writes.String() + rest.String()
}
