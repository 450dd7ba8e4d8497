package gen

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// mistake is an edit of a file of spec/ and what Load says about it. In the
// new text, § stands in front of the position that is reported. Where there is
// none, the text alone is compared, and @ names another file.
type mistake struct {
	file, old, new string
	want           string
}

const (
	properties = "properties.yaml"
	reasons    = "reason_codes.yaml"
	faults     = "faults.yaml"
	publish    = "packets/publish.yaml"
	connect    = "packets/connect.yaml"
	connack    = "packets/connack.yaml"
	puback     = "packets/puback.yaml"
	subscribe  = "packets/subscribe.yaml"
	suback     = "packets/suback.yaml"
	disconnect = "packets/disconnect.yaml"
)

var mistakes = []mistake{
	// What is wrong whatever it means.
	{publish, "name: PUBLISH\ndoc: Publish carries one application message.", "name: &x PUBLISH\ndoc: §*x", "write the value out"},
	{publish, "  - {name: Dup, bits: 1, go: bool, doc: marks a packet that was sent before.}", "  - §Dup", "expected a mapping with the keys name, bits"},
	{publish, "new: [Topic]", "§knew: [Topic]", `unknown key "knew", expected one of packet, type`},
	{publish, "new: [Topic]", "new: [Topic]\n§new: [Topic]", `key "new" stands here twice`},
	{publish, "new: [Topic]", "new: §Topic", "expected a list"},
	{publish, `refs: {v3.1.1: "3.3", v5.0: "3.3"}`, `refs: §"3.3"`, "expected a mapping"},
	{publish, `refs: {v3.1.1: "3.3", v5.0: "3.3"}`, `refs: {v3.1.1: "3.3", §v3.1.1: "3.3", v5.0: "3.3"}`, `key "v3.1.1" stands here twice`},
	{publish, "value: {Topic: t, Payload: hi}\n  - name: qos1", "value: §{Topic: t, Topic: t}\n  - name: qos1", "already defined"},
	{publish, "type: 3", "type: §[3]", "expected a single value"},
	{publish, "type: 3", "type: §three", `"three" is not a whole number that fits here`},
	{publish, "many: true", "many: §perhaps", `"perhaps" is not true or false`},
	{publish, "packet: Publish\n", "packet: Publish\n§\tx", "line 2"},
	{publish, "", "§# nothing", "the file is empty"},

	// Reason codes and return codes.
	{reasons, "go: ServerBusy", "go: §serverBusy", `go: "serverBusy" is not an exported Go name`},
	{reasons, "go: Banned", "go: §ServerBusy", "go: ServerBusy stands here twice"},
	{reasons, "title: Server busy", `title: §""`, "title: missing"},
	{reasons, "doc: the server is busy, try again later", `doc: §""`, "doc: missing"},
	{reasons, "value: 0x89", "value: §0x189", "value: 393 is not in 0 to 255"},
	{reasons, "from: {Connack: server, Disconnect: server}\n    v3.1.1: {Connack: 3}\n  - go: Banned", "from: §{}\n  - go: Banned", "from: missing"},
	{reasons, "from: {Disconnect: client}", "from: {Disconnected: §client}", `there is no packet "Disconnected"`},
	{reasons, "from: {Disconnect: client}", "from: {Disconnect: §clients}", `Disconnect: "clients" is none of both, client, server`},
	{reasons, "value: 0x8E\n    title: Session taken over\n    doc: another connection uses the same Client Identifier\n    from: {Disconnect: server}",
		"value: 0x8D\n    title: Session taken over\n    doc: another connection\n    from: {Disconnect: §server}", "another code has the value 0x8D there"},
	{reasons, "v3.1.1: {Connack: 4}", "v3.1.1: {Suback: §0x80}", "Suback: the packet does not carry the code in v5.0"},
	{reasons, "v3.1.1: {Connack: 4}", "v3.1.1: {Connack: §6}", "Connack: return_codes has no 0x06 of the packet"},
	{reasons, "{packet: Suback, value: 0x80,", "{packet: §Subback, value: 0x80,", `packet: there is no packet "Subback"`},
	{reasons, "doc: the subscription is refused}", `doc: §""}`, "doc: missing"},
	{reasons, "{packet: Suback, value: 0x80,", "{packet: Suback, value: §0x800,", "value: 2048 is not in 0 to 255"},
	{reasons, "{packet: Connack, value: 0x05,", "{packet: Connack, value: §0x04,", "value: 0x04 of Connack stands here twice"},
	{reasons, "is: NotAuthorized,", "is: §Unauthorized,", `is: there is no reason code "Unauthorized"`},
	{reasons, "is: NotAuthorized,", "is: §ServerBusy,", "is: ServerBusy does not name 0x05 under v3.1.1 for Connack"},

	// Faults.
	{faults, "rule: {v5.0: U5-2.2.2.2-b}", "rule: {v4: §U5-2.2.2.2-b}", `rule: unknown version "v4", expected v3.1.1 or v5.0`},
	{faults, "rule: {v5.0: U5-2.2.2.2-b}", "rule: {v5.0: §U5-2.2.2.2-z}", `rule: spec/rules has no statement "U5-2.2.2.2-z" of v5.0`},
	{faults, "detail: the property stands here twice", `detail: §""`, "detail: missing"},
	{faults, "go: faultRepeated", "go: §repeated", `go: "repeated" does not begin with fault`},
	{faults, "go: faultRepeated", "go: §faultUnknownProperty", "go: faultUnknownProperty stands here twice"},
	{faults, "    class: protocol\n    rule: {v5.0: U5-2.2.2.2-b}", "    rule: {v5.0: U5-2.2.2.2-b}", "class: missing"},
	{faults, "    class: protocol\n    rule: {v5.0: U5-2.2.2.2-b}", "    class: §wrong\n    rule: {v5.0: U5-2.2.2.2-b}", `class: "wrong" is none of malformed, not_in_version, protocol`},
	{faults, "go: faultRange", "go: faultOutside", "@packets/connect.yaml faults.yaml has no faultRange, which this needs"},

	// Properties.
	{properties, "name: TopicAlias\n", "name: §topicAlias\n", `name: "topicAlias" is not an exported Go name`},
	{properties, "title: Topic Alias\n", "title: §''\n", "title: missing"},
	{properties, "doc: >-\n      holds pairs of strings whose meaning the standard leaves to the two\n      sides.", "doc: §''", "doc: missing"},
	{properties, "id: 0x23\n    title: Topic Alias\n    wire: u16", "id: 0x23\n    title: Topic Alias\n    wire: §u24", `wire: "u24" is none of binary, pair, u16`},
	{properties, "id: 0x23", "id: §0x83", "id: 131 is not in 1 to 127"},
	{properties, "id: 0x23", "id: §0x22", "id: 0x22 stands here twice"},
	{properties, "name: TopicAlias\n", "name: §TopicAliasMaximum\n", "name: TopicAliasMaximum stands here twice"},
	{properties, "verb: not_zero, code: TopicAliasInvalid", "verb: §needs, code: TopicAliasInvalid", `verb: "needs" is none of max, no_wildcards, not_empty`},
	{properties, "verb: not_zero, code: TopicAliasInvalid", "verb: not_zero, §field: X, code: TopicAliasInvalid", "field: not for verb: not_zero, which takes verb, class, code, rule"},
	{properties, "verb: not_zero, code: TopicAliasInvalid", "verb: not_zero, code: §AliasInvalid", `code: reason_codes.yaml has no "AliasInvalid"`},
	{properties, "code: TopicAliasInvalid, rule: {v5.0: MQTT-3.3.2-8}", "rule: {v3.1.1: §MQTT-3.3.2-2}", "rule: v3.1.1 does not have what this is about"},
	{properties, "- {verb: utf8, rule: {v5.0: MQTT-1.5.7-1}}", "- §{verb: utf8}", "rule: missing, every check cites the rule it enforces"},
	{properties, "- {verb: utf8, rule: {v5.0: MQTT-1.5.7-1}}", "- {verb: §max, value: 1, rule: {v5.0: MQTT-1.5.7-1}}", "verb: max is for u8, and this is pair"},
	{properties, "- {verb: utf8, rule: {v5.0: MQTT-1.5.7-1}}", "- {verb: utf8, rule: {v5.0: MQTT-1.5.7-1}}\n      - {verb: §utf8, rule: {v5.0: MQTT-1.5.7-1}}", "verb: utf8 stands here twice for this field"},
	{properties, "{verb: max, value: 1, rule: {v5.0: U5-3.2.2.3.13-a}}", "{verb: max, value: §255, rule: {v5.0: U5-3.2.2.3.13-a}}", "value: 255 is not in 1 to 254"},
	{properties, "{verb: max, value: 1, rule: {v5.0: U5-3.2.2.3.13-a}}", "§{verb: max, rule: {v5.0: U5-3.2.2.3.13-a}}", "value: missing, verb: max needs it"},
	{connack, "      - {is: SharedSubscriptionAvailable, ref: 3.2.2.3.13}\n", "", "@properties.yaml name: SharedSubscriptionAvailable is allowed in no packet"},

	// Packets.
	{publish, "packet: Publish", "packet: §publish", `packet: "publish" is not an exported Go name`},
	{publish, "packet: Publish", "packet: §Pub", "packet: Pub belongs into pub.yaml"},
	{publish, "packet: Publish", "packet: §Will", "there are two Go types with the name Will"},
	{publish, "name: PUBLISH", `name: §""`, "name: missing"},
	{publish, "doc: Publish carries one application message.", `doc: §""`, "doc: missing"},
	{publish, "type: 3", "type: §16", "type: 16 is not in 1 to 15"},
	{publish, "type: 3", "type: §4", "type: 4 stands in two files"},
	{publish, "from: {v3.1.1: both, v5.0: both}", "from: §{v3.1.1: both}", "from: v5.0 is missing"},
	{publish, "from: {v3.1.1: both, v5.0: both}", "from: {v3: §both, v5.0: both}", `v3: "v3" is none of v3.1.1, v5.0`},
	{publish, "from: {v3.1.1: both, v5.0: both}", "from: {v3.1.1: §all, v5.0: both}", `v3.1.1: "all" is none of both, client, server`},
	{publish, `refs: {v3.1.1: "3.3", v5.0: "3.3"}`, `refs: §{v5.0: "3.3"}`, "refs: the section of v3.1.1 is missing"},
	{publish, `refs: {v3.1.1: "3.3", v5.0: "3.3"}`, `refs: {v3.1.1: "3.3", v5.0: "3.3", v6: §"3.3"}`, "v6: from does not have this version"},
	{publish, "flags:\n  - {name: Dup, bits: 1,", "flags:\n  - §{name: Will.Dup, bits: 1,", "flags: four reserved bits, or flags of the packet alone"},
	{publish, "new: [Topic]", "new: §[Payload]", `new: Publish has no single value "Payload"`},
	{publish, "with: PacketID", "with: §Payload", `with: Publish has no single value "Payload"`},
	{publish, "name: Topic, wire: utf8", "name: §Size, wire: utf8", "name: the generated code has another Size there"},
	{publish, "name: Topic, wire: utf8", "name: §QoS, wire: utf8", "name: the generated code has another QoS there"},
	{publish, "- {is: ContentType, ref", "- {is: ContentType, as: §TopicAlias, ref", "as: the generated code has another TopicAlias there"},

	// Fields.
	{publish, "name: Topic, wire: utf8", "name: §topic, wire: utf8", `name: "topic" is not an exported Go name`},
	{publish, "name: Topic, wire: utf8", "name: §Type, wire: utf8", `name: "Type" is not an exported Go name`},
	{publish, "doc: is the Packet Identifier of QoS 1 and 2.", `doc: §""`, "doc: missing"},
	{publish, "name: Topic, wire: utf8", "name: Topic, wire: §string", `wire: "string" is none of binary, bits, group`},
	{publish, "name: Topic, wire: utf8", "name: Topic, §optional: true, wire: utf8", "optional: not for wire: utf8, which takes name, wire, doc, when"},
	{publish, "show: payload", "show: §nothing", `show: "nothing" is none of payload`},
	{publish, "when: QoS > 0", "since: §v3.1.1", `since: "v3.1.1" is none of v5.0`},
	{publish, "when: QoS > 0", "since: v5.0, when: §QoS > 0", "when: a field has a condition or is new in v5.0, not both"},
	{publish, "when: QoS > 0", "when: §QoS = 1", `when: "QoS = 1" is neither a field nor a comparison`},
	{publish, "when: QoS > 0", "when: §Quality > 0", `when: Publish has no "Quality"`},
	{publish, "when: QoS > 0", "when: §Topic > 0", "when: Topic is not a value for such a condition"},
	{publish, "when: QoS > 0", "when: §Properties.TopicAlias", "when: Properties.TopicAlias is read after the field"},
	{disconnect, "{name: ReasonCode, wire: reason_code, since: v5.0, optional: true,", "§{name: ReasonCode, wire: bits,", "bits: missing, wire: bits needs it"},
	{disconnect, "{name: ReasonCode, wire: reason_code, since: v5.0, optional: true,", "§{name: ReasonCode, wire: group,", "fields: missing, wire: group needs it"},
	{disconnect, "{name: ReasonCode, wire: reason_code, since: v5.0, optional: true,", "§{name: ReasonCode, wire: properties, since: v5.0,", "allow: missing, wire: properties needs it"},
	{suback, "    since: v5.0\n", "", "since: properties exist since v5.0"},
	{subscribe, "type: Subscription", "type: §subscription", `type: "subscription" is not an exported Go name`},
	{publish, "wire: rest, show: payload, doc: is the content of the message and may be empty.}",
		"wire: §rest, doc: is the content.}\n  - {name: More, wire: u8, doc: is more.}", "wire: rest takes all that is left, so it is the last field of a packet"},
	{subscribe, "      - {name: Filter, wire: utf8, doc: is the Topic Filter.}",
		"      - {name: Filter, wire: utf8, doc: is the Topic Filter.}\n      - {name: Extra, wire: §properties, since: v5.0, doc: is more., allow: [{is: ReasonString, ref: 3}]}",
		"wire: properties stand in a packet or a group, not in the elements of a list"},
	{connack, "name: ReasonCode, wire: reason_code,", "name: ReasonCode, wire: reason_code, optional: §true,", "optional: only a reason code and the properties after it can be left out"},

	// Bits.
	{connect, "{present: Username}", "{present: Username, §doc: tells it}", "doc: not for the presence of a field, which takes present"},
	{publish, "{name: Dup, bits: 1, go: bool, doc: marks a packet that was sent before.}", "{present: §Topic}", "present: not for flags of the fixed header"},
	{publish, "{name: Dup, bits: 1, go: bool, doc: marks a packet that was sent before.}", "§{reserved: 1, rule: {v5.0: MQTT-3.3.1-4}}", "flags: four reserved bits, or flags of the packet alone"},
	{connect, "{present: Username}", "{present: §User}", `present: there is no field "User"`},
	{connect, "{present: Password}", "{present: §Username}", "present: something else tells already whether there is a Username"},
	{connect, "{present: Username}", "{present: §Properties}", "present: Properties has wire: properties, which is always there"},
	{connect, "{present: Username}", "{present: §ProtocolName}", "present: ProtocolName stands before the bit that tells of it"},
	{connect, "name: Will.Retain", "name: §Password.Retain", `name: there is no group "Password" whose presence a bit tells`},
	{connect, "{reserved: 1, rule", "{reserved: 1, §with: X, rule", "with: not for reserved bits, which takes reserved, value"},
	{connect, "{reserved: 1, rule", "{reserved: §9, rule", "reserved: 9 is not in 1 to 8"},
	{connect, "{reserved: 1, rule", "{reserved: 1, value: §2, rule", "value: 2 is not in 0 to 1"},
	{connect, "{reserved: 1, rule: {v3.1.1: MQTT-3.1.2-3, v5.0: MQTT-3.1.2-3}}", "§{reserved: 1}", "rule: missing, every check cites"},
	{connect, "      - {reserved: 1, rule: {v3.1.1: MQTT-3.1.2-3, v5.0: MQTT-3.1.2-3}}\n", "", "bits: these are 7 bits, expected 8"},
	{connect, "name: CleanStart, bits: 1", "name: CleanStart, §rule: {v5.0: MQTT-3.1.2-3}, bits: 1", "rule: not for bits that hold a value, which takes name, bits, go, doc, max, since"},
	{connect, "name: CleanStart, bits: 1", "name: §cleanStart, bits: 1", `name: "cleanStart" is not an exported Go name`},
	{connect, "doc: asks for a new session; v3.1.1 calls it Clean Session.", `doc: §""`, "doc: missing"},
	{connect, "name: CleanStart, bits: 1, go: bool", "name: CleanStart, bits: 1, go: §int", `go: "int" is none of QoS, RetainHandling, bool, uint8`},
	{connect, "name: CleanStart, bits: 1, go: bool", "name: CleanStart, bits: §9, go: uint8", "bits: 9 is not in 1 to 8"},
	{connect, "name: CleanStart, bits: 1, go: bool", "name: CleanStart, bits: §2, go: bool", "bits: bool has 1"},
	{subscribe, "go: RetainHandling, max: 2, since: v5.0", "go: RetainHandling, max: 2, since: §v5", `since: "v5" is none of v5.0`},
	{subscribe, "go: RetainHandling, max: 2", "go: RetainHandling, max: §3", "max: 3 is not in 1 to 2"},
	{subscribe, ", rule: {v5.0: U5-3.8.3.1-b}}", "}", "rule: missing, every check cites"},
	{subscribe, "rule: {v3.1.1: MQTT-3.8.3-4, v5.0: U5-3.8.3.1-a}", "rule: §{v5.0: U5-3.8.3.1-a}", "rule: the value is checked in v3.1.1 too, so a rule of it is cited"},

	// Properties of packets.
	{publish, "is: TopicAlias,", "is: §Alias,", `is: properties.yaml has no "Alias"`},
	{publish, "is: ContentType,", "is: §TopicAlias,", "is: TopicAlias stands here twice"},
	{publish, "as: UserProperties", "as: §userProperties", `as: "userProperties" is not an exported Go name`},
	{publish, "{is: TopicAlias, ref: 3.3.2.3.4}", "§{is: TopicAlias}", "ref: missing"},
	{publish, "{is: TopicAlias, ref", "{is: TopicAlias, many: §true, ref", "many: UserProperty always repeats, SubscriptionIdentifier may, and no other does"},
	{publish, "from: server, rule", "from: §broker, rule", `from: "broker" is none of both, client, server`},
	{publish, "{is: TopicAlias, ref", "{is: TopicAlias, rule: §{v5.0: MQTT-3.3.4-6}, ref", "rule: without from there is nothing to enforce"},
	{publish, "from: server, rule: {v5.0: MQTT-3.3.4-6}", "from: server", "rule: missing, every check cites"},

	// Checks.
	{publish, "verb: no_wildcards", "verb: §nice", `verb: "nice" is none of custom, excludes`},
	{publish, "verb: no_wildcards", "§unless: X, verb: no_wildcards", "unless: not for verb: no_wildcards, which takes verb, field"},
	{publish, "- {verb: needs, field: Dup, needs: QoS > 0,", "- §{verb: needs, field: Dup,", "needs: missing, verb: needs needs it"},
	{publish, "verb: no_wildcards, field: Topic", "verb: no_wildcards, field: §Topics", `field: Publish has no "Topics"`},
	{publish, "field: Topic, rule: {v3.1.1: MQTT-3.3.2-2, v5.0: MQTT-3.3.2-2}", "field: Topic", "rule: missing, every check cites"},
	{publish, "field: Topic, rule: {v3.1.1: MQTT-3.3.2-2, v5.0: MQTT-3.3.2-2}", "field: Topic, rule: §{v5.0: MQTT-3.3.2-2}", "rule: the value is checked in v3.1.1 too"},
	{publish, "verb: no_wildcards, field: Topic", "verb: §no_wildcards, field: Properties.ResponseTopic", "verb: no_wildcards is for fields; bits have max"},
	{connect, "- {verb: needs, field: Password, needs: Username,", "- {verb: needs, field: §Will.Topic, needs: Username,", "field: Will.Topic stands in a group, where needs cannot look"},
	{connect, "- {verb: needs, field: Password, needs: Username,", "- {verb: needs, field: §ConnectFlags, needs: Username,", "field: ConnectFlags is not a value that can be there or not"},
	{subscribe, "method: sharedNoLocal", "method: §SharedNoLocal", `method: "SharedNoLocal" is not the name of a Go method such as sharedNoLocal`},
	{subscribe, "- {verb: custom, field: Filters.NoLocal, method: sharedNoLocal,", "- {verb: excludes, field: Filters.NoLocal, with: §PacketID,", "with: PacketID does not stand in one struct with Filters.NoLocal"},
	{connack, "with: ReasonCode", "with: §Reason Code", `with: "Reason Code" is neither a field nor a comparison`},

	// Golden packets.
	{puback, "golden:\n…", "", "golden: missing, packet Puback has none"},
	{publish, "- name: qos0\n", "- name: §''\n", "name: missing"},
	{publish, "- name: qos1_dup\n", "- name: §qos0\n", "name: qos0 stands here twice"},
	{publish, "name: qos0\n    version: v3.1.1", "name: qos0\n    version: §v3", `version: "v3" is none of v3.1.1, v3.1.1 wide, v5.0`},
	{publish, `hex: "30 05 00 01 74 68 69"`, `hex: §"30 05 00 01 74 68 6"`, "hex: encoding/hex: odd length"},
	{publish, `hex: "30 05 00 01 74 68 69"`, `hex: §"40 05 00 01 74 68 69"`, "hex: the first byte is not that of a PUBLISH"},
	{publish, "value: {Topic: t, Payload: hi}\n  - name: qos1", "value: §{1: t}\n  - name: qos1", "value: JSON cannot hold it"},
}

// apply returns the files after the edit, and the position that § marks, which
// has no line where there is none.
func (m *mistake) apply(t *testing.T, files fstest.MapFS) (fstest.MapFS, Pos) {
	t.Helper()
	text := string(files[m.file].Data)
	old := m.old
	if before, toEnd := strings.CutSuffix(old, "…"); toEnd {
		old = text[max(0, strings.Index(text, before)):]
	}
	if old == "" {
		old = text
	}
	if !strings.Contains(text, old) {
		t.Fatalf("%s has no %q", m.file, old)
	}
	text = strings.Replace(text, old, m.new, 1)
	before, after, marked := strings.Cut(text, "§")
	at := Pos{File: m.file}
	if other, ok := strings.CutPrefix(m.want, "@"); ok {
		at.File, m.want, _ = strings.Cut(other, " ")
	}
	if marked {
		at.Line = strings.Count(before, "\n") + 1
		at.Column = len(before) - strings.LastIndex(before, "\n")
	}
	edited := fstest.MapFS{}
	for name, file := range files {
		edited[name] = file
	}
	edited[m.file] = &fstest.MapFile{Data: []byte(before + after)}
	return edited, at
}

// problemsOf loads a spec that is wrong.
func problemsOf(t *testing.T, files fstest.MapFS) Problems {
	t.Helper()
	m, err := Load(files)
	var problems Problems
	if m != nil || !errors.As(err, &problems) {
		t.Fatalf("Load = %v, %v", m, err)
	}
	return problems
}

// hasProblem reports whether one of the problems is the expected one.
func hasProblem(problems Problems, at Pos, want string) bool {
	return slices.ContainsFunc(problems, func(p Problem) bool {
		return strings.Contains(p.Text, want) && p.Pos.File == at.File &&
			(at.Line == 0 || p.Pos.Line == at.Line && (p.Pos.Column == at.Column || at.Column == 1))
	})
}

// TestMistakes makes each mistake in the real spec, one at a time.
func TestMistakes(t *testing.T) {
	called := recordCalls(t)
	files := withShortRules(t, realSpec(t))
	for _, m := range mistakes {
		edited, at := m.apply(t, files)
		problems := problemsOf(t, edited)
		if !hasProblem(problems, at, m.want) {
			t.Errorf("%q for %q in %s:\ngot:  %v\nwant: %v: %s", m.new, m.old, m.file, problems, at, m.want)
		}
		for _, p := range problems {
			if p.Pos.Line < 1 || p.Pos.Column < 1 || files[p.Pos.File] == nil {
				t.Errorf("%v has no place", p)
			}
		}
	}
	for call, name := range reportingCalls(t) {
		if !called[call] {
			t.Errorf("%s: no mistake reaches %s", call, name)
		}
	}
}

// recordCalls notes the lines of this package that lead to a problem.
func recordCalls(t *testing.T) map[string]bool {
	called := map[string]bool{}
	observe = func() {
		pc := make([]uintptr, 20)
		frames := runtime.CallersFrames(pc[:runtime.Callers(2, pc)])
		for {
			frame, more := frames.Next()
			called[fmt.Sprintf("%s:%d", filepath.Base(frame.File), frame.Line)] = true
			if !more {
				return
			}
		}
	}
	t.Cleanup(func() { observe = func() {} })
	return called
}

// reporting are the methods that look for a mistake or report one.
var reporting = []string{
	"add", "bad", "oneOf", "text", "goName", "inRange", "rule", "cites", "only", "everywhere", "packetName", "checkKeys",
}

// reportingCalls returns where this package calls those methods.
func reportingCalls(t *testing.T) map[string]string {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	calls := map[string]string{}
	set := token.NewFileSet()
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "emit") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if f, ok := call.Fun.(*ast.SelectorExpr); ok && slices.Contains(reporting, f.Sel.Name) {
				at := set.Position(f.Sel.Pos())
				calls[fmt.Sprintf("%s:%d", name, at.Line)] = f.Sel.Name
			}
			return true
		})
	}
	if len(calls) < 80 {
		t.Fatalf("found %d calls only", len(calls))
	}
	return calls
}

// TestMistakesTogether makes several mistakes at once: all are reported, in
// the order of their places, each once.
func TestMistakesTogether(t *testing.T) {
	files := realSpec(t)
	for _, m := range []mistake{
		{publish, "type: 3", "tipe: 3", ""},
		{publish, "many: true", "many: perhaps", ""},
		{publish, "verb: no_wildcards", "verb: nice", ""},
		{properties, "id: 0x23", "id: 0x22", ""},
		{connect, "is: ReceiveMaximum", "is: ReceiveMinimum", ""},
		{faults, "class: protocol", "class: wrong", ""},
	} {
		files, _ = m.apply(t, files)
	}
	problems := problemsOf(t, files)
	wants := []string{
		"faults.yaml:", `class: "wrong" is none of`,
		"packets/connect.yaml:", `is: properties.yaml has no "ReceiveMinimum"`,
		"packets/publish.yaml:", `unknown key "tipe"`,
		"packets/publish.yaml:", `"perhaps" is not true or false`,
		"packets/publish.yaml:", `verb: "nice" is none of`,
		"properties.yaml:", "id: 0x22 stands here twice",
	}
	text := problems.Error()
	for _, want := range wants {
		_, rest, found := strings.Cut(text, want)
		if !found {
			t.Fatalf("%q is missing or out of order in\n%v", want, problems)
		}
		text = rest
	}
	for i, p := range problems[1:] {
		if p == problems[i] {
			t.Errorf("%v is reported twice", p)
		}
	}
	if lines := strings.Count(problems.Error(), "\n") + 1; lines != len(problems) {
		t.Errorf("%d problems make %d lines", len(problems), lines)
	}
}

// withShortRules returns the files with rules that have nothing but their ids,
// which are read much faster.
func withShortRules(t *testing.T, files fstest.MapFS) fstest.MapFS {
	t.Helper()
	for _, name := range ruleFiles {
		ids, err := readRules(files, name)
		if err != nil {
			t.Fatal(err)
		}
		text := "statements:\n"
		for _, id := range sortedKeys(ids) {
			text += "- {id: " + id + "}\n"
		}
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return files
}

// TestAnyMistake damages lines of a file in turn. Load has to report it or
// accept it, and what it accepts can be written, which is tried at times.
func TestAnyMistake(t *testing.T) {
	files := withShortRules(t, realSpec(t))
	for name, step := range map[string]int{subscribe: 2, connect: 7, publish: 5, disconnect: 5, properties: 11, reasons: 11} {
		t.Run(name, func(t *testing.T) {
			accepted := 0
			lines := bytes.SplitAfter(files[name].Data, []byte("\n"))
			for i := 0; i < len(lines); i += step {
				line := lines[i]
				for _, other := range [][]byte{nil, bytes.Replace(line, []byte(": "), []byte(": x"), 1), bytes.Replace(line, []byte("{"), []byte("{x: 1, "), 1)} {
					edited := fstest.MapFS{}
					for name, file := range files {
						edited[name] = file
					}
					edited[name] = &fstest.MapFile{Data: bytes.Join([][]byte{bytes.Join(lines[:i], nil), other, bytes.Join(lines[i+1:], nil)}, nil)}
					m, err := Load(edited)
					var problems Problems
					if err != nil && !errors.As(err, &problems) {
						t.Fatalf("line %d: %v", i+1, err)
					}
					if err == nil {
						if accepted++; accepted%50 != 0 {
							continue
						}
						if _, err := m.Files(); err != nil {
							t.Errorf("line %d as %q is accepted and cannot be written: %v", i+1, other, err)
						}
					}
				}
			}
		})
	}
}
