package sessiontest_test

import (
	"testing"

	"github.com/mqttcore/mqttcore/session/internal/planted"
)

// TestSimulationFindsBugs plants the bugs of testdata/bugs.txt, one after the
// other, and expects TestSimulation to fail with each.
func TestSimulationFindsBugs(t *testing.T) {
	planted.Simulation{
		Root: "../..", File: "testdata/bugs.txt",
		Package: "session/sessiontest",
		Args:    []string{"-run", "TestSimulation$", "-seeds", "3000"},
	}.Find(t)
}
