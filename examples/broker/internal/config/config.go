// Package config holds what the broker's flags and its configuration file say.
package config

import "time"

// Config is everything that can be configured. Default returns one that is
// ready; flags and the file of -c change it.
type Config struct {
	Listeners []*Listener
	Limits    Limits
	Store     Store
	Log       Log

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
}

// Listener is a place where clients connect.
type Listener struct {
	// Network is "tcp" or "unix". Address is host:port, or the path of a socket.
	Network, Address string
	// WebSocket: MQTT over WebSocket, under any path.
	WebSocket bool
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
	Folder, File string
}

// Log says what is logged where.
type Log struct {
	Verbose, JSON bool
	// Dest lists log_dest: "stdout", "stderr", "none" or "file PATH".
	Dest []string
	// Types lists log_type: error, warning, notice, information, debug, …
	Types []string
	// NoConnections leaves out that clients came and went.
	NoConnections bool
}
