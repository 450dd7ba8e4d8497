package server

import (
	"bytes"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session/broker"
)

// policy returns the hooks of the broker, those only that have something to
// decide.
func (s *Server) policy() (p broker.Policy) {
	rules := false
	for _, l := range s.options.Listeners {
		rules = rules || l.Config().Access.ACLFile != ""
	}
	if rules || s.options.Limits.MessageSize > 0 {
		p.Publish = s.mayPublish
	}
	if rules {
		p.Subscribe, p.Deliver = s.maySubscribe, s.mayDeliver
	}
	return p
}

func (s *Server) mayPublish(c *broker.Client, p *codec.Publish) (*codec.Publish, codec.ReasonCode) {
	if most := s.options.Limits.MessageSize; most > 0 && len(p.Payload) > most {
		return nil, codec.ReasonQuotaExceeded
	}
	if !s.doorOf(c).access.MayWrite(c.User, c.ID, p.Topic) {
		s.denied(c, p.Topic)
		return nil, codec.ReasonNotAuthorized
	}
	return p, codec.ReasonSuccess
}

func (s *Server) maySubscribe(c *broker.Client, f *codec.Subscription) codec.ReasonCode {
	if !s.doorOf(c).access.MaySubscribe(c.User, c.ID, f.Filter) {
		return codec.ReasonNotAuthorized
	}
	return codec.ReasonSuccess
}

// mayDeliver also asks, of retained messages, whether their publisher may still
// publish them, where that is wanted.
func (s *Server) mayDeliver(c *broker.Client, p *codec.Publish, from *broker.Client) bool {
	if !s.doorOf(c).access.MayRead(c.User, c.ID, p.Topic) {
		return false
	}
	return !p.Retain || from == nil || !s.options.CheckRetainSource || s.doorOf(from).access.MayWrite(from.User, from.ID, p.Topic)
}

// admit answers a CONNECT: who the client is, and whether it may come in.
func (s *Server) admit(ev *broker.Event) {
	p := ev.Packet.(*codec.Connect)
	c, h := s.conns[ev.Conn], ev.Conn
	rules := c.door.access
	owner, known := c.link.identity()
	user, password := string(p.Username.Value), p.Password.Value
	switch {
	case p.Properties.AuthenticationMethod.Set:
		s.broker.Refuse(s.now, h, codec.ReasonBadAuthenticationMethod)
	case known:
		s.broker.Accept(s.now, h, broker.Admission{User: owner})
	case !p.Username.Set && !rules.AllowAnonymous():
		s.broker.Refuse(s.now, h, codec.ReasonNotAuthorized)
	case !p.Username.Set:
		s.broker.Accept(s.now, h, broker.Admission{})
	case !rules.HasPasswords():
		if !rules.AllowAnonymous() {
			s.broker.Refuse(s.now, h, codec.ReasonNotAuthorized)
			return
		}
		s.broker.Accept(s.now, h, broker.Admission{User: user})
	case p.Password.Set && rules.Remembers(user, password):
		s.letIn(c, user)
	default:
		s.check(login{c, user, bytes.Clone(password), p.Password.Set})
	}
}
