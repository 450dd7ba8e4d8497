package codec

import (
	"errors"
	"fmt"
	"testing"
)

// broken is a packet that breaks one rule, and the error that has to say so.
type broken struct {
	rule  string
	v     Version
	first byte   // first byte of the fixed header
	body  string // hex; the Remaining Length is computed
	field string
	at    int
	class error
	// wire marks what only bytes can break: no value of the Go struct stands
	// for it, so the encoder need not refuse it.
	wire bool
}

// run decodes the packet, compares all that the error says, and checks that
// the encoder refuses the same content by the same rule.
func (x *broken) run(t *testing.T) {
	data := frameOf(x.first, unhex(t, x.body))
	p, err := decodeWhole(data, x.v)
	if err == nil {
		t.Fatalf("%x was accepted: %v", data, p)
	}
	e := typed(t, err)
	if !errors.Is(err, x.class) || e.Rule != x.rule || e.Field != x.field || e.Offset != x.at {
		t.Errorf("%v\nwant %v: %s at byte %d [%s]", err, x.class, x.field, x.at, x.rule)
	}
	if e.Packet != PacketType(x.first>>4) || e.Version != x.v.Base() {
		t.Errorf("%v: Packet = %v, Version = %v", err, e.Packet, e.Version)
	}
	if want := x.code(); e.Reason() != want {
		t.Errorf("%v: reason code 0x%02X, want 0x%02X", err, uint8(e.Reason()), uint8(want))
	}
	loose, err := decodeLoosely(data, x.v)
	if x.wire {
		return
	}
	if err != nil {
		t.Fatalf("DecodeLoose: %v", err)
	}
	e = typed(t, loose.Validate(x.v))
	if !errors.Is(e, x.class) || e.Rule != x.rule || e.Field != x.field || e.Offset != -1 || e.Reason() != x.code() {
		t.Errorf("Validate: %v\nwant %v: %s [%s]", e, x.class, x.field, x.rule)
	}
	dst := []byte("before")
	if out, err := loose.AppendTo(dst, x.v); err == nil || string(out) != "before" || err.Error() != e.Error() {
		t.Errorf("AppendTo = %x, %v; want nothing and %v", out, err, e)
	}
}

// code returns the reason code that goes with the class.
func (x *broken) code() ReasonCode {
	switch {
	case x.field == "Properties.TopicAlias":
		return ReasonTopicAliasInvalid
	case x.rule == "MQTT-3.1.3-7":
		return ReasonClientIdentifierNotValid
	case x.class == ErrMalformed:
		return ReasonMalformedPacket
	case x.class == ErrProtocol:
		return ReasonProtocolError
	}
	return ReasonUnsupportedProtocolVersion
}

func runBroken(t *testing.T, cases []broken) {
	for _, x := range cases {
		t.Run(fmt.Sprintf("%s/%02x %s", x.rule, x.first, x.body), func(t *testing.T) { x.run(t) })
	}
}

// Beginnings of CONNECT: up to the level, with the flags and Keep Alive to come.
const (
	connect4 = "0004 4d515454 04 "
	connect5 = "0004 4d515454 05 "
)

func TestRulesV5(t *testing.T) {
	client, server := V5.FromClient(), V5.FromServer()
	runBroken(t, []broken{
		{"MQTT-1.5.4-1", V5, 0x40, "000a 00 06 1f 0003 eda080", "Properties.ReasonString", 7, ErrMalformed, false},                  // [MQTT-1.5.4-1] v5
		{"MQTT-1.5.4-2", V5, 0x40, "000a 00 04 1f 0001 00", "Properties.ReasonString", 7, ErrMalformed, false},                      // [MQTT-1.5.4-2] v5
		{"U5-1.5.4-a", V5, 0x40, "000a 00 04 1f 0001 07", "Properties.ReasonString", 7, ErrMalformed, false},                        // [U5-1.5.4-a] v5
		{"U5-1.5.4-a", V5, 0x40, "000a 00 06 1f 0003 efbfbf", "Properties.ReasonString", 7, ErrMalformed, false},                    // [U5-1.5.4-a] v5
		{"MQTT-1.5.5-1", V5, 0x30, "0001 74 8000", "Properties", 5, ErrMalformed, true},                                             // [MQTT-1.5.5-1] v5
		{"U5-1.5.5-a", V5, 0x30, "0001 74 8080808001", "Properties", 5, ErrMalformed, true},                                         // [U5-1.5.5-a] v5
		{"MQTT-1.5.7-1", V5, 0x40, "000a 00 06 26 0001 ff 0000", "Properties.UserProperties", 7, ErrMalformed, false},               // [MQTT-1.5.7-1] v5
		{"MQTT-1.5.7-1", V5, 0x40, "000a 00 06 26 0000 0001 ff", "Properties.UserProperties", 9, ErrMalformed, false},               // [MQTT-1.5.7-1] v5
		{"MQTT-2.2.2-1", V5, 0x20, "00 00", "Properties", 4, ErrMalformed, true},                                                    // [MQTT-2.2.2-1] v5
		{"U5-2.2.2.2-a", V5, 0x10, connect5 + "02 003c 02 7f00 0000", "Properties", 13, ErrMalformed, true},                         // [U5-2.2.2.2-a] v5
		{"U5-2.2.2.2-a", V5, 0x10, connect5 + "02 003c 03 110000 0000", "Properties.SessionExpiryInterval", 14, ErrMalformed, true}, // [U5-2.2.2.2-a] v5
		{"U5-2.2.2.2-b", V5, 0x30, "0001 74 04 0100 0100", "Properties.PayloadFormatIndicator", 8, ErrProtocol, true},               // [U5-2.2.2.2-b] v5

		{"MQTT-3.1.2-1", V5, 0x10, "0004 4d515458 05 02 003c 00 0001 63", "ProtocolName", 2, ErrUnsupportedVersion, true},  // [MQTT-3.1.2-1] v5
		{"MQTT-3.1.2-1", V5, 0x10, "0006 4d5149736470 05 02 003c 00 0000", "ProtocolName", 2, ErrUnsupportedVersion, true}, // [MQTT-3.1.2-1] v5
		{"MQTT-3.1.2-3", V5, 0x10, connect5 + "03 003c 00 0001 63", "ConnectFlags", 9, ErrMalformed, true},                 // [MQTT-3.1.2-3] v5
		{"MQTT-3.1.2-11", V5, 0x10, connect5 + "0a 003c 00 0001 63", "Will.QoS", 9, ErrMalformed, false},                   // [MQTT-3.1.2-11] v5
		{"MQTT-3.1.2-12", V5, 0x10, connect5 + "1e 003c 00 0000 00 0001 77 0000", "Will.QoS", 9, ErrMalformed, false},      // [MQTT-3.1.2-12] v5
		{"MQTT-3.1.2-13", V5, 0x10, connect5 + "22 003c 00 0001 63", "Will.Retain", 9, ErrMalformed, false},                // [MQTT-3.1.2-13] v5
		{"MQTT-3.1.3-4", V5, 0x10, connect5 + "02 003c 00 0001 ff", "ClientID", 13, ErrMalformed, false},                   // [MQTT-3.1.3-4] v5
		{"MQTT-3.1.3-11", V5, 0x10, connect5 + "06 003c 00 0000 00 0001 ff 0000", "Will.Topic", 16, ErrMalformed, false},   // [MQTT-3.1.3-11] v5
		{"MQTT-3.1.3-12", V5, 0x10, connect5 + "82 003c 00 0000 0001 ff", "Username", 15, ErrMalformed, false},             // [MQTT-3.1.3-12] v5
		{"", V5, 0x10, connect5 + "02 003c 00 0001 63 00", "", 16, ErrMalformed, true},                                     // [MQTT-3.1.4-1] v5

		{"U5-3.1.2.11.3-a", V5, 0x10, connect5 + "02 003c 03 210000 0000", "Properties.ReceiveMaximum", 14, ErrProtocol, false},           // [U5-3.1.2.11.3-a] v5
		{"U5-3.1.2.11.4-a", V5, 0x10, connect5 + "02 003c 05 2700000000 0000", "Properties.MaximumPacketSize", 14, ErrProtocol, false},    // [U5-3.1.2.11.4-a] v5
		{"U5-3.1.2.11.6-a", V5, 0x10, connect5 + "02 003c 02 1902 0000", "Properties.RequestResponseInformation", 14, ErrProtocol, false}, // [U5-3.1.2.11.6-a] v5
		{"U5-3.1.2.11.7-a", V5, 0x10, connect5 + "02 003c 02 1702 0000", "Properties.RequestProblemInformation", 14, ErrProtocol, false},  // [U5-3.1.2.11.7-a] v5
		{"U5-3.1.2.11.10-a", V5, 0x10, connect5 + "02 003c 04 16000178 0000", "Properties.AuthenticationData", 12, ErrProtocol, false},    // [U5-3.1.2.11.10-a] v5
		{"MQTT-3.2.2-1", server, 0x20, "02 00 00", "AcknowledgeFlags", 2, ErrMalformed, true},                                             // [MQTT-3.2.2-1] v5
		{"MQTT-3.2.2-1", server, 0x20, "80 00 00", "AcknowledgeFlags", 2, ErrMalformed, true},                                             // [MQTT-3.2.2-1] v5
		{"MQTT-3.2.2-6", server, 0x20, "01 87 00", "SessionPresent", 2, ErrProtocol, false},                                               // [MQTT-3.2.2-6] v5
		{"MQTT-3.2.2-8", server, 0x20, "00 01 00", "ReasonCode", 3, ErrMalformed, false},                                                  // [MQTT-3.2.2-8] v5
		{"U5-3.1.2.11.3-a", server, 0x20, "00 00 03 210000", "Properties.ReceiveMaximum", 6, ErrProtocol, false},                          // [U5-3.1.2.11.3-a] v5
		{"U5-3.1.2.11.4-a", server, 0x20, "00 00 05 2700000000", "Properties.MaximumPacketSize", 6, ErrProtocol, false},                   // [U5-3.1.2.11.4-a] v5
		{"U5-3.2.2.3.4-a", server, 0x20, "00 00 02 2402", "Properties.MaximumQoS", 6, ErrProtocol, false},                                 // [U5-3.2.2.3.4-a] v5
		{"U5-3.2.2.3.5-a", server, 0x20, "00 00 02 2502", "Properties.RetainAvailable", 6, ErrProtocol, false},                            // [U5-3.2.2.3.5-a] v5
		{"U5-3.2.2.3.11-a", server, 0x20, "00 00 02 2802", "Properties.WildcardSubscriptionAvailable", 6, ErrProtocol, false},             // [U5-3.2.2.3.11-a] v5
		{"U5-3.2.2.3.12-a", server, 0x20, "00 00 02 2902", "Properties.SubscriptionIdentifierAvailable", 6, ErrProtocol, false},           // [U5-3.2.2.3.12-a] v5
		{"U5-3.2.2.3.13-a", server, 0x20, "00 00 02 2a02", "Properties.SharedSubscriptionAvailable", 6, ErrProtocol, false},               // [U5-3.2.2.3.13-a] v5

		{"MQTT-3.3.1-2", V5, 0x38, "0001 74 00", "Dup", 0, ErrMalformed, false},                                                 // [MQTT-3.3.1-2] v5
		{"MQTT-3.3.1-4", V5, 0x36, "0001 74 000a 00", "QoS", 0, ErrMalformed, false},                                            // [MQTT-3.3.1-4] v5
		{"MQTT-3.3.2-1", V5, 0x30, "0001 ff 00", "Topic", 2, ErrMalformed, false},                                               // [MQTT-3.3.2-1] v5
		{"MQTT-3.3.2-2", V5, 0x30, "0001 23 00", "Topic", 2, ErrProtocol, false},                                                // [MQTT-3.3.2-2] v5
		{"MQTT-3.3.2-2", V5, 0x30, "0003 612f2b 00", "Topic", 2, ErrProtocol, false},                                            // [MQTT-3.3.2-2] v5
		{"MQTT-3.3.2-8", V5, 0x30, "0001 74 03 230000", "Properties.TopicAlias", 7, ErrProtocol, false},                         // [MQTT-3.3.2-8] v5
		{"MQTT-3.3.2-13", V5, 0x30, "0001 74 04 080001ff", "Properties.ResponseTopic", 7, ErrMalformed, false},                  // [MQTT-3.3.2-13] v5
		{"MQTT-3.3.2-14", V5, 0x30, "0001 74 04 0800012b", "Properties.ResponseTopic", 7, ErrProtocol, false},                   // [MQTT-3.3.2-14] v5
		{"MQTT-3.3.2-19", V5, 0x30, "0001 74 04 030001ff", "Properties.ContentType", 7, ErrMalformed, false},                    // [MQTT-3.3.2-19] v5
		{"MQTT-3.3.4-6", client, 0x30, "0001 74 02 0b01", "Properties.SubscriptionIdentifiers", 6, ErrProtocol, false},          // [MQTT-3.3.4-6] v5
		{"U5-3.3.2.1-a", V5, 0x30, "0000 00", "Topic", 2, ErrProtocol, false},                                                   // [U5-3.3.2.1-a] v5
		{"U5-3.3.2.3.2-b", V5, 0x30, "0001 74 02 0102", "Properties.PayloadFormatIndicator", 7, ErrProtocol, false},             // [U5-3.3.2.3.2-b] v5
		{"U5-3.3.2.3.8-a", server, 0x30, "0001 74 02 0b00", "Properties.SubscriptionIdentifiers", 7, ErrProtocol, false},        // [U5-3.3.2.3.8-a] v5
		{"U5-3.3.2.3.8-a", client, 0x82, "000a 02 0b00 0001 61 00", "Properties.SubscriptionIdentifier", 6, ErrProtocol, false}, // [U5-3.3.2.3.8-a] v5

		{"MQTT-3.4.2-1", V5, 0x40, "000a 92", "ReasonCode", 4, ErrMalformed, false},                                      // [MQTT-3.4.2-1] v5
		{"MQTT-3.5.2-1", V5, 0x50, "000a 92", "ReasonCode", 4, ErrMalformed, false},                                      // [MQTT-3.5.2-1] v5
		{"MQTT-3.6.1-1", V5, 0x60, "000a", "Flags", 0, ErrMalformed, true},                                               // [MQTT-3.6.1-1] v5
		{"MQTT-3.6.2-1", V5, 0x62, "000a 80", "ReasonCode", 4, ErrMalformed, false},                                      // [MQTT-3.6.2-1] v5
		{"MQTT-3.7.2-1", V5, 0x70, "000a 80", "ReasonCode", 4, ErrMalformed, false},                                      // [MQTT-3.7.2-1] v5
		{"MQTT-3.8.1-1", V5, 0x80, "000a 00 0001 61 00", "Flags", 0, ErrMalformed, true},                                 // [MQTT-3.8.1-1] v5
		{"MQTT-3.8.3-1", V5, 0x82, "000a 00 0001 ff 00", "Filters[0].Filter", 5, ErrMalformed, false},                    // [MQTT-3.8.3-1] v5
		{"MQTT-3.8.3-2", V5, 0x82, "000a 00", "Filters", 5, ErrProtocol, false},                                          // [MQTT-3.8.3-2] v5
		{"MQTT-3.8.3-4", V5, 0x82, "000a 00 000a 2473686172652f672f61 04", "Filters[0].NoLocal", 17, ErrProtocol, false}, // [MQTT-3.8.3-4] v5
		{"MQTT-3.8.3-5", V5, 0x82, "000a 00 0001 61 40", "Filters[0].Options", 8, ErrMalformed, true},                    // [MQTT-3.8.3-5] v5
		{"MQTT-3.8.3-5", V5, 0x82, "000a 00 0001 61 80", "Filters[0].Options", 8, ErrMalformed, true},                    // [MQTT-3.8.3-5] v5
		{"U5-3.8.3.1-a", V5, 0x82, "000a 00 0001 61 00 0001 62 03", "Filters[1].QoS", 12, ErrProtocol, false},            // [U5-3.8.3.1-a] v5
		{"U5-3.8.3.1-b", V5, 0x82, "000a 00 0001 61 30", "Filters[0].RetainHandling", 8, ErrProtocol, false},             // [U5-3.8.3.1-b] v5
		{"MQTT-3.9.3-2", V5, 0x90, "000a 00 03", "ReasonCodes[0]", 5, ErrMalformed, false},                               // [MQTT-3.9.3-2] v5
		{"MQTT-3.10.1-1", V5, 0xA0, "000a 00 0001 61", "Flags", 0, ErrMalformed, true},                                   // [MQTT-3.10.1-1] v5
		{"MQTT-3.10.3-1", V5, 0xA2, "000a 00 0001 61 0001 ff", "Filters[1]", 8, ErrMalformed, false},                     // [MQTT-3.10.3-1] v5
		{"MQTT-3.10.3-2", V5, 0xA2, "000a 00", "Filters", 5, ErrProtocol, false},                                         // [MQTT-3.10.3-2] v5
		{"MQTT-3.11.3-2", V5, 0xB0, "000a 00 0001", "ReasonCodes[1]", 6, ErrMalformed, false},                            // [MQTT-3.11.3-2] v5
		{"MQTT-3.14.1-1", V5, 0xE1, "", "Flags", 0, ErrMalformed, true},                                                  // [MQTT-3.14.1-1] v5
		{"MQTT-3.14.2-1", V5, 0xE0, "01", "ReasonCode", 2, ErrMalformed, false},                                          // [MQTT-3.14.2-1] v5
		{"MQTT-3.14.2-1", server, 0xE0, "04", "ReasonCode", 2, ErrProtocol, false},                                       // [MQTT-3.14.2-1] v5
		{"MQTT-3.14.2-2", server, 0xE0, "00 05 1100000001", "Properties.SessionExpiryInterval", 4, ErrProtocol, false},   // [MQTT-3.14.2-2] v5
		{"MQTT-3.15.1-1", V5, 0xF1, "18 04 1500016d", "Flags", 0, ErrMalformed, true},                                    // [MQTT-3.15.1-1] v5
		{"MQTT-3.15.2-1", V5, 0xF0, "01 04 1500016d", "ReasonCode", 2, ErrMalformed, false},                              // [MQTT-3.15.2-1] v5
		{"MQTT-3.15.2-1", server, 0xF0, "19 04 1500016d", "ReasonCode", 2, ErrProtocol, false},                           // [MQTT-3.15.2-1] v5
		{"MQTT-3.15.2-1", client, 0xF0, "00 04 1500016d", "ReasonCode", 2, ErrProtocol, false},                           // [MQTT-3.15.2-1] v5
		{"U5-3.15.2.2.2-a", V5, 0xF0, "18 00", "Properties.AuthenticationMethod", 3, ErrProtocol, false},                 // [U5-3.15.2.2.2-a] v5

		{"MQTT-4.7.0-1", V5, 0x10, connect5 + "06 003c 00 0000 00 0001 23 0000", "Will.Topic", 16, ErrProtocol, false},                           // [MQTT-4.7.0-1] v5
		{"MQTT-4.7.1-1", V5, 0x82, "000a 00 0002 6123 00", "Filters[0].Filter", 5, ErrProtocol, false},                                           // [MQTT-4.7.1-1] v5
		{"MQTT-4.7.1-1", V5, 0x82, "000a 00 0003 232f61 00", "Filters[0].Filter", 5, ErrProtocol, false},                                         // [MQTT-4.7.1-1] v5
		{"MQTT-4.7.1-1", V5, 0xA2, "000a 00 0002 6123", "Filters[0]", 5, ErrProtocol, false},                                                     // [MQTT-4.7.1-1] v5
		{"MQTT-4.7.1-2", V5, 0x82, "000a 00 0002 612b 00", "Filters[0].Filter", 5, ErrProtocol, false},                                           // [MQTT-4.7.1-2] v5
		{"MQTT-4.7.1-2", V5, 0xA2, "000a 00 0002 2b61", "Filters[0]", 5, ErrProtocol, false},                                                     // [MQTT-4.7.1-2] v5
		{"MQTT-4.7.3-1", V5, 0x82, "000a 00 0000 00", "Filters[0].Filter", 5, ErrProtocol, false},                                                // [MQTT-4.7.3-1] v5
		{"MQTT-4.7.3-1", V5, 0xA2, "000a 00 0000", "Filters[0]", 5, ErrProtocol, false},                                                          // [MQTT-4.7.3-1] v5
		{"MQTT-4.7.3-1", V5, 0x10, connect5 + "06 003c 00 0000 00 0000 0000", "Will.Topic", 16, ErrProtocol, false},                              // [MQTT-4.7.3-1] v5
		{"MQTT-4.7.3-1", V5, 0x30, "0001 74 03 080000", "Properties.ResponseTopic", 7, ErrProtocol, false},                                       // [MQTT-4.7.3-1] v5
		{"MQTT-4.7.3-1", V5, 0x10, connect5 + "06 003c 00 0000 03 080000 0001 77 0000", "Will.Properties.ResponseTopic", 17, ErrProtocol, false}, // [MQTT-4.7.3-1] v5
		{"MQTT-3.2.2-16", server, 0x20, "00 00 03 120000", "Properties.AssignedClientIdentifier", 6, ErrProtocol, false},
		{"MQTT-1.5.4-2", V5, 0x30, "0003 610062 00", "Topic", 2, ErrMalformed, false},                                  // [MQTT-4.7.3-2] v5
		{"MQTT-1.5.4-2", V5, 0x82, "000a 00 0001 00 00", "Filters[0].Filter", 5, ErrMalformed, false},                  // [MQTT-4.7.3-2] v5
		{"MQTT-4.8.2-1", V5, 0x82, "000a 00 0009 2473686172652f2f61 00", "Filters[0].Filter", 5, ErrProtocol, false},   // [MQTT-4.8.2-1] v5
		{"MQTT-4.8.2-2", V5, 0x82, "000a 00 000a 2473686172652f2b2f61 00", "Filters[0].Filter", 5, ErrProtocol, false}, // [MQTT-4.8.2-2] v5
		{"MQTT-4.8.2-2", V5, 0x82, "000a 00 0008 2473686172652f67 00", "Filters[0].Filter", 5, ErrProtocol, false},     // [MQTT-4.8.2-2] v5
		{"MQTT-4.8.2-2", V5, 0xA2, "000a 00 0009 2473686172652f672f", "Filters[0]", 5, ErrProtocol, false},             // [MQTT-4.8.2-2] v5
	})
}

func TestRulesV311(t *testing.T) {
	client, server := V311.FromClient(), V311.FromServer()
	runBroken(t, []broken{
		{"MQTT-3.3.2-1", client, 0x30, "0003 eda080", "Topic", 2, ErrMalformed, false},       // [MQTT-1.5.3-1] v311
		{"MQTT-3.3.2-1", client, 0x30, "0001 ff", "Topic", 2, ErrMalformed, false},           // [MQTT-3.3.2-1] v311
		{"MQTT-1.5.3-2", client, 0x30, "0003 610062", "Topic", 2, ErrMalformed, false},       // [MQTT-1.5.3-2] v311
		{"MQTT-1.5.3-2", client, 0x30, "0001 00", "Topic", 2, ErrMalformed, false},           // [MQTT-4.7.3-2] v311
		{"U311-1.5.3-a", client, 0x30, "0001 1f", "Topic", 2, ErrMalformed, false},           // [U311-1.5.3-a] v311
		{"U311-1.5.3-a", client, 0x30, "0003 efb790", "Topic", 2, ErrMalformed, false},       // [U311-1.5.3-a] v311
		{"MQTT-2.3.1-1", client, 0x32, "0001 74 0000", "PacketID", 5, ErrProtocol, false},    // [MQTT-2.3.1-1] v311
		{"MQTT-2.3.1-1", client, 0x82, "0000 0001 61 00", "PacketID", 2, ErrProtocol, false}, // [MQTT-2.3.1-1] v311
		{"MQTT-2.3.1-1", client, 0xA2, "0000 0001 61", "PacketID", 2, ErrProtocol, false},    // [MQTT-2.3.1-1] v311

		{"MQTT-3.1.2-1", client, 0x10, "0006 4d5149736470 04 02 003c 0000", "ProtocolName", 2, ErrUnsupportedVersion, true}, // [MQTT-3.1.2-1] v311
		{"MQTT-3.1.2-1", client, 0x10, "0004 6d717474 04 02 003c 0000", "ProtocolName", 2, ErrUnsupportedVersion, true},     // [MQTT-3.1.2-1] v311
		{"MQTT-3.1.2-3", client, 0x10, connect4 + "03 003c 0000", "ConnectFlags", 9, ErrMalformed, true},                    // [MQTT-3.1.2-3] v311
		{"MQTT-3.1.2-13", client, 0x10, connect4 + "0a 003c 0001 63", "Will.QoS", 9, ErrMalformed, false},                   // [MQTT-3.1.2-11] v311
		{"MQTT-3.1.2-13", client, 0x10, connect4 + "12 003c 0001 63", "Will.QoS", 9, ErrMalformed, false},                   // [MQTT-3.1.2-13] v311
		{"MQTT-3.1.2-14", client, 0x10, connect4 + "1e 003c 0000 0001 77 0000", "Will.QoS", 9, ErrMalformed, false},         // [MQTT-3.1.2-14] v311
		{"MQTT-3.1.2-15", client, 0x10, connect4 + "22 003c 0001 63", "Will.Retain", 9, ErrMalformed, false},                // [MQTT-3.1.2-15] v311
		{"MQTT-3.1.2-22", client, 0x10, connect4 + "42 003c 0001 63 0001 70", "Password", 15, ErrMalformed, false},          // [MQTT-3.1.2-22] v311
		{"MQTT-3.1.3-4", client, 0x10, connect4 + "02 003c 0001 ff", "ClientID", 12, ErrMalformed, false},                   // [MQTT-3.1.3-4] v311
		{"MQTT-3.1.3-7", client, 0x10, connect4 + "00 003c 0000", "ClientID", 12, ErrProtocol, false},                       // [MQTT-3.1.3-7] v311
		{"MQTT-3.1.3-10", client, 0x10, connect4 + "06 003c 0000 0001 ff 0000", "Will.Topic", 14, ErrMalformed, false},      // [MQTT-3.1.3-10] v311
		{"MQTT-3.1.3-11", client, 0x10, connect4 + "82 003c 0000 0001 ff", "Username", 14, ErrMalformed, false},             // [MQTT-3.1.3-11] v311
		{"", client, 0x10, connect4 + "02 003c 0001 63 00", "", 15, ErrMalformed, true},                                     // [MQTT-3.1.4-1] v311

		{"U311-3.2.2.1-a", server, 0x20, "02 00", "AcknowledgeFlags", 2, ErrMalformed, true}, // [U311-3.2.2.1-a] v311
		{"U311-3.2.2.1-a", server, 0x20, "ff 05", "AcknowledgeFlags", 2, ErrMalformed, true}, // [U311-3.2.2.1-a] v311
		{"MQTT-3.2.2-4", server, 0x20, "01 05", "SessionPresent", 2, ErrProtocol, false},     // [MQTT-3.2.2-4] v311
		{"MQTT-3.3.1-2", client, 0x38, "0001 74", "Dup", 0, ErrMalformed, false},             // [MQTT-3.3.1-2] v311
		{"MQTT-3.3.1-4", client, 0x36, "0001 74 000a", "QoS", 0, ErrMalformed, false},        // [MQTT-3.3.1-4] v311
		{"MQTT-3.3.2-2", client, 0x30, "0003 612f23", "Topic", 2, ErrProtocol, false},        // [MQTT-3.3.2-2] v311

		{"MQTT-3.6.1-1", client, 0x60, "000a", "Flags", 0, ErrMalformed, true},                                       // [MQTT-3.6.1-1] v311
		{"MQTT-3.8.1-1", client, 0x80, "000a 0001 61 00", "Flags", 0, ErrMalformed, true},                            // [MQTT-3.8.1-1] v311
		{"MQTT-3.8.3-1", client, 0x82, "000a 0001 ff 00", "Filters[0].Filter", 4, ErrMalformed, false},               // [MQTT-3.8.3-1] v311
		{"MQTT-3.8.3-3", client, 0x82, "000a", "Filters", 4, ErrProtocol, false},                                     // [MQTT-3.8.3-3] v311
		{"MQTT-3.8.3-4", client, 0x82, "000a 0001 61 03", "Filters[0].QoS", 7, ErrMalformed, false},                  // [MQTT-3.8.3-4] v311
		{"MQTT-3.8.3-4", client, 0x82, "000a 0001 61 80", "Filters[0].Options", 7, ErrMalformed, true},               // [MQTT-3.8.3-4] v311
		{"MQTT-3.8.3-4", client, 0x82, "000a 0001 61 2d", "Filters[0].Options", 7, ErrMalformed, true},               // [MQTT-3.8.3-4] v311
		{"MQTT-3.9.3-2", server, 0x90, "000a 0003", "ReasonCodes[1]", 5, ErrMalformed, false},                        // [MQTT-3.9.3-2] v311
		{"MQTT-3.9.3-2", server, 0x90, "000a 87", "ReasonCodes[0]", 4, ErrMalformed, true},                           // [MQTT-3.9.3-2] v311
		{"MQTT-3.10.1-1", client, 0xA0, "000a 0001 61", "Flags", 0, ErrMalformed, true},                              // [MQTT-3.10.1-1] v311
		{"MQTT-3.10.3-1", client, 0xA2, "000a 0001 61 0001 ff", "Filters[1]", 7, ErrMalformed, false},                // [MQTT-3.10.3-1] v311
		{"MQTT-3.10.3-2", client, 0xA2, "000a", "Filters", 4, ErrProtocol, false},                                    // [MQTT-3.10.3-2] v311
		{"MQTT-3.14.1-1", client, 0xE1, "", "Flags", 0, ErrMalformed, true},                                          // [MQTT-3.14.1-1] v311
		{"MQTT-4.7.1-1", client, 0x10, connect4 + "06 003c 0000 0001 2b 0000", "Will.Topic", 14, ErrProtocol, false}, // [MQTT-4.7.1-1] v311
		{"MQTT-4.7.1-2", client, 0x82, "000a 0005 612f232f62 00", "Filters[0].Filter", 4, ErrProtocol, false},        // [MQTT-4.7.1-2] v311
		{"MQTT-4.7.1-2", client, 0xA2, "000a 0002 6123", "Filters[0]", 4, ErrProtocol, false},                        // [MQTT-4.7.1-2] v311
		{"MQTT-4.7.1-3", client, 0x82, "000a 0004 612b2f62 00", "Filters[0].Filter", 4, ErrProtocol, false},          // [MQTT-4.7.1-3] v311
		{"MQTT-4.7.1-3", client, 0xA2, "000a 0002 2b61", "Filters[0]", 4, ErrProtocol, false},                        // [MQTT-4.7.1-3] v311
		{"MQTT-4.7.3-1", client, 0x30, "0000", "Topic", 2, ErrProtocol, false},                                       // [MQTT-4.7.3-1] v311
		{"MQTT-4.7.3-1", client, 0x82, "000a 0000 00", "Filters[0].Filter", 4, ErrProtocol, false},                   // [MQTT-4.7.3-1] v311
		{"MQTT-4.7.3-1", client, 0xA2, "000a 0000", "Filters[0]", 4, ErrProtocol, false},                             // [MQTT-4.7.3-1] v311
	})
}
