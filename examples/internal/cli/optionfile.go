package cli

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"
)

// ParseWithFile is Parse for a command line that may be preceded by an option
// file: that of -o, or the one that the program of mosquitto with the given name
// reads, "" for none. Options of the command line go before those of the file.
func ParseWithFile(fs *pflag.FlagSet, args []string, props *Properties, program string) (help bool, err error) {
	name, asked := optionFile(fs, args)
	if !asked && program != "" {
		name = defaultFile(program)
	}
	if name != "" {
		if err := parseFile(fs, name, asked, props); err != nil {
			return false, err
		}
	}
	return Parse(fs, args, props)
}

// optionFile returns the value of -o, without looking at anything else.
func optionFile(fs *pflag.FlagSet, args []string) (name string, ok bool) {
	for i := 0; i < len(args); {
		a, n := args[i], 1
		switch {
		case a == "-D" || a == "--property":
			n = 4
			if i+2 < len(args) && args[i+2] == "user-property" {
				n = 5
			}
		case len(a) > 1 && a[0] == '-' && a != "--":
			if w, err := width(fs, args[i:]); err == nil {
				n = w
			}
		}
		switch {
		case (a == "-o" || a == "--option-file") && n == 2:
			name, ok = args[i+1], true
		case strings.HasPrefix(a, "--option-file="):
			name, ok = strings.TrimPrefix(a, "--option-file="), true
		case strings.HasPrefix(a, "-o") && n == 1:
			name, ok = strings.TrimPrefix(a[2:], "="), true
		}
		i += n
	}
	return name, ok
}

// defaultFile returns where mosquitto's programs look for options. People who
// have such a file want the same here.
func defaultFile(program string) string {
	folder := os.Getenv("XDG_CONFIG_HOME")
	if folder == "" {
		home := os.Getenv("HOME")
		if home == "" {
			return ""
		}
		folder = filepath.Join(home, ".config")
	}
	return filepath.Join(folder, program)
}

// parseFile reads an option file: an option in each line, with its value behind
// a space; lines that begin with # are for people.
func parseFile(fs *pflag.FlagSet, name string, asked bool, props *Properties) error {
	data, err := os.ReadFile(name)
	switch {
	case err != nil && !asked && (errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission)):
		return nil
	case err != nil:
		return Failf(ExitFile, "the option file %q cannot be read: %v; check -o", name, root(err))
	}
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) == "" || line[0] == '#' {
			continue
		}
		if err := parseLine(fs, line, props); err != nil {
			return Usagef("line %d of the option file %s: %v", n, name, err)
		}
	}
	return nil
}

func parseLine(fs *pflag.FlagSet, line string, props *Properties) error {
	flag, value, ok := strings.Cut(line, " ")
	switch {
	case flag == "-D" || flag == "--property":
		_, err := Parse(fs, append([]string{flag}, strings.Fields(value)...), props)
		return err
	case flag == "-o" || flag == "--option-file":
		return Usagef("an option file names no other one")
	case !ok:
		_, err := Parse(fs, []string{flag}, props)
		return err
	}
	_, err := Parse(fs, []string{flag, value}, props)
	return err
}
