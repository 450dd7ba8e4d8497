package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// setter takes the value of a flag or a key, or says what is wrong with it.
type setter func(value string) error

// value is a setter as a flag.
type value struct {
	set  setter
	kind string
}

func (v value) Set(s string) error { return v.set(s) }
func (v value) Type() string       { return v.kind }
func (v value) String() string     { return "" } // defaults stand in the help

// whole takes a number from least to most.
func whole[T int | uint8 | uint16 | uint32](to *T, least, most int64) setter {
	return func(s string) error {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < least || n > most {
			if most >= math.MaxInt32 {
				return fmt.Errorf("use a number from %d", least)
			}
			return fmt.Errorf("use a number from %d to %d", least, most)
		}
		*to = T(n)
		return nil
	}
}

// bound takes a number for which -1 stands for no bound, as 0 does here.
func bound(to *int) setter {
	return func(s string) error {
		n := 0
		if whole(&n, -1, math.MaxInt)(s) != nil {
			return errors.New("use a number, or -1 for no bound")
		}
		*to = max(n, 0)
		return nil
	}
}

// onOff takes true or false.
func onOff(to *bool) setter {
	return func(s string) error {
		switch s {
		case "true", "1":
			*to = true
		case "false", "0":
			*to = false
		default:
			return errors.New("use true or false")
		}
		return nil
	}
}

// off is onOff for a key that says the contrary of the field.
func off(to *bool) setter {
	return func(s string) error {
		on := false
		err := onOff(&on)(s)
		if err == nil {
			*to = !on
		}
		return err
	}
}

// span takes a time, such as 10s, or a number of seconds; least is 0 or 1.
func span(to *time.Duration, least time.Duration) setter {
	return func(s string) error {
		if _, err := strconv.ParseUint(s, 10, 32); err == nil {
			s += "s"
		}
		d, err := time.ParseDuration(s)
		switch {
		case err != nil:
			return errors.New("use a time, such as 10s")
		case d < least && least > 0:
			return errors.New("use a time above 0, such as 10s")
		case d < least:
			return errors.New("use a time, such as 10s, or 0 for never")
		}
		*to = d
		return nil
	}
}

// oneOf takes one of several words, each with what it stands for.
func oneOf[T any](to *T, words []string, values []T) setter {
	return func(s string) error {
		for i, w := range words {
			if s == w {
				*to = values[i]
				return nil
			}
		}
		last := len(words) - 1
		return fmt.Errorf("use %s or %s", strings.Join(words[:last], ", "), words[last])
	}
}

// expirySeconds has mosquitto's units; a month has 30 days.
var expirySeconds = map[byte]uint64{'h': 3600, 'd': 86400, 'w': 7 * 86400, 'm': 30 * 86400, 'y': 365 * 86400}

// expiry takes a number with one of these units.
func expiry(to *uint32) setter {
	return func(s string) error {
		if s != "" {
			n, err := strconv.ParseUint(s[:len(s)-1], 10, 32)
			unit := expirySeconds[s[len(s)-1]]
			if err == nil && n > 0 && unit > 0 {
				*to = uint32(min(n*unit, math.MaxUint32-1)) // the largest number stands for no end
				return nil
			}
		}
		return errors.New("use a number and one of h, d, w, m and y, such as 14d")
	}
}
