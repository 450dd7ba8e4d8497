package store

import (
	"errors"
	"fmt"
	iofs "io/fs"
	"slices"
	"strings"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
)

// Classes of errors.
var (
	// ErrInUse: another process, or another Store of this one, has it.
	ErrInUse = errors.New("in use")
	// ErrDamaged: what is on disk is not what was written.
	ErrDamaged = errors.New("damaged")
	// ErrForeign: something else is there, or a store of another version.
	ErrForeign = errors.New("foreign")
)

// fault is an error in words for people.
type fault struct {
	text string
	err  error
}

func (f *fault) Error() string { return f.text }
func (f *fault) Unwrap() error { return f.err }

// final is trouble after which the store goes on only when it is opened again.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

// explain says in one line what an error means for the store at a path, and
// what to do.
func explain(path string, err error) error {
	if err == nil {
		return nil
	}
	if f := (*fault)(nil); errors.As(err, &f) {
		return err
	}
	is := func(targets ...error) bool { return isOne(err, targets...) }
	text := ""
	switch {
	case is(ErrInUse):
		text = fmt.Sprintf("the store %s is in use by another process: stop that one, or choose another folder", path)
	case is(ErrForeign):
		text = fmt.Sprintf("%s is no store of this version (%v): choose another folder or name", path, err)
	case is(ErrDamaged), pebble.IsCorruptionError(err):
		if !is(ErrDamaged) {
			err = fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		text = fmt.Sprintf("the store %s is damaged (%s): put back a copy, or move it away to begin with nothing", path, cause(err))
	case is(syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG):
		text = fmt.Sprintf("no room for the store %s (%s): free some, or raise the limit", path, cause(err))
	case is(syscall.EROFS):
		text = fmt.Sprintf("the store %s is on a read-only file system: make it writable, or choose another folder", path)
	case is(iofs.ErrPermission):
		text = fmt.Sprintf("the store %s may not be written by this user (%s): change the owner or the rights, or choose another folder", path, cause(err))
	case is(syscall.ENOTDIR, syscall.EEXIST):
		text = fmt.Sprintf("%s is a file and no folder: choose another folder or name", path)
	case is(syscall.EMFILE, syscall.ENFILE):
		text = fmt.Sprintf("too many open files for the store %s: raise the limit (ulimit -n)", path)
	default:
		text = fmt.Sprintf("the store %s does not work (%s): look after the disk, and start the broker again", path, cause(err))
	}
	const again = "start the broker again"
	if errors.As(err, new(final)) && !is(ErrDamaged) && !strings.HasSuffix(text, again) {
		text += ", and " + again
	}
	return &fault{text, err}
}

func isOne(err error, targets ...error) bool {
	return slices.ContainsFunc(targets, func(t error) bool { return errors.Is(err, t) })
}

// ofTheMachine tells errors at the start of the engine that say nothing about
// what is stored.
func ofTheMachine(err error) bool {
	return isOne(err, ErrInUse, ErrForeign, iofs.ErrPermission, syscall.EROFS, syscall.ENOSPC, syscall.EDQUOT,
		syscall.EFBIG, syscall.EMFILE, syscall.ENFILE, syscall.ENOTDIR, syscall.EIO, syscall.ENOMEM)
}

// cause shortens an error to what the system says, or to one line.
func cause(err error) string {
	if number := syscall.Errno(0); errors.As(err, &number) {
		return number.Error()
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}
