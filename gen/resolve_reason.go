package gen

import (
	"fmt"
	"slices"
)

// reasonCodes resolves the reason codes of v5.0.
func (r *resolver) reasonCodes() {
	seen := map[string]bool{}
	for _, c := range r.spec.Reasons {
		r.goName(c.Pos, "go", c.Go)
		r.text(c.Pos, "title", c.Title)
		r.text(c.Pos, "doc", c.Doc)
		r.inRange(c.Pos, "value", c.Value, 0, 255)
		if _, ok := r.reasons[c.Go]; ok {
			r.bad(c.Pos, "go", "%s stands here twice", c.Go)
		}
		r.reasons[c.Go] = c
		if len(c.From) == 0 {
			r.bad(c.Pos, "from", "missing, the code is allowed in no packet")
		}
		for _, p := range sortedKeys(c.From) {
			at := r.place(c.Pos, "from")
			r.packetName(at, p, p)
			r.oneOf(at, p, c.From[p], "both", "client", "server")
			if key := fmt.Sprint(p, c.Value); seen[key] {
				r.bad(at, p, "another code has the value 0x%02X there", c.Value)
			} else {
				seen[key] = true
			}
		}
		r.oldCodes(c)
	}
	r.model.Reasons = r.spec.Reasons
}

// oldCodes looks at what v3.1.1 writes for a reason code.
func (r *resolver) oldCodes(c ReasonSpec) {
	for _, p := range sortedKeys(c.V311) {
		at := r.place(c.Pos, "v3.1.1")
		if c.From[p] == "" {
			r.bad(at, p, "the packet does not carry the code in v5.0")
		}
		if !slices.ContainsFunc(r.spec.Returns, func(o ReturnSpec) bool { return o.Packet == p && o.Value == c.V311[p] }) {
			r.bad(at, p, "return_codes has no 0x%02X of the packet", c.V311[p])
		}
	}
}

// returnCodes resolves the return codes of v3.1.1.
func (r *resolver) returnCodes() {
	seen := map[string]bool{}
	for _, c := range r.spec.Returns {
		r.packetName(c.Pos, "packet", c.Packet)
		r.text(c.Pos, "doc", c.Doc)
		r.inRange(c.Pos, "value", c.Value, 0, 255)
		key := fmt.Sprint(c.Packet, c.Value)
		if seen[key] {
			r.bad(c.Pos, "value", "0x%02X of %s stands here twice", c.Value, c.Packet)
		}
		seen[key] = true
		reason, ok := r.reasons[c.Is]
		if !ok {
			r.bad(c.Pos, "is", "there is no reason code %q", c.Is)
		} else if value, ok := reason.V311[c.Packet]; !ok || value != c.Value {
			r.bad(c.Pos, "is", "%s does not name 0x%02X under v3.1.1 for %s", c.Is, c.Value, c.Packet)
		}
	}
	r.model.Returns = r.spec.Returns
}

// packetName reports a packet that has no file.
func (r *resolver) packetName(at Pos, key, name string) {
	for _, p := range r.spec.Packets {
		if p.Packet == name {
			return
		}
	}
	r.bad(at, key, "there is no packet %q", name)
}
