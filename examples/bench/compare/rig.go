//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
)

// rig starts brokers and puts load on them.
type rig struct {
	o         *options
	folder    string // of all files
	programs  string
	mosquitto string
	pin       bool // there are two processors
}

func newRig(ctx context.Context, o *options) (r *rig, err error) {
	r = &rig{o: o, pin: runtime.NumCPU() > 1}
	if !o.ours && o.against == "" {
		if r.mosquitto, err = find("mosquitto"); err != nil {
			return nil, cli.Failf(cli.ExitUsage, "mosquitto is not installed; install it, or add --ours")
		}
	}
	if _, err := exec.LookPath("taskset"); r.pin && err != nil {
		return nil, cli.Failf(cli.ExitUsage, "taskset is missing; install util-linux")
	}
	// Many connections need many descriptors; programs that are started get
	// what is set here.
	var files syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files) == nil {
		files.Cur = files.Max
		_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &files) // the case of idle connections would tell
	}
	if r.folder, err = os.MkdirTemp("", "compare-"); err != nil {
		return nil, cli.Failf(cli.ExitFile, "no temporary folder: %v", err)
	}
	if r.programs = r.folder; o.keep != "" {
		if r.programs, err = filepath.Abs(o.keep); err != nil {
			return nil, cli.Usagef("--programs %s: %v", o.keep, err)
		}
	}
	if err := build(ctx, r.programs); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *rig) close() { os.RemoveAll(r.folder) }

// find looks for a program, also where only root looks.
func find(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		path, err = exec.LookPath(filepath.Join("/usr/sbin", name))
	}
	return path, err
}

// describe says what was measured.
func (r *rig) describe() string {
	version := r.theirs()
	if r.mosquitto != "" {
		out, _ := exec.Command(r.mosquitto, "-h").Output() // with an exit code of its own
		version, _, _ = strings.Cut(string(out), "\n")
	}
	where := "broker and load on one processor each"
	if !r.pin {
		where = "broker and load on the only processor"
	}
	if r.o.ours {
		version = "no other broker"
	}
	disk := ""
	if system := new(syscall.Statfs_t); syscall.Statfs(r.folder, system) == nil && system.Type == tmpfs {
		disk = "; " + os.TempDir() + " is in memory, not on a disk: set TMPDIR for the rows of what is kept on disk"
	}
	return fmt.Sprintf("%s %s/%s, %s; %s; median of %d rounds of %v%s", runtime.Version(), runtime.GOOS, runtime.GOARCH, version, where, r.o.rounds, r.o.duration, disk)
}

// tmpfs is the type of a file system that is in memory.
const tmpfs = 0x01021994

// report is what of the report of bench counts here.
type report struct {
	ReceivedPerSecond     float64 `json:"received_per_second"`
	AcknowledgedPerSecond float64 `json:"acknowledged_per_second"`
	Lost                  int64   `json:"lost"`
	Latency               *struct {
		P50 float64 `json:"p50"`
		P99 float64 `json:"p99"`
	} `json:"latency"`
	Process struct {
		PerMessage    float64 `json:"cpu_us_per_message"`
		PerConnection float64 `json:"memory_per_connection"`
	} `json:"process"`
}

// measure runs all cases in turn, so that whatever else the machine does meets
// all of them.
func (r *rig) measure(ctx context.Context, env *cli.Env, table []*row) error {
	defer show(env, "")
	for round := range r.o.rounds {
		for i, row := range table {
			if round > 0 && row.test.kind == idle {
				continue // memory does not vary
			}
			show(env, fmt.Sprintf("round %d of %d, %d of %d: %s", round+1, r.o.rounds, i+1, len(table), row.test.name))
			for who, results := range map[string]*[]report{ours: &row.ours, r.theirs(): &row.theirs} {
				if who != ours && r.o.ours {
					continue
				}
				one, err := r.one(ctx, who, row.test)
				if err != nil {
					return cli.Failf(cli.ExitLost, "%s, %s: %v", who, row.test.name, err)
				}
				*results = append(*results, *one)
			}
		}
	}
	return nil
}

// show shows on a terminal how far it is.
func show(env *cli.Env, text string) {
	f, ok := env.Stderr.(*os.File)
	if !ok {
		return
	}
	if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		fmt.Fprintf(f, "\r\x1b[K%s", text)
	}
}

// ours is the name of our broker.
const ours = "mqttcore"

// theirs is the name of the other one.
func (r *rig) theirs() string {
	if r.o.against == "" {
		return "mosquitto"
	}
	return filepath.Base(strings.Fields(r.o.against)[0])
}

// one runs one case against a broker that is started for it.
func (r *rig) one(ctx context.Context, who string, t *test) (*report, error) {
	folder, err := os.MkdirTemp(r.folder, who)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	broker, err := r.start(ctx, who, folder, t.store)
	if err != nil {
		return nil, err
	}
	defer broker.stop()
	args := append([]string{"--json", "--quiet", "-h", "127.0.0.1", "-p", broker.port, "--pid", strconv.Itoa(broker.cmd.Process.Pid)}, t.args...)
	cmd := r.command(ctx, 1, filepath.Join(r.programs, "bench"), args...)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		broker.stop()
		return nil, fmt.Errorf("%v: %s%s", err, complaints.Bytes(), broker.log.Bytes())
	}
	one := new(report)
	return one, json.Unmarshal(out, one)
}

// command returns a program that runs on one processor.
func (r *rig) command(ctx context.Context, processor int, name string, args ...string) *exec.Cmd {
	if r.pin {
		name, args = "taskset", append([]string{"-c", strconv.Itoa(processor), name}, args...)
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	return cmd
}

func freePort() (port string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port, l.Close()
}

// running is a broker.
type running struct {
	cmd   *exec.Cmd
	port  string
	log   bytes.Buffer // to be read after stop
	ended chan struct{}
}

// start starts a broker and waits until it listens. Somebody else may have taken
// its port meanwhile; then it tries another one.
func (r *rig) start(ctx context.Context, who, folder string, store bool) (b *running, err error) {
	for range 3 {
		if b, err = r.launch(ctx, who, folder, store); err != nil {
			return nil, err
		}
		if b.listens() {
			return b, nil
		}
		b.stop()
	}
	return nil, fmt.Errorf("it does not listen: %s", b.log.Bytes())
}

func (r *rig) launch(ctx context.Context, who, folder string, store bool) (*running, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	name, args, err := r.invocation(who, folder, port, store)
	if err != nil {
		return nil, err
	}
	b := &running{cmd: r.command(ctx, 0, name, args...), port: port, ended: make(chan struct{})}
	b.cmd.Stdout, b.cmd.Stderr = &b.log, &b.log
	if err := b.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = b.cmd.Wait() // how it ends tells nothing
		close(b.ended)
	}()
	return b, nil
}

// listens waits until the broker listens, and reports false if it does not.
func (b *running) listens() bool {
	for limit := time.After(30 * time.Second); ; {
		if c, err := net.Dial("tcp", "127.0.0.1:"+b.port); err == nil {
			c.Close()
			return true
		}
		select {
		case <-b.ended:
			return false
		case <-limit:
			return false
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// stop ends the broker.
func (b *running) stop() {
	_ = b.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-b.ended:
	case <-time.After(5 * time.Second):
		_ = b.cmd.Process.Kill()
		<-b.ended
	}
}

// invocation returns the command line of a broker.
func (r *rig) invocation(who, folder, port string, store bool) (name string, args []string, err error) {
	if who != ours && r.o.against != "" {
		words := strings.Fields(strings.ReplaceAll(r.o.against, "{port}", port))
		return words[0], words[1:], nil
	}
	conf := filepath.Join(folder, "mosquitto.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, configuration, port, store, folder), 0o600); err != nil {
		return "", nil, err
	}
	if who == ours {
		return filepath.Join(r.programs, "broker"), []string{"-c", conf, "--max-connections", "20000"}, nil
	}
	return r.mosquitto, []string{"-c", conf}, nil
}

// configuration is for both brokers, which read the same language: a port,
// whether to keep messages, and the folder for them. Both take as many messages
// under way and waiting. The user lets mosquitto write to the folder.
const configuration = `listener %s 127.0.0.1
allow_anonymous true
max_inflight_messages 1000
max_queued_messages 0
max_queued_bytes 0
log_type error
persistence %v
persistence_location %s/
user root
`
