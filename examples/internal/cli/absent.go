package cli

import (
	"errors"

	"github.com/spf13/pflag"
)

// Absent is a flag of mosquitto's programs for what does not exist here, and says
// what to do instead. Without it people would read that there is no such flag,
// and look for a mistake of their own.
type Absent string

func (a Absent) Set(string) error { return errors.New(string(a)) }
func (a Absent) String() string   { return "" }

// Type names the value in messages of pflag.
func (a Absent) Type() string { return "absent" }

const (
	noPSK    Absent = "pre-shared keys are not supported, as Go has none; use certificates (--cert, --key), or -u and -P within TLS"
	noEngine Absent = "engines for keys are not supported; put the key into a PEM file and name it by --key"
	noSRV    Absent = "SRV records are not looked up; name the broker by -h and -p"
)

// AddTo defines a flag, which no help names. switches take no value.
func (a Absent) AddTo(fs *pflag.FlagSet, name, shorthand string, switches bool) {
	f := fs.VarPF(a, name, shorthand, "")
	f.Hidden = true
	if switches {
		f.NoOptDefVal = "yes"
	}
}

// addAbsent defines the flags that no client has.
func addAbsent(fs *pflag.FlagSet) {
	noPSK.AddTo(fs, "psk", "", false)
	noPSK.AddTo(fs, "psk-identity", "", false)
	noEngine.AddTo(fs, "tls-engine", "", false)
	noEngine.AddTo(fs, "tls-engine-kpass-sha1", "", false)
	noSRV.AddTo(fs, "srv", "S", true)
}

// keyForm is the value of --keyform.
type keyForm struct{}

func (keyForm) String() string { return "" }

// Type names the value in messages of pflag.
func (keyForm) Type() string { return "form" }

// Set takes the form that keys always have here.
func (keyForm) Set(s string) error {
	switch s {
	case "pem":
		return nil
	case "engine":
		return noEngine.Set(s)
	}
	return errors.New("use pem")
}
