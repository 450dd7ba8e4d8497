package session_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
)

func versionOf(s string) (codec.Version, error) {
	switch s {
	case "v311":
		return codec.V311, nil
	case "v5":
		return codec.V5, nil
	case "v311wide":
		return codec.V311Wide, nil
	case "v5wide":
		return codec.V5Wide, nil
	}
	return 0, badScenario{fmt.Errorf("no version %q", s)}
}

// parse reads JSON; nothing stands for the zero value.
func parse(s string, v any) error {
	if s == "" {
		return nil
	}
	d := json.NewDecoder(strings.NewReader(s))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return badScenario{fmt.Errorf("%s: %w", s, err)}
	}
	return nil
}

// packet returns the bytes of a packet that the peer sends.
func (r *rig) packet(args string) ([]byte, error) {
	name, rest, _ := strings.Cut(args, " ")
	if name == "hex" {
		b, err := hex.DecodeString(strings.ReplaceAll(rest, " ", ""))
		if err != nil {
			return nil, badScenario{err}
		}
		return b, nil
	}
	for t := codec.TypeConnect; t <= codec.TypeAuth; t++ {
		if t.String() != name {
			continue
		}
		p := codec.NewPacket(t)
		if err := parse(rest, p); err != nil {
			return nil, err
		}
		b, err := p.AppendTo(nil, r.v)
		if err != nil {
			return nil, badScenario{err}
		}
		return b, nil
	}
	return nil, badScenario{fmt.Errorf("no packet %q", name)}
}

// reply runs a command with a token, or a packet identifier, and a Reply.
func (r *rig) reply(args string, f func(time.Time, uint64, session.Reply) error) error {
	word, rest, _ := strings.Cut(args, " ")
	token, err := strconv.ParseUint(word, 10, 64)
	if err != nil {
		return badScenario{err}
	}
	var reply session.Reply
	if err := parse(rest, &reply); err != nil {
		return err
	}
	return f(r.now, token, reply)
}
