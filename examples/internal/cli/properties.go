package cli

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/mqttcore/mqttcore/codec"
)

// Properties collects what -D defines: -D COMMAND PROPERTY VALUE, where
// user-property takes a name and a value.
type Properties struct {
	Connect     codec.ConnectProperties
	Will        codec.WillProperties
	Publish     codec.PublishProperties
	Subscribe   codec.SubscribeProperties
	Unsubscribe codec.UnsubscribeProperties
	Disconnect  codec.DisconnectProperties

	n        int
	commands []string // that were named
}

// setter stores the value, or the name and value, of a property.
type setter struct {
	values int
	set    func(values []string) error
}

// define reads the arguments after -D and returns how many they are.
func (p *Properties) define(args []string) (int, error) {
	const usage = "-D takes a command, a property and a value, such as: -D publish content-type text/plain"
	if len(args) < 3 {
		return 0, Usagef("%s", usage)
	}
	command, name := args[0], args[1]
	table := p.table()
	setters := table[command]
	if setters == nil {
		return 0, Usagef("-D %s: use one of %s", command, names(table))
	}
	s, ok := setters[name]
	if !ok {
		return 0, Usagef("-D %s %s: use one of %s", command, name, names(setters))
	}
	if len(args) < 2+s.values {
		return 0, Usagef("-D %s %s takes a name and a value", command, name)
	}
	if err := s.set(args[2 : 2+s.values]); err != nil {
		return 0, Usagef("-D %s %s %s: %v", command, name, args[2], err)
	}
	p.n++
	p.commands = append(p.commands, command)
	return 2 + s.values, nil
}

func names[V any](m map[string]V) string {
	list := make([]string, 0, len(m))
	for name := range m {
		list = append(list, name)
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

func (p *Properties) has(command string) bool { return slices.Contains(p.commands, command) }

// onlyFor reports a property of a command that the program does not send.
func (p *Properties) onlyFor(used []string) error {
	for _, c := range p.commands {
		if !slices.Contains(used, c) {
			return Usagef("-D %s: nothing of that kind is sent here", c)
		}
	}
	return nil
}

// table returns the properties of each command under the standard's names, with
// hyphens. (v5.0 2.2.2.2)
func (p *Properties) table() map[string]map[string]setter {
	c, w, m, d := &p.Connect, &p.Will, &p.Publish, &p.Disconnect
	return map[string]map[string]setter{
		"connect": {
			"session-expiry-interval":      number(&c.SessionExpiryInterval, math.MaxUint32),
			"receive-maximum":              number(&c.ReceiveMaximum, math.MaxUint16),
			"maximum-packet-size":          number(&c.MaximumPacketSize, math.MaxUint32),
			"topic-alias-maximum":          number(&c.TopicAliasMaximum, math.MaxUint16),
			"request-response-information": number(&c.RequestResponseInformation, 1),
			"request-problem-information":  number(&c.RequestProblemInformation, 1),
			"authentication-method":        text(&c.AuthenticationMethod),
			"authentication-data":          text(&c.AuthenticationData),
			"user-property":                pair(&c.UserProperties),
		},
		"will": {
			"will-delay-interval":      number(&w.WillDelayInterval, math.MaxUint32),
			"payload-format-indicator": number(&w.PayloadFormatIndicator, 1),
			"message-expiry-interval":  number(&w.MessageExpiryInterval, math.MaxUint32),
			"content-type":             text(&w.ContentType),
			"response-topic":           text(&w.ResponseTopic),
			"correlation-data":         text(&w.CorrelationData),
			"user-property":            pair(&w.UserProperties),
		},
		"publish": {
			"payload-format-indicator": number(&m.PayloadFormatIndicator, 1),
			"message-expiry-interval":  number(&m.MessageExpiryInterval, math.MaxUint32),
			"topic-alias":              number(&m.TopicAlias, math.MaxUint16),
			"content-type":             text(&m.ContentType),
			"response-topic":           text(&m.ResponseTopic),
			"correlation-data":         text(&m.CorrelationData),
			"user-property":            pair(&m.UserProperties),
		},
		"subscribe": {
			"subscription-identifier": number(&p.Subscribe.SubscriptionIdentifier, codec.MaxRemaining),
			"user-property":           pair(&p.Subscribe.UserProperties),
		},
		"unsubscribe": {
			"user-property": pair(&p.Unsubscribe.UserProperties),
		},
		"disconnect": {
			"session-expiry-interval": number(&d.SessionExpiryInterval, math.MaxUint32),
			"reason-string":           text(&d.ReasonString),
			"user-property":           pair(&d.UserProperties),
		},
	}
}

func number[T uint8 | uint16 | uint32](to *codec.Opt[T], most uint64) setter {
	return setter{1, func(v []string) error {
		n, err := strconv.ParseUint(v[0], 10, 64)
		if err != nil || n > most {
			return Usagef("the value has to be a number from 0 to %d", most)
		}
		*to = codec.Some(T(n))
		return nil
	}}
}

func text(to *codec.Opt[codec.Bytes]) setter {
	return setter{1, func(v []string) error {
		*to = codec.Text(v[0])
		return nil
	}}
}

func pair(to *codec.UserProperties) setter {
	return setter{2, func(v []string) error {
		to.Add(v[0], v[1])
		return nil
	}}
}
