package session

// A connection that does nothing holds next to nothing: what it needs only while
// something is under way is lent by Shared, from the call that begins it to the
// Next that reports false with nothing left.

// work is what a connection has in hand.
type work struct {
	in      []byte // lent by Receive
	partial []byte // the beginning of a packet, our own
	used    bool   // the packet in partial was handled
	out     output
	notes   []note // events that are due
	noted   int    // of notes, how many were pulled
	acks    acks
}

// idle reports whether nothing is in hand.
func (w *work) idle() bool {
	return w.out.buf == nil && w.out.cuts == nil && w.notes == nil && len(w.in) == 0 && w.partial == nil && !w.acks.due
}

// exchanges is what a session has under way.
type exchanges struct {
	ids      idTable
	sent     list // PUBLISH was sent; in the order of the first sending
	released list // PUBREC came; in the order of these
	queue    list // never sent
	bytes    int  // cost of queue
	qos0     int  // messages of QoS 0 in queue
	qos0From *message
	received receivedTable
	qos1     receiptQueue // messages that wait for Ack, in order of arrival
	qos2     receiptQueue
	resend   resend
	restored []*message // not in their lists yet
	times    timeline
}

// idle reports whether nothing is under way.
func (x *exchanges) idle() bool {
	return x.ids.used == 0 && x.queue.n == 0 && x.received.used == 0 && x.restored == nil
}

// wake makes sure that the connection has what it may need for a call.
func (c *core) wake() {
	if !c.awake {
		c.wakeUp()
	}
}

func (c *core) wakeUp() {
	c.wakeWork()
	if s := c.ownState(); s != nil && s.exchanges == nil {
		s.lend(c.sh.lendExchanges())
	}
	c.awake = true
}

// wakeWork is wake for calls that do not need exchanges.
func (c *core) wakeWork() {
	if c.work == nil {
		c.lendWork()
	}
}

// rest gives back what the connection does not need until the next call.
func (c *core) rest() {
	if c.work.idle() {
		c.sh.takeWork(c.work)
		c.work, c.awake = nil, false
	}
	if s := c.ownState(); s != nil && s.exchanges != nil && s.exchanges.idle() && !s.dated() {
		s.next = s.ids.next
		c.sh.takeExchanges(s.exchanges)
		s.exchanges, c.awake = nil, false
	}
}

// wake makes sure that a session that no connection has can be changed.
func (s *State) wake() {
	if s.exchanges == nil {
		s.lend(new(exchanges))
	}
}

func (s *State) lend(x *exchanges) {
	s.exchanges = x
	s.ids.next = s.next
}

func (c *core) lendWork() {
	s := c.sh
	n := len(s.works)
	if n == 0 {
		c.work = new(work)
		return
	}
	c.work, s.works = s.works[n-1], s.works[:n-1]
}

// takeWork takes back what is idle, which is as good as new.
func (s *Shared) takeWork(w *work) {
	if len(s.works) < maxSpareEntries {
		w.in = nil
		s.works = append(s.works, w)
	}
}

func (s *Shared) lendExchanges() *exchanges {
	n := len(s.exchanges)
	if n == 0 {
		return new(exchanges)
	}
	x := s.exchanges[n-1]
	s.exchanges = s.exchanges[:n-1]
	return x
}

// takeExchanges takes back what is idle. Its tables, which are empty, stay.
func (s *Shared) takeExchanges(x *exchanges) {
	if len(s.exchanges) < maxSpareEntries {
		x.qos0From, x.resend, x.times = nil, resend{}, timeline{}
		s.exchanges = append(s.exchanges, x)
	}
}
