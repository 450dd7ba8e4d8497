package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/mqttcore/mqttcore/codec"
)

// The ports of brokers.
const (
	plainPort  = 1883
	securePort = 8883
)

// URL is the value of -L. Like mosquitto's it is no URL in every respect: the
// topic may have any character, and a # needs no quoting.
type URL struct {
	text           string
	Secure         bool
	WebSocket      bool
	User, Password codec.Opt[string]
	Host           string
	Port           uint16            // 0 for the usual one
	Topic          codec.Opt[string] // of mqtt and mqtts
	Path           string            // of ws and wss
}

func (u *URL) String() string { return u.text }

// Type names the value in messages of pflag.
func (u *URL) Type() string { return "URL" }

// Set reads a URL.
func (u *URL) Set(s string) error {
	scheme, rest, ok := strings.Cut(s, "://")
	*u = URL{text: s}
	switch scheme = strings.ToLower(scheme); {
	case !ok || scheme != "mqtt" && scheme != "mqtts" && scheme != "ws" && scheme != "wss":
		return errors.New("use mqtt://, mqtts://, ws:// or wss://")
	case scheme == "mqtts" || scheme == "wss":
		u.Secure = true
	}
	authority, path, ok := strings.Cut(rest, "/")
	switch u.WebSocket = strings.HasPrefix(scheme, "ws"); {
	case u.WebSocket:
		u.Path = "/" + path
	case ok && path != "":
		u.Topic = codec.Some(path)
	}
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		user, password, ok := strings.Cut(authority[:i], ":")
		u.User = codec.Some(user)
		if ok {
			u.Password = codec.Some(password)
		}
		authority = authority[i+1:]
	}
	return u.setHost(authority)
}

// setHost reads host:port.
func (u *URL) setHost(s string) error {
	port := ""
	if i := strings.LastIndexByte(s, ':'); i > strings.LastIndexByte(s, ']') {
		s, port = s[:i], s[i+1:]
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return fmt.Errorf("the port %q is none from 1 to 65535", port)
		}
		u.Port = uint16(n)
	}
	if u.Host = strings.Trim(s, "[]"); u.Host == "" {
		return errors.New("the host is missing")
	}
	return nil
}
