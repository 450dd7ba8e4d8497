package client

import (
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
)

// Config configures a Client. Its zero value is ready but for the Client
// Identifier that v3.1.1 asks for.
type Config struct {
	// Session configures the session and its connections: version, limits,
	// queue, persistence, the State to go on with.
	Session session.ClientConfig
	// Connect is the CONNECT of every connection; nil stands for the zero
	// value. See SetConnect for what the Client changes in it. (v3.1.1 and
	// v5.0 3.1)
	Connect *codec.Connect

	// Backoff says how long to wait between two attempts to connect.
	Backoff Backoff
	// Retry decides after a connection has ended, or could not be opened,
	// whether there is another attempt. nil stands for DefaultRetry.
	Retry func(Failure) bool

	// FiltersPerPacket bounds the Topic Filters of one SUBSCRIBE or
	// UNSUBSCRIBE. 0 stands for 8, which every known server takes.
	FiltersPerPacket int
	// NoIdentifiers keeps Subscription Identifiers out of SUBSCRIBE, also
	// where the server offers them, but for those that SubscribeOptions name. (v5.0 3.8.2.1.2)
	NoIdentifiers bool
	// Refused says what becomes of a subscription that the server refuses.
	Refused RefusedPolicy
	// Orphans says what becomes of messages that were under way when the
	// session was lost.
	Orphans OrphanPolicy

	// Requests configures Request.
	Requests Requests
}

// Backoff is the wait before an attempt to connect. The wait before attempt n
// of a row, n from 2, is Minimum times Factor to the power of n-2, at most
// Maximum, less a random share of it.
type Backoff struct {
	// Minimum is the first wait. 0 stands for 1 s.
	Minimum time.Duration
	// Maximum bounds the wait. 0 stands for 2 min.
	Maximum time.Duration
	// Factor multiplies the wait after each failure. Below 1 stands for 2.
	Factor float64
	// Jitter is the largest share of the wait that is taken off at random, 0
	// to 1. It needs Random.
	Jitter float64
	// Random returns a number of at least 0 and below 1. nil stands for no
	// jitter. It is the only source of chance.
	Random func() float64
	// Stable is how long a connection has to live for the attempts to be
	// counted from the beginning. 0 stands for 1 min.
	Stable time.Duration
	// Attempts bounds the attempts of one row; 0 for no bound.
	Attempts int
}

// RefusedPolicy says what becomes of a subscription that the server refuses.
// Either way the event Subscribed has the reason.
type RefusedPolicy uint8

const (
	// RefusedRemove takes the filter out of the set.
	RefusedRemove RefusedPolicy = iota
	// RefusedKeep leaves the filter in the set. It is sent again with the next
	// connection.
	RefusedKeep
)

// OrphanPolicy says what becomes of the messages of QoS 1 and 2 that were
// under way when the session state was lost. Whether the server got them is not
// known. A QoS 2 message whose PUBREC has come has no content any more; it is
// Dropped under every policy. (v3.1.1 and v5.0 4.1)
type OrphanPolicy uint8

const (
	// OrphansFail drops them: the outcome of each is Dropped with
	// session.ErrSessionLost and the message.
	OrphansFail OrphanPolicy = iota
	// OrphansRepublish publishes them again, before what is queued. Such a
	// message keeps its token. A QoS 2 message may arrive twice.
	OrphansRepublish
	// OrphansRepublishQoS1 publishes those of QoS 1 again and drops those of
	// QoS 2, so that none of these arrives twice.
	OrphansRepublishQoS1
)

// takes reports whether messages of the given QoS are published again.
func (p OrphanPolicy) takes(qos codec.QoS) bool {
	return p == OrphansRepublish || p == OrphansRepublishQoS1 && qos == codec.QoS1
}

// Requests configures Request. (v5.0 4.10)
type Requests struct {
	// Maximum bounds the requests that wait for their response. 0 stands for
	// 1000.
	Maximum int
	// Timeout bounds the wait for a response where the request says nothing
	// else. 0 stands for 30 s.
	Timeout time.Duration
	// MaximumResponse bounds, in bytes, the payload of a response that comes in
	// pieces, see StreamAbove of a session. 0 stands for 16 MiB.
	MaximumResponse int
	// ResponseTopic is the Response Topic of requests that name none.
	ResponseTopic string
	// TopicFrom forms it from the server's Response Information and the Client
	// Identifier where ResponseTopic is empty. The standard leaves open how.
	// nil takes the information itself. (v5.0 4.10.1)
	TopicFrom func(information, clientID string) string
}

// Default values of the configuration.
const (
	defaultFilters  = 8
	defaultMinimum  = time.Second
	defaultMaximum  = 2 * time.Minute
	defaultFactor   = 2
	defaultStable   = time.Minute
	defaultRequests = 1000
	defaultTimeout  = 30 * time.Second
	defaultResponse = 16 << 20
)

// normalize replaces zero values by what they stand for.
func (c *Config) normalize() {
	b := &c.Backoff
	b.Minimum = orDefault(b.Minimum, defaultMinimum)
	b.Maximum = max(b.Minimum, orDefault(b.Maximum, defaultMaximum))
	b.Stable = orDefault(b.Stable, defaultStable)
	if !(b.Factor >= 1) { // nor NaN
		b.Factor = defaultFactor
	}
	if c.Retry == nil {
		c.Retry = DefaultRetry
	}
	c.FiltersPerPacket = orDefault(c.FiltersPerPacket, defaultFilters)
	c.Requests.Maximum = orDefault(c.Requests.Maximum, defaultRequests)
	c.Requests.MaximumResponse = orDefault(c.Requests.MaximumResponse, defaultResponse)
	c.Requests.Timeout = orDefault(c.Requests.Timeout, defaultTimeout)
}

func orDefault[T int | time.Duration](v, fallback T) T {
	if v <= 0 {
		return fallback
	}
	return v
}
