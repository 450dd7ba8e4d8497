package store

import (
	"encoding/binary"
	"io"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// counting is a disk that counts the files that are open.
type counting struct {
	vfs.FS
	mu         sync.Mutex
	open, most int
}

func (c *counting) add(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open += n
	c.most = max(c.most, c.open)
}

func (c *counting) count(f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	c.add(1)
	return &counted{f, c}, nil
}

type counted struct {
	vfs.File
	disk *counting
}

func (f *counted) Close() error {
	f.disk.add(-1)
	return f.File.Close()
}

func (c *counting) Create(name string, w vfs.DiskWriteCategory) (vfs.File, error) {
	return c.count(c.FS.Create(name, w))
}

func (c *counting) Open(name string, o ...vfs.OpenOption) (vfs.File, error) {
	return c.count(c.FS.Open(name, o...))
}

func (c *counting) OpenReadWrite(name string, w vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	return c.count(c.FS.OpenReadWrite(name, w, o...))
}

func (c *counting) OpenDir(name string) (vfs.File, error) { return c.count(c.FS.OpenDir(name)) }

func (c *counting) ReuseForWrite(from, to string, w vfs.DiskWriteCategory) (vfs.File, error) {
	return c.count(c.FS.ReuseForWrite(from, to, w))
}

func (c *counting) Lock(name string) (io.Closer, error) {
	c.add(1)
	return c.FS.Lock(name)
}

// However much is written, and in whatever order, the store has no more than
// MostFiles open, also when it begins with what is there.
func TestMostFiles(t *testing.T) {
	disk := &counting{FS: vfs.NewMem()}
	random := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 1<<20) // which nothing makes smaller
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	for range 2 {
		s, err := open(disk, "store", quiet, 0)
		if err != nil {
			t.Fatal(err)
		}
		for range 400 / stride {
			commit(t, s, func(b *Batch) {
				for range 50 {
					at, key := random.IntN(len(noise)-2<<10), binary.BigEndian.AppendUint32(nil, random.Uint32N(50_000))
					b.Set(key, noise[at:at+2<<10])
				}
				if random.IntN(20) == 0 {
					b.DeletePrefix([]byte{0, 0, byte(random.Uint32N(200))})
				}
			})
		}
		contents(t, s)
		t.Logf("%d tables, at most %d files open", s.db.Metrics().Total().TablesCount, disk.most)
		mustClose(t, s)
	}
	if disk.most > MostFiles {
		t.Errorf("%d files were open at once", disk.most)
	}
}
