package session

import "github.com/mqttcore/mqttcore/codec"

// receipt is an incoming message of QoS 1 or 2, or a request of the client,
// whose exchange is under way.
type receipt struct {
	next  *receipt // in the queue of those that wait for their turn, or the next spare one
	reply *Reply   // what the application answered before its turn
	id    uint32
	seq   uint32 // tells tokens apart that have the same id
	epoch uint32 // the connection on which it counts against Receive Maximum
	qos   codec.QoS
	state receiptState
	// stored tells that the record is there before PUBREC was sent, from Ack on.
	stored bool

	filters int // of a SUBSCRIBE or UNSUBSCRIBE
}

// receiptState is how far the exchange has come.
type receiptState uint8

const (
	receiptWaiting     receiptState = iota // delivered, not acknowledged by the application
	receiptAnswered                        // acknowledged, but earlier messages come first
	receiptDone                            // QoS 2: PUBREC sent, PUBREL is to come
	receiptReleased                        // QoS 2: PUBREL came, the application is to send PUBCOMP
	receiptSubscribe                       // SUBSCRIBE that the application has to answer
	receiptUnsubscribe                     // UNSUBSCRIBE that the application has to answer
	receiptArriving                        // its payload comes in pieces and is not complete
)

// token names the receipt towards the application.
func (r *receipt) token() uint64 { return uint64(r.seq)<<32 | uint64(r.id) }

// receivedTable finds receipts by the packet identifier that the peer chose.
// It is a hash table with linear probing, since the peer may choose any
// identifiers; multiplying by the golden ratio spreads consecutive ones evenly.
// The table is at most half full, and Receive Maximum bounds it.
type receivedTable struct {
	slots []*receipt
	used  int
	shift uint8 // 32 less the binary logarithm of the size
}

func (t *receivedTable) home(id uint32) uint32 { return id * 0x9E3779B1 >> t.shift }

// get returns the receipt of an identifier, or nil.
func (t *receivedTable) get(id uint32) *receipt {
	if t.used == 0 {
		return nil
	}
	mask := uint32(len(t.slots) - 1)
	for i := t.home(id); ; i = (i + 1) & mask {
		if r := t.slots[i]; r == nil || r.id == id {
			return r
		}
	}
}

// add enters a receipt whose identifier is not in the table.
func (t *receivedTable) add(r *receipt) {
	if t.used >= len(t.slots)/2 {
		t.resize(max(4, 2*len(t.slots)))
	}
	t.insert(r)
}

func (t *receivedTable) insert(r *receipt) {
	mask := uint32(len(t.slots) - 1)
	i := t.home(r.id)
	for t.slots[i] != nil {
		i = (i + 1) & mask
	}
	t.slots[i] = r
	t.used++
}

// remove takes a receipt out and moves those behind it up, so that no mark is
// left and the table costs the same for ever.
func (t *receivedTable) remove(r *receipt) {
	mask := uint32(len(t.slots) - 1)
	i := t.home(r.id)
	for t.slots[i] != r {
		i = (i + 1) & mask
	}
	t.used--
	if t.used == 0 && len(t.slots) > 1024 {
		t.slots = nil
		return
	}
	for j := i; ; {
		j = (j + 1) & mask
		next := t.slots[j]
		if next == nil {
			break
		}
		// next may move to the gap unless its home lies behind the gap.
		if (j-t.home(next.id))&mask >= (j-i)&mask {
			t.slots[i] = next
			i = j
		}
	}
	t.slots[i] = nil
}

func (t *receivedTable) resize(n int) {
	old := t.slots
	t.slots = make([]*receipt, n)
	t.shift = 32
	for n > 1 {
		n /= 2
		t.shift--
	}
	t.used = 0
	for _, r := range old {
		if r != nil {
			t.insert(r)
		}
	}
}

// each calls f for every receipt; f may not change the table.
func (t *receivedTable) each(f func(*receipt)) {
	for _, r := range t.slots {
		if r != nil {
			f(r)
		}
	}
}

// receiptQueue keeps receipts in the order in which they arrived.
type receiptQueue struct{ head, tail *receipt }

func (q *receiptQueue) push(r *receipt) {
	r.next = nil
	if q.tail == nil {
		q.head = r
	} else {
		q.tail.next = r
	}
	q.tail = r
}

func (q *receiptQueue) pop() *receipt {
	r := q.head
	q.head = r.next
	if q.head == nil {
		q.tail = nil
	}
	r.next = nil
	return r
}
