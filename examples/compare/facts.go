package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

const vectorFile = "../../codec/testdata/vectors.yaml"

// vector is one example of the file.
type vector struct {
	Version           byte
	To, Name, Hex     string
	Class, Basis, Ref string
}

// vectors returns the legal examples, and those of the illegal ones that can be
// held against every codec.
func vectors() (valid, invalid []vector, err error) {
	data, err := os.ReadFile(vectorFile)
	if err != nil {
		return nil, nil, err
	}
	var file struct{ Valid, Invalid []vector }
	if err := yaml.Unmarshal(data, &file); err != nil {
		return nil, nil, err
	}
	for _, x := range file.Invalid {
		if x.comparable() {
			invalid = append(invalid, x)
		}
	}
	return file.Valid, invalid, nil
}

// comparable leaves out inputs whose class follows from our reading of general
// rules alone, those that a server answers with a CONNACK, and the one that is
// illegal for its direction alone, which a codec need not know.
func (x *vector) comparable() bool {
	return x.Basis == "explicit" && x.Class != "connack" && x.Name != "PUBLISH from client with Subscription Identifier"
}

var errPanic = errors.New("panic")

// try feeds x to l; the error tells why it was refused.
func (x *vector) try(l *library) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", errPanic, r)
		}
	}()
	wire, err := hex.DecodeString(x.Hex)
	if err != nil {
		return err
	}
	return l.check(x.Version, x.To == "server", wire)
}

// count is how many of the examples of one version a library accepts.
type count struct{ accepted, panics, of int }

func (c count) refused() string {
	s := fmt.Sprintf("%d of %d", c.of-c.accepted-c.panics, c.of)
	if c.panics > 0 {
		s += fmt.Sprintf(", panics on %d", c.panics)
	}
	return s
}

func counted(l *library, version byte, all []vector) (c count) {
	for _, x := range all {
		if x.Version != version {
			continue
		}
		c.of++
		switch err := x.try(l); {
		case err == nil:
			c.accepted++
		case errors.Is(err, errPanic):
			c.panics++
		}
	}
	return c
}

// strictness is the table of accepted and refused examples.
func strictness() (*table, error) {
	valid, invalid, err := vectors()
	if err != nil {
		return nil, err
	}
	t := newTable("codec", "CONNECT of v3.1", "legal v3.1.1 read", "illegal v3.1.1 refused", "legal v5.0 read", "illegal v5.0 refused")
	for _, l := range libraries() {
		if l.check == nil {
			continue
		}
		old := "—"
		if l.reads(v311) {
			old = "read"
			if l.check(v311, true, packet(0x10, text("MQIsdp"), []byte{3, 2, 0, 60}, text("c"))) != nil {
				old = "refused"
			}
		}
		row := []string{l.title(), old}
		for _, version := range []byte{v311, v5} {
			if !l.reads(version) {
				row = append(row, "—", "—")
				continue
			}
			ok := counted(l, version, valid)
			row = append(row, fmt.Sprintf("%d of %d", ok.accepted, ok.of), counted(l, version, invalid).refused())
		}
		t.add(row...)
	}
	return t, nil
}

// perInput tells for each example what each codec does with it.
func perInput() (*table, error) {
	valid, invalid, err := vectors()
	if err != nil {
		return nil, err
	}
	libs := slices.DeleteFunc(libraries(), func(l *library) bool { return l.check == nil })
	head := []string{"input", "bytes", "is"}
	for _, l := range libs {
		head = append(head, l.name)
	}
	t := newTable(head...)
	for i, x := range slices.Concat(valid, invalid) {
		row := []string{versionName(x.Version) + " " + x.Name, x.Hex, "legal"}
		if i >= len(valid) {
			row[2] = "illegal, " + x.Ref
		}
		for _, l := range libs {
			said := "—"
			if l.reads(x.Version) {
				switch err := x.try(l); {
				case err == nil:
					said = "read"
				case errors.Is(err, errPanic):
					said = "panic"
				default:
					said = "refused"
				}
			}
			row = append(row, said)
		}
		t.add(row...)
	}
	return t, nil
}

func versionName(version byte) string {
	if version == v5 {
		return "v5.0"
	}
	return "v3.1.1"
}

// facts is the table of everything else.
func facts() (*table, error) {
	t := newTable("library", "versions", "client", "server", "protocol needs package net", "topic of 65,536 bytes", "allocated for a claim of 256 MiB")
	for _, l := range libraries() {
		if l.module == "" {
			continue
		}
		var versions []string
		for _, v := range l.versions {
			versions = append(versions, versionName(v))
		}
		net, err := needsNet(l.protocol)
		if err != nil {
			return nil, err
		}
		t.add(l.title(), strings.Join(versions, " and "), role(l.client), role(l.server), net, l.sayLongTopic(), l.sayClaim())
	}
	return t, nil
}

func role(constructor string) string {
	if constructor == "" {
		return "—"
	}
	return "`" + constructor + "`"
}

func needsNet(pkg string) (string, error) {
	out, err := exec.Command("go", "list", "-deps", pkg).Output()
	if err != nil {
		return "", fmt.Errorf("go list -deps %s: %w", pkg, err)
	}
	if slices.Contains(strings.Fields(string(out)), "net") {
		return "yes", nil
	}
	return "no", nil
}

// sayLongTopic tells what becomes of a topic that is a byte too long: where it
// is written, its length field and the bytes behind that say it.
func (l *library) sayLongTopic() string {
	wire, err := l.longTopic(65536)
	switch {
	case errors.Is(err, errPanic):
		return "panics"
	case err != nil:
		return "error"
	}
	at := 2 // behind the Remaining Length
	for wire[at-1] >= 0x80 {
		at++
	}
	says := int(binary.BigEndian.Uint16(wire[at:]))
	rest := wire[at+2:]
	if has := len(rest) - len(bytes.TrimLeft(rest, "t")); has != says {
		return fmt.Sprintf("%d bytes after length %d", has, says)
	}
	return fmt.Sprintf("cut to %d bytes", says)
}

// sayClaim tells how many bytes are allocated for a PUBLISH whose header claims
// the most that there can be, 268,435,455 bytes, and of which three come.
func (l *library) sayClaim() string {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	err := l.claim([]byte{0x30, 0xFF, 0xFF, 0xFF, 0x7F, 0, 1, 't'})
	runtime.ReadMemStats(&after)
	if err == nil {
		return "read as a packet"
	}
	n := after.TotalAlloc - before.TotalAlloc
	if n > 1<<20 {
		return fmt.Sprintf("%d MiB", (n+1<<19)>>20)
	}
	return fmt.Sprintf("%.1f KiB", float64(n)/1024)
}
