package server

import (
	"runtime"
	"slices"
	"syscall"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session/broker"

	"github.com/mqttcore/mqttcore/examples/broker/internal/access"
	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
)

// mostChecks bounds the passwords that are looked at at the same time: a good hash
// takes long on purpose. Half of the processors stay for clients who are in, also
// when somebody tries many passwords.
var mostChecks = max(1, runtime.GOMAXPROCS(0)/2)

// checks are passwords, in the order in which they came.
type checks struct {
	waiting []login
	running int
}

// login is what a client says who it is.
type login struct {
	conn     *conn
	user     string
	password []byte
	has      bool
}

// check looks at a password in the background, when its turn has come, and then
// answers the CONNECT. The broker and its other clients go on meanwhile. Of a client
// who has gone nothing is left to be done.
func (s *Server) check(l login) {
	switch c := l.conn; {
	case c.ended:
	case c.link.lost():
		s.giveUp(c)
	default:
		s.checks.waiting = append(s.checks.waiting, l)
		s.goOnChecking()
	}
}

// giveUp ends a connection that was reset while nobody reads from it.
func (s *Server) giveUp(c *conn) { s.broker.Closed(s.now, c.handle, syscall.ECONNRESET) }

// goOnChecking begins with the passwords whose turn it is.
func (s *Server) goOnChecking() {
	k := &s.checks
	for k.running < mostChecks && len(k.waiting) > 0 {
		l := k.waiting[0]
		rules := l.conn.door.access
		k.waiting = slices.Delete(k.waiting, 0, 1)
		k.running++
		go func() {
			good := rules.Check(l.user, l.password, l.has)
			s.ask(func() {
				k.running--
				s.checked(l, rules, good)
				s.goOnChecking()
			})
		}()
	}
}

// isChecking reports whether the password of a client waits.
func (s *Server) isChecking(c *conn) bool {
	return slices.ContainsFunc(s.checks.waiting, func(l login) bool { return l.conn == c })
}

// stopChecking takes back the password of a client.
func (s *Server) stopChecking(c *conn) {
	s.checks.waiting = slices.DeleteFunc(s.checks.waiting, func(l login) bool { return l.conn == c })
}

// checked answers the CONNECT.
func (s *Server) checked(l login, rules *access.Access, good bool) {
	switch c := l.conn; {
	case c.door.access != rules:
		s.check(l) // they were read again meanwhile
	case good:
		s.letIn(c, l.user)
	default:
		s.broker.Refuse(s.now, c.handle, codec.ReasonBadUserNameOrPassword)
	}
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
