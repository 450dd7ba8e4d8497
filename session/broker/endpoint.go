package broker

import (
	"bytes"
	"slices"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
)

// Endpoint is what the clients have in common that come by the same way, such as
// one listener. Zero values stand for what Config says. It must not change once
// it was given to Open.
type Endpoint struct {
	// Name tells the endpoints apart. It is stored with sessions and retained
	// messages.
	Name string
	// MountPoint is put before all topics and filters of the clients, behind
	// $share/ShareName/, and taken off what they receive. It ends with / or is
	// empty, holds no wildcards and begins neither with $SYS/ nor with $share/. So
	// it is with Response Topics: clients under the same mount point get them
	// unaltered, those without one by their full name, and for those that cannot
	// reach them, as they are under another mount point, they are left out. What is
	// said of topics and filters that begin with $ or a wildcard holds for these as
	// the clients name them. A session belongs to its mount point: a client that
	// comes under another one begins anew.
	MountPoint string
	// MaximumQoS, if set, is the highest QoS on offer in place of that of Config;
	// that of an Admission may be lower. (v5.0 3.2.2.3.4)
	MaximumQoS codec.Opt[codec.QoS]
	// TopicAliasMaximum, if set, is the number of topic aliases that a v5.0
	// client may use. (v5.0 3.2.2.3.8)
	TopicAliasMaximum codec.Opt[uint16]
	// MaximumKeepAlive bounds the Keep Alive of v5.0 clients, in seconds.
	MaximumKeepAlive uint16
	// RefuseV311 and RefuseV5 refuse clients of that version.
	RefuseV311, RefuseV5 bool
	// RefuseEmptyClientID refuses clients that leave the Client Identifier to
	// the broker, with 0x85. (v3.1.1 and v5.0 3.1.3.1)
	RefuseEmptyClientID bool
	// ClientIDPrefix begins the Client Identifiers that the broker assigns.
	ClientIDPrefix string
}

// Client is what a client is known as, to the driver and its Policy. It must not
// be changed, and does not change itself from CONNACK on.
type Client struct {
	// ID is the Client Identifier; empty while it is not known.
	ID string
	// User is what Admission said; empty for none.
	User string
	// Endpoint is the one that was given to Open. Of a client that is away since
	// Restore only Name and MountPoint are known.
	Endpoint *Endpoint
}

// endpoint is an Endpoint that is in use.
type endpoint struct {
	Endpoint        // completed from Config
	nobody   Client // before CONNECT
	limits   Limits // of a client, unless Admission has others for it
	server   session.ServerConfig
}

// endpoint returns what follows from an Endpoint, nil for one that says nothing.
func (b *Broker) endpoint(e *Endpoint) *endpoint {
	if at := b.endpoints[e]; at != nil {
		return at
	}
	at := &endpoint{server: b.cfg.Server, limits: b.cfg.Limits}
	b.endpoints[e] = at
	if e == nil {
		e = new(Endpoint)
	}
	at.Endpoint, at.nobody.Endpoint = *e, e
	b.subs.mounted = b.subs.mounted || e.MountPoint != ""
	if at.MaximumQoS.Set {
		at.limits.MaximumQoS = at.MaximumQoS
	}
	if !at.TopicAliasMaximum.Set {
		at.TopicAliasMaximum = codec.Some(b.cfg.TopicAliasMaximum)
	}
	if at.MaximumKeepAlive == 0 {
		at.MaximumKeepAlive = b.cfg.MaximumKeepAlive
	}
	if at.ClientIDPrefix == "" {
		at.ClientIDPrefix = b.cfg.ClientIDPrefix
	}
	at.server.RefuseV311 = at.server.RefuseV311 || e.RefuseV311
	at.server.RefuseV5 = at.server.RefuseV5 || e.RefuseV5
	return at
}

// mount makes the topics of a message of a client those that the broker knows.
// They are valid until the next call.
func (b *Broker) mount(c *conn, topic *codec.Bytes, response *codec.Opt[codec.Bytes]) {
	mount := c.at.MountPoint
	if mount == "" {
		return
	}
	buf := append(append(b.scratch.topic[:0], mount...), *topic...)
	n := len(buf)
	if response.Set {
		buf = append(append(buf, mount...), response.Value...)
		response.Value = buf[n:]
	}
	*topic = buf[:n:n]
	b.scratch.topic = buf
}

// unmount is mount the other way round, for a client that gets a message. Of its
// topics none changes. A Response Topic that is not below the mount point is left
// out, as the client cannot reach it. [MQTT-3.3.2-15]
func unmount(mount string, topic *codec.Bytes, response *codec.Opt[codec.Bytes]) {
	if mount == "" {
		return
	}
	*topic = (*topic)[len(mount):]
	if rest, ok := bytes.CutPrefix(response.Value, []byte(mount)); ok && len(rest) > 0 {
		response.Value = rest
	} else {
		*response = codec.Opt[codec.Bytes]{}
	}
}

// mountedFilter returns a filter of a client as the broker knows it.
func mountedFilter(mount string, filter codec.Bytes) codec.Bytes {
	if mount == "" {
		return filter
	}
	_, rest, _ := codec.ParseShared(filter)
	return slices.Concat(filter[:len(filter)-len(rest)], codec.Bytes(mount), rest)
}

// seenBy returns a message as a client sees it, without its mount point, and what
// keeps it. The message is owned.
func (b *Broker) seenBy(c *Client, m *routed) (*codec.Publish, *session.Kept) {
	mount := c.Endpoint.MountPoint
	if mount == "" {
		return m.Publish, m.kept
	}
	seen := &b.scratch.seen
	if seen.of == m.Publish && seen.mount == mount {
		return seen.message, seen.kept
	}
	seen.kept.Release()
	*seen = view{of: m.Publish, mount: mount}
	if m.kept != nil {
		seen.kept = m.kept.View()
		seen.message = &seen.kept.Publish
	} else {
		q := *m.Publish
		seen.message = &q
	}
	unmount(mount, &seen.message.Topic, &seen.message.Properties.ResponseTopic)
	return seen.message, seen.kept
}

// seen returns a topic as a client names it; of one that is not below its mount
// point, which only an answer of the driver can have, it is the full name.
func (c *Client) seen(topic codec.Bytes) codec.Bytes {
	mount := c.Endpoint.MountPoint
	if n := len(mount); n < len(topic) && string(topic[:n]) == mount {
		return topic[n:]
	}
	return topic
}

// sees reports whether a session sees a topic that matches one of its filters,
// without $share/ShareName. What is beside its mount point it does not see, as
// "a/#" matches "a" and "a/", nor by a wildcard what begins with $ behind it.
// [MQTT-4.7.2-1]
func sees[F ~string | ~[]byte](s *sess, filter F, topic codec.Bytes) bool {
	n := len(s.client.Endpoint.MountPoint)
	switch {
	case n == 0:
		return true
	case len(topic) <= n:
		return false
	}
	return topic[n] != '$' || !codec.HasWildcards(filter[:min(n+1, len(filter))])
}

// view is a message as it is seen under a mount point.
type view struct {
	of, message *codec.Publish
	kept        *session.Kept
	mount       string
}

// fullTopic calls f with a message that a client was to see, under the topic that
// the broker knows it by.
func (b *Broker) fullTopic(c *Client, p *codec.Publish, f func(*codec.Publish) bool) bool {
	mount := c.Endpoint.MountPoint
	if mount == "" {
		return f(p)
	}
	q := *p
	q.Topic = slices.Concat(codec.Bytes(mount), p.Topic)
	if response := &q.Properties.ResponseTopic; response.Set {
		response.Value = slices.Concat(codec.Bytes(mount), response.Value)
	}
	return f(&q)
}
