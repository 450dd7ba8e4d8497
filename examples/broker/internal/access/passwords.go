package access

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
)

// passwords is a password file.
type passwords struct {
	users map[string]secret
	// unknown is as costly as the costliest, and matches nothing.
	unknown secret

	key  [32]byte // of the digests
	mu   sync.Mutex
	good map[string]digest // of the password that let a user in last
}

// digest stands for a password. Without the key, which is never stored, it says
// nothing about it.
type digest [sha256.Size]byte

// check reports whether the password of a user is right. It takes the same time
// for a user who does not exist.
func (p *passwords) check(user string, password []byte, has bool) bool {
	s, known := p.users[user]
	if !known {
		s = p.unknown
	}
	same := subtle.ConstantTimeCompare(s.digest(string(password)), s.hash) == 1
	if !same || !known || !has || len(password) == 0 { // as with mosquitto
		return false
	}
	d := p.digest(password)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.good[user] = d
	return true
}

// remembers reports whether this password has let the user in before.
func (p *passwords) remembers(user string, password []byte) bool {
	d := p.digest(password)
	p.mu.Lock()
	defer p.mu.Unlock()
	good, ok := p.good[user]
	return ok && subtle.ConstantTimeCompare(d[:], good[:]) == 1
}

func (p *passwords) digest(password []byte) (d digest) {
	h := hmac.New(sha256.New, p.key[:])
	h.Write(password)
	h.Sum(d[:0])
	return d
}

func loadPasswords(file string) (*passwords, error) {
	lines, err := config.ReadLines("password file", file)
	if err != nil {
		return nil, err
	}
	return parsePasswords(lines)
}

func parsePasswords(lines []config.Line) (*passwords, error) {
	p := &passwords{users: make(map[string]secret), good: make(map[string]digest)}
	_, _ = rand.Read(p.key[:]) // never fails
	seen := make(map[string]int)
	var errs []error
	for _, l := range lines {
		user, text, ok := strings.Cut(l.Text, ":")
		user = strings.TrimSpace(user)
		s, err := parseSecret(strings.TrimSpace(text))
		switch {
		case !ok:
			err = errors.New("a line of a password file is NAME:HASH; make it by broker passwd")
		case user == "":
			err = errors.New("there is no name before the colon")
		case seen[user] != 0:
			err = fmt.Errorf("%s has a password already, in line %d; remove one of them", user, seen[user])
		}
		if err != nil {
			errs = append(errs, l.Errorf("%w", err))
			continue
		}
		seen[user] = l.Number
		p.users[user] = s
		if s.cost.work() > p.unknown.cost.work() {
			p.unknown.cost = s.cost
		}
	}
	p.unknown.salt, p.unknown.hash = make([]byte, saltSize), make([]byte, hashSize)
	_, _ = rand.Read(p.unknown.hash)
	return p, errors.Join(errs...)
}
