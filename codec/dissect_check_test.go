package codec

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// checkDissection takes a packet apart and compares that with what Frame and
// Decode say of it.
func checkDissection(t *testing.T, b []byte, v Version) *Part {
	t.Helper()
	root := Dissect(b, v)
	checkTiles(t, root)
	var faults []*Error
	for _, p := range root.All() {
		faults = append(faults, p.Faults...)
	}
	if len(b) == 0 {
		return root
	}
	h, n, err := Frame(b, 0)
	var p Packet
	if err == nil && n > 0 {
		if p = NewPacket(h.Type); p != nil {
			err = p.Decode(h, b[h.Len:n:n], v)
		} else {
			err = unknownType(v)
		}
	}
	switch {
	case n > 0 && n != root.Len:
		t.Errorf("%x: %d bytes, want %d", b, root.Len, n)
	case err == nil && n == 0 && len(faults) == 0:
		t.Errorf("%x: no fault, but it is cut short", b)
	case err == nil && n > 0 && len(faults) > 0:
		t.Errorf("%x: %v, but it is legal", b, faults[0])
	case err != nil && !contains(faults, err):
		t.Errorf("%x: %v, not among %v", b, err, faults)
	case err == nil && n > 0:
		checkValues(t, root, p)
	}
	return root
}

// contains reports whether a fault is among others. Frame does not know the version
// and cites the rules of v5.0.
func contains(faults []*Error, err error) bool {
	var want *Error
	if !errors.As(err, &want) {
		return false
	}
	for _, f := range faults {
		sameRule := f.Rule == want.Rule || want.Version == 0
		if f.Field == want.Field && f.Offset == want.Offset && sameRule && f.Code == want.Code && f.Detail == want.Detail {
			return true
		}
	}
	return false
}

// checkTiles sees that the parts of each part cover it, in order, once.
func checkTiles(t *testing.T, p *Part) {
	t.Helper()
	at, mask := p.Offset, byte(0)
	for _, part := range p.Parts {
		switch {
		case part.Offset != at:
			t.Fatalf("%s begins at %d, want %d", part.Name, part.Offset, at)
		case part.Mask&mask != 0:
			t.Fatalf("%s has bits %02X of %02X already", part.Name, part.Mask, mask)
		}
		if mask |= part.Mask; part.Mask == 0 {
			at += part.Len
		}
		checkTiles(t, part)
	}
	switch {
	case mask != 0 && mask != 0xFF:
		t.Fatalf("%s has bits %02X only", p.Name, mask)
	case mask == 0 && len(p.Parts) > 0 && at != p.Offset+p.Len:
		t.Fatalf("%s ends at %d, its parts at %d", p.Name, p.Offset+p.Len, at)
	case len(p.Parts) > 0 && p.Value != nil:
		t.Fatalf("%s has parts and a value", p.Name)
	}
}

// checkValues compares the values of the parts with those of the decoded packet.
// JSON leaves zero values out.
func checkValues(t *testing.T, root *Part, p Packet) {
	t.Helper()
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	for _, part := range root.All() {
		if part.Path == "" || len(part.Parts) > 0 && part.Parts[0].Name != "Identifier" {
			continue
		}
		value := part.Value
		if len(part.Parts) == 2 {
			value = part.Parts[1].Value
		}
		if len(part.Parts) == 3 {
			pair := []any{part.Parts[1].Value, part.Parts[2].Value}
			got[part.Path] += asJSON(t, pair)
			continue
		}
		got[part.Path] += asJSON(t, value)
	}
	var all any
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	want := make(map[string]string)
	flatten(want, got, "", all)
	delete(want, "Packet")
	for path, value := range want {
		if got[path] != value {
			t.Errorf("%s is %s, want %s in %s", path, got[path], value, data)
		}
	}
	for path, value := range got {
		if _, there := want[path]; !there && value != "0" && value != "false" && value != `""` && !implied(path) {
			t.Errorf("%s is %s, but not in %s", path, value, data)
		}
	}
}

// implied reports whether a field has no place in the structs.
func implied(path string) bool {
	for _, f := range layouts[1].fields {
		if f.path == path && (f.wire == "protocol_name" || f.wire == "protocol_level") {
			return true
		}
	}
	return path == "Packet Type" || path == "Flags" || path == "Remaining Length"
}

// flatten notes the values of JSON under their paths. Those of lists have an index,
// and those of repeated properties, which got has without one, stand side by side.
func flatten(into, got map[string]string, path string, x any) {
	switch x := x.(type) {
	case map[string]any:
		if _, ok := x["base64"]; ok {
			break
		}
		for name, value := range x {
			flatten(into, got, strings.TrimPrefix(path+"."+name, "."), value)
		}
		return
	case []any:
		for i, value := range x {
			if _, ok := got[path]; ok {
				data, _ := json.Marshal(value)
				into[path] += string(data)
			} else {
				flatten(into, got, fmt.Sprintf("%s[%d]", path, i), value)
			}
		}
		return
	}
	data, _ := json.Marshal(x)
	into[path] = string(data)
}

func asJSON(t *testing.T, value any) string {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
