package peers

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

// props are properties, under the standard's names without spaces.
type props map[string]any

// message is one to publish, or one that was received.
type message struct {
	Topic      string `json:"topic,omitempty"`
	Payload    []byte `json:"payload,omitempty"`
	QoS        int    `json:"qos,omitempty"`
	Retain     bool   `json:"retain,omitempty"`
	Dup        bool   `json:"dup,omitempty"`
	Aliased    bool   `json:"aliased,omitempty"` // came with a topic alias
	Properties props  `json:"properties,omitempty"`
}

// options are those of a connection.
type options struct {
	Transport     string   `json:"transport"` // tcp, tls, ws, wss
	Host          string   `json:"host"`
	Port          int      `json:"port"`
	CA            string   `json:"ca,omitempty"`
	Cert          string   `json:"cert,omitempty"`
	Key           string   `json:"key,omitempty"`
	Version       int      `json:"version"` // 4, 5
	ClientID      string   `json:"clientID,omitempty"`
	Clean         bool     `json:"clean,omitempty"`
	KeepAlive     int      `json:"keepAlive,omitempty"` // seconds
	User          string   `json:"user,omitempty"`
	Password      string   `json:"password,omitempty"`
	Will          *message `json:"will,omitempty"`
	DropAfter     int      `json:"dropAfter,omitempty"`     // cut the connection when the n-th message comes
	AssignAliases bool     `json:"assignAliases,omitempty"` // let the library choose topic aliases, where it can
	Properties    props    `json:"properties,omitempty"`
}

// filter is one subscription.
type filter struct {
	Filter            string `json:"filter"`
	QoS               int    `json:"qos,omitempty"`
	NoLocal           bool   `json:"noLocal,omitempty"`
	RetainAsPublished bool   `json:"retainAsPublished,omitempty"`
	RetainHandling    int    `json:"retainHandling,omitempty"`
}

// line is what a peer program says: the answer to a command, or an event.
type line struct {
	ID      int    `json:"id"`
	Error   string `json:"error"`
	Reason  *int   `json:"reason"` // nil where the library does not tell
	Reasons []int  `json:"reasons"`
	Present bool   `json:"present"`

	Client string `json:"client"`
	Event  string `json:"event"` // message, closed
	message
}

// library is a client library behind a peer program.
type library struct {
	name    string
	command []string
	missing func() string // how to install what is missing, or ""
}

var libraries = []library{
	{
		name:    "paho",
		command: []string{"/usr/bin/python3", "testdata/paho_python.py"},
		missing: func() string {
			if exec.Command("/usr/bin/python3", "-c", "import paho.mqtt").Run() != nil {
				return "install Debian's package python3-paho-mqtt"
			}
			return ""
		},
	},
	{
		name:    "mqttjs",
		command: []string{"node", "testdata/mqtt_js.mjs"},
		missing: func() string {
			if _, err := exec.LookPath("node"); err != nil {
				return "install Node.js"
			}
			if _, err := os.Stat("testdata/node_modules/mqtt"); err != nil {
				return "run make peers"
			}
			return ""
		},
	},
}

// peer is a running peer program, which holds many clients.
type peer struct {
	library
	in     io.Writer
	stderr bytes.Buffer // only read once ended is closed
	ended  chan struct{}

	// A program that has much to say may not take commands meanwhile, so that
	// nobody who listens waits for a command to be written.
	writing sync.Mutex

	mu      sync.Mutex
	last    int
	answers map[int]chan line
	events  map[string]chan line
}

// start starts the program, or skips the test where its library is missing.
func (l library) start(t *testing.T) *peer {
	t.Helper()
	if what := l.missing(); what != "" && os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing: %s", l.name, what)
	} else if what != "" {
		t.Skipf("%s is missing: %s", l.name, what)
	}
	p := &peer{library: l, ended: make(chan struct{}), answers: map[int]chan line{}, events: map[string]chan line{}}
	cmd := exec.Command(l.command[0], l.command[1:]...)
	cmd.Stderr = &p.stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.in = in
	go func() {
		p.listen(out)
		_ = cmd.Wait() // it was killed, or its standard error tells
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		<-p.ended
		if t.Failed() && p.stderr.Len() > 0 {
			t.Logf("%s said: %s", l.name, p.stderr.Bytes()[max(0, p.stderr.Len()-4000):])
		}
	})
	return p
}

// listen hands on what the program says.
func (p *peer) listen(out io.Reader) {
	for r := bufio.NewReader(out); ; {
		text, err := r.ReadBytes('\n')
		if err != nil {
			return
		}
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			fmt.Fprintf(os.Stderr, "%s said %.200q: %v\n", p.name, text, err)
			return
		}
		p.mu.Lock()
		c := p.events[l.Client]
		if l.Event == "" {
			c = p.answers[l.ID]
			delete(p.answers, l.ID)
		}
		p.mu.Unlock()
		if c != nil {
			c <- l
		}
	}
}

// send gives the program a command. The answer comes to the channel.
func (p *peer) send(client, do string, args any) (answer chan line) {
	text, err := json.Marshal(args)
	if err != nil {
		panic(err)
	}
	fields := map[string]any{}
	for name, value := range map[string]json.RawMessage(decode(text)) {
		fields[name] = value
	}
	answer = make(chan line, 1)
	p.mu.Lock()
	p.last++
	fields["id"], fields["do"], fields["client"] = p.last, do, client
	p.answers[p.last] = answer
	p.mu.Unlock()
	text, _ = json.Marshal(fields)
	p.writing.Lock()
	defer p.writing.Unlock()
	_, _ = p.in.Write(append(text, '\n')) // where it fails, no answer comes
	return answer
}

func decode(object []byte) (fields map[string]json.RawMessage) {
	if err := json.Unmarshal(object, &fields); err != nil {
		panic(err)
	}
	return fields
}

// mismatch is the panic of a scene that cannot go on, with the reason.
type mismatch string

func failf(format string, args ...any) { panic(mismatch(fmt.Sprintf(format, args...))) }

// wait returns what comes through the channel.
func (p *peer) wait(from <-chan line, what string) line {
	select {
	case l := <-from:
		return l
	case <-p.ended:
		failf("the program of %s ended while it should tell of %s", p.name, what)
	case <-time.After(programtest.Limit):
		failf("no %s within %v", what, programtest.Limit)
	}
	return line{}
}

// client is one client of a library.
type client struct {
	scene  *scene
	name   string // of the object in the peer program
	events chan line
	answer line // to connect: reason, properties and whether the session is present
}

// do carries out a command and waits for its answer.
func (c *client) do(what string, args any) line {
	l := c.scene.peer.wait(c.scene.peer.send(c.name, what, args), "answer to "+what)
	if l.Error != "" {
		failf("%s: %s", what, l.Error)
	}
	return l
}

// publish returns the reason code, or nil where the library does not tell it.
func (c *client) publish(m message) *int {
	return c.scene.peer.wait(c.start(m), "acknowledgement of "+m.Topic).reason()
}

func (l line) reason() *int {
	if l.Error != "" {
		failf("%s", l.Error)
	}
	return l.Reason
}

// start is publish without waiting.
func (c *client) start(m message) chan line {
	m.Topic = c.scene.topic(m.Topic)
	return c.scene.peer.send(c.name, "publish", m)
}

// say publishes texts of one topic and QoS, each after the one before was
// acknowledged.
func (c *client) say(topic string, qos int, texts ...string) {
	for _, text := range texts {
		c.publish(message{Topic: topic, QoS: qos, Payload: []byte(text)})
	}
}

func (c *client) subscribe(filters ...filter) []int { return c.subscribeWith(nil, filters...) }

func (c *client) subscribeWith(p props, filters ...filter) []int {
	return c.do("subscribe", map[string]any{"filters": c.scene.filters(filters), "properties": p}).Reasons
}

func (c *client) unsubscribe(filters ...string) []int {
	var list []filter
	for _, f := range filters {
		list = append(list, filter{Filter: f})
	}
	return c.do("unsubscribe", map[string]any{"filters": c.scene.filters(list)}).Reasons
}

func (c *client) disconnect(reason int, p props) {
	c.do("disconnect", map[string]any{"reason": reason, "properties": p})
	c.closed()
}

// kill cuts the connection under the library.
func (c *client) kill() {
	c.do("kill", nil)
	c.closed()
}

// reconnect connects the same object of the library again, with what it
// remembers.
func (c *client) reconnect() { c.answer = c.do("reconnect", nil) }

// closed waits for the end of the connection, which may have messages before
// it, and returns the reason code of the server's DISCONNECT, or -1.
func (c *client) closed() (reason int) {
	for {
		if l := c.scene.peer.wait(c.events, "end of the connection"); l.Event != "closed" {
			continue
		} else if l.Reason != nil {
			return *l.Reason
		}
		return -1
	}
}

// next returns the next message.
func (c *client) next() message {
	l := c.scene.peer.wait(c.events, "message")
	if l.Event != "message" {
		failf("the connection ended with reason %v before the message", l.Reason)
	}
	l.Topic = strings.TrimPrefix(l.Topic, c.scene.prefix+"/")
	return l.message
}
