package server

import (
	"runtime"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session/broker"

	"github.com/mqttcore/mqttcore/examples/broker/internal/access"
	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
)

// checks bounds the passwords that are looked at at the same time: a good hash
// takes long on purpose. Half of the processors stay for clients who are in, also
// when somebody tries many passwords.
var checks = make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2))

// check looks at a password in the background and then answers the CONNECT. The
// broker and its other clients go on meanwhile.
func (s *Server) check(c *conn, user string, password []byte, has bool) {
	rules := c.door.access
	go func() {
		checks <- struct{}{}
		good := rules.Check(user, password, has)
		<-checks
		s.ask(func() {
			switch {
			case c.door.access != rules:
				s.check(c, user, password, has) // they were read again meanwhile
			case good:
				s.letIn(c, user)
			default:
				s.broker.Refuse(s.now, c.handle, codec.ReasonBadUserNameOrPassword)
			}
		})
	}()
}

// letIn lets a user in whose password is right.
func (s *Server) letIn(c *conn, user string) {
	c.login = user
	s.broker.Accept(s.now, c.handle, broker.Admission{User: user})
}

// expel ends the connection of a client whose certificate was revoked, or whose
// password is gone or another one now, as mosquitto does. rules are new ones, nil
// for those in force.
func (s *Server) expel(c *conn, rules map[*config.Access]*access.Access) {
	address := c.link.place().Remote()
	switch revoked := c.link.revoked(); {
	case c.ended:
		return
	case revoked != nil:
		s.log.Info("a connected client would not be let in any more", "error", revoked, "address", address)
	case rules != nil && c.login != "" && !c.door.access.SamePassword(rules[c.door.files], c.login):
		s.log.Info("the password of a connected user has changed", "user", c.login, "address", address)
	default:
		return
	}
	s.broker.Disconnect(s.now, c.handle, codec.ReasonNotAuthorized)
}
