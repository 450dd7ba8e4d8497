package config

import (
	"net"
	"strconv"
)

// finish makes the listeners when all is read.
func (p *parser) finish() {
	if p.front.configured() {
		p.openFront()
	}
	if len(p.cfg.Log.Dest) == 0 {
		p.cfg.Log.Dest = []string{"stderr"}
	}
	if len(p.parts) == 0 {
		// Nobody else can reach the listener of Default.
		only := p.cfg.Listeners[0]
		only.Access, only.NoDelay = p.accessOf(p.front, true), p.noDelay
		only.from = p.front.line.File
		return
	}
	if p.parts[0] != p.front && (p.anonymous[p.front.access] || *p.front.access != *newAccess(false)) {
		p.line = p.front.line
		p.warn("security settings before the first listener are about none, because of per_listener_settings; put them below a listener")
	}
	p.cfg.Listeners = nil
	for _, at := range p.parts {
		at.l.Access, at.l.NoDelay = p.accessOf(at, false), p.noDelay
		at.l.from = at.line.at()
		if at.tls != newTLS() {
			at.l.TLS = &at.tls
		}
		p.cfg.Listeners = append(p.cfg.Listeners, at.l)
	}
}

// openFront adds the default listener. mosquitto opens it too if only a setting
// before the first listener asks for it, which is easily overlooked.
func (p *parser) openFront() {
	front := p.front
	if front.port == 0 && front.host == "" {
		p.line = front.line
		p.warn("settings of a listener stand before the first one, so that port 1883 is opened too, as with mosquitto; " +
			"put listener above them if that is not meant")
	}
	if front.port == 0 {
		front.port = 1883
	}
	front.l.Address = net.JoinHostPort(front.host, strconv.Itoa(front.port))
	p.parts = append([]*part{front}, p.parts...)
}

// accessOf returns who may use a listener.
func (p *parser) accessOf(at *part, anonymous bool) *Access {
	a := p.global
	if p.perListener {
		a = at.access
	}
	if !p.anonymous[a] {
		a.AllowAnonymous = anonymous
	}
	return a
}
