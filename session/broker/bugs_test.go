package broker_test

import (
	"testing"

	"github.com/mqttcore/mqttcore/session/internal/planted"
)

// TestSimulationFindsBugs plants the bugs of testdata/bugs.txt, one after the
// other, in a copy of the module, and expects TestSimulation to fail there.
func TestSimulationFindsBugs(t *testing.T) {
	planted.Simulation{
		Root: "../..", File: "testdata/bugs.txt",
		Sources: []string{"codec/*.go", "events/*.go", "session/*.go", "session/broker/*.go", "session/internal/planted/*.go"},
		Package: "session/broker",
		Args:    []string{"-run", "TestSimulation$", "-seeds", "300"},
	}.Find(t)
}
