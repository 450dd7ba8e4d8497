package cli

import (
	"os"
	"strconv"

	"github.com/spf13/pflag"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
)

// Connection holds the flags that every client has.
type Connection struct {
	Target
	ID, Prefix   string
	KeepAlive    uint16
	Keep         bool   // -c: the session goes on
	Expiry       Expiry // -x
	MaxInflight  uint16 // -M
	Debug, Quiet bool
	File         string // -o

	WillTopic, WillPayload string
	WillQoS                QoS
	WillRetain             bool

	Properties Properties
}

// AddTo defines the flags.
func (c *Connection) AddTo(fs *pflag.FlagSet) {
	c.Target.AddTo(fs)
	fs.StringVarP(&c.ID, "id", "i", "", "")
	fs.StringVarP(&c.Prefix, "id-prefix", "I", "", "")
	fs.Uint16VarP(&c.KeepAlive, "keepalive", "k", 60, "")
	fs.BoolVarP(&c.Keep, "disable-clean-session", "c", false, "")
	fs.VarP(&c.Expiry, "session-expiry-interval", "x", "")
	fs.Uint16VarP(&c.MaxInflight, "max-inflight", "M", 0, "")
	fs.Bool("nodelay", false, "") // as Go has it anyway
	fs.BoolVarP(&c.Debug, "debug", "d", false, "")
	fs.BoolVar(&c.Quiet, "quiet", false, "")
	fs.StringVarP(&c.File, "option-file", "o", "", "")
	fs.StringVar(&c.WillTopic, "will-topic", "", "")
	fs.StringVar(&c.WillPayload, "will-payload", "", "")
	fs.Var(&c.WillQoS, "will-qos", "")
	fs.BoolVar(&c.WillRetain, "will-retain", false, "")
}

// Check reports flags that do not go together. used are the commands whose
// properties the program can use.
func (c *Connection) Check(used ...string) error {
	v5 := c.Version.Codec().IsV5()
	switch {
	case c.ID != "" && c.Prefix != "":
		return Usagef("-i and -I exclude each other")
	case c.Keep && c.ID == "" && c.Prefix == "":
		return Usagef("-c keeps a session, which needs a name of its own: add -i")
	case c.Expiry.set && !v5:
		return Usagef("-x needs MQTT 5: leave -V out or use -V 5")
	case c.Properties.n > 0 && !v5:
		return Usagef("-D needs MQTT 5: leave -V out or use -V 5")
	case c.WillTopic == "" && (c.changed("will-payload") || c.changed("will-qos") || c.WillRetain || c.Properties.has("will")):
		return Usagef("a will needs --will-topic")
	}
	if err := c.Target.Check(); err != nil {
		return err
	}
	if err := c.Properties.onlyFor(append(used, "connect", "will", "disconnect")); err != nil {
		return err
	}
	if err := c.Connect().Validate(c.Version.Codec().FromClient()); err != nil {
		return Usagef("CONNECT would be illegal: %v", err)
	}
	d := c.Disconnect(false)
	if err := d.Validate(c.Version.Codec().FromClient()); err != nil {
		return Usagef("DISCONNECT would be illegal: %v", err)
	}
	return nil
}

// Connect returns the CONNECT that the flags describe.
func (c *Connection) Connect() *codec.Connect {
	p := &codec.Connect{CleanStart: !c.Keep, KeepAlive: c.KeepAlive, ClientID: codec.Bytes(c.ID)}
	p.Properties = c.Properties.Connect
	if c.Prefix != "" {
		p.ClientID = codec.Bytes(c.Prefix + strconv.Itoa(os.Getpid()))
	}
	c.Introduce(p)
	if v := c.Version.Codec(); v.IsV5() && !p.Properties.SessionExpiryInterval.Set {
		switch {
		case c.Expiry.set:
			p.Properties.SessionExpiryInterval = codec.Some(c.Expiry.seconds)
		case c.Keep:
			p.Properties.SessionExpiryInterval = codec.Some[uint32](session.NeverExpires)
		}
	}
	if c.WillTopic != "" {
		p.Will = codec.Some(codec.Will{
			QoS: c.WillQoS.Codec(), Retain: c.WillRetain,
			Topic: codec.Bytes(c.WillTopic), Payload: codec.Bytes(c.WillPayload),
			Properties: c.Properties.Will,
		})
	}
	return p
}

// Disconnect returns the DISCONNECT of the end. Somebody who interrupts a
// program that has a will wants others to know, which MQTT 5 can say.
func (c *Connection) Disconnect(interrupted bool) *codec.Disconnect {
	p := &codec.Disconnect{Properties: c.Properties.Disconnect}
	if interrupted && c.WillTopic != "" && c.Version.Codec().IsV5() {
		p.ReasonCode = codec.ReasonDisconnectWithWillMessage
	}
	return p
}
