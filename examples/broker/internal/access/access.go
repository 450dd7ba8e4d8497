// Package access decides who may connect and what they may do, by a password
// file and an ACL file as mosquitto has them.
package access

import (
	"bytes"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
)

// Access is what two files say, with a memory of the passwords that were right. It
// may be used from several goroutines; whoever reads the files anew keeps the old
// one if that fails.
//
// Everywhere an empty user is one without a name.
type Access struct {
	anonymous bool
	passwords *passwords // nil without a file
	rules     *rules     // nil without a file
}

// Load reads the files that cfg names. The error tells of everything that is
// wrong in them, each in a line with its place.
func Load(cfg *config.Access) (*Access, error) {
	a := &Access{anonymous: cfg.AllowAnonymous}
	var err error
	if cfg.PasswordFile != "" {
		if a.passwords, err = loadPasswords(cfg.PasswordFile); err != nil {
			return nil, err
		}
	}
	if cfg.ACLFile != "" {
		if a.rules, err = loadRules(cfg.ACLFile); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// AllowAnonymous reports whether a client may connect without a user name.
func (a *Access) AllowAnonymous() bool { return a.anonymous }

// HasPasswords reports whether there is a password file. Without one, names are
// believed if AllowAnonymous allows to come without.
func (a *Access) HasPasswords() bool { return a.passwords != nil }

// Check reports whether a client that gives this user name may connect. With a
// password file it takes as long as the file's hashes ask for, whether the user
// exists or not, so it is no call for a loop that others wait for.
func (a *Access) Check(user string, password []byte, hasPassword bool) bool {
	if a.passwords == nil {
		return a.anonymous
	}
	return a.passwords.check(user, password, hasPassword)
}

// Remembers reports whether Check said yes to the same before. It is quick, so
// that clients who come back cost next to nothing, all at once or while others try
// passwords.
func (a *Access) Remembers(user string, password []byte) bool {
	return a.passwords != nil && a.passwords.remembers(user, password)
}

// SamePassword reports whether a user has the same password in another reading of
// the file.
func (a *Access) SamePassword(other *Access, user string) bool {
	if a.passwords == nil || other.passwords == nil {
		return a.passwords == other.passwords
	}
	s, had := a.passwords.users[user]
	t, has := other.passwords.users[user]
	return had && has && s.cost == t.cost && bytes.Equal(s.salt, t.salt) && bytes.Equal(s.hash, t.hash)
}

// MayRead reports whether a client may be given a message of this topic.
func (a *Access) MayRead(user, id string, topic []byte) bool {
	return a.rules == nil || a.rules.allow(user, id, topic, read)
}

// MayWrite reports whether a client may publish to this topic.
func (a *Access) MayWrite(user, id string, topic []byte) bool {
	return a.rules == nil || a.rules.allow(user, id, topic, write)
}

// MaySubscribe reports whether a client may have a subscription. It may have any:
// as with mosquitto the rules are about messages, and of those a client gets only
// what it may read. A subscription so comes to life when the rules change.
func (a *Access) MaySubscribe(user, id string, filter []byte) bool { return true }
