// Package access decides who may connect and what they may do, by a password
// file and an ACL file as mosquitto has them.
package access

import (
	"bytes"
	"errors"

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
	all, err := LoadAll([]*config.Access{cfg})
	return all[cfg], err
}

// LoadAll is Load for several, which may name the same files.
func LoadAll(cfgs []*config.Access) (map[*config.Access]*Access, error) {
	all := make(map[*config.Access]*Access)
	read := files{make(map[string]*passwords), make(map[string]*rules)}
	var errs []error
	for _, cfg := range cfgs {
		a := &Access{anonymous: cfg.AllowAnonymous}
		errs = append(errs,
			once(read.passwords, cfg.PasswordFile, loadPasswords, &a.passwords),
			once(read.rules, cfg.ACLFile, loadRules, &a.rules))
		all[cfg] = a
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return all, nil
}

// files are those that were read, also in vain, by their names.
type files struct {
	passwords map[string]*passwords
	rules     map[string]*rules
}

// once reads a file, if there is one and it was not read before.
func once[T any](read map[string]*T, file string, load func(file string) (*T, error), to **T) (err error) {
	known := false
	if *to, known = read[file]; known || file == "" {
		return nil
	}
	*to, err = load(file)
	read[file] = *to
	return err
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
