package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mqttgen runs the command with flags in front that name the real spec, unless
// the arguments name another one.
func mqttgen(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = run(append([]string{"-spec", "../../spec"}, args...), &out, &err)
	return code, out.String(), err.String()
}

// generated writes the files into a new folder.
func generated(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	code, stdout, stderr := mqttgen("-out", dir)
	if code != 0 || stderr != "" || !strings.Contains(stdout, "wrote    codec/publish_gen.go\n") {
		t.Fatalf("mqttgen = %d, %q, %q", code, stdout, stderr)
	}
	return dir
}

func edit(t *testing.T, path, old, new string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(data), old) {
		t.Fatalf("%s has no %q: %v", path, old, err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(data), old, new, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestUpToDate(t *testing.T) {
	code, stdout, stderr := mqttgen("-out", "../..", "-check")
	if code != 0 || stderr != "" || !strings.HasSuffix(stdout, " files are up to date\n") {
		t.Errorf("mqttgen -check = %d, %q, %q; run go generate ./...", code, stdout, stderr)
	}
}

// TestCheck damages generated files in each way. -check names them and leaves
// them alone; without it they are put right.
func TestCheck(t *testing.T) {
	dir := generated(t)
	if code, stdout, stderr := mqttgen("-out", dir); code != 0 || stdout != "" || stderr != "" {
		t.Errorf("the second run = %d, %q, %q", code, stdout, stderr)
	}
	codec := filepath.Join(dir, "codec")
	edit(t, filepath.Join(codec, "publish_gen.go"), "package codec", "package codec // by hand")
	if err := os.Remove(filepath.Join(codec, "suback_gen.go")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"old_gen.go", "old_gen_test.go", "kept.go"} {
		if err := os.WriteFile(filepath.Join(codec, name), []byte("package codec\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const want = "stale    codec/publish_gen.go\nmissing  codec/suback_gen.go\n" +
		"orphaned codec/old_gen.go\norphaned codec/old_gen_test.go\nmqttgen: run `go generate ./...`\n"
	for range 2 {
		if code, stdout, stderr := mqttgen("-out", dir, "-check"); code != 1 || stdout != "" || stderr != want {
			t.Errorf("mqttgen -check = %d, %q, %q", code, stdout, stderr)
		}
	}
	code, stdout, stderr := mqttgen("-out", dir)
	if code != 0 || stderr != "" || stdout != "wrote    codec/publish_gen.go\nwrote    codec/suback_gen.go\n"+
		"removed  codec/old_gen.go\nremoved  codec/old_gen_test.go\n" {
		t.Errorf("mqttgen = %d, %q, %q", code, stdout, stderr)
	}
	if code, _, stderr := mqttgen("-out", dir, "-check"); code != 0 {
		t.Errorf("mqttgen -check = %d, %q", code, stderr)
	}
	if _, err := os.Stat(filepath.Join(codec, "kept.go")); err != nil {
		t.Errorf("a file by hand is gone: %v", err)
	}
}

// TestMistakes prints all mistakes of a spec with paths that can be opened,
// and writes nothing.
func TestMistakes(t *testing.T) {
	spec, out := filepath.Join(t.TempDir(), "spec"), t.TempDir()
	if err := os.CopyFS(spec, os.DirFS("../../spec")); err != nil {
		t.Fatal(err)
	}
	edit(t, filepath.Join(spec, "packets/publish.yaml"), "type: 3", "tipe: 3")
	edit(t, filepath.Join(spec, "properties.yaml"), "id: 0x2A", "id: 0x29")
	code, stdout, stderr := mqttgen("-spec", spec, "-out", out)
	lines := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
	if code != 1 || stdout != "" || len(lines) < 3 || lines[len(lines)-1] != "mqttgen: 3 mistakes, nothing written" ||
		!strings.HasPrefix(lines[0], filepath.Join(spec, "packets/publish.yaml")+":1:1: type: 0 is not in") ||
		!strings.HasPrefix(lines[1], filepath.Join(spec, "packets/publish.yaml")+`:2:1: unknown key "tipe", expected one of packet, type, `) {
		t.Errorf("mqttgen = %d, %q, %q", code, stdout, stderr)
	}
	if entries, err := os.ReadDir(out); err != nil || len(entries) > 0 {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestList(t *testing.T) {
	code, stdout, stderr := mqttgen("-list")
	if code != 0 || stderr != "" || !strings.Contains(stdout, " codec/connect_gen.go\n") || !strings.Contains(stdout, " spec/REFERENCE.md\n") {
		t.Errorf("mqttgen -list = %d, %q, %q", code, stdout, stderr)
	}
}

func TestDoc(t *testing.T) {
	want, err := os.ReadFile("../../spec/REFERENCE.md")
	if err != nil {
		t.Fatal(err)
	}
	if code, stdout, stderr := mqttgen("-doc"); code != 0 || stderr != "" || stdout != string(want) {
		t.Errorf("mqttgen -doc = %d, %d bytes, %q; want spec/REFERENCE.md", code, len(stdout), stderr)
	}
}

// TestHelp asks for help in each way; it teaches all flags and goes to stdout.
func TestHelp(t *testing.T) {
	for _, flag := range []string{"-h", "-help", "--help"} {
		code, stdout, stderr := mqttgen(flag)
		if code != 0 || stderr != "" {
			t.Errorf("mqttgen %s = %d, %q", flag, code, stderr)
		}
		for _, want := range []string{"-check", "-list", "-doc", "-spec", "-out", "mqttgen rules", "spec/README.md", "go generate ./..."} {
			if !strings.Contains(stdout, want) {
				t.Errorf("mqttgen %s does not speak of %s:\n%s", flag, want, stdout)
			}
		}
	}
}

// TestUsage calls the command wrongly: exit code 2 and one line.
func TestUsage(t *testing.T) {
	for _, args := range [][]string{{"-wrong"}, {"-check=perhaps"}, {"-spec"}, {"file.yaml"}, {"-check", "-list"}, {"-list", "-doc"}} {
		code, stdout, stderr := mqttgen(args...)
		if code != 2 || stdout != "" || !strings.HasPrefix(stderr, "mqttgen: ") || strings.Count(stderr, "\n") != 1 || !strings.HasSuffix(stderr, "; see mqttgen -h\n") {
			t.Errorf("mqttgen %v = %d, %q, %q", args, code, stdout, stderr)
		}
	}
}

// TestFiles names folders that are not there, or cannot be written.
func TestFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"-spec", "/does/not/exist"}, {"-out", file}, {"-out", file, "-check"}} {
		code, stdout, stderr := mqttgen(args...)
		if code != 1 || stdout != "" || !strings.HasPrefix(stderr, "mqttgen: ") || strings.Count(stderr, "\n") != 1 {
			t.Errorf("mqttgen %v = %d, %q, %q", args, code, stdout, stderr)
		}
	}
}

// TestRules passes on to the report of the rules.
func TestRules(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := run([]string{"rules", "-h"}, &stdout, &stderr); code != 0 || !strings.Contains(stdout.String(), "mqttgen rules") {
		t.Errorf("mqttgen rules -h = %d, %q, %q", code, &stdout, &stderr)
	}
}
