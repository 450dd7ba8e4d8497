package broker_test

import (
	"fmt"

	"github.com/mqttcore/mqttcore/codec"
)

// leaves notes what may be lost when the session of a member of a shared
// subscription ends: it may be the one that had what nobody has got yet. A message
// of QoS 1 has to go to another member, if there is one. One of QoS 2 may have been
// sent, and must not go to anybody else then. (v5.0 4.8.2)
func (m *model) leaves(s *modelSession, filter string) {
	_, rest, shared := codec.ParseShared(filter)
	if !shared {
		return
	}
	heirs := false
	for _, other := range m.sessions {
		sub := other.subs[filter]
		heirs = heirs || other != s && !other.over && !other.unsure && sub != nil && sub.sure && !sub.gone
	}
	if m.lost[filter] == nil {
		m.lost[filter] = make(map[int]bool)
	}
	for serial, p := range m.messages {
		if serial == 0 || !codec.Match(rest, p.topic) || m.shared[filter][serial] > 0 {
			continue
		}
		if p.qos != codec.QoS1 || !heirs || s.unsure {
			m.lost[filter][serial] = true
		}
	}
}

// settle checks, once everything has arrived, what was to arrive, and returns
// what is missing.
func (m *model) settle() (missing []string) {
	type copy struct {
		filter string
		serial int
	}
	seen := make(map[copy]bool)
	for _, w := range m.wants {
		s, p := w.sub.session, m.messages[w.serial]
		if _, _, shared := codec.ParseShared(w.sub.filter); shared {
			if seen[copy{w.sub.filter, w.serial}] {
				continue
			}
			seen[copy{w.sub.filter, w.serial}] = true
			switch n := m.shared[w.sub.filter][w.serial]; {
			case n == 0 && !m.lost[w.sub.filter][w.serial]:
				missing = append(missing, fmt.Sprintf("nobody of %s got %d, %+v", w.sub.filter, w.serial, p))
			case n > 1 && p.qos == codec.QoS2 && !p.again:
				m.problem("%d of %s got %d", n, w.sub.filter, w.serial)
			}
			continue
		}
		if s.over || s.unsure || m.denied[denial{s.id, p.topic}] > 0 {
			continue
		}
		if s.got[w.serial] == 0 {
			missing = append(missing, fmt.Sprintf("%s did not get %d, %+v", s.id, w.serial, p))
		}
	}
	return missing
}
