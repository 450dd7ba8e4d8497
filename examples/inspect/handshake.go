package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// handshake is what two sides agree on before a WebSocket begins.
type handshake struct {
	path     string  // that the client asks for
	answered bool    // the answer of the server is known, and with it:
	deflate  bool    // messages may be compressed
	fresh    [3]bool // each message of a side is compressed for itself
}

// greet takes from b what belongs to a head of HTTP.
func (w *carrier) greet(b []byte, at func(int) time.Time) int {
	const end = "\r\n\r\n"
	had := len(w.held)
	w.held = append(w.held, b[:min(len(b), maxGreeting-had)]...)
	from := max(had-len(end)+1, 0)
	found := bytes.Index(w.held[from:], []byte(end))
	if found < 0 {
		if len(w.held) == maxGreeting {
			w.c.turnAway(at(0), "HTTP with a head above 16 KiB")
		}
		return len(b)
	}
	n := from + found + len(end) - had
	r := bufio.NewReader(bytes.NewReader(w.held[:had+n]))
	isRequest := w.held[0] == 'G'
	w.held = nil
	if isRequest {
		w.request(r, at(n-1))
	} else {
		w.response(r, at(n-1))
	}
	return n
}

// request judges what the client asks for.
func (w *carrier) request(head *bufio.Reader, at time.Time) {
	r, err := http.ReadRequest(head)
	if err != nil || !slices.ContainsFunc(listed(r.Header, "Upgrade"), isWebSocket) {
		w.c.turnAway(at, "HTTP")
		return
	}
	w.phase, w.c.kind = framed, webSocket
	w.c.path = w.c.discreet(r.URL.EscapedPath())
	if w.c.secrets {
		w.c.path = w.c.discreet(r.URL.RequestURI())
	}
	offered := listed(r.Header, "Sec-WebSocket-Protocol")
	if !slices.Contains(offered, subprotocol) {
		w.c.breaks(at, w.from, "request for "+w.c.path, "MQTT-6.0.0-3", "it offers "+w.c.named(offered)+" and not mqtt")
	}
}

// response judges what the server answers.
func (w *carrier) response(head *bufio.Reader, at time.Time) {
	r, err := http.ReadResponse(head, nil)
	switch {
	case err != nil:
		w.c.turnAway(at, "HTTP")
		return
	case r.StatusCode < 200 && r.StatusCode != http.StatusSwitchingProtocols:
		return // the answer is still to come
	case r.StatusCode != http.StatusSwitchingProtocols || !slices.ContainsFunc(listed(r.Header, "Upgrade"), isWebSocket):
		w.c.turnAway(at, strings.TrimSpace(fmt.Sprintf("HTTP, the answer is %d %s", r.StatusCode, http.StatusText(r.StatusCode))))
		return
	}
	w.phase, w.c.kind, w.c.answered = framed, webSocket, true
	chosen := listed(r.Header, "Sec-WebSocket-Protocol")
	if len(chosen) != 1 || chosen[0] != subprotocol {
		w.c.breaks(at, w.from, "answer", "MQTT-6.0.0-4", "it selects "+w.c.named(chosen)+" and not mqtt")
	}
	if len(chosen) > 0 && chosen[0] != subprotocol && chosen[0] != oldSubprotocol {
		w.c.turnAway(at, "a WebSocket for "+w.c.named(chosen))
		return
	}
	text := "WebSocket for " + w.c.named(chosen)
	if w.c.path != "" {
		text = "WebSocket at " + w.c.path + " for " + w.c.named(chosen)
	}
	for _, extension := range listed(r.Header, "Sec-WebSocket-Extensions") {
		name, parameters, _ := strings.Cut(extension, ";")
		if strings.TrimSpace(name) != "permessage-deflate" {
			w.c.turnAway(at, "a WebSocket with the extension "+w.c.discreet(name)+", which is not known")
			return
		}
		w.c.deflate = true
		for _, s := range []side{client, server} {
			w.c.fresh[s] = strings.Contains(parameters, s.String()+"_no_context_takeover")
		}
		text += ", messages may be compressed"
	}
	if !w.c.onlyFault {
		w.c.say(w.c, at, text)
	}
}

// The names of MQTT among the sub-protocols of WebSocket, and that of MQTT 3.1.
const (
	subprotocol    = "mqtt"
	oldSubprotocol = "mqttv3.1"
)

// listed returns the parts of a header that is a list.
func listed(h http.Header, key string) (list []string) {
	for part := range strings.SplitSeq(strings.Join(h.Values(key), ","), ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}

func isWebSocket(protocol string) bool { return strings.EqualFold(protocol, "websocket") }

// named returns the names of sub-protocols for people.
func (i *inspector) named(protocols []string) string {
	const most = 5
	var names []string
	for _, p := range protocols[:min(len(protocols), most)] {
		names = append(names, i.discreet(p))
	}
	switch left := len(protocols) - len(names); {
	case len(names) == 0:
		return "no sub-protocol"
	case left > 0:
		names = append(names, fmt.Sprintf("%d more", left))
	}
	return "the sub-protocol " + strings.Join(names, ", ")
}

// discreet returns a word of a handshake. In a long one there may be a secret.
func (i *inspector) discreet(s string) string {
	const short = 32
	if len(s) > short && !i.secrets {
		return "REDACTED"
	}
	s = strconv.QuoteToASCII(s)
	return s[1 : len(s)-1]
}
