package gen

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// languageKeys returns every key of the spec language.
func languageKeys() []string {
	keys := map[string]bool{}
	for _, t := range []reflect.Type{
		reflect.TypeFor[PacketSpec](), reflect.TypeFor[FieldSpec](), reflect.TypeFor[BitSpec](), reflect.TypeFor[ClassSpec](),
		reflect.TypeFor[AllowSpec](), reflect.TypeFor[CheckSpec](), reflect.TypeFor[GoldenSpec](),
		reflect.TypeFor[propertyFile](), reflect.TypeFor[PropertySpec](), reflect.TypeFor[reasonFile](),
		reflect.TypeFor[ReasonSpec](), reflect.TypeFor[ReturnSpec](), reflect.TypeFor[faultFile](), reflect.TypeFor[FaultSpec](),
	} {
		for _, key := range keysOf(t) {
			keys[key] = true
		}
	}
	return sortedKeys(keys)
}

// TestReadme finds every word of the language in spec/README.md.
func TestReadme(t *testing.T) {
	data, err := os.ReadFile("../spec/README.md")
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]bool{}
	text := regexp.MustCompile("(?s)\n```.*?\n```").ReplaceAllString(string(data), "")
	for _, code := range regexp.MustCompile("`[^`\n]+`").FindAllString(text, -1) {
		for _, word := range regexp.MustCompile(`[A-Za-z0-9_.]+`).FindAllString(code, -1) {
			written[word] = true
		}
	}
	words := slices.Concat(languageKeys(), sortedKeys(wireKeys), sortedKeys(propertyWires), sortedKeys(verbs), sortedKeys(classes), sortedKeys(bitTypes))
	if len(words) < 90 {
		t.Fatalf("the language has %d words only", len(words))
	}
	for _, word := range words {
		if !written[word] {
			t.Errorf("spec/README.md does not explain %s", word)
		}
	}
}

// readmeRow returns the row that begins with a word, of the table of
// spec/README.md that has the given first column.
func readmeRow(t *testing.T, table, word string) []string {
	t.Helper()
	data, err := os.ReadFile("../spec/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(data), "| "+table+" |")
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if strings.HasPrefix(line, "| `") && strings.Contains(cells[0], "`"+word+"`") {
			return cells
		}
	}
	t.Fatalf("spec/README.md has no row for %s", word)
	return nil
}

// TestReadmeTables compares the tables of wire types and verbs with the code.
func TestReadmeTables(t *testing.T) {
	quoted := regexp.MustCompile("`([a-z0-9_]+)")
	for wire, keys := range wireKeys {
		row := readmeRow(t, "wire", wire)
		var got []string
		for _, m := range quoted.FindAllStringSubmatch(row[len(row)-1], -1) {
			got = append(got, m[1])
		}
		slices.Sort(got)
		if want := slices.Sorted(slices.Values(keys)); !slices.Equal(got, want) {
			t.Errorf("spec/README.md gives wire: %s the keys %v, want %v", wire, got, want)
		}
	}
	for name, v := range verbs {
		row := readmeRow(t, "verb", name)
		if v.key != "" && !strings.Contains(row[1], "`"+v.key+"`") {
			t.Errorf("spec/README.md does not give verb: %s its key %s", name, v.key)
		}
		if (v.wires == nil) != strings.HasPrefix(row[2], "everything") {
			t.Errorf("spec/README.md says that verb: %s is for %s", name, row[2])
		}
		for _, wire := range v.wires {
			if !strings.Contains(row[2], "`"+wire+"`") && !strings.Contains(row[2], "lists") {
				t.Errorf("spec/README.md does not say that verb: %s is for %s", name, wire)
			}
		}
	}
}
