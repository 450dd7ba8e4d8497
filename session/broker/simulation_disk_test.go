package broker_test

import (
	"encoding/binary"

	"github.com/mqttcore/mqttcore/events"
)

// checkRecords expects no record of a message that the broker does not have any
// more.
func (s *simulation) checkRecords() {
	stored, lent := 0, 0
	for key, value := range s.disk {
		if key[0] == 's' && key[9] == 'l' {
			lent++
		}
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
	if n := s.b.Lent(); lent > n {
		s.m.problem("%d messages are stored as lent, %d are", lent, n)
	}
}

// lentBody returns the number of the payload of a message that was lent.
func lentBody(value []byte) uint64 {
	next := func() uint64 {
		v, n := binary.Uvarint(value)
		value = value[n:]
		return v
	}
	skip := func() {
		n := next()
		value = value[n:]
	}
	value = value[1:]
	skip() // filter
	next() // expiry
	for range 4 {
		skip() // publisher
	}
	return next()
}

// checkBodies compares the payloads that are stored apart with the records that
// need them.
func (s *simulation) checkBodies() {
	needed := make(map[uint64]bool)
	for key, value := range s.disk {
		if key[0] != 's' {
			continue
		}
		number := uint64(0)
		switch key[9] {
		case 'm':
			number, _ = binary.Uvarint([]byte(value))
		case 'l':
			number = lentBody([]byte(value))
		}
		if number != 0 {
			needed[number] = true
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
