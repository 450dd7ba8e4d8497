package server

import (
	"errors"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session/broker"

	"github.com/mqttcore/mqttcore/examples/broker/internal/access"
	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
	"github.com/mqttcore/mqttcore/examples/broker/internal/listen"
)

// door is a listener with what its clients have in common.
type door struct {
	server   *Server
	listener *listen.Listener
	endpoint *broker.Endpoint
	files    *config.Access // of the rules
	access   *access.Access // Reload replaces it
}

// openDoors reads the rules of all listeners. Those with the same Access share
// them.
func (s *Server) openDoors() error {
	for _, l := range s.options.Listeners {
		cfg := l.Config()
		d := &door{server: s, listener: l, files: cfg.Access, endpoint: endpoint(l.Name(), cfg, s.options.IDPrefix)}
		s.doors[l] = d
		s.doorsByName[d.endpoint.Name] = d
	}
	s.elsewhere = &door{server: s, files: s.filesElsewhere()}
	rules, err := s.readRules()
	if err != nil {
		return err
	}
	s.useRules(rules)
	return nil
}

// filesElsewhere returns what holds for clients who are away, and for publishers
// of retained messages, whose listener is not configured any more: the rules of all
// listeners, or none if these differ. Without rules nothing of theirs is lost, and
// nothing goes astray: before a client is given what has waited for it, the listener
// by which it comes back is asked.
func (s *Server) filesElsewhere() *config.Access {
	all := s.options.Accesses()
	for _, a := range all {
		if a.ACLFile != all[0].ACLFile {
			return new(config.Access)
		}
	}
	return &config.Access{ACLFile: all[0].ACLFile}
}

// readRules reads the files of all rules.
func (s *Server) readRules() (map[*config.Access]*access.Access, error) {
	return access.LoadAll(append(s.options.Accesses(), s.elsewhere.files))
}

func (s *Server) useRules(rules map[*config.Access]*access.Access) {
	for _, d := range s.doors {
		d.access = rules[d.files]
	}
	s.elsewhere.access = rules[s.elsewhere.files]
}

func endpoint(name string, cfg *config.Listener, idPrefix string) *broker.Endpoint {
	e := &broker.Endpoint{
		Name:                name,
		MountPoint:          cfg.MountPoint,
		TopicAliasMaximum:   codec.Some(cfg.TopicAliasMaximum),
		RefuseV311:          cfg.RefuseV311,
		RefuseV5:            cfg.RefuseV5,
		RefuseEmptyClientID: !cfg.Access.AllowZeroLengthClientID,
		ClientIDPrefix:      cfg.Access.AutoIDPrefix + idPrefix,
	}
	if cfg.MaximumQoS < 2 {
		e.MaximumQoS = codec.Some(codec.QoS(cfg.MaximumQoS))
	}
	return e
}

// doorOf returns the door of a client, also of one that is away since an
// earlier run.
func (s *Server) doorOf(c *broker.Client) *door {
	if d := s.lastDoor; d.endpoint == c.Endpoint {
		return d
	}
	d := s.doorsByName[c.Endpoint.Name]
	if d == nil {
		return s.elsewhere
	}
	if d.endpoint == c.Endpoint {
		s.lastDoor = d
	}
	return d
}

// Reload reads passwords, rules, certificates and revocation lists again. What
// cannot be read stays as it was. New rules count for what clients have
// already, too, and new passwords for clients that are in.
func (s *Server) Reload() error {
	var errs []error
	for _, l := range s.options.Listeners {
		errs = append(errs, l.Reload())
	}
	rules, err := s.readRules()
	errs = append(errs, err)
	s.ask(func() {
		for _, c := range s.conns {
			s.expel(c, rules)
		}
		if rules != nil {
			s.useRules(rules)
			s.broker.Recheck(s.now)
		}
	})
	return errors.Join(errs...)
}
