package access

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
)

// SetPassword writes a new password for a user into a password file, which is
// made if there is none. All else stays in it as it is. iterations is the cost
// of the hash, from 1.
func SetPassword(file, user, password string, iterations int) error {
	if err := validUser(user); err != nil {
		return err
	}
	if iterations < 1 || iterations > maxIterations {
		return fmt.Errorf("the number of iterations has to be from 1 to %d", maxIterations)
	}
	s := newSecret(password, iterations)
	_, err := edit(file, user, user+":"+s.String())
	return err
}

// DeleteUser takes a user out of a password file.
func DeleteUser(file, user string) error {
	if _, err := os.Stat(file); err != nil {
		_, err = config.ReadLines("password file", file)
		return err
	}
	found, err := edit(file, user, "")
	if err == nil && !found {
		err = fmt.Errorf("there is no user %s in %s", user, file)
	}
	return err
}

func validUser(user string) error {
	switch {
	case user == "":
		return errors.New("the user name is empty")
	case len(user) > 65535 || !utf8.ValidString(user):
		return errors.New("the user name is none that MQTT can send: UTF-8 of up to 65535 bytes")
	case strings.ContainsAny(user, ":\r\n") || strings.TrimSpace(user) != user || user[0] == '#':
		return errors.New("a password file cannot hold a user name with a colon or a line break in it, blanks around it, or # before it")
	}
	return nil
}

// edit replaces the lines of a user by another one, or by none. It reports
// whether there was one; if not, and none is to be put in, nothing is written.
func edit(file, user, line string) (found bool, err error) {
	if real, err := filepath.EvalSymlinks(file); err == nil {
		file = real
	}
	data, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return false, fmt.Errorf("the password file cannot be read: %w", err)
	}
	var out []string
	for old := range strings.Lines(string(data)) {
		old = strings.TrimRight(old, "\r\n")
		name, _, ok := strings.Cut(old, ":")
		if ok && strings.TrimSpace(name) == user {
			found = true
			continue
		}
		out = append(out, old)
	}
	if line != "" {
		out = append(out, line)
	}
	if line == "" && !found {
		return false, nil
	}
	text := strings.Join(slices.Concat(out, []string{""}), "\n")
	if err := replace(file, text); err != nil {
		return found, fmt.Errorf("the password file cannot be written: %w", err)
	}
	return found, nil
}

// replace writes a file so that others see the old one or the new one, and as
// its owner left it to them.
func replace(file, text string) error {
	tmp, err := os.CreateTemp(filepath.Dir(file), ".passwd-*") // nobody else may read it
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if _, err = tmp.WriteString(text); err == nil {
		err = tmp.Sync()
	}
	if old, statErr := os.Stat(file); err == nil && statErr == nil {
		if err = keepOwner(tmp, old); err == nil {
			err = tmp.Chmod(old.Mode().Perm())
		}
	}
	err = errors.Join(err, tmp.Close())
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), file)
}
