package config

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// parsed reads a text that has no mistakes.
func parsed(t testing.TB, text string) *Config {
	t.Helper()
	c, errs := parse(Line{File: "f"}, Lines("f", text))
	if errs = append(errs, c.check()...); len(errs) > 0 {
		t.Fatalf("%q: %v", text, errs)
	}
	return c
}

// mistakes returns what is wrong with a text.
func mistakes(text string) string {
	c, errs := parse(Line{File: "f"}, Lines("f", text))
	var all []string
	for _, err := range append(errs, c.check()...) {
		all = append(all, err.Error())
	}
	return strings.Join(all, "\n")
}

const secure = "listener 1883\ncertfile c\nkeyfile k\n"

// keyCases says for every key what it does: a text, and what is to be seen then.
var keyCases = map[string][]struct {
	text string
	got  func(c *Config) any
	want any
}{
	"listener": {
		{"listener 1884", address, "tcp :1884"},
		{"listener 1884 127.0.0.1", address, "tcp 127.0.0.1:1884"},
		{"listener 1884 ::1 # this machine", address, "tcp [::1]:1884"},
		{"listener 1884 # all", address, "tcp :1884"},
		{"listener 0 /run/a b.sock", address, "unix /run/a b.sock"},
		{"listener 1884\nlistener 1885", func(c *Config) any { return len(c.Listeners) }, 2},
	},
	"port":          {{"port 1884", address, "tcp :1884"}, {"listener 1885\nport 1884", address, "tcp :1884"}},
	"bind_address":  {{"bind_address 127.0.0.2", address, "tcp 127.0.0.2:1883"}, {"port 7\nbind_address ::1", address, "tcp [::1]:7"}},
	"socket_domain": {{"listener 1\nsocket_domain ipv4", address, "tcp4 :1"}, {"listener 1\nsocket_domain ipv6", address, "tcp6 :1"}},
	"protocol": {
		{"listener 1\nprotocol websockets", func(c *Config) any { return c.Listeners[0].WebSocket }, true},
		{"listener 1\nprotocol mqtt", func(c *Config) any { return c.Listeners[0].WebSocket }, false},
	},
	"websockets_origin": {
		{"listener 1\nwebsockets_origin https://App.example", origins, "[https://app.example] false"},
		{"listener 1\nwebsockets_origin null\nwebsockets_origin * # all", origins, "[null *] true"},
		{"listener 1\nallow_anonymous true\n#websockets_origin", origins, "[] false"},
		{"listener 1\npassword_file p\n#websockets_origin", origins, "[] true"},
		{"listener 1\npassword_file p\nwebsockets_origin a", origins, "[a] false"},
		{secure + "cafile a\nrequire_certificate true\nuse_identity_as_username true\n#websockets_origin", origins, "[] false"},
	},
	"accept_protocol_versions": {
		{"listener 1\naccept_protocol_versions 5", refusals, "true false"},
		{"listener 1\naccept_protocol_versions 4", refusals, "false true"},
		{"listener 1\naccept_protocol_versions 4, 5", refusals, "false false"},
	},
	"max_connections": {
		{"listener 1\nmax_connections 5", func(c *Config) any { return c.Listeners[0].MaxConnections }, 5},
		{"listener 1\nmax_connections -1", func(c *Config) any { return c.Listeners[0].MaxConnections }, 0},
	},
	"maximum_qos":     {{"listener 1\nmaximum_qos 0", maximumQoS, uint8(0)}, {"listener 1", maximumQoS, uint8(2)}},
	"max_qos":         {{"listener 1\nmax_qos 1", maximumQoS, uint8(1)}},
	"max_topic_alias": {{"listener 1\nmax_topic_alias 0", func(c *Config) any { return c.Listeners[0].TopicAliasMaximum }, uint16(0)}},
	"mount_point": {
		{"listener 1\nmount_point a b/", func(c *Config) any { return c.Listeners[0].MountPoint }, "a b/"},
		{"listener 1\nmount_point $a/", func(c *Config) any { return c.Listeners[0].MountPoint }, "$a/"},
	},

	"cafile":                   {{secure + "cafile /a b", func(c *Config) any { return c.Listeners[0].TLS.CAFile }, "/a b"}},
	"capath":                   {{secure + "capath /a", func(c *Config) any { return c.Listeners[0].TLS.CAPath }, "/a"}},
	"certfile":                 {{secure, func(c *Config) any { return c.Listeners[0].TLS.CertFile }, "c"}},
	"keyfile":                  {{secure, func(c *Config) any { return c.Listeners[0].TLS.KeyFile }, "k"}},
	"crlfile":                  {{secure + "cafile a\nrequire_certificate true\ncrlfile r", func(c *Config) any { return c.Listeners[0].TLS.CRLFile }, "r"}},
	"tls_version":              {{secure + "tls_version tlsv1.3", func(c *Config) any { return c.Listeners[0].TLS.MinVersion }, uint16(tls.VersionTLS13)}, {secure, func(c *Config) any { return c.Listeners[0].TLS.MinVersion }, uint16(tls.VersionTLS12)}},
	"ciphers":                  {{secure + "ciphers ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256", func(c *Config) any { return c.Listeners[0].TLS.Ciphers }, "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256"}},
	"require_certificate":      {{secure + "cafile a\nrequire_certificate true", func(c *Config) any { return c.Listeners[0].TLS.RequireCertificate }, true}},
	"use_identity_as_username": {{secure + "cafile a\nrequire_certificate true\nuse_identity_as_username true", func(c *Config) any { return c.Listeners[0].TLS.UseIdentityAsUsername }, true}},
	"use_subject_as_username":  {{secure + "cafile a\nrequire_certificate true\nuse_subject_as_username true", func(c *Config) any { return c.Listeners[0].TLS.UseSubjectAsUsername }, true}},

	"per_listener_settings": {
		{"per_listener_settings true\nlistener 1\npassword_file a\nlistener 2\nallow_anonymous true\nacl_file b", accessOfAll, "false a /true  b"},
		{"listener 1\npassword_file a\nlistener 2\nallow_anonymous true\nacl_file b", accessOfAll, "true a b/true a b"},
		{"per_listener_settings false\npassword_file a\nlistener 1", accessOfAll, "false a "},
		{"per_listener_settings true\npassword_file a\nallow_anonymous true\nlistener 1", accessOfAll, "false  "},
		{"per_listener_settings true\npassword_file a\nport 1\nlistener 2", accessOfAll, "false a /false  "},
	},
	"allow_anonymous": {
		{"", accessOfAll, "true  "}, {"allow_anonymous false", accessOfAll, "false  "}, {"password_file a", accessOfAll, "true a "},
		{"listener 1", accessOfAll, "false  "}, {"port 1", accessOfAll, "false  "}, {"listener 1\nallow_anonymous true", accessOfAll, "true  "},
		{"per_listener_settings true", accessOfAll, "true  "}, {"per_listener_settings true\nallow_anonymous false", accessOfAll, "false  "},
		{"max_connections 5", accessOfAll, "false  "}, {"allow_anonymous true\nallow_anonymous 0\nlistener 1", accessOfAll, "false  "},
	},
	"password_file":              {{"password_file /a b#c", accessOfAll, "true /a b#c "}},
	"acl_file":                   {{"acl_file\t /a", accessOfAll, "true  /a"}},
	"allow_zero_length_clientid": {{"allow_zero_length_clientid false", func(c *Config) any { return c.Listeners[0].Access.AllowZeroLengthClientID }, false}},
	"auto_id_prefix":             {{"auto_id_prefix x-", func(c *Config) any { return c.Listeners[0].Access.AutoIDPrefix }, "x-"}, {"", func(c *Config) any { return c.Listeners[0].Access.AutoIDPrefix }, "auto-"}},

	"persistence":                  {{"persistence false", memory, true}, {"persistence true", memory, false}, {"", memory, false}},
	"retained_persistence":         {{"retained_persistence 0", memory, true}},
	"persistence_location":         {{"persistence_location /var/lib/x/", func(c *Config) any { return c.Store.Folder }, "/var/lib/x/"}},
	"persistence_file":             {{"persistence_file my.db", func(c *Config) any { return c.Store.File }, "my.db"}},
	"persistent_client_expiration": {{"persistent_client_expiration 3h", expires, uint32(3 * 3600)}, {"persistent_client_expiration 14d", expires, uint32(14 * 86400)}, {"persistent_client_expiration 1w", expires, uint32(7 * 86400)}, {"persistent_client_expiration 2m", expires, uint32(60 * 86400)}, {"persistent_client_expiration 1y", expires, uint32(365 * 86400)}, {"persistent_client_expiration 200y", expires, uint32(1<<32 - 2)}},

	"global_max_connections": {{"global_max_connections 3", func(c *Config) any { return c.Limits.Connections }, 3}, {"global_max_connections -1", func(c *Config) any { return c.Limits.Connections }, 0}},
	"global_max_clients":     {{"global_max_clients 3", func(c *Config) any { return c.Limits.Clients }, 3}},
	"max_packet_size":        {{"max_packet_size 20", func(c *Config) any { return c.Limits.PacketSize }, uint32(20)}},
	"message_size_limit":     {{"message_size_limit 268435455", func(c *Config) any { return c.Limits.MessageSize }, 268435455}},
	"max_inflight_messages":  {{"max_inflight_messages 65535", func(c *Config) any { return c.Limits.InflightMessages }, uint16(65535)}, {"max_inflight_messages 0", func(c *Config) any { return c.Limits.InflightMessages }, uint16(0)}},
	"max_inflight_bytes":     {{"max_inflight_bytes 7", func(c *Config) any { return c.Limits.InflightBytes }, 7}},
	"max_queued_messages":    {{"max_queued_messages 7", func(c *Config) any { return c.Limits.QueuedMessages }, 7}},
	"max_queued_bytes":       {{"max_queued_bytes 7", func(c *Config) any { return c.Limits.QueuedBytes }, 7}},
	"max_keepalive":          {{"max_keepalive 10", func(c *Config) any { return c.Limits.KeepAlive }, uint16(10)}},
	"retain_available":       {{"retain_available false", func(c *Config) any { return c.Limits.NoRetain }, true}},

	"upgrade_outgoing_qos": {{"upgrade_outgoing_qos true", func(c *Config) any { return c.UpgradeOutgoingQoS }, true}},
	"check_retain_source":  {{"check_retain_source false", func(c *Config) any { return c.CheckRetainSource }, false}, {"", func(c *Config) any { return c.CheckRetainSource }, true}},
	"set_tcp_nodelay":      {{"listener 1\nlistener 2\nset_tcp_nodelay false", func(c *Config) any { return c.Listeners[0].NoDelay || c.Listeners[1].NoDelay }, false}, {"set_tcp_nodelay false", func(c *Config) any { return c.Listeners[0].NoDelay }, false}, {"", func(c *Config) any { return c.Listeners[0].NoDelay }, true}},
	"sys_interval":         {{"sys_interval 60", func(c *Config) any { return c.SysInterval }, time.Minute}, {"sys_interval 0", func(c *Config) any { return c.SysInterval }, time.Duration(0)}},
	"log_dest":             {{"log_dest stdout\nlog_dest file /a b", func(c *Config) any { return strings.Join(c.Log.Dest, ",") }, "stdout,file /a b"}, {"log_dest syslog", func(c *Config) any { return strings.Join(c.Log.Dest, ",") }, "stderr"}, {"log_dest topic", func(c *Config) any { return strings.Join(c.Log.Dest, ",") }, "stderr"}, {"log_dest none # quiet", func(c *Config) any { return strings.Join(c.Log.Dest, ",") }, "none"}},
	"log_type":             {{"log_type error\nlog_type all", func(c *Config) any { return strings.Join(c.Log.Types, ",") }, "error,all"}, {"log_type subscribe\nlog_type internal", func(c *Config) any { return fmt.Sprint(c.Log.Types, len(c.Warnings)) }, "[] 2"}},
	"connection_messages":  {{"connection_messages false", func(c *Config) any { return c.Log.NoConnections }, true}},
	"include_dir":          {{"include_dir testdata/conf.d\nmaximum_qos 1", accessOfAll, "false  /false  "}}, // see TestIncludeDir
}

func address(c *Config) any    { return c.Listeners[0].Network + " " + c.Listeners[0].Address }
func origins(c *Config) any    { return fmt.Sprint(c.Listeners[0].Origins, c.Listeners[0].AnyOrigin()) }
func refusals(c *Config) any   { return fmt.Sprint(c.Listeners[0].RefuseV311, c.Listeners[0].RefuseV5) }
func maximumQoS(c *Config) any { return c.Listeners[0].MaximumQoS }
func memory(c *Config) any     { return c.Store.Memory }
func expires(c *Config) any    { return c.Limits.SessionExpiry }
func accessOfAll(c *Config) any {
	var all []string
	for _, l := range c.Listeners {
		all = append(all, fmt.Sprint(l.Access.AllowAnonymous, " ", l.Access.PasswordFile, " ", l.Access.ACLFile))
	}
	return strings.Join(all, "/")
}

func TestKeys(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", "/state")
	for name := range keys {
		if len(keyCases[name]) == 0 {
			t.Errorf("%s has no test", name)
		}
	}
	for name, cases := range keyCases {
		if _, ok := keys[name]; !ok {
			t.Errorf("there is no key %s", name)
		}
		used := false
		for _, c := range cases {
			used = used || strings.Contains(c.text, name)
			// Blanks, tabs and CRLF around make no difference.
			for _, text := range []string{c.text, "# x\r\n\r\n\t" + strings.ReplaceAll(c.text, "\n", " \r\n  ") + "\r\n"} {
				if got := c.got(parsed(t, text)); got != c.want {
					t.Errorf("%q: %v, want %v", text, got, c.want)
				}
			}
		}
		if !used {
			t.Errorf("no test uses %s", name)
		}
	}
}

// wrongValues are texts by what is wrong with them: every switch, number and text
// has values that are none.
var wrongValues = map[string][]string{
	"use true or false":            {"persistence yes", "allow_anonymous TRUE", "retain_available maybe", "per_listener_settings 2", "require_certificate -1"},
	"needs a value":                {"listener", "port", "acl_file", "allow_anonymous ", "log_dest", "include_dir", "auto_id_prefix"},
	"takes one value":              {"max_qos 1 2", "persistence true false", "protocol mqtt websockets"},
	"from 0 to 2":                  {"maximum_qos 3", "max_qos -1", "max_qos 1.0", "max_qos x"},
	"from 0 to 65535":              {"max_inflight_messages 65536", "max_inflight_messages -1", "sys_interval 65536", "max_topic_alias 65536", "listener 65536", "listener x"},
	"from 10 to 65535":             {"max_keepalive 9", "max_keepalive 0", "max_keepalive 65536"},
	"from 1 to 65535":              {"port 0", "port 65536"},
	"from 20":                      {"max_packet_size 19", "max_packet_size 0", "max_packet_size 4294967296"},
	"from 0":                       {"max_queued_bytes -1", "max_inflight_bytes -1", "max_queued_messages 1k", "message_size_limit -1", "message_size_limit 268435456"},
	"-1 for no bound":              {"max_connections -2", "global_max_clients x", "global_max_connections -5"},
	"h, d, w, m and y":             {"persistent_client_expiration 2x", "persistent_client_expiration 14", "persistent_client_expiration d", "persistent_client_expiration 0d", "persistent_client_expiration -1d", "persistent_client_expiration 99999999999y"},
	"use one of error":             {"log_type loud"},
	"use none, stdout":             {"log_dest loud"},
	"path of the file":             {"log_dest file"},
	"is too much":                  {"log_dest stdout x"},
	"use mqtt or web":              {"protocol http"},
	"use ipv4 or ipv6":             {"socket_domain unix"},
	"use tlsv1.2 or":               {"tls_version tlsv1.1", "tls_version 1.3"},
	"of a web page":                {"websockets_origin https://", "websockets_origin https://a/b", "websockets_origin a,b"},
	"several ciphers":              {"ciphers HIGH"},
	"none of these is known to Go": {"ciphers X-Y"},
	"whose path":                   {"listener 0"},
	"at most one":                  {"listener 1 a b"},
	"write a/":                     {"mount_point a"},
	"without + and #":              {"mount_point a/#", "mount_point +", "mount_point a\x00"},
	"not for clients":              {"mount_point $SYS/", "mount_point $share/g/"},
	"without / in it":              {"persistence_file a/b", "persistence_file .."},
	"not in UTF-8":                 {"auto_id_prefix \xff"},
	"3.1 is not spoken":            {"accept_protocol_versions 3,4"},
	"use 4 for":                    {"accept_protocol_versions 6", "accept_protocol_versions 4,"},
	"set already, by f:1": {"acl_file a\nacl_file a", "mount_point a/\nmount_point b/", "persistence_location a\npersistence_location b",
		"certfile a\ncertfile b\nkeyfile k", "bind_address a\nbind_address b"},
	"f:2: per_listener_settings true: it has to stand before": {"allow_anonymous true\nper_listener_settings true"},
	"cannot be read":                        {"include_dir /nowhere"},
	"TLS needs":                             {"listener 1\ncertfile a", "listener 1\nkeyfile a", "listener 1\ncafile a", "listener 1\nrequire_certificate true"},
	"those of their authority":              {secure + "require_certificate true"},
	"names can only be taken":               {secure + "use_identity_as_username true", secure + "use_subject_as_username true"},
	"a list of revoked":                     {secure + "crlfile a"},
	"f:3: :7 is a listener already, by f:1": {"listener 7\nmax_qos 1\nlistener 7"},
}

func TestWrongValues(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", "/state")
	for want, texts := range wrongValues {
		for _, text := range texts {
			if got := mistakes(text); !strings.Contains(got, want) || !strings.HasPrefix(got, "f:") {
				t.Errorf("%q: %s, want %s", text, got, want)
			}
		}
	}
}

// All that is wrong is told, each with its place.
func TestAllMistakes(t *testing.T) {
	got := strings.Split(mistakes("listner 1\n\nmax_qos 3\r\n# x\nconnection b\nallow_anonymous true\nuser x\n"), "\n")
	want := []string{
		"f:1: there is no key listner; is it listener?",
		"f:3: max_qos 3: use a number from 0 to 2",
		"f:5: connection is not supported: there are no bridges here; another broker may connect to this one, see mosquitto.md; leave it out",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
