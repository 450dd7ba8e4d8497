package client_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/client"
)

func init() {
	commands = map[string]func(*rig, string) error{
		// client makes one, with the settings of "config" before it.
		"client": func(r *rig, args string) error {
			var p codec.Connect
			r.parse(args, &p)
			r.config.Connect = &p
			r.config.Session.Version = r.version
			r.c = client.New(r.config)
			return nil
		},
		"config": func(r *rig, args string) error { r.parse(args, &r.config); return nil },
		// restart goes on in another process, with the stored state.
		"restart": func(r *rig, _ string) error {
			b, err := r.c.Session().State().AppendBinary(nil)
			if err != nil {
				return err
			}
			r.config.Session.State = new(session.State)
			if err := r.config.Session.State.UnmarshalBinary(b); err != nil {
				return err
			}
			r.s = nil
			r.c = client.New(r.config)
			return nil
		},
		"v311":   func(r *rig, _ string) error { r.version = codec.V311; return nil },
		"wide":   func(r *rig, _ string) error { r.version, r.server.Wide = codec.V5Wide, true; return nil },
		"timers": func(r *rig, _ string) error { r.timers = true; return nil },
		"random": func(r *rig, args string) error {
			f, err := strconv.ParseFloat(args, 64)
			r.config.Backoff.Random = func() float64 { return f }
			return err
		},
		"retry": func(r *rig, args string) error {
			r.config.Retry = func(f client.Failure) bool {
				r.printf("retry? refused=%v disconnected=%v reason=0x%02X attempt=%d lived=%v server=%q", f.Refused, f.Disconnected, byte(f.Reason), f.Attempt, f.Lived, f.Server)
				return args == "yes"
			}
			return nil
		},
		"topicfrom": func(r *rig, _ string) error {
			r.config.Requests.TopicFrom = func(info, id string) string { return info + id + "/response" }
			return nil
		},

		"start": func(r *rig, _ string) error { return r.c.Start(r.now) },
		"open": func(r *rig, _ string) error {
			r.s = session.NewServer(r.server)
			r.s.Open(r.now)
			err := r.c.Opened(r.now)
			if err != nil {
				r.s = nil
			}
			return err
		},
		"openfail": func(r *rig, args string) error { r.c.OpenFailed(r.now, textError(args)); return nil },
		// up is start and open.
		"up": func(r *rig, _ string) error {
			if err := r.c.Start(r.now); err != nil {
				return err
			}
			r.drain()
			return commands["open"](r, "")
		},
		"again": func(r *rig, _ string) error {
			commands["cut"](r, "")
			r.drain()
			r.c.Retry(r.now)
			r.drain()
			return commands["open"](r, "")
		},
		"cut": func(r *rig, args string) error {
			if r.s != nil {
				r.s.Closed(r.now, nil)
				for r.s != nil {
					r.drainServer()
				}
			}
			r.c.Closed(r.now, textError(args))
			return nil
		},
		"after": func(r *rig, args string) error {
			d, err := time.ParseDuration(args)
			if err != nil {
				return err
			}
			r.now = r.now.Add(d)
			r.c.Tick(r.now)
			if r.s != nil {
				r.s.Tick(r.now)
			}
			return nil
		},
		"retrynow": func(r *rig, _ string) error { r.c.Retry(r.now); return nil },
		"stop": func(r *rig, args string) error {
			if args == "" {
				return r.c.Stop(r.now, nil)
			}
			var p codec.Disconnect
			r.parse(args, &p)
			return r.c.Stop(r.now, &p)
		},
		"setconnect": func(r *rig, args string) error {
			var p codec.Connect
			r.parse(args, &p)
			return r.c.SetConnect(&p)
		},
		"status": func(r *rig, _ string) error {
			r.printf("%v inflight=%d queued=%d", r.c.Status(), r.c.Session().Inflight(), r.c.Session().Queued())
			return nil
		},
		"stats": func(r *rig, _ string) error { r.printf("%+v", r.c.Stats()); return nil },
		"block": func(r *rig, args string) error { r.c.SetWriteBlocked(r.now, args != "off"); return nil },

		"publish": func(r *rig, args string) error {
			token, err := r.c.Publish(r.now, r.message(args))
			if err == nil {
				r.printf("token %d", token)
			}
			return err
		},
		"erase": func(r *rig, args string) error {
			token, _ := strconv.ParseUint(args, 10, 64)
			return r.c.Erase(r.now, token)
		},
		"subscribe": func(r *rig, args string) error {
			h, list := r.filters(args)
			return r.c.Subscribe(r.now, h, list...)
		},
		"unsubscribe": func(r *rig, args string) error { return r.c.Unsubscribe(r.now, strings.Fields(args)...) },
		"set": func(r *rig, _ string) error {
			for sub, confirmed := range r.c.Subscriptions() {
				r.printf("%s QoS %d %v", sub.Filter, sub.QoS, confirmed)
			}
			return nil
		},
		// request takes a time limit, "h" or "-" for the handler, and a message.
		"request": func(r *rig, args string) error {
			f := strings.SplitN(args, " ", 3)
			d, err := time.ParseDuration(f[0])
			if err != nil {
				return err
			}
			var h client.ResponseHandler
			if f[1] != "-" {
				h = func(_ time.Time, token uint64, p *codec.Publish, err error) {
					if err != nil {
						r.printf("response %d: %v", token, err)
						return
					}
					r.printf("response %d: %q", token, p.Payload)
				}
			}
			token, err := r.c.Request(r.now, r.message(f[2]), d, h)
			if err == nil {
				r.printf("token %d", token)
			}
			return err
		},
		"reply": func(r *rig, args string) error {
			code, _ := strconv.ParseUint(args, 0, 8)
			return r.c.Reply(session.Reply{Code: codec.ReasonCode(code)})
		},

		"respond": func(r *rig, args string) error {
			if _, err := r.c.Respond(r.now, r.incoming.Publish, r.message("own")); err == nil {
				r.t.Error("a response with a topic of its own")
			}
			_, err := r.c.Respond(r.now, r.incoming.Publish, &codec.Publish{Payload: codec.Bytes(args)})
			return err
		},

		// What the server does.
		"late": func(r *rig, payload string) error {
			p := &codec.Publish{Topic: codec.Bytes("replies/c"), Payload: []byte(payload)}
			p.Properties.CorrelationData = codec.Some(r.data)
			_, err := r.s.Publish(r.now, p)
			return err
		},
		"send": func(r *rig, args string) error { // "1,2 message" with identifiers
			p := r.message(args)
			if ids, rest, ok := strings.Cut(args, " "); ok && !strings.HasPrefix(args, "{") {
				p = r.message(rest)
				for id := range strings.SplitSeq(ids, ",") {
					n, _ := strconv.Atoi(id)
					p.Properties.SubscriptionIdentifiers.Add(uint32(n))
				}
			}
			_, err := r.s.Publish(r.now, p)
			return err
		},
		"connack": func(r *rig, args string) error { r.connack = codec.Connack{}; r.parse(args, &r.connack); return nil },
		"server":  func(r *rig, args string) error { r.parse(args, &r.server); return nil },
		"kick": func(r *rig, args string) error {
			var p codec.Disconnect
			r.parse(args, &p)
			return r.s.Disconnect(r.now, &p)
		},
		"forget": func(r *rig, _ string) error { r.state = nil; clear(r.subs); return nil },
		"silent": func(r *rig, args string) error { r.silent = args != "off"; return nil },
		"mute":   func(r *rig, args string) error { r.mute = args != "off"; return nil },
		"noack":  func(r *rig, args string) error { r.ack = args == "off"; return nil },
		"code": func(r *rig, args string) error {
			f := strings.Fields(args)
			code, _ := strconv.ParseUint(f[1], 0, 8)
			r.codes[f[0]] = codec.ReasonCode(code)
			return nil
		},
		"inside": func(r *rig, args string) error { r.inside = args; return nil },
		"next": func(r *rig, _ string) error {
			ev, ok := r.c.Next()
			r.printf("next %v %v", ev.Kind, ok)
			return nil
		},
		"serversubs": func(r *rig, _ string) error { r.printf("%s", fmt.Sprint(len(r.subs))); return nil },
	}
}

var commands map[string]func(*rig, string) error

func textError(s string) error {
	if s == "" {
		return nil
	}
	return errors.New(s)
}
