package main

import "github.com/mqttcore/mqttcore/examples/internal/cli"

const helpText = `inspect shows MQTT packets, and what is wrong with them.

Usage: inspect FILE [flags]                             packets or a capture; - is the standard input
       inspect --hex DIGITS [flags]                     packets
       inspect --listen ADDRESS:PORT --to HOST:PORT     what passes between clients and a broker

Examples:
  inspect --hex '30 05 00 01 74 68 69' -v                one packet with all its parts
  inspect capture.pcap -t 'home/#' --payload             the messages of a capture, with payloads
  inspect capture.pcapng --faults                        only what is illegal; exit code 1 if something is
  inspect --listen 127.0.0.1:1884 --to localhost:1883    then let a client connect to port 1884
  inspect --listen :1884 --to mqtts://broker.example     shows what goes through TLS
  inspect capture.pcap -p 8080 -p 1883                   also MQTT over WebSocket, which is found by itself
  tcpdump -i any -U -w - port 1883 | inspect -           live
  inspect capture.pcap --json | jq .packet               an object for each packet, in a line each

What to read:
      --hex DIGITS             packets in hexadecimal digits; spaces, colons, commas and 0x may be between.
                               A file may be bytes, such digits, or a capture in pcap or pcapng
      --from client|server     who sent the packets of FILE or --hex; some are legal from one side alone
  -V, --protocol-version 5|311 their version, where no CONNECT tells; otherwise it is guessed
  -p, --port PORT              ports of brokers in a capture; may be repeated (default 1883)

The proxy:
      --listen ADDRESS:PORT    where clients connect to
      --to HOST:PORT           the broker; also mqtts://HOST[:PORT]. All bytes pass unchanged, also illegal
                               ones, and what clients send over WebSocket; then it is a listener for that.
                               With ws:// and wss:// clients speak MQTT itself and we WebSocket to the broker

TLS towards the broker, with --to mqtts:// or wss://:
` + cli.TLSHelp + `
What to print:
  -v, --verbose                all parts of each packet, with offset and length
  -x, --dump                   the bytes of each part
      --payload                payloads; otherwise only their size
      --pretty                 payloads that are JSON in several lines
      --secrets                user names, passwords and authentication data; otherwise REDACTED
      --json                   a JSON object in a line for each packet; with -v it has the parts

Which packets (all of these together; the exit code is about these packets):
  -T, --type TYPE,…            of these types, such as CONNECT,CONNACK
  -t, --topic FILTER           PUBLISH whose topic matches
  -f, --faults                 illegal ones
  -i, --client ID              of the client with this identifier

      --help                   print this
      --version                print the version

A line begins with the time, or in files the offset, and > for packets to the broker, < for those from
it. Lines with ! are faults: where, what, and the rule of the standard. Lines with * are about connections.
All offsets count bytes of MQTT: those of files from the first packet, the others from the one they are in.
Of WebSocket the handshake and its frames are judged and left out, also compressed ones.
What is said about several packets, such as an acknowledgement that nobody waits for, is certain: where a
capture has gaps or begins in the middle, less is said. Of a packet above 1 MiB the beginning is judged.
IP packets in fragments are read where all fragments came within 30 s and none overlaps; others are counted.

Exit codes:
  0    all packets are legal
  1    some are not
  2    a flag or its value is wrong
  3    the address of --listen cannot be used
  6    the file, the capture or the output failed
`
