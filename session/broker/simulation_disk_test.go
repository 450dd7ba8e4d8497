package broker_test

import (
	"encoding/binary"

	"github.com/mqttcore/mqttcore/events"
)

// checkRecords expects no record of a message that the broker does not have any
// more.
func (s *simulation) checkRecords() {
	stored := 0
	for key, value := range s.disk {
		if key[0] != 's' || key[9] != 'm' {
			continue
		}
		_, n := binary.Uvarint([]byte(value))
		if r := events.Record(value[n]); r == events.RecordMessage || r == events.RecordRelease {
			stored++
		}
	}
	if waiting := s.b.Stats().Waiting; stored > waiting {
		s.m.problem("%d messages are stored, %d wait", stored, waiting)
	}
}

// checkBodies compares the payloads that are stored apart with the records that
// need them.
func (s *simulation) checkBodies() {
	needed := make(map[uint64]bool)
	for key, value := range s.disk {
		if key[0] == 's' && key[9] == 'm' {
			if number, _ := binary.Uvarint([]byte(value)); number != 0 {
				needed[number] = true
			}
		}
	}
	for key := range s.disk {
		if key[0] == 'p' && !needed[binary.BigEndian.Uint64([]byte(key[1:]))] {
			s.m.problem("a payload is stored that nobody needs")
		}
	}
	for number := range needed {
		if _, ok := s.disk[string(binary.BigEndian.AppendUint64([]byte{'p'}, number))]; !ok {
			s.m.problem("a payload is missing")
		}
	}
}
