package server

import (
	"errors"
	"fmt"

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
	access   *access.Access // Reload replaces it
}

// openDoors reads the rules of all listeners. Those with the same Access share
// them.
func (s *Server) openDoors() error {
	rules, err := s.readRules()
	if err != nil {
		return err
	}
	for i, l := range s.options.Listeners {
		cfg := l.Config()
		d := &door{server: s, listener: l, access: rules[cfg.Access], endpoint: endpoint(i, cfg, s.options.IDPrefix)}
		s.doors[l] = d
		s.doorsByName[d.endpoint.Name] = d
		if i == 0 {
			s.front = d
		}
	}
	return nil
}

// readRules reads the files of all rules.
func (s *Server) readRules() (map[*config.Access]*access.Access, error) {
	rules := make(map[*config.Access]*access.Access)
	for _, l := range s.options.Listeners {
		cfg := l.Config().Access
		if rules[cfg] != nil {
			continue
		}
		a, err := access.Load(cfg)
		if err != nil {
			return nil, err
		}
		rules[cfg] = a
	}
	return rules, nil
}

func endpoint(i int, cfg *config.Listener, idPrefix string) *broker.Endpoint {
	e := &broker.Endpoint{
		// The address may change from one run to the next.
		Name:                fmt.Sprintf("listener %d", i+1),
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
		d = s.front // the listener is not configured any more
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
	if err == nil {
		s.ask(func() {
			for _, c := range s.conns {
				s.expel(c, rules[c.door.listener.Config().Access])
			}
			for _, d := range s.doors {
				d.access = rules[d.listener.Config().Access]
			}
			s.broker.Recheck(s.now)
		})
	}
	return errors.Join(errs...)
}
