package main

import (
	"bufio"
	"io"
	"os"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
)

// input is the file whose lines are published. It can be read again from any
// place, which a pipe cannot.
type input struct {
	r   *bufio.Reader
	at  int64 // of the next line
	eof bool
}

func openInput(name string, at int64) (*input, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, cli.File(name, err)
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		f.Close()
		return nil, cli.Failf(cli.ExitFile, "%q is no file that can be read twice; check -f", name)
	} else if info.Size() < at {
		f.Close()
		return nil, cli.Failf(cli.ExitFile, "%q is shorter than what was sent of it; it is another file: use another --state", name)
	}
	if _, err := f.Seek(at, io.SeekStart); err != nil {
		f.Close()
		return nil, cli.File(name, err)
	}
	return &input{r: bufio.NewReader(f), at: at}, nil
}

// next returns the next line and where the one behind it begins.
func (i *input) next() (line []byte, end int64, err error) {
	line, err = i.r.ReadBytes('\n')
	i.at += int64(len(line))
	if err == io.EOF {
		i.eof = true
		err = nil
	}
	if n := len(line); n > 0 && line[n-1] == '\n' {
		return line[:n-1], i.at, err
	}
	return line, i.at, err
}

// output is the file that received messages are appended to.
type output struct {
	f    *os.File
	w    *bufio.Writer
	size int64 // with what is not written yet
	new  bool  // something is not durable
}

// openOutput opens the file and cuts off what was written and never counted.
func openOutput(name string, size int64) (*output, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o644)
	if err == nil {
		var info os.FileInfo
		if info, err = f.Stat(); err == nil && info.Size() < size {
			f.Close()
			return nil, cli.Failf(cli.ExitFile, "%q is shorter than what was written to it; use another --state with a new file", name)
		}
	}
	if err == nil {
		err = f.Truncate(size)
	}
	if err == nil {
		_, err = f.Seek(size, io.SeekStart)
	}
	if err != nil {
		return nil, cli.Failf(cli.ExitFile, "%q cannot be written: %v; check --output", name, err)
	}
	return &output{f: f, w: bufio.NewWriter(f), size: size}, nil
}

// add writes a line. Errors are seen by sync.
func (o *output) add(line []byte) {
	_, _ = o.w.Write(line)
	_ = o.w.WriteByte('\n')
	o.size += int64(len(line)) + 1
	o.new = true
}

// sync makes it durable.
func (o *output) sync() error {
	if !o.new {
		return nil
	}
	o.new = false
	if err := o.w.Flush(); err != nil {
		return err
	}
	return o.f.Sync()
}
