package access

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
)

// Iterations is the usual cost of a new password. mosquitto's 101 is next to
// none; many more would cost a broker dearly whose clients all come back at once.
const Iterations = 10_000

const (
	saltSize      = 12 // as mosquitto 2.0 insists
	maxIterations = 10_000_000
)

// secret is the hash of a password: of SHA-512 where iterations is 0, of PBKDF2
// with it otherwise.
type secret struct {
	iterations int
	salt       []byte
	hash       [sha512.Size]byte
}

// passwords is a password file.
type passwords struct {
	users map[string]secret
	// unknown is as costly as the costliest, and matches nothing.
	unknown secret
}

// check reports whether the password of a user is right. It takes the same time
// for a user who does not exist.
func (p *passwords) check(user string, password []byte, has bool) bool {
	s, known := p.users[user]
	if !known {
		s = p.unknown
	}
	got := s.digest(string(password))
	same := subtle.ConstantTimeCompare(got[:], s.hash[:]) == 1
	return same && known && has && len(password) > 0 // as with mosquitto
}

func (s *secret) digest(password string) (sum [sha512.Size]byte) {
	if s.iterations == 0 {
		return sha512.Sum512(append([]byte(password), s.salt...))
	}
	key, err := pbkdf2.Key(sha512.New, password, s.salt, s.iterations, len(sum))
	if err != nil {
		_, _ = rand.Read(sum[:]) // refused by the rules of a certified module: matches nothing
		return sum
	}
	copy(sum[:], key)
	return sum
}

// newSecret hashes a password with a new salt.
func newSecret(password string, iterations int) secret {
	s := secret{iterations: iterations, salt: make([]byte, saltSize)}
	_, _ = rand.Read(s.salt) // never fails
	s.hash = s.digest(password)
	return s
}

// String returns the form that stands in a file.
func (s *secret) String() string {
	salt, hash := base64.StdEncoding.EncodeToString(s.salt), base64.StdEncoding.EncodeToString(s.hash[:])
	if s.iterations == 0 {
		return "$6$" + salt + "$" + hash
	}
	return fmt.Sprintf("$7$%d$%s$%s", s.iterations, salt, hash)
}

func loadPasswords(file string) (*passwords, error) {
	lines, err := config.ReadLines("password file", file)
	if err != nil {
		return nil, err
	}
	return parsePasswords(lines)
}

func parsePasswords(lines []config.Line) (*passwords, error) {
	p := &passwords{users: make(map[string]secret)}
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
		if s.iterations > p.unknown.iterations {
			p.unknown.iterations = s.iterations
		}
	}
	p.unknown.salt = make([]byte, saltSize)
	_, _ = rand.Read(p.unknown.hash[:])
	return p, errors.Join(errs...)
}

// parseSecret reads $6$SALT$HASH or $7$ITERATIONS$SALT$HASH.
func parseSecret(text string) (s secret, err error) {
	fields := strings.Split(text, "$")
	if len(fields) < 2 || fields[0] != "" {
		return s, errors.New("the password is not hashed; set it by broker passwd")
	}
	rest := fields[2:]
	switch {
	case fields[1] == "7" && len(rest) == 3:
		if s.iterations, err = strconv.Atoi(rest[0]); err != nil || s.iterations < 1 || s.iterations > maxIterations {
			return s, fmt.Errorf("the number of iterations is not from 1 to %d; set the password anew by broker passwd", maxIterations)
		}
		rest = rest[1:]
	case fields[1] == "6" && len(rest) == 2:
	case fields[1] == "6" || fields[1] == "7":
		return s, errors.New("the hash is cut off; set the password anew by broker passwd")
	default:
		return s, errors.New("only hashes that begin with $6$ or $7$ are known here; set the password anew by broker passwd")
	}
	var hash []byte
	if s.salt, err = base64.StdEncoding.DecodeString(rest[0]); err == nil {
		hash, err = base64.StdEncoding.DecodeString(rest[1])
	}
	if err != nil || len(s.salt) == 0 || len(hash) != len(s.hash) {
		return s, errors.New("the hash is damaged; set the password anew by broker passwd")
	}
	copy(s.hash[:], hash)
	return s, nil
}
