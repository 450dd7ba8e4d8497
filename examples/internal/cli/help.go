package cli

// TargetHelp describes the flags of Target.
const TargetHelp = `The broker:
  -h, --host HOST              its name or address (default localhost)
  -p, --port PORT              its port (default 1883, with TLS 8883)
  -L, --url URL                all at once: mqtt://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC], mqtts:// for
                               TLS, ws://HOST[:PORT]/PATH and wss:// for WebSocket
      --unix PATH              a Unix socket in the place of host and port
      --proxy URL              connect through a SOCKS5 proxy, socks5h://[USER[:PASSWORD]@]HOST[:PORT],
                               which looks the host up
  -A, --bind ADDRESS           connect from this local address
  -V, --protocol-version 5|311 the version of MQTT; also mqttv5 and mqttv311 (default 5)
  -u, --username NAME          user name
  -P, --pw PASSWORD            password

TLS, which is on with one of the first three, with port 8883, mqtts:// and wss://:
` + TLSHelp

// TLSHelp describes the flags of TLS, without a heading.
const TLSHelp = `      --cafile FILE            certificates to trust, in PEM
      --capath FOLDER          a folder of them
      --tls-use-os-certs       those of the system (default if none are given)
      --cert FILE              certificate of this client
      --key FILE               and its key
      --insecure               take a certificate for another host
      --tls-alpn PROTOCOL      ask for this protocol
      --tls-version VERSION    the lowest to take: tlsv1.1, tlsv1.2 or tlsv1.3 (default tlsv1.2)
      --ciphers LIST           ciphers to take in TLS 1.2, by OpenSSL's names, with colons between
      --keyform pem            taken for compatibility; it is always so
`

// ConnectionHelp describes the flags of Connection.
const ConnectionHelp = TargetHelp + `
The session:
  -i, --id ID                  client identifier (default: the broker chooses one)
  -I, --id-prefix PREFIX       client identifier of this and the process id
  -k, --keepalive SECONDS      longest silence before a ping (default 60, 0 for none)
  -c, --disable-clean-session  go on with the session of this -i, and leave it behind
  -x, --session-expiry-interval SECONDS
                               how long the session outlives the connection; -1 for ever

The will, which the broker publishes when the connection breaks:
      --will-topic TOPIC       where
      --will-payload TEXT      what (default: an empty message)
      --will-qos 0|1|2         at which QoS
      --will-retain            keep it for later subscribers

More:
  -D, --property COMMAND PROPERTY VALUE
                               a property of MQTT 5; COMMAND is connect, will, publish, subscribe,
                               unsubscribe or disconnect; user-property takes a name and a value
  -M, --max-inflight N         messages of QoS 1 and 2 under way at a time (default: in MQTT 5 what
                               the broker takes, in 3.1.1 it is 20)
      --nodelay                taken for compatibility; it is always so
  -d, --debug                  print every packet to the standard error
      --quiet                  print no errors, but those of the command line
  -o, --option-file FILE       read options from a file, one in each line with its value; without -o
                               from that of mosquitto's program, ~/.config/mosquitto_pub and so on
      --help                   print this
      --version                print the version
`

// ExitHelp describes the exit codes that every client has.
const ExitHelp = `  1    a flag or its value is wrong
  2    there is no connection to the broker
  3    the broker refused the connection without a code; with one the exit code is that of CONNACK
  4    the connection ended too early
`
