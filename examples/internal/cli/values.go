package cli

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/mqttcore/mqttcore/codec"
)

// Version is the value of -V.
type Version codec.Version

// Codec returns the version for the codec.
func (v Version) Codec() codec.Version { return codec.Version(v) }

func (v *Version) String() string {
	if v.Codec() == codec.V311 {
		return "mqttv311"
	}
	return "mqttv5"
}

// Type names the value in messages of pflag.
func (v *Version) Type() string { return "version" }

// Set reads 311, 5 and what mosquitto calls them.
func (v *Version) Set(s string) error {
	switch s {
	case "5", "5.0", "v5", "mqttv5":
		*v = Version(codec.V5)
	case "311", "3.1.1", "4", "v311", "mqttv311":
		*v = Version(codec.V311)
	case "31", "mqttv31":
		return errors.New("MQTT 3.1 is not spoken here: use 311 or 5")
	default:
		return errors.New("use 311 or 5")
	}
	return nil
}

// QoS is the value of -q.
type QoS codec.QoS

// Codec returns the QoS for the codec.
func (q QoS) Codec() codec.QoS { return codec.QoS(q) }

func (q *QoS) String() string { return strconv.Itoa(int(*q)) }

// Type names the value in messages of pflag.
func (q *QoS) Type() string { return "QoS" }

// Set reads 0, 1 or 2.
func (q *QoS) Set(s string) error {
	if len(s) != 1 || s[0] < '0' || s[0] > '2' {
		return errors.New("use 0, 1 or 2")
	}
	*q = QoS(s[0] - '0')
	return nil
}

// Expiry is the value of -x.
type Expiry struct {
	seconds uint32
	set     bool
}

func (e *Expiry) String() string {
	if !e.set {
		return ""
	}
	return strconv.FormatUint(uint64(e.seconds), 10)
}

// Type names the value in messages of pflag.
func (e *Expiry) Type() string { return "seconds" }

// Set reads seconds, or one of the ways to say that a session never ends.
func (e *Expiry) Set(s string) error {
	if s == "-1" || s == "∞" {
		*e = Expiry{math.MaxUint32, true}
		return nil
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return fmt.Errorf("use 0 to %d seconds, or -1 for no end", uint32(math.MaxUint32))
	}
	*e = Expiry{uint32(n), true}
	return nil
}
