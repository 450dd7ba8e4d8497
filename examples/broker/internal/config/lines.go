package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// Line is a line of a configuration, password or ACL file.
type Line struct {
	File   string
	Number int    // from 1
	Text   string // without blanks around it
}

// ReadLines returns the lines of a file that say something: no empty ones, and
// none that begin with #. what names the file in the error.
func ReadLines(what, file string) ([]Line, error) {
	data, err := readText(file)
	if err != nil {
		return nil, fmt.Errorf("the %s %s cannot be read: %w", what, file, cause(err))
	}
	return Lines(file, data), nil
}

// mostText is the size in bytes up to which a file is read.
const mostText = 64 << 20

// readText returns what is in a file, without a byte order mark.
func readText(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, mostText+1))
	switch {
	case err != nil:
		return "", err
	case len(data) > mostText:
		return "", fmt.Errorf("there are more than %d MiB in it", mostText>>20)
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return "", errors.New("it is UTF-16; save it as UTF-8")
	}
	return strings.TrimPrefix(string(data), "\ufeff"), nil
}

// Lines is ReadLines for a text that is there.
func Lines(file, data string) (all []Line) {
	n := 0
	for text := range strings.Lines(data) {
		n++
		text = strings.TrimSpace(text)
		if text != "" && text[0] != '#' {
			all = append(all, Line{file, n, text})
		}
	}
	return all
}

// Cut returns the first word and what follows it.
func (l Line) Cut() (word, rest string) { return cutWord(l.Text) }

// cutWord splits behind the first word.
func cutWord(s string) (word, rest string) {
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimSpace(s[i:])
}

// Errorf returns an error that begins with the place of the line.
func (l Line) Errorf(format string, args ...any) error {
	return fmt.Errorf("%s: %w", l.at(), fmt.Errorf(format, args...))
}

// cause returns what is wrong with a file, without its name.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// at returns the place of the line.
func (l Line) at() string {
	if l.Number == 0 {
		return l.File
	}
	return fmt.Sprintf("%s:%d", l.File, l.Number)
}
