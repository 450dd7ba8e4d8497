package cli

import (
	"errors"

	"github.com/spf13/pflag"
)

// absent is a flag of mosquitto's programs for what does not exist here, and says
// what to do instead. Without it people would read that there is no such flag,
// and look for a mistake of their own.
type absent string

func (a absent) Set(string) error { return errors.New(string(a)) }
func (a absent) String() string   { return "" }

// Type names the value in messages of pflag.
func (a absent) Type() string { return "absent" }

const (
	noPSK    absent = "pre-shared keys are not supported, as Go has none; use certificates (--cert, --key), or -u and -P within TLS"
	noEngine absent = "engines for keys are not supported; put the key into a PEM file and name it by --key"
	noSRV    absent = "SRV records are not looked up; name the broker by -h and -p"
)

// addAbsent defines the flags that are not supported, which no help names.
func addAbsent(fs *pflag.FlagSet) {
	fs.Var(noPSK, "psk", "")
	fs.Var(noPSK, "psk-identity", "")
	fs.Var(noEngine, "tls-engine", "")
	fs.Var(noEngine, "tls-engine-kpass-sha1", "")
	fs.VarP(noSRV, "srv", "S", "")
	fs.Lookup("srv").NoOptDefVal = "yes" // it takes no value
	fs.VisitAll(func(f *pflag.Flag) {
		if _, ok := f.Value.(absent); ok {
			f.Hidden = true
		}
	})
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
