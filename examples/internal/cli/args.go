package cli

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// Parse reads a command line into the flags. Besides what pflag does, it takes
// the several arguments of -D, and knows that somebody who writes -help, or -h
// alone, wants help and no host. Then help is true.
func Parse(fs *pflag.FlagSet, args []string, props *Properties) (help bool, err error) {
	return parseArgs(fs, args, props, func(a string) error {
		return Usagef("%q is not expected here; every value follows its flag", a)
	})
}

// ParseOperands is Parse for a program that has arguments besides its flags, which
// it returns. - is one of them, and whatever follows --.
func ParseOperands(fs *pflag.FlagSet, args []string) (operands []string, help bool, err error) {
	flags, behind := args, []string(nil)
	if i := slices.Index(args, "--"); i >= 0 {
		flags, behind = args[:i], args[i+1:]
	}
	help, err = parseArgs(fs, flags, nil, func(a string) error {
		operands = append(operands, a)
		return nil
	})
	return append(operands, behind...), help, err
}

// parseArgs gives what is no flag to operand.
func parseArgs(fs *pflag.FlagSet, args []string, props *Properties, operand func(string) error) (help bool, err error) {
	fs.SortFlags = false
	fs.Usage = func() {}
	rest := make([]string, 0, len(args))
	if len(args) == 1 && args[0] == "-h" {
		return true, nil
	}
	for i := 0; i < len(args); {
		a := args[i]
		switch {
		case a == "-help", a == "--help":
			return true, nil
		case props != nil && (a == "-D" || a == "--property"):
			n, err := props.define(args[i+1:])
			if err != nil {
				return false, err
			}
			i += 1 + n
		case len(a) < 2 || a[0] != '-' || a == "--":
			if err := operand(a); err != nil {
				return false, err
			}
			i++
		default:
			n, err := width(fs, args[i:])
			if err != nil {
				return false, err
			}
			rest = append(rest, args[i:i+n]...)
			i += n
		}
	}
	return false, Explain(fs.Parse(rest))
}

// Explain returns the Failure for an error of pflag.
func Explain(err error) error {
	var value *pflag.InvalidValueError
	if !errors.As(err, &value) {
		if err != nil {
			return Usagef("%v", err)
		}
		return nil
	}
	f := value.GetFlag()
	name := "--" + f.Name
	if f.Shorthand != "" {
		name = "-" + f.Shorthand
	}
	cause := root(err)
	if _, ok := f.Value.(Absent); ok {
		return Usagef("%s: %v", name, cause) // the value may be secret
	}
	if errors.Is(cause, strconv.ErrRange) || errors.Is(cause, strconv.ErrSyntax) {
		switch f.Value.Type() {
		case "uint16":
			cause = errors.New("use a number from 0 to 65535")
		case "bool":
			cause = errors.New("it takes no value")
		default:
			cause = errors.New("use a number")
		}
	}
	return Usagef("%s %s: %v", name, value.GetValue(), cause)
}

// noFlag says that there is no flag of this name, and which one may be meant.
func noFlag(fs *pflag.FlagSet, name string) error {
	var names, longer []string
	fs.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		names = append(names, f.Name)
		if strings.HasPrefix(f.Name, name) {
			longer = append(longer, f.Name)
		}
	})
	if near := Nearest(name, names); near != "" {
		longer = []string{near}
	}
	if len(longer) == 1 {
		return Usagef("there is no flag --%s; is it --%s?", name, longer[0])
	}
	return Usagef("there is no flag --%s", name)
}

// width returns how many arguments the flag at the beginning of args takes, its
// own included.
func width(fs *pflag.FlagSet, args []string) (int, error) {
	a := args[0]
	var f *pflag.Flag
	inline := false // the value stands in the same argument
	if name, ok := strings.CutPrefix(a, "--"); ok {
		name, _, inline = strings.Cut(name, "=")
		if f = fs.Lookup(name); f == nil {
			return 0, noFlag(fs, name)
		}
	} else {
		for i := 1; i < len(a) && (f == nil || f.NoOptDefVal != ""); i++ {
			if a[i] >= 0x80 {
				return 0, Usagef("there is no flag %s", a)
			}
			if f = fs.ShorthandLookup(a[i : i+1]); f == nil {
				return 0, Usagef("there is no flag -%c", a[i])
			}
			inline = i+1 < len(a)
		}
	}
	switch {
	case inline || f.NoOptDefVal != "":
		return 1, nil
	case len(args) < 2:
		return 0, Usagef("%s needs a value", a)
	}
	return 2, nil
}
