package store

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	iofs "io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// file is an open file, or a folder, of a disk.
type file struct {
	vfs.File
	disk *disk
}

// Write goes on where it was after trouble.
func (f file) Write(p []byte) (int, error) {
	written := 0
	err := f.disk.attempt(func() error {
		n, err := f.File.Write(p[written:])
		written += n
		return err
	})
	return written, err
}

func (f file) WriteAt(p []byte, off int64) (int, error) {
	err := f.disk.attempt(func() error {
		_, err := f.File.WriteAt(p, off)
		return err
	})
	return len(p), err
}

// list is a manifest.
type list struct {
	file
	written manifest
}

func (l *list) Write(p []byte) (int, error) {
	l.written.check = crc32.Update(l.written.check, crc32.IEEETable, p)
	l.written.length += uint32(len(p))
	return l.file.Write(p)
}

func (l *list) Sync() error {
	err := l.file.Sync()
	l.disk.witness.listed(l.written)
	return err
}

// folder is an open folder.
type folder struct{ file }

func (f folder) Sync() error {
	logs := f.disk.witness.listing()
	err := f.file.Sync()
	f.disk.witness.listsLogs(logs)
	return err
}

func (f file) Sync() error     { return f.disk.sync(f.File.Sync) }
func (f file) SyncData() error { return f.disk.sync(f.File.SyncData) }

func (f file) SyncTo(length int64) (full bool, err error) {
	err = f.disk.sync(func() (err error) {
		full, err = f.File.SyncTo(length)
		return err
	})
	return full, err
}

// open opens a file by op. If own is not empty, it is made the user's alone.
func (d *disk) open(own string, op func() (vfs.File, error)) (file, error) {
	var opened vfs.File
	err := d.attempt(func() (err error) {
		opened, err = op()
		if err == nil && own != "" {
			err = d.own(own)
		}
		return err
	})
	return file{opened, d}, err
}

// own makes a file the user's alone.
func (d *disk) own(name string) error {
	if d.FS != vfs.Default {
		return nil
	}
	return os.Chmod(name, 0o600)
}

// Create, and what follows, is what vfs.FS says, but for errors.
func (d *disk) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if strings.HasPrefix(d.PathBase(name), "marker.") {
		if err := d.syncFolder(); err != nil { // the file that it names may not be there after a crash
			return nil, err
		}
	}
	f, err := d.open(name, func() (vfs.File, error) { return d.FS.Create(name, category) })
	if err != nil {
		return nil, err
	}
	if id, ok := strings.CutPrefix(d.PathBase(name), "MANIFEST-"); ok {
		l := &list{file: f}
		l.written.id, err = strconv.ParseUint(id, 10, 64)
		return l, err
	}
	d.witness.began(name)
	return f, nil
}

func (d *disk) OpenReadWrite(name string, category vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	return d.open(name, func() (vfs.File, error) { return d.FS.OpenReadWrite(name, category, o...) })
}

func (d *disk) ReuseForWrite(from, to string, category vfs.DiskWriteCategory) (vfs.File, error) {
	d.witness.goes(from)
	f, err := d.open("", func() (vfs.File, error) { return d.FS.ReuseForWrite(from, to, category) })
	if err == nil {
		d.witness.began(to)
	}
	return f, err
}

func (d *disk) OpenDir(name string) (vfs.File, error) {
	f, err := d.open("", func() (vfs.File, error) { return d.FS.OpenDir(name) })
	return folder{f}, err
}

func (d *disk) syncFolder() error {
	f, err := d.OpenDir(d.path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (d *disk) Link(from, to string) error {
	return d.attempt(func() error { return d.FS.Link(from, to) })
}

func (d *disk) Rename(from, to string) error {
	return d.attempt(func() error { return d.FS.Rename(from, to) })
}

func (d *disk) MkdirAll(dir string, perm os.FileMode) error {
	return d.attempt(func() error { return d.FS.MkdirAll(dir, perm) })
}

// Remove need not work: what is not needed is removed at the next start too.
func (d *disk) Remove(name string) error {
	d.witness.goes(name)
	return d.use(func() error { return d.FS.Remove(name) })
}

// Lock keeps other processes out.
func (d *disk) Lock(name string) (io.Closer, error) {
	l, err := d.FS.Lock(name)
	if err != nil {
		if pathError := (*iofs.PathError)(nil); !errors.As(err, &pathError) {
			err = fmt.Errorf("%w: %w", ErrInUse, err)
		}
		return nil, err
	}
	d.lock = l
	if err := errors.Join(d.own(name), d.witness.begin()); err != nil {
		return nil, err
	}
	return release{d}, nil
}

// release is the lock as the engine sees it; abandon lets go of it.
type release struct{ disk *disk }

func (release) Close() error { return nil }

func (d *disk) Unwrap() vfs.FS { return d.FS }

// patience is how long a file is not opened while mostTables are.
const patience = 100 * time.Millisecond

// Open waits a little when many files are being read: the engine closes what it does
// not need any more in the background, and may be far behind with it.
func (d *disk) Open(name string, o ...vfs.OpenOption) (vfs.File, error) {
	for end := time.Now().Add(patience); d.reading.Load() >= mostTables && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	f, err := d.FS.Open(name, o...)
	if err != nil {
		return nil, err
	}
	d.reading.Add(1)
	return reading{f, d}, nil
}

// reading is a file that is read.
type reading struct {
	vfs.File
	disk *disk
}

func (r reading) Close() error {
	defer r.disk.reading.Add(-1)
	return r.File.Close()
}
