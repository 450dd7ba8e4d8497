package store

import (
	"errors"
	"io"
	iofs "io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// grace is for how long the engine may have trouble before anybody hears of it,
// and retry the time between two attempts.
const (
	grace = 250 * time.Millisecond
	retry = 50 * time.Millisecond
)

// disk is the file system of the engine, which takes a write that fails for the
// end of the process. So none fails here: what cannot be done, because the disk
// is full or was made read-only, is tried again until it can, while await lets
// the callers of the Store know. Goroutines of the engine wait meanwhile.
type disk struct {
	vfs.FS
	path    string
	log     *slog.Logger
	witness witness

	reading atomic.Int32 // files that are open to be read

	mu      sync.Mutex
	waiting int           // goroutines that try again
	trouble error         // why
	lasting bool          // and it will not end
	begun   chan struct{} // closed while there is trouble

	// alive is held for reading by whoever uses the file system.
	alive     sync.RWMutex
	abandoned bool
	lock      io.Closer
}

func newDisk(fs vfs.FS, path string, log *slog.Logger) *disk {
	d := &disk{FS: fs, path: path, log: log, begun: make(chan struct{})}
	d.witness.disk = d
	return d
}

// begin lets the engine do something; the channel is closed when it is done.
func (d *disk) begin(f func()) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		f()
		close(done)
	}()
	return done
}

// await waits until something is done, or returns why it cannot be done now.
func (d *disk) await(done <-chan struct{}) error {
	for {
		d.mu.Lock()
		begun := d.begun
		d.mu.Unlock()
		select {
		case <-done:
			return nil
		case <-begun:
		}
		select {
		case <-done:
			return nil
		case <-time.After(grace):
		}
		d.mu.Lock()
		err := d.trouble
		d.mu.Unlock()
		if err != nil {
			return err
		}
	}
}

// attempt does something that changes the disk, again and again until it works.
func (d *disk) attempt(op func() error) error {
	err := d.use(op)
	if err == nil || errors.Is(err, iofs.ErrNotExist) || errors.Is(err, iofs.ErrExist) {
		return err
	}
	d.begins(err)
	for err != nil {
		time.Sleep(retry)
		err = d.use(op)
	}
	d.ends()
	return nil
}

// sync is for what has to reach the disk. A sync that failed says nothing when
// it is repeated, as the system may have dropped what it was about.
func (d *disk) sync(op func() error) error {
	if err := d.use(op); err != nil {
		d.fail(err)
	}
	return nil
}

// use does something, unless the disk was abandoned: then it never returns.
func (d *disk) use(op func() error) error {
	d.alive.RLock()
	if d.abandoned {
		d.alive.RUnlock()
		select {}
	}
	defer d.alive.RUnlock()
	return op()
}

func (d *disk) begins(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.waiting++; d.trouble == nil {
		d.trouble = err
		close(d.begun)
		d.log.Error("the store cannot write", "error", explain(d.path, err))
	}
}

func (d *disk) ends() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.waiting--; d.waiting == 0 && !d.lasting {
		d.trouble, d.begun = nil, make(chan struct{})
		d.log.Info("the store can write again", "path", d.path)
	}
}

// lasts is for trouble that does not end.
func (d *disk) lasts(err error) {
	d.begins(err)
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.lasting {
		d.trouble, d.lasting = err, true
	}
}

// fail is for trouble that does not end, and after which the engine must not go
// on. It never returns.
func (d *disk) fail(err error) {
	d.lasts(final{err})
	select {}
}

// abandon lets nothing of the engine reach the disk any more, and another
// process use it.
func (d *disk) abandon() {
	d.alive.Lock()
	defer d.alive.Unlock()
	d.abandoned = true
	if d.lock != nil {
		_ = d.lock.Close() // there is nothing to be done about it
		d.lock = nil
	}
}
