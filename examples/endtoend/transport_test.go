package endtoend

import (
	"crypto/tls"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/mqttcore/mqttcore/examples/internal/programtest"
)

// passes sends a message by a transport and receives it by that too.
func passes(t *testing.T, flags ...string) {
	t.Helper()
	sub := Subscriber(t, append([]string{"-t", "x", "-q", "2", "-C", "1"}, flags...)...)
	Run(t, nil, "publish", append([]string{"-t", "x", "-q", "2", "-m", "hello"}, flags...)...)
	if got := sub.Success(); string(got) != "hello\n" {
		t.Errorf("%v: got %q", flags, got)
	}
}

// fails demands that a program says why it does not trust a broker.
func fails(t *testing.T, say string, flags ...string) {
	t.Helper()
	p := Start(t, nil, "publish", append([]string{"-t", "x", "-m", "hello"}, flags...)...)
	code, text := p.Wait(Limit), string(p.Stderr.Bytes())
	if code != 2 || !strings.Contains(text, say) || strings.Count(text, "\n") != 1 {
		t.Errorf("%v: exit code %d, %q, want %q", flags, code, text, say)
	}
}

func TestTLS(t *testing.T) {
	_, port := Broker(t)
	pem := Certificates(t)
	file := func(name string) string { return filepath.Join(pem, name) }
	front := Front(t, port, ServerTLS(t, pem, "server", false))
	other := Front(t, port, ServerTLS(t, pem, "other", false))
	strict := Front(t, port, ServerTLS(t, pem, "server", true))

	passes(t, "-p", front, "--cafile", file("ca.pem"))
	passes(t, "-h", "127.0.0.1", "-p", front, "--capath", pem)
	passes(t, "-L", "mqtts://127.0.0.1:"+front, "--cafile", file("ca.pem"), "--tls-version", "tlsv1.3", "--tls-alpn", "mqtt")
	passes(t, "-p", strict, "--cafile", file("ca.pem"), "--cert", file("client.pem"), "--key", file("client.key"))
	passes(t, "-p", other, "--cafile", file("ca.pem"), "--insecure")
	const cipher = "ECDHE-ECDSA-AES256-GCM-SHA384"
	one := ServerTLS(t, pem, "server", false)
	one.MaxVersion, one.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384}
	narrow := Front(t, port, one)
	passes(t, "-p", narrow, "--cafile", file("ca.pem"), "--ciphers", "DHE-RSA-CAMELLIA256-SHA:"+cipher, "--keyform", "pem")
	fails(t, "it ended the handshake", "-p", narrow, "--cafile", file("ca.pem"), "--ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256")

	p := Start(t, nil, "publish", "-t", "x", "-m", "hello", "-q", "1", "-p", strict, "--cafile", file("ca.pem"))
	if code := p.Wait(Limit); code != 4 || !strings.Contains(string(p.Stderr.Bytes()), "ended the connection by TLS (certificate required); check --cert") {
		t.Errorf("without a certificate: exit code %d, %s", code, p.Stderr.Bytes())
	}
	fails(t, "for another host", "-p", other, "--cafile", file("ca.pem"))
	fails(t, "comes from nobody", "-p", front, "--cafile", file("stranger.pem"))
	fails(t, "comes from nobody", "-p", front, "--cafile", file("stranger.pem"), "--insecure")
	fails(t, "comes from nobody", "-L", "mqtts://localhost:"+front)
	fails(t, "does it speak TLS", "-p", port, "--cafile", file("ca.pem"))
}

func TestWebSocket(t *testing.T) {
	_, port := Broker(t)
	pem := Certificates(t)
	passes(t, "-L", "ws://127.0.0.1:"+WebSocketFront(t, port, nil)+"/mqtt")
	secure := WebSocketFront(t, port, ServerTLS(t, pem, "server", false))
	passes(t, "-L", "wss://localhost:"+secure+"/mqtt", "--cafile", filepath.Join(pem, "ca.pem"))

	fails(t, "404", "-L", "ws://127.0.0.1:"+WebSocketFront(t, port, nil)+"/other")
	fails(t, "comes from nobody", "-L", "wss://localhost:"+secure+"/mqtt")
}

// Through proxies, with and without a password, and with all that there may be
// above.
func TestProxy(t *testing.T) {
	_, port := Broker(t)
	pem := Certificates(t)
	open, closed := StartProxy(t, "", ""), StartProxy(t, "me", "a:b@c")
	through := []string{"--proxy", "socks5h://" + open.Address}
	passes(t, append(through, "-p", port)...)
	passes(t, append(through, "-h", "127.0.0.1", "-p", port, "-A", "127.0.0.1")...)
	passes(t, append(through, "-p", Front(t, port, ServerTLS(t, pem, "server", false)), "--cafile", filepath.Join(pem, "ca.pem"))...)
	passes(t, append(through, "-L", "ws://localhost:"+WebSocketFront(t, port, nil)+"/mqtt")...)
	passes(t, "-p", port, "--proxy", "socks5h://me:a%3Ab%40c@"+closed.Address)
	if n := open.Served.Load() + closed.Served.Load(); n != 10 {
		t.Errorf("%d connections went through the proxies", n)
	}
	fails(t, "does not connect to localhost:"+port+": username/password authentication failed", "-p", port, "--proxy", "socks5h://me:no@"+closed.Address)
	fails(t, "does not connect to", "-p", port, "--proxy", "socks5h://"+closed.Address)
	fails(t, "does not connect to nowhere.invalid:1883", append(through, "-h", "nowhere.invalid")...)
	none := closedPort(t)
	fails(t, "nothing listens on 127.0.0.1:"+none+"; check --proxy", "-p", port, "--proxy", "socks5h://127.0.0.1:"+none)
	fails(t, "the proxy nowhere.invalid:1080 is not known", "-p", port, "--proxy", "socks5h://nowhere.invalid")
}

func TestUnixSocket(t *testing.T) {
	_, port := Broker(t)
	passes(t, "--unix", UnixFront(t, port))
	fails(t, "no socket", "--unix", "/does/not/exist")
}

// -L names everything at once.
func TestURL(t *testing.T) {
	_, port := Broker(t)
	sub := Subscriber(t, "-L", "mqtt://me:secret@127.0.0.1:"+port+"/a/#", "-v", "-C", "1")
	Run(t, nil, "publish", "-L", "mqtt://127.0.0.1:"+port+"/a/b", "-m", "x")
	if got := sub.Success(); string(got) != "a/b x\n" {
		t.Errorf("got %q", got)
	}
	sub.Stderr.Await(t, "Username")
}
