package main

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
	"github.com/mqttcore/mqttcore/examples/broker/internal/listen"
	"github.com/mqttcore/mqttcore/examples/broker/internal/store"
)

// welcome says what listens where and for whom, where the state is kept and
// what to type next.
func welcome(cfg *config.Config, listeners []*listen.Listener) string {
	var b strings.Builder
	for _, l := range listeners {
		fmt.Fprintf(&b, "broker listens on %s for %s, %s\n", l, versions(l.Config()), audience(l.Config()))
	}
	if cfg.Store.Memory {
		b.WriteString("sessions and messages are kept in memory only\n")
	} else {
		file := cfg.Store.File
		if file == "" {
			file = store.DefaultFile
		}
		fmt.Fprintf(&b, "sessions and messages are kept in %s\n", filepath.Join(cfg.Store.Folder, file))
	}
	b.WriteString("Ctrl-C ends it\n")
	for _, l := range listeners {
		if c := l.Config(); c.Network != "unix" && !c.WebSocket && c.TLS == nil && c.Access.AllowAnonymous {
			b.WriteString(hints(l.Addr().String()))
			break
		}
	}
	return b.String()
}

func versions(l *config.Listener) string {
	switch {
	case l.RefuseV311:
		return "MQTT 5"
	case l.RefuseV5:
		return "MQTT 3.1.1"
	}
	return "MQTT 5 and 3.1.1"
}

// audience says who may connect.
func audience(l *config.Listener) string {
	var who string
	switch a := l.Access; {
	case l.TLS != nil && l.TLS.RequireCertificate:
		who = "open to those with a certificate"
	case a.PasswordFile != "" && a.AllowAnonymous:
		who = "open to everybody who can reach it, and to users with their passwords"
	case a.PasswordFile != "":
		who = "open to users with a password"
	case a.AllowAnonymous:
		who = "open to everybody who can reach it"
	default:
		who = "open to nobody"
	}
	if l.WebSocket && !l.AnyOrigin() {
		who += ", of web pages to " + strings.Join(append([]string{"those of the same host"}, l.Origins...), ", ")
	}
	if l.Access.ACLFile != "" {
		who += ", within the rules of " + l.Access.ACLFile
	}
	return who
}

// hints says how to try a listener.
func hints(address string) string {
	host, port, _ := net.SplitHostPort(address)
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	flags := ""
	if host != "127.0.0.1" {
		flags = "-h " + host + " "
	}
	if port != "1883" {
		flags += "-p " + port + " "
	}
	return fmt.Sprintf(`try it, each in a terminal of its own, in the folder examples:
  go run ./subscribe %s-t 'home/#' -v
  go run ./publish %s-t home/kitchen -m 21.5
or with Mosquitto's clients:
  mosquitto_sub %s-t 'home/#' -v
  mosquitto_pub %s-t home/kitchen -m 21.5
`, flags, flags, flags, flags)
}
