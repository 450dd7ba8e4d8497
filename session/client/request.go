package client

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// calls are the requests that wait for their response.
type calls struct {
	byData  map[string]*call // by Correlation Data
	byToken map[uint64]*call
	heap    []*call // the one that ends first is heap[0]
	prefix  [8]byte // of our own Correlation Data
	started bool    // prefix is set
	last    uint64  // the number given out last
}

// call is a request that waits for its response.
type call struct {
	token    uint64
	data     string
	topic    string
	deadline time.Time
	handler  ResponseHandler
	place    int // in the heap
}

func (s *calls) init() {
	s.byData = make(map[string]*call)
	s.byToken = make(map[uint64]*call)
}

// Request publishes a request and waits for its response. p may name the
// Response Topic and Correlation Data; otherwise the Response Topic is that of
// the configuration and the Correlation Data is made up. A Message Expiry
// Interval that p does not set becomes the time limit.
//
// The Response Topic is subscribed first, unless a filter of the set that is
// not shared matches it, and stays subscribed until Unsubscribe. timeout 0
// stands for the configured one. The wait goes on over lost connections.
//
// The token is that of the message, which has its own outcome. Responses are
// acknowledged by the Client, also with ManualAck. The request ends
// exactly once, by the response or by an error: with h in a call of h, which
// runs like a Handler, without h in an event Response. A response that comes in
// pieces is put together, up to Requests.MaximumResponse. Errors of it are
// codec.ErrTooLarge for one beyond that, ErrNoResponse, ErrStopped, ErrRefused if the server refused the message or
// the subscription, and what the message was Dropped for.
//
// Errors of Request itself are those of Publish, ErrNoResponseTopic, ErrLimit
// for too many requests, and ErrState in v3.1.1 and for Correlation Data that
// another request uses. (v5.0 3.3.2.3.5, 3.3.2.3.6, 4.10)
func (c *Client) Request(now time.Time, p *codec.Publish, timeout time.Duration, h ResponseHandler) (token uint64, err error) {
	c.set(now)
	q := *p
	k := &call{handler: h}
	if err := c.prepare(k, &q, timeout); err != nil {
		return 0, err
	}
	c.listen(k.topic)
	if k.token, err = c.Publish(now, &q); err != nil {
		return 0, err
	}
	c.calls.add(k)
	return k.token, nil
}

// prepare completes a request.
func (c *Client) prepare(k *call, q *codec.Publish, timeout time.Duration) error {
	const op = "Request"
	s, props := &c.calls, &q.Properties
	switch {
	case !c.version.IsV5():
		return misuse(op, "v3.1.1 has no Response Topic")
	case len(s.heap) >= c.cfg.Requests.Maximum:
		return &session.Error{Op: op, Err: session.ErrLimit, Code: codec.ReasonQuotaExceeded, Detail: "too many requests wait for their response"}
	case !props.ResponseTopic.Set:
		props.ResponseTopic = codec.Text(c.responseTopic())
	}
	if k.topic = string(props.ResponseTopic.Value); k.topic == "" {
		return &session.Error{Op: op, Err: ErrNoResponseTopic, Code: codec.ReasonTopicNameInvalid}
	}
	if err := codec.ValidTopicName(k.topic, c.version); err != nil {
		return &session.Error{Op: op, Err: err, Code: reasonOf(err)}
	}
	if !props.CorrelationData.Set {
		props.CorrelationData = codec.Some(codec.Bytes(s.correlation(c.now)))
	}
	if k.data = string(props.CorrelationData.Value); s.byData[k.data] != nil {
		return misuse(op, "another request has this Correlation Data")
	}
	if timeout <= 0 {
		timeout = c.cfg.Requests.Timeout
	}
	if !props.MessageExpiryInterval.Set {
		props.MessageExpiryInterval = codec.Some(uint32(min((timeout+time.Second-1)/time.Second, math.MaxUint32)))
	}
	k.deadline = c.now.Add(timeout)
	return nil
}

// responseTopic returns the Response Topic of requests that name none.
func (c *Client) responseTopic() string {
	r, limits := &c.cfg.Requests, c.s.Limits()
	switch {
	case r.ResponseTopic != "":
		return r.ResponseTopic
	case r.TopicFrom != nil && limits.ResponseInformation != "":
		return r.TopicFrom(limits.ResponseInformation, limits.ClientID)
	}
	return limits.ResponseInformation
}

// correlation returns new Correlation Data: the time of the first request and a
// number, so that responses to an earlier process do not fit.
func (s *calls) correlation(now time.Time) []byte {
	if !s.started {
		s.started = true
		binary.BigEndian.PutUint64(s.prefix[:], uint64(now.UnixNano()))
	}
	s.last++
	return binary.BigEndian.AppendUint64(s.prefix[:8:8], s.last)
}

// ours reports whether Correlation Data was made up here.
func (s *calls) ours(data []byte) bool {
	return s.started && len(data) == 16 && string(data[:8]) == string(s.prefix[:]) && binary.BigEndian.Uint64(data[8:]) <= s.last
}

// listen sees to it that a Response Topic is subscribed, at QoS 2 so that the
// responder decides.
func (c *Client) listen(topic string) {
	s := &c.subs
	s.found = s.found[:0]
	s.mark++
	s.index.match([]byte(topic), s)
	for _, g := range s.found {
		for _, e := range g.entries {
			if _, _, shared := codec.ParseShared(e.filter); !shared && codec.Match(e.filter, topic) {
				return
			}
		}
	}
	s.want(&group{answers: true}, []codec.Subscription{{Filter: codec.Bytes(topic), QoS: codec.QoS2}})
	c.flush()
}

// answered returns the request that a message responds to, nil if there is none.
// A response that comes too late it marks as Late.
func (c *Client) answered(ev *Event) *call {
	s, props := &c.calls, &ev.Publish.Properties
	data := props.CorrelationData.Value
	if !props.CorrelationData.Set || props.ResponseTopic.Set {
		return nil // a request, perhaps one of ours
	}
	if k := s.byData[string(data)]; k != nil && k.topic == string(ev.Publish.Topic) {
		return k
	}
	if s.ours(data) && s.byData[string(data)] == nil {
		c.late(ev)
	}
	return nil
}

// late marks a response that comes too late.
func (c *Client) late(ev *Event) {
	ev.Late = true
	c.stats.Late++
}

// answer ends a request with its response. It reports whether the driver is to
// see it.
func (c *Client) answer(k *call, ev *Event) bool {
	c.calls.remove(k)
	c.stats.Responses++
	c.acknowledge(ev)
	ev.Kind, ev.Token = Response, k.token
	if k.handler == nil {
		return true
	}
	c.respond(k.handler, ev)
	return false
}

// acknowledge acknowledges a response where the application does so for messages.
func (c *Client) acknowledge(ev *Event) {
	if c.cfg.Session.ManualAck && ev.Token != 0 {
		_ = c.s.Ack(c.now, ev.Token, session.Reply{}) // the token has just come
	}
}

// fail ends a request without a response.
func (c *Client) fail(k *call, err error) {
	c.calls.remove(k)
	c.stats.Failed++
	ev := Event{Kind: Response, Event: events.Event{Token: k.token, Err: err}}
	c.notes = append(c.notes, note{ev: ev, handler: k.handler})
}

// failCall ends the request with the given token, if there is one.
func (c *Client) failCall(token uint64, err error) {
	if k := c.calls.byToken[token]; k != nil {
		c.fail(k, err)
	}
}

// failCalls ends all requests that fit, in the order in which they were made.
func (c *Client) failCalls(err error, fits func(*call) bool) {
	var list []*call
	for _, k := range c.calls.heap {
		if fits(k) {
			list = append(list, k)
		}
	}
	slices.SortFunc(list, func(a, b *call) int { return cmp.Compare(a.token, b.token) })
	for _, k := range list {
		c.fail(k, err)
	}
}

// expireCalls ends the requests whose time limit has passed. A message that was
// not sent yet is not sent any more.
func (c *Client) expireCalls() {
	s := &c.calls
	for len(s.heap) > 0 && !s.heap[0].deadline.After(c.now) {
		k := s.heap[0]
		c.fail(k, ErrNoResponse)
		c.withdraw(k.token)
	}
}

// withdraw erases a message that still waits in the queue.
func (c *Client) withdraw(name uint64) {
	token, ok := c.out.renamed[name]
	if !ok {
		token = name
	}
	if c.out.find(token) != nil {
		_ = c.s.Erase(c.now, token)
	}
}

// Respond answers a request: it publishes p to the Response Topic of the
// request, with its Correlation Data. p has no Topic of its own and is not
// changed; its QoS is its own. The token is that of Publish, and so are the
// errors, with ErrNoResponseTopic for a message that is no request. (v5.0
// 3.3.2.3.5, 3.3.2.3.6, 4.10)
func (c *Client) Respond(now time.Time, request, p *codec.Publish) (token uint64, err error) {
	const op = "Respond"
	topic, ok := request.Properties.ResponseTopic.Get()
	switch {
	case !ok:
		return 0, &session.Error{Op: op, Err: ErrNoResponseTopic, Code: codec.ReasonTopicNameInvalid}
	case len(p.Topic) > 0:
		return 0, misuse(op, "the topic of a response is that of its request")
	}
	q := *p
	q.Topic = topic
	q.Properties.CorrelationData = request.Properties.CorrelationData
	return c.Publish(now, &q)
}
