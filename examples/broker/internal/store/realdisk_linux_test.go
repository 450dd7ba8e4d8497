package store

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A real disk that is small and fills up, and then is made read-only.
func TestRealDisk(t *testing.T) {
	folder := t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=24m"); err != nil {
		t.Skipf("no file system of our own can be mounted: %v", err)
	}
	defer func() {
		if err := syscall.Unmount(folder, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	}()
	filler := filepath.Join(folder, "filler")
	if err := os.WriteFile(filler, make([]byte, 8<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	st := mustOpen(t, folder)
	want := make(map[string]string)
	r := rand.New(rand.NewPCG(5, 5))
	for i := 0; ; i++ {
		if i == 10000 {
			t.Fatal("the disk is never full")
		}
		value := make([]byte, 64<<10)
		for j := range value {
			value[j] = byte(r.Uint32())
		}
		b := st.NewBatch()
		b.Set(fmt.Append(nil, i), value)
		want[fmt.Sprint(i)] = string(value)
		if err := st.Commit(b); err != nil {
			explains(t, err, syscall.ENOSPC, "no room for the store")
			if err := os.Remove(filler); err != nil {
				t.Fatal(err)
			}
			if err := st.Commit(b); err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	expect(t, st, want)
	mustClose(t, st)
	st = mustOpen(t, folder)
	expect(t, st, want)
	mustClose(t, st)
	if err := syscall.Mount("", folder, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	_, err := Open(folder, "", quiet)
	explains(t, err, syscall.EROFS, "is on a read-only file system")
}
