// Package config reads what the broker's flags and its configuration file say.
// The file is in the language of mosquitto.conf; config.md lists its keys.
package config

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Config is everything that can be configured. Default returns one that is
// ready; flags and the file of -c change it.
type Config struct {
	Listeners []*Listener
	Limits    Limits
	Store     Store
	Log       Log

	// Warnings are lines to be told at the start: what was taken from a file
	// without effect, and what is open to strangers.
	Warnings []string

	// SysInterval is the time between two rounds of $SYS messages, 0 for none.
	SysInterval time.Duration
	// MetricsAddress is where metrics and health are served over HTTP; empty
	// for nowhere.
	MetricsAddress string
	// UpgradeOutgoingQoS delivers at the QoS of the subscription, also what was
	// published with a lower one.
	UpgradeOutgoingQoS bool
	// CheckRetainSource asks again, when a retained message is delivered,
	// whether its publisher may still write to the topic.
	CheckRetainSource bool
	// RefuseDollarTopics keeps clients from publishing to topics that begin with $.
	// Without it $SYS alone is the broker's own.
	RefuseDollarTopics bool
}

// Listener is a place where clients connect.
type Listener struct {
	// Network is "tcp", "tcp4", "tcp6" or "unix". Address is host:port, without a
	// host for all addresses of the machine, or the path of a socket.
	Network, Address string
	// WebSocket: MQTT over WebSocket, under any path.
	WebSocket bool
	// Origins are patterns of web pages that may connect by WebSocket, besides
	// those of the same host: [SCHEME://]HOST[:PORT], or null for pages that
	// have none, in lower case; * stands for any part. See AnyOrigin.
	Origins []string
	// TLS is nil for a listener without it.
	TLS *TLS
	// Access says who may do what. Listeners share one, unless
	// per_listener_settings gives each its own.
	Access *Access

	// MaxConnections bounds the connections of this listener; 0 for no bound.
	MaxConnections int
	// MountPoint is put before every topic and filter of its clients.
	MountPoint string
	// MaximumQoS is the highest QoS that its clients may use.
	MaximumQoS uint8
	// TopicAliasMaximum is what v5.0 clients may use.
	TopicAliasMaximum uint16
	// RefuseV311 and RefuseV5: accept_protocol_versions lacks it.
	RefuseV311, RefuseV5 bool
	// NoDelay sets TCP_NODELAY.
	NoDelay bool

	from string // the line or flag that asks for it
}

// TLS is how a listener proves itself and checks its clients.
type TLS struct {
	CAFile, CAPath, CertFile, KeyFile, CRLFile string
	// RequireCertificate refuses clients without a certificate of the CA.
	RequireCertificate bool
	// UseIdentityAsUsername takes the Common Name of the client's certificate
	// for its user name, UseSubjectAsUsername its whole subject.
	UseIdentityAsUsername, UseSubjectAsUsername bool
	// MinVersion is a tls.VersionTLS… constant.
	MinVersion uint16
	// Ciphers lists those of TLS 1.2 as OpenSSL does, empty for Go's choice.
	Ciphers string
}

// AnyOrigin reports whether all web pages may connect by WebSocket. If Origins
// says nothing these are those that need a password, which no page has by itself.
// A certificate is sent by the browser, whatever the page.
func (l *Listener) AnyOrigin() bool {
	if len(l.Origins) == 0 {
		return !l.Access.AllowAnonymous && !l.namesByCertificate()
	}
	return slices.Contains(l.Origins, "*")
}

// namesByCertificate reports whether certificates of clients are all they need.
func (l *Listener) namesByCertificate() bool {
	return l.TLS != nil && (l.TLS.UseIdentityAsUsername || l.TLS.UseSubjectAsUsername)
}

// Access is who may connect and what they may do.
type Access struct {
	AllowAnonymous        bool
	PasswordFile, ACLFile string
	// AllowZeroLengthClientID lets clients leave the Client Identifier to the
	// broker, which begins it with AutoIDPrefix.
	AllowZeroLengthClientID bool
	AutoIDPrefix            string
}

// Limits bounds what clients may take. 0 stands for no bound of our own unless
// it is said otherwise.
type Limits struct {
	Connections            int // of all listeners
	ConnectionsPerAddress  int
	Clients                int // sessions, with a connection or without
	PendingConnections     int // that have not been let in yet
	PacketSize             uint32
	MessageSize            int // payload of PUBLISH
	InflightMessages       uint16
	InflightBytes          int
	QueuedMessages         int
	QueuedBytes            int
	KeepAlive              uint16 // seconds
	SessionExpiry          uint32 // seconds, persistent_client_expiration
	SubscriptionsPerClient int
	RetainedMessages       int
	RetainedBytes          int
	NoRetain               bool
	MessagesPerSecond      int // of one client
	BytesPerSecond         int // of one client
	ConnectTimeout         time.Duration
	WriteTimeout           time.Duration
}

// Store is where state is kept.
type Store struct {
	// Memory keeps nothing: persistence false, or -memory.
	Memory bool
	// Folder holds the files; File, if it is set, is the name of the store in it.
	// The default is a folder for the state of programs: STATE_DIRECTORY, which
	// systemd sets, or mqttcore-broker in XDG_STATE_HOME or ~/.local/state.
	Folder, File string
}

// Log says what is logged where.
type Log struct {
	Verbose, JSON bool
	// Dest lists log_dest: "stdout", "stderr", "none" or "file PATH".
	Dest []string
	// Types lists log_type: error, warning, notice, information, debug, all,
	// none. It is empty for the first four.
	Types []string
	// NoConnections leaves out that clients came and went, unless the broker had
	// something against them.
	NoConnections bool
}

// Default returns the configuration without flags and file: for clients of this
// machine, who need no name.
func Default() *Config {
	l := newListener(newAccess(true))
	l.Address = "127.0.0.1:1883"
	return &Config{
		Listeners: []*Listener{l},
		Limits: Limits{
			Connections:            10_000,
			PendingConnections:     1_000,
			InflightMessages:       1_000,
			QueuedMessages:         100_000,
			QueuedBytes:            512 << 20,
			SubscriptionsPerClient: 10_000,
			ConnectTimeout:         10 * time.Second,
			WriteTimeout:           30 * time.Second,
		},
		Store:             Store{Folder: stateFolder()},
		Log:               Log{Dest: []string{"stderr"}},
		SysInterval:       10 * time.Second,
		CheckRetainSource: true,
	}
}

func newListener(a *Access) *Listener {
	return &Listener{Network: "tcp", Access: a, MaximumQoS: 2, TopicAliasMaximum: 64, NoDelay: true}
}

func newAccess(anonymous bool) *Access {
	return &Access{AllowAnonymous: anonymous, AllowZeroLengthClientID: true, AutoIDPrefix: "auto-"}
}

func newTLS() TLS { return TLS{MinVersion: tls.VersionTLS12} }

// stateFolder returns where programs keep their state, empty if nobody said.
func stateFolder() string {
	folder, _, _ := strings.Cut(os.Getenv("STATE_DIRECTORY"), ":")
	if folder != "" {
		return folder
	}
	if folder = os.Getenv("XDG_STATE_HOME"); !filepath.IsAbs(folder) {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		folder = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(folder, "mqttcore-broker")
}

// Accesses returns every Access once.
func (c *Config) Accesses() (all []*Access) {
	for _, l := range c.Listeners {
		if !slices.Contains(all, l.Access) {
			all = append(all, l.Access)
		}
	}
	return all
}
