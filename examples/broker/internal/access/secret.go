package access

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Iterations is the usual cost of a new password, some ms: it is what a thief of
// the file pays for each guess. mosquitto's 101 is next to none. Many more would
// cost a broker dearly that was started anew, and whose clients all come back at
// once; what they come with afterwards is remembered.
const Iterations = 10_000

const (
	saltSize      = 12 // as mosquitto 2.0 insists
	hashSize      = sha512.Size
	maxIterations = 10_000_000
	maxMemory     = 1 << 20 // KiB, of argon2id
)

// secret is the hash of a password.
type secret struct {
	cost cost
	salt []byte
	hash []byte
}

// cost is how a hash is made: by argon2id where memory is set, by PBKDF2 with
// SHA-512 where iterations is, and by SHA-512 alone otherwise.
type cost struct {
	iterations int // of argon2id the passes over the memory
	memory     int // KiB
	threads    uint8
}

// work compares costs, roughly: 1 KiB of memory takes about as long as an
// iteration.
func (c cost) work() int { return c.iterations * max(c.memory, 1) }

func (s *secret) digest(password string) []byte {
	switch c := s.cost; {
	case c.memory > 0:
		return argon2.IDKey([]byte(password), s.salt, uint32(c.iterations), uint32(c.memory), c.threads, uint32(len(s.hash)))
	case c.iterations > 0:
		key, err := pbkdf2.Key(sha512.New, password, s.salt, c.iterations, hashSize)
		if err != nil {
			// Refused by the rules of a certified module: it matches nothing.
			key = make([]byte, hashSize)
			_, _ = rand.Read(key)
		}
		return key
	}
	sum := sha512.Sum512(append([]byte(password), s.salt...))
	return sum[:]
}

// newSecret hashes a password with a new salt.
func newSecret(password string, iterations int) secret {
	s := secret{cost: cost{iterations: iterations}, salt: make([]byte, saltSize)}
	_, _ = rand.Read(s.salt) // never fails
	s.hash = s.digest(password)
	return s
}

// String returns the form that stands in a file. It is for what newSecret made.
func (s *secret) String() string {
	salt, hash := base64.StdEncoding.EncodeToString(s.salt), base64.StdEncoding.EncodeToString(s.hash)
	return fmt.Sprintf("$7$%d$%s$%s", s.cost.iterations, salt, hash)
}

// parseSecret reads $6$SALT$HASH, $7$ITERATIONS$SALT$HASH, or
// $argon2id$v=19$m=MEMORY,t=PASSES,p=THREADS$SALT$HASH.
func parseSecret(text string) (s secret, err error) {
	fields := strings.Split(text, "$")
	if len(fields) < 2 || fields[0] != "" {
		return s, errors.New("the password is not hashed; set it by broker passwd")
	}
	kind, rest, encoding := fields[1], fields[2:], base64.StdEncoding
	switch {
	case kind == "argon2id" && len(rest) == 4:
		if s.cost, err = parseArgon2(rest[0], rest[1]); err != nil {
			return s, err
		}
		rest, encoding = rest[2:], base64.RawStdEncoding
	case kind == "7" && len(rest) == 3:
		if s.cost.iterations, err = strconv.Atoi(rest[0]); err != nil || s.cost.iterations < 1 || s.cost.iterations > maxIterations {
			return s, fmt.Errorf("the number of iterations is not from 1 to %d; set the password anew by broker passwd", maxIterations)
		}
		rest = rest[1:]
	case kind == "6" && len(rest) == 2:
	case kind == "6" || kind == "7" || kind == "argon2id":
		return s, errors.New("the hash is cut off; set the password anew by broker passwd")
	default:
		return s, errors.New("only hashes that begin with $6$, $7$ or $argon2id$ are known here; set the password anew by broker passwd")
	}
	if s.salt, err = encoding.DecodeString(rest[0]); err == nil {
		s.hash, err = encoding.DecodeString(rest[1])
	}
	if err != nil || len(s.salt) == 0 || len(s.hash) < 16 || len(s.hash) != hashSize && s.cost.memory == 0 {
		return s, errors.New("the hash is damaged; set the password anew by broker passwd")
	}
	return s, nil
}

func parseArgon2(version, text string) (c cost, err error) {
	n, _ := fmt.Sscanf(text, "m=%d,t=%d,p=%d", &c.memory, &c.iterations, &c.threads)
	good := n == 3 && c.threads > 0 && c.memory >= 8*int(c.threads) && c.memory <= maxMemory &&
		c.iterations > 0 && c.iterations <= maxIterations/c.memory
	if version != "v=19" || !good {
		return c, errors.New("these parameters of argon2id are not supported; set the password anew by broker passwd")
	}
	return c, nil
}
