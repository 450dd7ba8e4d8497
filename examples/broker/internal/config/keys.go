package config

import (
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mqttcore/mqttcore/codec"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
)

// key is a setting of the file.
type key struct {
	// set returns what takes the value, in the part of the file that is read.
	set func(p *parser) setter
	// text tells that the value is the rest of the line, whatever is in it.
	text bool
}

func word(set func(p *parser) setter) key { return key{set: set} }
func text(set func(p *parser) setter) key { return key{set: set, text: true} }

// keys are the settings that do something here. Those of one listener go before
// those of all.
var keys map[string]key

func init() { // it is used by what its functions call
	keys = map[string]key{
		"listener":     text(func(p *parser) setter { return p.listener }),
		"port":         word(func(p *parser) setter { return p.port }),
		"bind_address": word(func(p *parser) setter { return p.once(&p.front.host) }),
		"socket_domain": word(func(p *parser) setter {
			return oneOf(&p.at.l.Network, []string{"ipv4", "ipv6"}, []string{"tcp4", "tcp6"})
		}),
		"protocol": word(func(p *parser) setter {
			return oneOf(&p.at.l.WebSocket, []string{"mqtt", "websockets"}, []bool{false, true})
		}),
		"websockets_origin":        word(func(p *parser) setter { return origin(&p.at.l.Origins) }),
		"accept_protocol_versions": text(func(p *parser) setter { return versions(p.at.l) }),
		"max_connections":          word(func(p *parser) setter { return bound(&p.at.l.MaxConnections) }),
		"maximum_qos":              word(func(p *parser) setter { return whole(&p.at.l.MaximumQoS, 0, 2) }),
		"max_qos":                  word(func(p *parser) setter { return whole(&p.at.l.MaximumQoS, 0, 2) }),
		"max_topic_alias":          word(func(p *parser) setter { return whole(&p.at.l.TopicAliasMaximum, 0, math.MaxUint16) }),
		"mount_point":              text(func(p *parser) setter { return mountPoint(p.once(&p.at.l.MountPoint)) }),

		"cafile":                   text(func(p *parser) setter { return p.once(&p.at.tls.CAFile) }),
		"capath":                   text(func(p *parser) setter { return p.once(&p.at.tls.CAPath) }),
		"certfile":                 text(func(p *parser) setter { return p.once(&p.at.tls.CertFile) }),
		"keyfile":                  text(func(p *parser) setter { return p.once(&p.at.tls.KeyFile) }),
		"crlfile":                  text(func(p *parser) setter { return p.once(&p.at.tls.CRLFile) }),
		"tls_version":              word(func(p *parser) setter { return tlsVersion(&p.at.tls.MinVersion) }),
		"ciphers":                  text(func(p *parser) setter { return ciphers(p.once(&p.at.tls.Ciphers)) }),
		"require_certificate":      word(func(p *parser) setter { return onOff(&p.at.tls.RequireCertificate) }),
		"use_identity_as_username": word(func(p *parser) setter { return onOff(&p.at.tls.UseIdentityAsUsername) }),
		"use_subject_as_username":  word(func(p *parser) setter { return onOff(&p.at.tls.UseSubjectAsUsername) }),

		"per_listener_settings":      word(func(p *parser) setter { return p.perListenerSettings }),
		"allow_anonymous":            word(func(p *parser) setter { return p.allowAnonymous }),
		"password_file":              text(func(p *parser) setter { return p.once(&p.access().PasswordFile) }),
		"acl_file":                   text(func(p *parser) setter { return p.once(&p.access().ACLFile) }),
		"allow_zero_length_clientid": word(func(p *parser) setter { return onOff(&p.access().AllowZeroLengthClientID) }),
		"auto_id_prefix":             text(func(p *parser) setter { return utf8Text(p.once(&p.access().AutoIDPrefix)) }),

		"persistence":                  word(func(p *parser) setter { return off(&p.cfg.Store.Memory) }),
		"retained_persistence":         word(func(p *parser) setter { return off(&p.cfg.Store.Memory) }),
		"persistence_location":         text(func(p *parser) setter { return p.once(&p.cfg.Store.Folder) }),
		"persistence_file":             text(func(p *parser) setter { return fileName(p.once(&p.cfg.Store.File)) }),
		"persistent_client_expiration": word(func(p *parser) setter { return expiry(&p.cfg.Limits.SessionExpiry) }),

		"global_max_connections": word(func(p *parser) setter { return bound(&p.cfg.Limits.Connections) }),
		"global_max_clients":     word(func(p *parser) setter { return bound(&p.cfg.Limits.Clients) }),
		"max_packet_size":        word(func(p *parser) setter { return whole(&p.cfg.Limits.PacketSize, 20, math.MaxUint32) }),
		"message_size_limit":     word(func(p *parser) setter { return whole(&p.cfg.Limits.MessageSize, 0, codec.MaxRemaining) }),
		"max_inflight_messages":  word(func(p *parser) setter { return whole(&p.cfg.Limits.InflightMessages, 0, math.MaxUint16) }),
		"max_inflight_bytes":     word(func(p *parser) setter { return whole(&p.cfg.Limits.InflightBytes, 0, math.MaxInt) }),
		"max_queued_messages":    word(func(p *parser) setter { return whole(&p.cfg.Limits.QueuedMessages, 0, math.MaxInt) }),
		"max_queued_bytes":       word(func(p *parser) setter { return whole(&p.cfg.Limits.QueuedBytes, 0, math.MaxInt) }),
		"max_keepalive":          word(func(p *parser) setter { return whole(&p.cfg.Limits.KeepAlive, 10, math.MaxUint16) }),
		"retain_available":       word(func(p *parser) setter { return off(&p.cfg.Limits.NoRetain) }),

		"upgrade_outgoing_qos": word(func(p *parser) setter { return onOff(&p.cfg.UpgradeOutgoingQoS) }),
		"check_retain_source":  word(func(p *parser) setter { return onOff(&p.cfg.CheckRetainSource) }),
		"set_tcp_nodelay":      word(func(p *parser) setter { return onOff(&p.noDelay) }),
		"sys_interval":         word(func(p *parser) setter { return seconds(&p.cfg.SysInterval) }),
		"log_dest":             text(func(p *parser) setter { return p.logDest }),
		"log_type":             word(func(p *parser) setter { return p.logType }),
		"connection_messages":  word(func(p *parser) setter { return off(&p.cfg.Log.NoConnections) }),
		"include_dir":          text(func(p *parser) setter { return p.include }),
	}
}

// versions takes mosquitto's numbers: 3 for v3.1, 4 for v3.1.1, 5 for v5.0.
func versions(l *Listener) setter {
	return func(s string) error {
		v311, v5 := false, false
		for v := range strings.SplitSeq(s, ",") {
			switch strings.TrimSpace(v) {
			case "4":
				v311 = true
			case "5":
				v5 = true
			case "3":
				return errors.New("MQTT 3.1 is not spoken here; leave 3 out")
			default:
				return errors.New("use 4 for MQTT 3.1.1, 5 for MQTT 5, or 4,5")
			}
		}
		l.RefuseV311, l.RefuseV5 = !v311, !v5
		return nil
	}
}

// origin adds a pattern of web pages that may connect.
func origin(to *[]string) setter {
	return func(s string) error {
		_, host, found := strings.Cut(s, "://")
		if !found {
			host = s
		}
		if host == "" || strings.ContainsAny(host, "/ \t,;") {
			return errors.New("use the origin of a web page, such as https://app.example or *.app.example, or * for all")
		}
		*to = append(*to, strings.ToLower(s))
		return nil
	}
}

func mountPoint(set setter) setter {
	return func(s string) error {
		if codec.ValidTopicName(s, codec.V5.AllowControlCharacters()) != nil {
			return errors.New("a mount point is the beginning of topics, without + and #")
		}
		if !strings.HasSuffix(s, "/") {
			return fmt.Errorf("a mount point is made of whole levels: write %s/", s)
		}
		if strings.HasPrefix(s, "$SYS/") || strings.HasPrefix(s, "$share/") {
			return errors.New("what is below $SYS/ and $share/ is not for clients")
		}
		return set(s)
	}
}

func utf8Text(set setter) setter {
	return func(s string) error {
		if !utf8.ValidString(s) {
			return errors.New("it is not in UTF-8")
		}
		return set(s)
	}
}

func fileName(set setter) setter {
	return func(s string) error {
		if strings.ContainsAny(s, `/\`) || s == "." || s == ".." {
			return errors.New("it is a name in the folder of persistence_location, without / in it")
		}
		return set(s)
	}
}

func tlsVersion(to *uint16) setter {
	return oneOf(to, []string{"tlsv1.2", "tlsv1.3"}, []uint16{tls.VersionTLS12, tls.VersionTLS13})
}

func ciphers(set setter) setter {
	return func(s string) error {
		if _, err := cli.CipherSuites(s); err != nil {
			return err
		}
		return set(s)
	}
}

func seconds(to *time.Duration) setter {
	return func(s string) error {
		n := 0
		err := whole(&n, 0, math.MaxUint16)(s)
		if err == nil {
			*to = time.Duration(n) * time.Second
		}
		return err
	}
}
