package main

import (
	"encoding/json"
	"time"

	"github.com/mqttcore/mqttcore/codec"
)

// heading is what all objects begin with.
type heading struct {
	Time     *time.Time `json:"time,omitempty"`
	Offset   *int       `json:"offset,omitempty"`
	Client   string     `json:"client,omitempty"`
	Server   string     `json:"server,omitempty"`
	ClientID string     `json:"clientId,omitempty"`
}

// document is a packet.
type document struct {
	heading
	From    string       `json:"from,omitempty"`
	Type    string       `json:"type"`
	Version string       `json:"version"`
	Size    int          `json:"size"`
	Topic   string       `json:"topic,omitempty"`
	Payload *int         `json:"payloadSize,omitempty"`
	Packet  codec.Packet `json:"packet,omitempty"`
	Faults  []fault      `json:"faults,omitempty"`
	Parts   []part       `json:"parts,omitempty"`
}

type fault struct {
	Field  string           `json:"field,omitempty"`
	Offset *int             `json:"offset,omitempty"`
	Class  string           `json:"class"`
	Detail string           `json:"detail"`
	Rule   string           `json:"rule,omitempty"`
	Says   string           `json:"says,omitempty"`
	Reason codec.ReasonCode `json:"reasonCode"`
}

type part struct {
	Name   string `json:"name"`
	Path   string `json:"path,omitempty"`
	Offset int    `json:"offset"`
	Len    int    `json:"len"`
	Mask   byte   `json:"mask,omitempty"`
	Text   string `json:"text,omitempty"`
	Parts  []part `json:"parts,omitempty"`
}

// around is what is wrong around packets.
type around struct {
	heading
	From   string  `json:"from,omitempty"`
	Type   string  `json:"type"`
	What   string  `json:"what"`
	Faults []fault `json:"faults"`
}

// remark is what is said about a connection.
type remark struct {
	heading
	Note string `json:"note"`
}

func head(c *connection, at time.Time) heading {
	h := heading{Client: c.addresses[client], Server: c.addresses[server], ClientID: c.id}
	if year := at.Year(); !at.IsZero() && year >= 0 && year <= 9999 { // as a capture may claim anything
		h.Time = &at
	}
	return h
}

// showJSON prints a packet as an object in a line.
func (i *inspector) showJSON(c *connection, p *packet) {
	d := document{heading: head(c, p.at), Type: p.root.Name, Version: p.v.Base().String(), Size: p.size, Topic: p.topic}
	if p.from != nobody {
		d.From = p.from.String()
	}
	if c.offsets {
		d.Offset = &p.offset
	}
	for _, err := range p.faults {
		d.Faults = append(d.Faults, faultJSON(err))
	}
	if i.verbose {
		d.Parts = i.partsJSON(p, p.root.Parts)
	}
	if pub, ok := p.body.(*codec.Publish); ok {
		size := len(pub.Payload) + p.size - len(p.bytes)
		d.Payload = &size
	}
	if d.Packet = i.veiled(p.body); p.damaged && !i.secrets {
		d.Packet, d.Topic = nil, ""
	}
	i.encode(d)
}

func faultJSON(err *codec.Error) fault {
	f := fault{Field: err.Field, Class: err.Err.Error(), Detail: err.Detail, Rule: err.Rule, Says: statement(err.Version, err.Rule), Reason: err.Code}
	if err.Offset >= 0 {
		f.Offset = &err.Offset
	}
	return f
}

func (i *inspector) showBreachJSON(c *connection, b *breach) {
	a := around{heading: head(c, b.at), Type: webSocketName, What: b.what, Faults: []fault{faultJSON(b.fault)}}
	if b.from != nobody {
		a.From = b.from.String()
	}
	if c.offsets {
		offset := c.carriers[b.from].mqtt.offset
		a.Offset = &offset
	}
	i.encode(a)
}

func (i *inspector) sayJSON(c *connection, at time.Time, text string) {
	i.encode(remark{head(c, at), text})
}

// encode prints an object in a line.
func (i *inspector) encode(v any) {
	e := json.NewEncoder(i.out)
	e.SetEscapeHTML(false)
	if i.err == nil {
		i.err = e.Encode(v)
	}
}

// veiled returns a packet without what is not to be shown.
func (i *inspector) veiled(body codec.Packet) codec.Packet {
	redact := func(o *codec.Opt[codec.Bytes]) {
		if o.Set && !i.secrets {
			*o = codec.Text("REDACTED")
		}
	}
	switch body := body.(type) {
	case *codec.Connect:
		redact(&body.Username)
		redact(&body.Password)
		redact(&body.Properties.AuthenticationData)
		if !i.payload {
			body.Will.Value.Payload = nil
		}
	case *codec.Connack:
		redact(&body.Properties.AuthenticationData)
	case *codec.Auth:
		redact(&body.Properties.AuthenticationData)
	case *codec.Publish:
		if !i.payload {
			body.Payload = nil
		}
	}
	return body
}

func (i *inspector) partsJSON(p *packet, parts []*codec.Part) (list []part) {
	for _, x := range parts {
		list = append(list, part{
			Name: x.Name, Path: x.Path, Offset: x.Offset, Len: x.Len, Mask: x.Mask, Text: i.valueText(p, x), Parts: i.partsJSON(p, x.Parts),
		})
	}
	return list
}
