package server

import (
	"runtime"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session/broker"

	"github.com/mqttcore/mqttcore/examples/broker/internal/access"
)

// checks bounds the passwords that are looked at at the same time: a good hash
// takes long on purpose. Half of the processors stay for clients who are in, also
// when somebody tries many passwords.
var checks = make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2))

// check looks at a password in the background and then answers the CONNECT. The
// broker and its other clients go on meanwhile.
func (s *Server) check(h broker.Handle, rules *access.Access, user string, password []byte, has bool) {
	go func() {
		checks <- struct{}{}
		good := rules.Check(user, password, has)
		<-checks
		s.ask(func() {
			if good {
				s.broker.Accept(s.now, h, broker.Admission{User: user})
				return
			}
			s.broker.Refuse(s.now, h, codec.ReasonBadUserNameOrPassword)
		})
	}()
}
