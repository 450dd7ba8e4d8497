// Compare measures engines for the store of the broker: the commits that a
// broker makes, the start with many records, and what becomes of flipped bytes.
package main

import (
	"crypto/sha256"
	"encoding/binary"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

var (
	only    = flag.String("engine", "", "the one to measure; all if empty")
	folder  = flag.String("folder", ".", "where to put files: on the disk to measure")
	records = flag.Int("records", 300_000, "records to start with")
	seconds = flag.Float64("seconds", 2, "for each row of commits")
	digest  = flag.String("digest", "", "print a digest of what is in this folder, and do nothing else")
)

func main() {
	flag.Parse()
	if *digest != "" {
		fmt.Println(digestOf(must(open(*only, *digest))))
		return
	}
	for _, name := range names {
		if *only != "" && *only != name {
			continue
		}
		for _, c := range []struct{ sets, size int }{{1, 200}, {20, 200}, {200, 200}, {1000, 200}, {4, 64 << 10}} {
			inFolder(name, func(path string) { commits(name, path, c.sets, c.size) })
		}
		inFolder(name, func(path string) { start(name, path) })
		inFolder(name, func(path string) { flips(name, path) })
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return v
}

func check(err error) { must(0, err) }

func inFolder(name string, f func(path string)) {
	path := must(os.MkdirTemp(*folder, "compare-"))
	defer os.RemoveAll(path)
	f(path)
}

func processorTime() time.Duration {
	var u syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// sizeOf returns what the files of a folder take on the disk, in MB.
func sizeOf(path string) float64 {
	var blocks int64
	check(filepath.WalkDir(path, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		if info, err := e.Info(); err == nil { // it may be gone
			blocks += info.Sys().(*syscall.Stat_t).Blocks
		}
		return nil
	}))
	return float64(blocks) * 512 / 1e6
}

// source makes records of a thousand sessions.
type source struct {
	r    *rand.Rand
	sent [1000]uint64
	size int
}

func newSource(size int) *source { return &source{r: rand.New(rand.NewPCG(1, 2)), size: size} }

func (s *source) next() change {
	n := s.r.IntN(len(s.sent))
	s.sent[n]++
	key := binary.BigEndian.AppendUint64([]byte{'s'}, uint64(n))
	key = binary.BigEndian.AppendUint64(append(key, 'm'), s.sent[n])
	value := make([]byte, s.size)
	for i := 0; i+8 <= s.size; i += 8 {
		binary.LittleEndian.PutUint64(value[i:], s.r.Uint64())
	}
	return change{key, value}
}

// commits sets records, and deletes them four commits later.
func commits(name, path string, sets, size int) {
	e := must(open(name, path))
	s := newSource(size)
	var before [4][]change
	n, begin, busy := 0, time.Now(), processorTime()
	for ; time.Since(begin).Seconds() < *seconds; n++ {
		changes := before[n%4]
		before[n%4] = nil
		for range sets {
			c := s.next()
			changes = append(changes, c)
			before[n%4] = append(before[n%4], change{key: c.key})
		}
		check(e.commit(changes))
	}
	all := float64(2 * n * sets)
	fmt.Printf("%-10s %4d records of %5d bytes: %8.0f records/s %7.2f us of processor a record, %6.1f MB\n", name, sets, size,
		all/time.Since(begin).Seconds(), float64((processorTime()-busy).Microseconds())/all, sizeOf(path))
	check(e.close())
}

func start(name, path string) {
	e := must(open(name, path))
	s := newSource(200)
	begin := time.Now()
	for n := 0; n < *records; n += 1000 {
		var changes []change
		for range 1000 {
			changes = append(changes, s.next())
		}
		check(e.commit(changes))
	}
	written := time.Since(begin)
	check(e.close())
	begin = time.Now()
	e = must(open(name, path))
	n := 0
	check(e.load(func(_, _ []byte) { n++ }))
	fmt.Printf("%-10s %d records written in %.1f s, read at the start in %.2f s, %.0f MB\n", name, n, written.Seconds(), time.Since(begin).Seconds(), sizeOf(path))
	check(e.close())
}

func digestOf(e engine) string {
	h := sha256.New()
	check(e.load(func(k, v []byte) { fmt.Fprintf(h, "%q=%q\n", k, v) }))
	return fmt.Sprintf("%x", h.Sum(nil))
}

// flips flips a byte at a time of the largest file, and looks from another
// process what becomes of it.
func flips(name, path string) {
	e := must(open(name, path))
	s := newSource(200)
	for range 200 {
		var changes []change
		for range 20 {
			changes = append(changes, s.next())
		}
		check(e.commit(changes))
	}
	want := digestOf(e)
	check(e.close())
	counts := make(map[string]int)
	for i := range 40 {
		copied := must(os.MkdirTemp(*folder, "compare-"))
		check(os.CopyFS(copied, os.DirFS(path)))
		flip(copied, i)
		out, err := exec.Command(os.Args[0], "-engine", name, "-digest", copied).CombinedOutput()
		switch {
		case err != nil && strings.Contains(string(out), "goroutine "):
			counts["ended the process"]++
		case err != nil:
			counts["refused"]++
		case strings.TrimSpace(string(out)) == want:
			counts["no harm"]++
		default:
			counts["other records, and no word of it"]++
		}
		check(os.RemoveAll(copied))
	}
	fmt.Printf("%-10s flipped bytes: %v\n", name, counts)
}

// flip flips the i-th of 40 bytes of the part of the largest file that is
// written.
func flip(path string, i int) {
	var largest string
	var data []byte
	for _, e := range must(os.ReadDir(path)) {
		b := must(os.ReadFile(filepath.Join(path, e.Name())))
		b = b[:len(strings.TrimRight(string(b), "\x00"))]
		if len(b) > len(data) {
			largest, data = filepath.Join(path, e.Name()), b
		}
	}
	f := must(os.OpenFile(largest, os.O_RDWR, 0))
	at := len(data) * (2*i + 1) / 80
	must(f.WriteAt([]byte{data[at] ^ 0x10}, int64(at)))
	check(f.Close())
}
