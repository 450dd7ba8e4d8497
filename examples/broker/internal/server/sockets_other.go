//go:build !linux

package server

import "github.com/mqttcore/mqttcore/examples/broker/internal/listen"

// sockets are for Linux: elsewhere all connections are streams, and the owner
// waits for its inbox only.
type sockets struct{ wake chan struct{} }

func (k *sockets) open(*Server) error {
	k.wake = make(chan struct{}, 1)
	return nil
}

func (k *sockets) wait() { <-k.wake }

func (k *sockets) nudge() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

func (k *sockets) adopt(*Server, *listen.Conn) *conn { return nil }
func (k *sockets) add(*conn) error                   { return nil }
func (k *sockets) look() (more bool)                 { return false }
func (k *sockets) read()                             {}
func (k *sockets) unread() bool                      { return false }
func (k *sockets) flush() bool                       { return false }
func (k *sockets) close()                            {}
