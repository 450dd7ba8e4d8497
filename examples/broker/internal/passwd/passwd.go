// Package passwd is the command that writes password files.
package passwd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/mqttcore/mqttcore/examples/broker/internal/access"
	"github.com/mqttcore/mqttcore/examples/internal/cli"
)

const helpText = `broker passwd writes password files, which mosquitto can read too.

Usage: broker passwd [flags] FILE USER

Examples:
  broker passwd users.txt ann           set ann's password, which is asked for
  pwgen -s 20 1 | broker passwd users.txt ann
                                        or read from the standard input
  broker passwd -D users.txt ann        take ann out

The file is made if there is none. A broker that runs reads it again after
SIGHUP.

Flags:
  -D, --delete                 take the user out
  -I, --iterations N           what a look at the password costs (default 10000, some ms);
                               whoever steals the file has to pay it for each guess, and the broker
                               once for each user that connects after it was started
  -h, --help                   print this
`

// options is the command line.
type options struct {
	file, user string
	remove     bool
	iterations int
}

func (o *options) flags() *pflag.FlagSet {
	fs := pflag.NewFlagSet("passwd", pflag.ContinueOnError)
	fs.BoolVarP(&o.remove, "delete", "D", false, "")
	fs.IntVarP(&o.iterations, "iterations", "I", access.Iterations, "")
	noCreation.AddTo(fs, "create", "c", true)
	noArgument.AddTo(fs, "batch", "b", true)
	return fs
}

// What people know from mosquitto_passwd.
const (
	noCreation cli.Absent = "it is not needed, as the file is made if there is none; to begin anew remove it first"
	noArgument cli.Absent = "others can see a password on the command line; give it by the standard input"
)

// Run is the whole command. Its arguments are those behind its name. The context
// ends a question for a password.
func Run(ctx context.Context, env *cli.Env) error {
	o := new(options)
	fs := o.flags()
	fs.Usage = func() {}
	switch err := fs.Parse(env.Args); {
	case errors.Is(err, pflag.ErrHelp):
		_, _ = io.WriteString(env.Stdout, helpText)
		return nil
	case err != nil:
		return cli.Explain(err)
	case fs.NArg() != 2:
		return cli.Usagef("passwd takes a file and a user name, such as broker passwd users.txt ann")
	}
	o.file, o.user = fs.Arg(0), fs.Arg(1)
	err := o.run(ctx, env)
	var f *cli.Failure
	if err != nil && !errors.As(err, &f) {
		return cli.Failf(cli.ExitFile, "%v", err)
	}
	return err
}

func (o *options) run(ctx context.Context, env *cli.Env) error {
	if o.remove {
		return access.DeleteUser(o.file, o.user)
	}
	password, err := ask(ctx, env)
	switch {
	case errors.Is(err, context.Canceled):
		return cli.Failf(cli.ExitInterrupted, "interrupted; nothing was changed")
	case err != nil:
		return fmt.Errorf("the password cannot be read: %w", err)
	}
	if password == "" {
		return errors.New("the password is empty; nothing was changed")
	}
	return access.SetPassword(o.file, o.user, password, o.iterations)
}

// ask reads the password: twice and unseen from a terminal, otherwise one line.
func ask(ctx context.Context, env *cli.Env) (string, error) {
	f, ok := env.Stdin.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		line, err := unlessOver(ctx, func() (string, error) { return bufio.NewReader(env.Stdin).ReadString('\n') })
		if err == io.EOF {
			err = nil
		}
		return strings.TrimRight(line, "\r\n"), err
	}
	first, err := prompt(ctx, env, f, "Password: ")
	if err != nil {
		return "", err
	}
	second, err := prompt(ctx, env, f, "Once more: ")
	if err == nil && first != second {
		err = cli.Failf(cli.ExitFile, "the passwords differ; nothing was changed")
	}
	return first, err
}

// prompt reads a line that is not shown. However it ends, the terminal shows again
// what is typed.
func prompt(ctx context.Context, env *cli.Env, f *os.File, text string) (string, error) {
	fd := int(f.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	fmt.Fprint(env.Stderr, text)
	password, err := unlessOver(ctx, func() (string, error) {
		line, err := term.ReadPassword(fd)
		return string(line), err
	})
	fmt.Fprintln(env.Stderr)
	return password, errors.Join(err, term.Restore(fd, before))
}

// unlessOver reads, which cannot be interrupted, or gives up when the context ends.
func unlessOver(ctx context.Context, read func() (string, error)) (text string, err error) {
	done := make(chan func() (string, error), 1)
	go func() {
		text, err := read()
		done <- func() (string, error) { return text, err }
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case result := <-done:
		return result()
	}
}
