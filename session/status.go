package session

// Status is the state of a connection. (v3.1.1 and v5.0 3.1, 3.2, 4.12)
type Status uint8

const (
	// StatusIdle is a Client or Server that was not used yet.
	StatusIdle Status = iota
	// StatusOpened is a Server whose transport is up and which waits for
	// CONNECT.
	StatusOpened
	// StatusConnecting is a Client that waits for CONNACK, or a Server whose
	// application has to answer CONNECT.
	StatusConnecting
	// StatusAuthenticating is a v5.0 connection within the exchange of AUTH
	// that precedes CONNACK.
	StatusAuthenticating
	// StatusConnected is a connection after a successful CONNACK.
	StatusConnected
	// StatusClosing is a connection that has ended but whose last Write and
	// Close were not pulled yet.
	StatusClosing
	// StatusClosed is a connection whose Close was pulled.
	StatusClosed
)

var statusNames = [...]string{"idle", "opened", "connecting", "authenticating", "connected", "closing", "closed"}

// String returns the status in lower case.
func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return "unknown"
}

// live reports whether bytes of the peer mean anything.
func (s Status) live() bool { return s >= StatusOpened && s <= StatusConnected }
