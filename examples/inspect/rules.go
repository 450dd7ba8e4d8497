package main

import (
	"sync"

	"gopkg.in/yaml.v3"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/spec/rules"
)

// statement returns what a rule says, in a version; empty for a rule that is not
// known.
func statement(v codec.Version, id string) string {
	if v.IsV5() {
		return statementsV5()[id]
	}
	return statementsV311()[id]
}

// The statements by their ids, read when the first fault is shown.
var (
	statementsV311 = sync.OnceValue(func() map[string]string { return statements("v311.yaml") })
	statementsV5   = sync.OnceValue(func() map[string]string { return statements("v5.yaml") })
)

func statements(name string) map[string]string {
	type rule struct{ ID, Says string }
	var file struct{ Statements, Unnumbered []rule }
	data, err := rules.Files.ReadFile(name)
	if err == nil {
		err = yaml.Unmarshal(data, &file)
	}
	if err != nil {
		panic(err) // the file is part of the program
	}
	says := make(map[string]string)
	for _, r := range append(file.Statements, file.Unnumbered...) {
		says[r.ID] = r.Says
	}
	return says
}
