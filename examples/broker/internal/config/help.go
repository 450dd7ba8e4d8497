package config

// Help is what --help prints.
const Help = `broker is an MQTT broker for MQTT 5 and 3.1.1.

Usage: broker [flags]
       broker passwd FILE USER     write a password file; see broker passwd --help

Examples:
  broker                        for programs on this machine, on port 1883
  broker -p 1884                on another port
  broker --bind 0.0.0.0         for everybody who can reach this machine
  broker --bind 0.0.0.0 --password-file users.txt
                                for those who have a password
  broker --listen tls://:8883 --cert broker.pem --key broker.key --listen tcp://127.0.0.1
                                encrypted for other machines, plain for this one
  broker -c mosquitto.conf      as a file in mosquitto's language says
  broker -v                     with a line for each connection

Where it listens:
  -p, --port PORT               the port (default 1883; 0 chooses a free one)
  -b, --bind ADDRESS            the address (default 127.0.0.1)
      --listen URL              another place; may be given several times. tcp://HOST[:PORT], tls:// for
                                TLS, ws:// and wss:// for WebSocket, unix:///PATH; no HOST for all addresses
      --ws-origin PATTERN       web pages that may connect by WebSocket, such as https://app.example,
                                *.app.example or * for all; may be given several times. Pages of the same
                                host always may, and without this flag all if every client needs a password
  -c, --config FILE             read a file in the language of mosquitto.conf; flags go before it, and
                                listeners of the command line take the place of its own

TLS, for tls:// and wss://:
      --cert FILE               certificate of the broker, in PEM, with those between it and its authority
      --key FILE                and its key
      --require-certificate     clients need a certificate too
      --cafile FILE             authorities of their certificates
      --capath FOLDER           a folder of them
      --crlfile FILE            certificates that were revoked
      --use-identity-as-username
                                the Common Name of the certificate is the user name
      --use-subject-as-username
                                its whole subject is
      --tls-version VERSION     the lowest to take: tlsv1.2 or tlsv1.3 (default tlsv1.2)
      --ciphers LIST            ciphers to take in TLS 1.2, by OpenSSL's names, with colons between

Who may do what; SIGHUP reads these files, certificates and revocations again:
      --password-file FILE      users and their passwords; nobody else may connect then
      --allow-anonymous         clients without a user name may connect (default: without a password file)
      --acl-file FILE           topics that users may read and write
      --refuse-dollar-topics    nobody may publish to topics that begin with $, as the standard suggests
                                (default: but $SYS, they are topics like others)

Where sessions and messages are kept:
      --folder FOLDER           this folder (default $STATE_DIRECTORY, or mqttcore-broker in
                                $XDG_STATE_HOME or ~/.local/state)
      --memory                  nowhere: all is lost when the broker ends

Limits; 0 is for none where nothing else is said:
      --max-connections N       connections at a time (default 10000)
      --max-connections-per-address N
                                and of one address (default 0)
      --max-pending-connections N
                                and before CONNECT was accepted (default 1000)
      --max-clients N           sessions, also of clients that are away (default 0)
      --max-packet-size BYTES   largest packet of a client (default 0: as MQTT allows, 256 MiB)
      --max-message-size BYTES  largest payload (default 0)
      --max-inflight-messages N messages of QoS 1 and 2 under way to or from a client (default 1000)
      --max-inflight-bytes BYTES
                                and their size, of those to a client (default 0)
      --max-queued-messages N   messages that wait for a client (default 100000)
      --max-queued-bytes BYTES  and their size (default 536870912)
      --max-subscriptions N     subscriptions of a client (default 10000)
      --max-retained-messages N retained messages (default 0)
      --max-retained-bytes BYTES
                                and their size (default 0)
      --max-messages-per-second N
                                what a client may publish; beyond, its input waits (default 0)
      --max-bytes-per-second BYTES
                                what it may send in all (default 0)
      --max-keepalive SECONDS   longest keep alive, for MQTT 5 (default 0: as the client wants)
      --max-session-expiry SECONDS
                                longest life of a session without its client
                                (default 0: as the client wants)
      --connect-timeout TIME    for CONNECT after the connection was opened, above 0 (default 10s)
      --write-timeout TIME      for a client that takes less than 64 KiB in it, above 0 (default 30s)

Operation:
      --metrics ADDRESS         serve metrics for Prometheus and health over HTTP, such as on 127.0.0.1:9883
      --sys-interval TIME       between messages about the broker under $SYS (default 10s, 0 for never)
  -v, --verbose                 log connections too, not only what went wrong
      --json                    log as JSON
  -h, --help                    print this
      --version                 print the version

Exit codes:
  0    ended by SIGINT or SIGTERM
  1    a flag or its value is wrong
  2    a listener cannot be opened
  6    a file cannot be read, or is wrong
`
