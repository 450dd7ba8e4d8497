// Package cli is what the command lines of the clients have in common: flags
// with the names that mosquitto's clients gave them, errors in one line that
// say what to do, and exit codes.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
)

// The exit codes of the programs.
const (
	ExitOK          = 0
	ExitUsage       = 1   // a flag or its value is wrong
	ExitUnreachable = 2   // no connection to the broker
	ExitRefused     = 3   // the broker refused the connection; see Refused
	ExitLost        = 4   // the connection ended before the work was done
	ExitDenied      = 5   // the broker refused a message or all subscriptions
	ExitFile        = 6   // a file, the input or the output failed
	ExitTimeout     = 27  // -W ran out, as with mosquitto_sub
	ExitInterrupted = 130 // ended by a signal before the work was done
)

// Failure is how a program ends that could not do its work.
type Failure struct {
	Code int
	Text string   // one line; empty for none
	More []string // lines for further mistakes
}

func (f *Failure) Error() string { return strings.Join(append([]string{f.Text}, f.More...), "\n") }

// Failf returns a Failure.
func Failf(code int, format string, args ...any) error {
	return &Failure{Code: code, Text: fmt.Sprintf(format, args...)}
}

// FailAll returns the Failure for an error that errors.Join may have made of
// several, with a line for each.
func FailAll(code int, err error) error {
	all := Texts(err)
	return &Failure{code, all[0], all[1:]}
}

// Texts returns a line for each error that errors.Join may have made err of.
func Texts(err error) (all []string) {
	several, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []string{err.Error()}
	}
	for _, e := range several.Unwrap() {
		all = append(all, Texts(e)...)
	}
	return all
}

// Usagef returns the Failure of a wrong command line.
func Usagef(format string, args ...any) error { return Failf(ExitUsage, format, args...) }

// Env is what a program gets from outside.
type Env struct {
	Name   string // of the program
	Args   []string
	Quiet  bool // --quiet: only wrong command lines are told
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
}

// Complain writes a line to standard error.
func (e *Env) Complain(format string, args ...any) {
	if e.Quiet {
		return
	}
	line := strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ")
	fmt.Fprintf(e.Stderr, "%s: %s\n", e.Name, line)
}

// Exec runs a program and returns its exit code. SIGINT and SIGTERM cancel the
// context; a second one ends the process at once.
func Exec(env *Env, run func(context.Context, *Env) error) int {
	if len(env.Args) == 1 && env.Args[0] == "--version" {
		fmt.Fprintf(env.Stdout, "%s of mqttcore %s\n", env.Name, Release())
		return ExitOK
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return Report(env, run(ctx, env))
}

// Release returns the version of the programs, "(devel)" for one of nobody's
// release.
func Release() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// Report tells the user of an error and returns the exit code.
func Report(env *Env, err error) int {
	var f *Failure
	switch {
	case err == nil:
		return ExitOK
	case !errors.As(err, &f):
		env.Complain("%v", err)
		return ExitLost
	case f.Text == "":
	case f.Code == ExitUsage:
		env.Quiet = false
		env.Complain("%s; see %s --help", f.Text, env.Name)
	default:
		for _, line := range append([]string{f.Text}, f.More...) {
			env.Complain("%s", line)
		}
	}
	return f.Code
}

// Process returns the Env of the running process.
func Process(name string) *Env {
	return &Env{Name: name, Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
}
