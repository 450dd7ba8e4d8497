package listen

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/gobwas/ws"

	"github.com/mqttcore/mqttcore/examples/internal/netio"
)

// subprotocol is the name of MQTT among those of WebSocket. (v3.1.1 and v5.0 6)
const subprotocol = "mqtt"

// requestLimit bounds the bytes of an HTTP request, which are all that a client
// can make us hold before it is a WebSocket.
const requestLimit = 8 << 10

// lingerLimit bounds what is read of a client that was refused.
const lingerLimit = 256 << 10

var errNoHTTP = errors.New("no HTTP")

var requests = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, requestLimit) }}

// openWebSocket does the handshake of a WebSocket. Without one for MQTT the
// client gets an answer that says what is here.
func openWebSocket(c *Conn) error {
	limited := &io.LimitedReader{R: c.Conn, N: requestLimit}
	br := requests.Get().(*bufio.Reader)
	br.Reset(limited)
	defer func() {
		br.Reset(nil)
		requests.Put(br)
	}()
	if first, err := br.Peek(1); err == nil && (first[0] < 'A' || first[0] > 'Z') {
		return refuseRequest(c.Conn, false, errNoHTTP) // no line may ever end
	}
	r, err := http.ReadRequest(br)
	if err != nil {
		return refuseRequest(c.Conn, limited.N <= 0, err)
	}
	if answer := judge(c, r); answer.status != 0 {
		return answer.send(c.Conn, r.Method == http.MethodHead)
	}
	r.Header.Set("Sec-WebSocket-Protocol", subprotocol) // it is offered, perhaps behind a tab, which the library does not expect
	upgrader := ws.HTTPUpgrader{Protocol: func(p string) bool { return p == subprotocol }}
	rw := bufio.NewReadWriter(br, bufio.NewWriterSize(c.Conn, 512))
	if _, _, _, err := upgrader.Upgrade(r, hijacked{conn: c.Conn, rw: rw}); err != nil {
		var rejected *ws.ConnectionRejectedError
		if errors.As(err, &rejected) {
			return refusef("the WebSocket's %v", err)
		}
		return err
	}
	early, _ := br.Peek(br.Buffered())
	c.Conn = &webSocket{Conn: c.Conn, early: slices.Clone(early)}
	return nil
}

// judge decides what a request gets that is no WebSocket for MQTT, or comes from
// a web page that may not connect.
func judge(c *Conn, r *http.Request) answer {
	offered := strings.FieldsFunc(strings.Join(r.Header.Values("Sec-WebSocket-Protocol"), ","), func(c rune) bool { return c == ',' || c == ' ' || c == '\t' })
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return answer{status: http.StatusMethodNotAllowed, header: "Allow: GET\r\n", text: "This is an MQTT broker. It takes WebSocket connections only."}
	case r.Header.Get("Upgrade") == "":
		return answer{status: http.StatusUpgradeRequired, header: "Upgrade: websocket\r\n",
			text: "This is an MQTT broker. Connect with an MQTT client, over WebSocket, to this very address; the sub-protocol is mqtt."}
	}
	if origin := stranger(c.Listener.cfg, r, c.LocalAddr()); origin != "" {
		text := fmt.Sprintf("web pages of %s may not connect; --ws-origin %s lets them, websockets_origin in a file", origin, origin)
		return answer{status: http.StatusForbidden, text: "To this broker " + text + ".", log: text}
	}
	switch {
	case slices.Contains(offered, subprotocol):
		return answer{}
	case slices.Contains(offered, "mqttv3.1"):
		return answer{status: http.StatusBadRequest, text: "This broker speaks MQTT 3.1.1 and 5. Offer the sub-protocol mqtt instead of mqttv3.1."}
	}
	// [MQTT-6.0.0-3] The client has to offer it.
	return answer{status: http.StatusBadRequest, text: "This broker speaks MQTT only. Offer the WebSocket sub-protocol mqtt."}
}

// refuseRequest answers what is no HTTP request.
func refuseRequest(c net.Conn, tooLong bool, err error) error {
	var network net.Error
	switch {
	case tooLong:
		a := answer{status: http.StatusRequestHeaderFieldsTooLarge, text: fmt.Sprintf("The request has more than %d bytes.", requestLimit)}
		return a.send(c, false)
	case errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return err
	}
	a := answer{status: http.StatusBadRequest, text: "This is no HTTP request. MQTT is spoken over WebSocket here.", log: "the client does not speak WebSocket"}
	return a.send(c, false)
}

// answer is an HTTP response that ends the connection.
type answer struct {
	status int
	header string
	text   string
	log    string // empty for that no WebSocket was asked for
}

// send writes the answer. The error tells of the refusal.
func (a answer) send(c net.Conn, head bool) error {
	body := a.text + "\n"
	length := len(body)
	if head {
		body = ""
	}
	_, err := fmt.Fprintf(c, "HTTP/1.1 %d %s\r\n%sContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		a.status, http.StatusText(a.status), a.header, length, body)
	if err != nil {
		return err
	}
	// Closing with unread bytes would reset the connection, and the answer
	// could be lost. The deadline of the handshake holds here too.
	netio.CloseWrite(c)
	_, _ = io.CopyN(io.Discard, c, lingerLimit)
	if a.log == "" {
		a.log = "no WebSocket for MQTT was asked for"
	}
	return refusef("%s; the answer was %d %s", a.log, a.status, http.StatusText(a.status))
}

// hijacked is what is needed of an http.ResponseWriter.
type hijacked struct {
	http.ResponseWriter
	conn net.Conn
	rw   *bufio.ReadWriter
}

func (h hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) { return h.conn, h.rw, nil }
