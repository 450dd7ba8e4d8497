package cli

// ConnectionHelp describes the flags of Connection.
const ConnectionHelp = `The broker:
  -h, --host HOST              its name or address (default localhost)
  -p, --port PORT              its port (default 1883)
  -A, --bind ADDRESS           connect from this local address
  -V, --protocol-version 5|311 the version of MQTT; also mqttv5 and mqttv311 (default 5)
  -u, --username NAME          user name
  -P, --pw PASSWORD            password

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
  -d, --debug                  print every packet to the standard error
      --help                   print this
`

// ExitHelp describes the exit codes that every client has.
const ExitHelp = `  1    a flag or its value is wrong
  2    there is no connection to the broker
  3    the broker refused the connection
  4    the connection ended too early
`
