package access

import (
	"fmt"
	"strings"
	"testing"
)

// manyRules is an ACL file of 10,000 rules: of users, of everybody without a
// name, and patterns.
func manyRules() string {
	var b strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&b, "topic read public/%d/+/state\n", i)
	}
	for i := range 1000 {
		fmt.Fprintf(&b, "user user%d\ntopic devices/user%d/#\ntopic deny devices/user%d/secret/#\ntopic read news/+/%d\n", i, i, i, i)
	}
	for i := range 2990 {
		fmt.Fprintf(&b, "pattern read site%d/%%u/+/x\n", i)
	}
	b.WriteString("pattern write up/%c/%u/#\n")
	return b.String()
}

func TestAllocations(t *testing.T) {
	a := load(t, manyRules())
	topic := []byte("up/device-17/user17/temp")
	if n := testing.AllocsPerRun(100, func() {
		if !a.MayWrite("user17", "device-17", topic) || a.MayRead("user17", "device-17", topic) {
			t.Fatal("wrong answer")
		}
	}); n != 0 {
		t.Errorf("%v allocations in a check", n)
	}
}

func BenchmarkMayWrite(b *testing.B) {
	for name, acl := range map[string]string{"rules=10": "pattern write up/%c/%u/#\nuser user17\ntopic devices/user17/#\n" + strings.Repeat("topic x\n", 7), "rules=10000": manyRules()} {
		a := load(b, acl)
		for _, c := range []string{"up/device-17/user17/temp", "devices/user17/lamp"} {
			topic := []byte(c)
			b.Run(name+"/"+c[:2], func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if !a.MayWrite("user17", "device-17", topic) {
						b.Fatal("denied")
					}
				}
			})
		}
	}
}
