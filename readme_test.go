package mqttcore_test

import (
	"os"
	"strings"
	"testing"

	"github.com/mqttcore/mqttcore/codec"
)

func readFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestReadmeProgram holds the first program of the README against the one that
// is built and run.
func TestReadmeProgram(t *testing.T) {
	_, code, _ := strings.Cut(readFile(t, "README.md"), "```go\n")
	code, _, _ = strings.Cut(code, "```")
	if program := readFile(t, "examples/first/main.go"); code == "" || !strings.HasSuffix(program, "\n"+code) {
		t.Error("README.md does not show what examples/first/main.go does")
	}
}

// TestReadmeOutput looks for what the library really says in the README.
func TestReadmeOutput(t *testing.T) {
	readme := readFile(t, "README.md")
	p, err := codec.NewPublish("sensors/7/temp").QoS(codec.QoS1, 42).Build(codec.V5)
	if err != nil {
		t.Fatal(err)
	}
	if line, _, _ := strings.Cut(p.String(), " Payload"); !strings.Contains(readme, line) {
		t.Errorf("README.md does not show %q", line)
	}
	_, _, err = codec.Decode([]byte("\x82\x0c\x00\x0a\x00\x00\x01a\x00\x00\x02a#\x00"), codec.V5)
	if err == nil || !strings.Contains(readme, "\n"+err.Error()+"\n") {
		t.Errorf("README.md does not show %q", err)
	}
}
