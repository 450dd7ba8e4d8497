package server

import (
	"runtime"
	"sync"
)

// crew shares system calls among the processors: where there are many, they cost
// more than all the logic of a broker.
type crew struct {
	hands []hand // one for each processor; the first is the owner's
	jobs  chan job
	wg    sync.WaitGroup
}

// job is a part of what there is to do.
type job struct {
	do       func(h *hand, i int)
	from, to int
}

func (j job) run(h *hand) {
	for i := j.from; i < j.to; i++ {
		j.do(h, i)
	}
}

// share is the number of system calls from which on another processor is worth
// the trouble.
const share = 8

func (c *crew) start() {
	c.hands = make([]hand, min(runtime.NumCPU(), runtime.GOMAXPROCS(0)))
	c.jobs = make(chan job)
	for i := range c.hands[1:] {
		go c.serve(&c.hands[i+1])
	}
}

func (c *crew) serve(h *hand) {
	for j := range c.jobs {
		j.run(h)
		c.wg.Done()
	}
}

func (c *crew) stop() { close(c.jobs) }

// work calls do for each number below n, and returns when that is done.
func (c *crew) work(n int, do func(h *hand, i int)) {
	from := 0
	for parts := min(len(c.hands), n/share+1); parts > 1; parts-- {
		to := from + (n-from)/parts
		c.wg.Add(1)
		c.jobs <- job{do, from, to}
		from = to
	}
	job{do, from, n}.run(&c.hands[0])
	c.wg.Wait()
}

// hand is one of a crew, with memory for what it reads in a round. Most reads
// bring little, so they lie close together.
type hand struct {
	memory []byte
	used   int
}

const (
	// handful is the most that a hand reads in a round. More would not fit into
	// the Writes of that round, and had to be kept.
	handful = 64 << 10
	// leastRead is the least room with which a read is worth while.
	leastRead = 4 << 10
)

// room returns where the next read goes, or nil if there is no room in this
// round.
func (h *hand) room() []byte {
	if h.memory == nil {
		h.memory = make([]byte, handful)
	}
	if len(h.memory)-h.used < leastRead {
		return nil
	}
	return h.memory[h.used:]
}

// keep keeps the first n bytes of the room until the end of the round, and
// returns them.
func (h *hand) keep(n int) []byte {
	b := h.memory[h.used : h.used+n : h.used+n]
	h.used += n
	return b
}
