package session_test

import (
	"strings"
	"testing"
)

// The tests of this file feed the faulty packets of the same list to a session
// and expect the reason that ends the connection.

var (
	serverV5   = []string{`server v5`, `recv CONNECT {"ClientID":"c","CleanStart":true}`, `accept {"Properties":{"TopicAliasMaximum":3}}`}
	serverV311 = []string{`server v311`, `recv CONNECT {"ClientID":"c","CleanStart":true}`, `accept`}
	clientV5   = []string{`client v5`, `connect {"ClientID":"c","CleanStart":true,"Properties":{"TopicAliasMaximum":3}}`, `recv CONNACK`}
	clientV311 = []string{`client v311`, `connect {"ClientID":"c","CleanStart":true}`, `recv CONNACK`}
)

const (
	malformed = `DISCONNECT ReasonCode="0x81 Malformed Packet"`
	protocol  = `DISCONNECT ReasonCode="0x82 Protocol Error"`
	silently  = ""
)

// ends feeds packets and expects the last to end the connection.
func ends(t *testing.T, setup []string, told string, packets ...string) {
	t.Helper()
	trace := run(t, append(setup[:len(setup):len(setup)], packets...)...)
	expectClose(t, strings.Join(packets, ", "), trace, told)
}

func TestW08LocalMisuse(t *testing.T) {
	// Whatever the order of calls, the answer is an error.
	for _, last := range []string{`release 1`, `release 0`, `complete 0`, `ack 0`, `erase 0`} {
		trace := run(t, append(clientV5[:3:3], `publish {"Topic":"a","QoS":2}`, last)...)
		if !strings.HasPrefix(trace, "error mqtt: ") {
			t.Errorf("%s: %s", last, trace)
		}
	}
}

func TestW17AliasAndMaximumPacketSize(t *testing.T) {
	trace := run(t, `client v5 {"TopicAliases":2}`, `connect {"ClientID":"c"}`,
		`recv CONNACK {"Properties":{"TopicAliasMaximum":2,"MaximumPacketSize":20}}`, `publish {"Topic":"123456789012345"}`)
	if strings.Contains(trace, "TopicAlias") || !strings.Contains(trace, "Write PUBLISH") {
		t.Error(trace)
	}
}

func TestW21NoTimerWithoutConnection(t *testing.T) {
	trace := run(t, `client v5 {"ManualRelease":true}`, `connect {"ClientID":"c","KeepAlive":10,"Properties":{"SessionExpiryInterval":9}}`, `recv CONNACK`,
		`publish {"Topic":"a","QoS":2}`, `recv PUBREC {"PacketID":1}`, `closed`, `release 1`)
	if trace != "" {
		t.Errorf("got %s", trace)
	}
}

func TestW30ErrorsBeforeConnected(t *testing.T) {
	ends(t, []string{`client v5`, `connect {"ClientID":"c"}`}, malformed, `recv hex 20 03 FF 00 00`)
	ends(t, []string{`client v5`, `connect {"ClientID":"c","Properties":{"MaximumPacketSize":10}}`}, `DISCONNECT ReasonCode="0x95 Packet too large"`, `recv hex 20 50`)
}

func TestW31PacketsOfTheOtherRole(t *testing.T) {
	ends(t, serverV5, protocol, `recv CONNACK`)
	ends(t, clientV5, protocol, `recv PINGREQ`)
	ends(t, []string{`server v5`}, silently, `recv hex 20 02 00 00`)
}

func TestW33RefusalCloses(t *testing.T) {
	trace := run(t, `client v311`, `connect {"ClientID":"c"}`, `recv hex 20 02 00 05`)
	if !strings.HasPrefix(trace, "Refused reason=0x87") || !strings.Contains(trace, "Close reason=0x87") {
		t.Error(trace)
	}
}

// TestW34AfterDisconnect: nothing is written any more, and messages are queued.
func TestW34AfterDisconnect(t *testing.T) {
	scenario(t, `
	client v5
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	recv DISCONNECT {"ReasonCode":139}
	| Disconnected reason=0x8B packet=DISCONNECT ReasonCode="0x8B Server shutting down"
	| Close reason=0x8B error=mqtt: Receive: disconnected by the peer: Server shutting down
	publish {"Topic":"a","QoS":1}
	| token 1
	status
	| closed vacancy=0 inflight=0 queued=1
	after 1000s
	`)
}

func TestW36NoTimerAfterViolation(t *testing.T) {
	trace := run(t, `server v311`, `recv CONNECT {"ClientID":"c","CleanStart":true,"KeepAlive":10}`, `accept`, `recv hex 00 00`, `after 100s`)
	if trace != "" {
		t.Errorf("got %s", trace)
	}
}

func TestW40FirstPacket(t *testing.T) {
	ends(t, []string{`server v5`}, silently, `recv hex 30 04 00 01 61 00`)
	ends(t, []string{`server v5`}, silently, `recv hex F0 00`)
	trace := run(t, `client v5`, `recv hex 20 03 00 00 00`, `status`)
	if !strings.HasPrefix(trace, "idle") {
		t.Error(trace)
	}
}

func TestW41ReservedFlags(t *testing.T) {
	ends(t, serverV311, silently, `recv hex 80 06 00 01 00 01 61 00`)
	ends(t, serverV311, silently, `recv hex CF 00`)
	ends(t, serverV5, malformed, `recv hex 80 07 00 01 00 00 01 61 00`)
}

func TestW42BytesLeftOver(t *testing.T) {
	ends(t, clientV311, silently, `publish {"Topic":"a","QoS":1}`, `recv hex 40 05 00 01 97 09 09`)
	ends(t, serverV5, malformed, `recv hex C0 01 00`)
}

// TestW43PaddedLength is legal in v3.1.1.
func TestW43PaddedLength(t *testing.T) {
	ends(t, serverV5, malformed, `recv hex C0 80 80 00`)
	if trace := run(t, append(serverV311[:3:3], `recv hex C0 80 80 00`)...); trace != "Write PINGRESP\n" {
		t.Error(trace)
	}
}

func TestW44ConnectFlags(t *testing.T) {
	ends(t, []string{`server v311`}, silently, `recv hex 10 0F 00 04 4D 51 54 54 04 39 00 00 00 01 63 09 09`)
}

func TestW45EmptyClientIdentifier(t *testing.T) {
	ends(t, []string{`server v311`}, `CONNACK ReasonCode="0x85 Client Identifier not valid"`, `recv hex 10 0C 00 04 4D 51 54 54 04 00 00 00 00 00`)
}

func TestW46ConnackFlags(t *testing.T) {
	ends(t, []string{`client v311`, `connect {"ClientID":"c"}`}, silently, `recv hex 20 02 FF 05`)
	ends(t, []string{`client v311`, `connect {"ClientID":"c"}`}, silently, `recv hex 20 02 01 05`)
}

func TestW47RequestIdentifierZero(t *testing.T) {
	ends(t, serverV311, silently, `recv hex 82 06 00 00 00 01 61 00`)
	ends(t, serverV5, protocol, `recv hex 82 07 00 00 00 00 01 61 00`)
}

func TestW48TopicName(t *testing.T) {
	ends(t, serverV311, silently, `recv hex 30 05 00 03 23 00 2B`)
	ends(t, serverV5, protocol, `recv hex 30 06 00 03 61 2F 23 00`)
}

func TestW49DupWithQoS0(t *testing.T) {
	ends(t, serverV5, malformed, `recv hex 38 04 00 01 61 00`)
	ends(t, serverV311, silently, `recv hex 38 03 00 01 61`)
}

func TestW50TopicFilter(t *testing.T) {
	ends(t, serverV5, protocol, `recv hex 82 08 00 01 00 00 02 61 2B 00`)
	ends(t, serverV311, silently, `recv hex 82 05 00 01 00 00 00`)
}

func TestW51SharedSubscription(t *testing.T) {
	ends(t, serverV5, protocol, `recv hex 82 0F 00 01 00 00 09 24 73 68 61 72 65 2F 67 2F 04`)
	ends(t, serverV5, protocol, `recv hex 82 10 00 01 00 00 0A 24 73 68 61 72 65 2F 67 2F 61 04`)
}

func TestW52SubscriptionIdentifier(t *testing.T) {
	ends(t, serverV5, protocol, `recv hex 82 0B 00 01 04 0B 01 0B 02 00 01 61 00`)
	ends(t, serverV5, protocol, `recv hex 30 06 00 01 61 02 0B 05`)
}

func TestW53SubscriptionOptions(t *testing.T) {
	ends(t, serverV311, silently, `recv hex 82 06 00 01 00 01 61 2D`)
}

func TestW55ReasonCodeCount(t *testing.T) {
	ends(t, clientV311, silently, `subscribe {"Filters":[{"Filter":"a"},{"Filter":"b"}]}`, `recv SUBACK {"PacketID":1,"ReasonCodes":[0]}`)
	ends(t, clientV5, protocol, `unsubscribe {"Filters":["a","b"]}`, `recv UNSUBACK {"PacketID":1,"ReasonCodes":[0]}`)
}

func TestW56AuthWithoutMethod(t *testing.T) {
	ends(t, serverV5, protocol, `recv hex F0 00`)
	ends(t, clientV5, protocol, `recv hex F0 00`)
}

func TestW57DisconnectByRole(t *testing.T) {
	ends(t, clientV5, protocol, `recv hex E0 07 00 05 11 00 00 00 05`)
	ends(t, clientV5, protocol, `recv hex E0 01 04`)
	ends(t, serverV5, protocol, `recv hex E0 01 8B`)
	ends(t, serverV5, protocol, `recv hex E0 06 00 04 1C 00 01 61`)
}

func TestW59NoPropertyLength(t *testing.T) {
	ends(t, serverV5, malformed, `recv hex 30 03 00 01 61`)
}

func TestW61ProblemInformation(t *testing.T) {
	trace := run(t, `server v5`, `recv CONNECT {"ClientID":"c","Properties":{"RequestProblemInformation":0}}`, `accept`,
		`respond {"Code":135,"ReasonString":"why"}`, `recv PUBLISH {"Topic":"a","QoS":1,"PacketID":1}`)
	if strings.Contains(trace, "why") || !strings.Contains(trace, "Write PUBACK") {
		t.Error(trace)
	}
	// A client that gets one nevertheless. [MQTT-3.1.2-29] v5
	const detail = `"ReasonCode":135,"Properties":{"ReasonString":"why"}}`
	unasked := []string{`client v5`, `connect {"ClientID":"c","CleanStart":true,"Properties":{"RequestProblemInformation":0}}`, `recv CONNACK {"Properties":{"ReasonString":"may be"}}`}
	ends(t, unasked, protocol, `publish {"Topic":"a","QoS":1}`, `recv PUBACK {"PacketID":1,`+detail)
	ends(t, unasked, protocol, `publish {"Topic":"a","QoS":2}`, `recv PUBREC {"PacketID":1,`+detail)
	ends(t, unasked, protocol, `recv PUBREL {"PacketID":1,"Properties":{"UserProperties":[["a","b"]]}}`)
	ends(t, unasked, protocol, `recv PUBCOMP {"PacketID":1,"Properties":{"UserProperties":[["a","b"]]}}`)
	ends(t, unasked, protocol, `recv SUBACK {"PacketID":1,"ReasonCodes":[0],"Properties":{"ReasonString":"why"}}`)
	ends(t, unasked, protocol, `recv UNSUBACK {"PacketID":1,"ReasonCodes":[0],"Properties":{"ReasonString":"why"}}`)
}

func TestW62ServerKeepAlive(t *testing.T) {
	trace := run(t, `client v5 {"PingInterval":60000000000}`, `connect {"ClientID":"c","CleanStart":true}`,
		`recv CONNACK {"Properties":{"ServerKeepAlive":5}}`, `after 5s`)
	if !strings.Contains(trace, "Write PINGREQ") {
		t.Error(trace)
	}
}

func TestW63TopicMissing(t *testing.T) {
	ends(t, serverV5, protocol, `recv hex 30 03 00 00 00`)
	ends(t, serverV5, protocol, `recv hex 30 06 00 00 03 23 00 01`)
}

func TestW67AcknowledgementOfNothing(t *testing.T) {
	for _, call := range []string{`ack 1`, `release 1`, `complete 1`} {
		if trace := run(t, append(clientV5[:3:3], call)...); trace != "error mqtt: "+strings.ToUpper(call[:1])+strings.TrimSuffix(call[1:], " 1")+": unknown token\n" {
			t.Errorf("%s: %s", call, trace)
		}
	}
	if trace := run(t, append(serverV5[:3:3], `suback {"PacketID":1,"ReasonCodes":[0]}`)...); !strings.HasPrefix(trace, "error mqtt: Suback") {
		t.Error(trace)
	}
}
