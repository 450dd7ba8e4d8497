package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
)

// idle are keys of mosquitto that are taken without effect, with what to know.
var idle = map[string]string{
	"user":                     "the broker stays the user who starts it",
	"pid_file":                 "no such file is written; a service manager needs none",
	"autosave_interval":        "everything is stored before it is acknowledged",
	"autosave_on_changes":      "everything is stored before it is acknowledged",
	"log_timestamp":            "the log always has the time",
	"log_timestamp_format":     "the log has the time in the form of RFC 3339",
	"log_facility":             "there is no log_dest syslog",
	"allow_duplicate_messages": "a client gets one copy of a message, however many of its subscriptions match",
	"retry_interval":           "messages are sent again when a session goes on, as MQTT has it",
	"dhparamfile":              "keys are exchanged by elliptic curves",
	"websockets_log_level":     "there is one log for all",
	"websockets_headers_size":  "headers of up to 8 KiB are taken",
	"packet_buffer_size":       "buffers are as large as it takes",
}

// unless are keys whose value decides: with it they change nothing here, with
// any other they ask for something that does not exist.
var unless = map[string]string{
	"queue_qos0_messages":             "false",
	"use_username_as_clientid":        "false",
	"tls_keyform":                     "pem",
	"enable_control_api":              "false",
	"enable_proxy_protocol":           "false",
	"disable_client_cert_date_checks": "false",
}

// absent are keys that ask for something that does not exist here, by why they are
// not supported.
var absent = map[string][]string{
	"there are no bridges here; another broker may connect to this one, see mosquitto.md": {
		"connection", "address", "addresses", "bridge_", "cleansession", "clientid", "idle_timeout", "keepalive_interval",
		"local_cleansession", "local_clientid", "local_password", "local_username", "notification_topic", "notifications",
		"notifications_local_only", "password", "remote_clientid", "remote_password", "remote_username", "restart_timeout",
		"round_robin", "start_type", "threshold", "topic", "try_private", "username"},
	"there are no plugins here": {"auth_plugin", "auth_opt_", "auth_plugin_deny_special_chars", "plugin", "plugin_opt_",
		"plugin_load", "plugin_use", "global_plugin"},
	"there are no pre-shared keys here":                                                             {"psk_file", "psk_hint"},
	"the ciphers of TLS 1.3 cannot be chosen, as Go takes all three":                                {"ciphers_tls1.3"},
	"keys are read from files, not from an engine":                                                  {"tls_engine", "tls_engine_kpass_sha1"},
	"no files are served over HTTP":                                                                 {"http_dir"},
	"a listener has an address, not an interface":                                                   {"bind_interface"},
	"client identifiers may begin with anything":                                                    {"clientid_prefixes"},
	"the broker does not limit its own memory; set GOMEMLIMIT in its environment":                   {"memory_limit"},
	"the PROXY protocol is not spoken here":                                                         {"proxy_protocol_v2_require_tls"},
	"with per_listener_settings true, allow_anonymous and auto_id_prefix are those of one listener": {"listener_allow_anonymous", "listener_auto_id_prefix"},
	"the broker itself sets no expiry of retained messages":                                         {"retain_expiry_interval"},
}

// known returns what to say about a key that keys lacks: a warning if it may
// stand in the file nevertheless, or an error.
func known(name, value string) (warning string, err error) {
	if text := idle[name]; text != "" {
		return name + " has no effect here: " + text, nil
	}
	if usual := unless[name]; usual != "" {
		if value == usual {
			return "", nil
		}
		return "", fmt.Errorf("%s is not supported here; leave it out or set it to %s", name, usual)
	}
	for why, names := range absent {
		for _, n := range names {
			if name == n || strings.HasSuffix(n, "_") && strings.HasPrefix(name, n) {
				return "", fmt.Errorf("%s is not supported: %s; leave it out", name, why)
			}
		}
	}
	if near := cli.Nearest(name, slices.Collect(maps.Keys(keys))); near != "" {
		return "", fmt.Errorf("there is no key %s; is it %s?", name, near)
	}
	return "", fmt.Errorf("there is no key %s; config.md lists all", name)
}
