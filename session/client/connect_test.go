package client_test

import "testing"

// TestReconnect loses connections and comes back.
func TestReconnect(t *testing.T) {
	scenario(t, `
	timers
	config {"Backoff":{"Minimum":1000000000,"Maximum":5000000000,"Factor":2,"Stable":60000000000}}
	client {"ClientID":"c","CleanStart":true,"Properties":{"SessionExpiryInterval":100}}
	start
	| Open attempt=1
	openfail no route
	| Waiting attempt=2 error=no route wait=1s
	| Timer +1s
	after 999ms
	| Timer +1s
	after 1ms
	| Open attempt=2 error=no route
	openfail no route
	| Waiting attempt=3 error=no route wait=2s
	| Timer +3s
	after 2s
	| Open attempt=3 error=no route
	openfail no route
	| Waiting attempt=4 error=no route wait=4s
	| Timer +7s
	after 4s
	| Open attempt=4 error=no route
	openfail no route
	| Waiting attempt=5 error=no route wait=5s
	| Timer +12s
	after 5s
	| Open attempt=5 error=no route
	open
	| > CONNECT CleanStart=true SessionExpiryInterval=100 ClientID=c
	| Timer +22s
	| < CONNACK
	| Connected session=false packet=CONNACK
	status
	| connected inflight=0 queued=0
	cut reset by peer
	| Close reason=0x80 error=transport closed
	| Waiting attempt=6 reason=0x80 error=transport closed wait=5s
	| Timer +17s
	after 5s
	| Open attempt=6 reason=0x80 error=transport closed
	open
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +27s
	| < CONNACK SessionPresent=true
	| Connected session=true packet=CONNACK SessionPresent=true
	after 1m
	cut
	| Close reason=0x80 error=transport closed
	| Waiting attempt=1 reason=0x80 error=transport closed wait=1s
	| Timer +1m18s
	status
	| waiting inflight=0 queued=0
	retrynow
	| Open attempt=1 reason=0x80 error=transport closed
	open
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK SessionPresent=true
	| Connected session=true packet=CONNACK SessionPresent=true
	stop
	| > DISCONNECT
	| Close
	| Stopped
	status
	| stopped inflight=0 queued=0
	start
	| Open attempt=1
	`)
}

// TestJitter takes a random share off the wait.
func TestJitter(t *testing.T) {
	scenario(t, `
	config {"Backoff":{"Minimum":8000000000,"Maximum":10000000000,"Factor":2,"Jitter":0.5}}
	random 0.5
	client {"ClientID":"c"}
	start
	| Open attempt=1
	openfail x
	| Waiting attempt=2 error=x wait=6s
	after 6s
	| Open attempt=2 error=x
	openfail x
	| Waiting attempt=3 error=x wait=7.5s
	retrynow
	| Open attempt=3 error=x
	openfail x
	| Waiting attempt=4 error=x wait=7.5s
	`)
	scenario(t, `
	config {"Backoff":{"Jitter":0.5,"Attempts":3}}
	random 7
	client {"ClientID":"c"}
	start
	| Open attempt=1
	openfail x
	| Waiting attempt=2 error=x wait=1s
	after 1s
	| Open attempt=2 error=x
	openfail x
	| Waiting attempt=3 error=x wait=2s
	after 2s
	| Open attempt=3 error=x
	openfail x
	| Stopped error=x
	after 1h
	openfail x
	open
	| error mqtt: Opened: not possible in this state: the client is stopped
	stop
	| error mqtt: Stop: not possible in this state: the client is stopped
	`)
}

// TestRefused tells refusals that are final from those that are not.
func TestRefused(t *testing.T) {
	scenario(t, `
	client {"ClientID":"c"}
	start
	| Open attempt=1
	connack {"ReasonCode":136}
	open
	| > CONNECT ClientID=c
	| < CONNACK ReasonCode="0x88 Server unavailable"
	| server: Close reason=0x88 error=mqtt: Refuse: connection refused: Server unavailable
	| Refused reason=0x88 packet=CONNACK ReasonCode="0x88 Server unavailable"
	| Close reason=0x88 error=mqtt: Connect: connection refused: Server unavailable
	| Waiting attempt=2 reason=0x88 error=mqtt: Connect: connection refused: Server unavailable wait=1s
	after 1s
	| Open attempt=2 reason=0x88 error=mqtt: Connect: connection refused: Server unavailable
	connack {"ReasonCode":134,"Properties":{"ReasonString":"who?"}}
	open
	| > CONNECT ClientID=c
	| < CONNACK ReasonCode="0x86 Bad User Name or Password" ReasonString=who?
	| server: Close reason=0x86 error=mqtt: Refuse: connection refused: Bad User Name or Password
	| Refused reason=0x86 packet=CONNACK ReasonCode="0x86 Bad User Name or Password" ReasonString=who?
	| Close reason=0x86 error=mqtt: Connect: connection refused: Bad User Name or Password
	| Stopped reason=0x86 error=mqtt: Connect: connection refused: Bad User Name or Password
	status
	| stopped inflight=0 queued=0
	start
	| Open attempt=1
	silent
	open
	| > CONNECT ClientID=c
	after 10s
	| Close reason=0x80 error=mqtt: Tick: peer did not answer in time: CONNACK did not come
	| Waiting attempt=2 reason=0x80 error=mqtt: Tick: peer did not answer in time: CONNACK did not come wait=1s
	after 1s
	| Open attempt=2 reason=0x80 error=mqtt: Tick: peer did not answer in time: CONNACK did not come
	silent off
	connack {"ReasonCode":156,"Properties":{"ServerReference":"b:1883"}}
	open
	| > CONNECT ClientID=c
	| < CONNACK ReasonCode="0x9C Use another server" ServerReference=b:1883
	| server: Close reason=0x9C error=mqtt: Refuse: connection refused: Use another server
	| Refused reason=0x9C packet=CONNACK ReasonCode="0x9C Use another server" ServerReference=b:1883
	| Close reason=0x9C error=mqtt: Connect: connection refused: Use another server
	| Waiting attempt=3 reason=0x9C error=mqtt: Connect: connection refused: Use another server wait=0s
	| Open attempt=3 server=b:1883 reason=0x9C error=mqtt: Connect: connection refused: Use another server
	openfail no such host
	| Waiting attempt=4 error=no such host wait=4s
	after 2s
	connack {"ReasonCode":157,"Properties":{"ServerReference":"c:1883"}}
	open
	| error mqtt: Opened: not possible in this state: the client is waiting
	after 4s
	| Open attempt=4 error=no such host
	connack {"ReasonCode":156,"Properties":{"ServerReference":"b:1883 d"}}
	open
	| > CONNECT ClientID=c
	| < CONNACK ReasonCode="0x9C Use another server" ServerReference="b:1883 d"
	| server: Close reason=0x9C error=mqtt: Refuse: connection refused: Use another server
	| Refused reason=0x9C packet=CONNACK ReasonCode="0x9C Use another server" ServerReference="b:1883 d"
	| Close reason=0x9C error=mqtt: Connect: connection refused: Use another server
	| Waiting attempt=5 reason=0x9C error=mqtt: Connect: connection refused: Use another server wait=8s
	after 10s
	| Open attempt=5 server=b:1883 d reason=0x9C error=mqtt: Connect: connection refused: Use another server
	open
	| > CONNECT ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	cut
	| Close reason=0x80 error=transport closed
	| Waiting attempt=6 reason=0x80 error=transport closed wait=16s
	after 16s
	| Open attempt=6 reason=0x80 error=transport closed
	open
	| > CONNECT ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	kick {"ReasonCode":157}
	| < DISCONNECT ReasonCode="0x9D Server moved"
	| Disconnected reason=0x9D packet=DISCONNECT ReasonCode="0x9D Server moved"
	| Close reason=0x9D error=mqtt: Receive: disconnected by the peer: Server moved
	| Stopped reason=0x9D error=mqtt: Receive: disconnected by the peer: Server moved
	`)
	scenario(t, `
	v311
	client {"ClientID":"c"}
	start
	| Open attempt=1
	connack {"ReasonCode":136}
	open
	| > CONNECT ClientID=c
	| < CONNACK ReasonCode="0x88 Server unavailable"
	| server: Close reason=0x88 error=mqtt: Refuse: connection refused: Server unavailable
	| Refused reason=0x88 packet=CONNACK ReasonCode="0x88 Server unavailable"
	| Close reason=0x88 error=mqtt: Connect: connection refused: Server unavailable
	| Waiting attempt=2 reason=0x88 error=mqtt: Connect: connection refused: Server unavailable wait=1s
	after 1s
	| Open attempt=2 reason=0x88 error=mqtt: Connect: connection refused: Server unavailable
	connack {"ReasonCode":133}
	open
	| > CONNECT ClientID=c
	| < CONNACK ReasonCode="0x85 Client Identifier not valid"
	| server: Close reason=0x85 error=mqtt: Refuse: connection refused: Client Identifier not valid
	| Refused reason=0x85 packet=CONNACK ReasonCode="0x85 Client Identifier not valid"
	| Close reason=0x85 error=mqtt: Connect: connection refused: Client Identifier not valid
	| Stopped reason=0x85 error=mqtt: Connect: connection refused: Client Identifier not valid
	`)
}

// TestMoved follows a server that has moved for good, and one that sends the
// client elsewhere once.
func TestMoved(t *testing.T) {
	scenario(t, `
	client {"ClientID":"c"}
	start
	| Open attempt=1
	connack {"ReasonCode":157,"Properties":{"ServerReference":"b"}}
	open
	| > CONNECT ClientID=c
	| < CONNACK ReasonCode="0x9D Server moved" ServerReference=b
	| server: Close reason=0x9D error=mqtt: Refuse: connection refused: Server moved
	| Refused reason=0x9D packet=CONNACK ReasonCode="0x9D Server moved" ServerReference=b
	| Close reason=0x9D error=mqtt: Connect: connection refused: Server moved
	| Waiting attempt=2 reason=0x9D error=mqtt: Connect: connection refused: Server moved wait=0s
	| Open attempt=2 server=b reason=0x9D error=mqtt: Connect: connection refused: Server moved
	openfail
	| Waiting attempt=3 error=transport closed wait=2s
	after 2s
	| Open attempt=3 server=b error=transport closed
	connack
	open
	| > CONNECT ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	kick {"ReasonCode":156,"Properties":{"ServerReference":"d"}}
	| < DISCONNECT ReasonCode="0x9C Use another server" ServerReference=d
	| Disconnected reason=0x9C packet=DISCONNECT ReasonCode="0x9C Use another server" ServerReference=d
	| Close reason=0x9C error=mqtt: Receive: disconnected by the peer: Use another server
	| Waiting attempt=4 reason=0x9C error=mqtt: Receive: disconnected by the peer: Use another server wait=4s
	after 1m
	| Open attempt=4 server=d reason=0x9C error=mqtt: Receive: disconnected by the peer: Use another server
	open
	| > CONNECT ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	cut
	| Close reason=0x80 error=transport closed
	| Waiting attempt=5 reason=0x80 error=transport closed wait=8s
	after 1m
	| Open attempt=5 server=b reason=0x80 error=transport closed
	connack {"ReasonCode":157}
	open
	| > CONNECT ClientID=c
	| < CONNACK ReasonCode="0x9D Server moved"
	| server: Close reason=0x9D error=mqtt: Refuse: connection refused: Server moved
	| Refused reason=0x9D packet=CONNACK ReasonCode="0x9D Server moved"
	| Close reason=0x9D error=mqtt: Connect: connection refused: Server moved
	| Stopped reason=0x9D error=mqtt: Connect: connection refused: Server moved
	`)
}

// TestDisconnected tells what the server's DISCONNECT leads to.
func TestDisconnected(t *testing.T) {
	scenario(t, `
	client {"ClientID":"c"}
	up
	| Open attempt=1
	| > CONNECT ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	kick {"ReasonCode":139}
	| < DISCONNECT ReasonCode="0x8B Server shutting down"
	| Disconnected reason=0x8B packet=DISCONNECT ReasonCode="0x8B Server shutting down"
	| Close reason=0x8B error=mqtt: Receive: disconnected by the peer: Server shutting down
	| Waiting attempt=2 reason=0x8B error=mqtt: Receive: disconnected by the peer: Server shutting down wait=1s
	after 1s
	| Open attempt=2 reason=0x8B error=mqtt: Receive: disconnected by the peer: Server shutting down
	open
	| > CONNECT ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	kick
	| < DISCONNECT
	| Disconnected packet=DISCONNECT
	| Close
	| Waiting attempt=3 wait=2s
	after 2s
	| Open attempt=3
	open
	| > CONNECT ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	kick {"ReasonCode":142}
	| < DISCONNECT ReasonCode="0x8E Session taken over"
	| Disconnected reason=0x8E packet=DISCONNECT ReasonCode="0x8E Session taken over"
	| Close reason=0x8E error=mqtt: Receive: disconnected by the peer: Session taken over
	| Stopped reason=0x8E error=mqtt: Receive: disconnected by the peer: Session taken over
	retry yes
	client {"ClientID":"c"}
	up
	| Open attempt=1
	| > CONNECT ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	kick {"ReasonCode":142}
	| < DISCONNECT ReasonCode="0x8E Session taken over"
	| Disconnected reason=0x8E packet=DISCONNECT ReasonCode="0x8E Session taken over"
	| retry? refused=false disconnected=true reason=0x8E attempt=1 lived=0s server=""
	| Close reason=0x8E error=mqtt: Receive: disconnected by the peer: Session taken over
	| Waiting attempt=2 reason=0x8E error=mqtt: Receive: disconnected by the peer: Session taken over wait=1s
	`)
}
