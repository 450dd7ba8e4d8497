package format

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// appendField appends one field of the message. The precision is the largest
// number of bytes to show, -1 for all.
func (m *Message) appendField(dst []byte, verb byte, precision int) []byte {
	p := &m.Properties
	switch verb {
	case 't':
		return append(dst, cut(m.Topic, precision)...)
	case 'p':
		return append(dst, cut(m.Payload, precision)...)
	case 'x':
		return hex.AppendEncode(dst, cut(m.Payload, precision))
	case 'X':
		return append(dst, strings.ToUpper(hex.EncodeToString(cut(m.Payload, precision)))...)
	case 'l':
		return strconv.AppendInt(dst, int64(len(m.Payload)), 10)
	case 'q':
		return append(dst, '0'+byte(m.QoS))
	case 'r':
		return append(dst, '0'+oneIf(m.Retain))
	case 'm':
		return strconv.AppendUint(dst, uint64(m.PacketID), 10)
	case 'I':
		return append(dst, cut([]byte(m.At.Format(isoLayout)), precision)...)
	case 'U':
		return fmt.Appendf(dst, "%d.%09d", m.At.Unix(), m.At.Nanosecond())
	case 'j':
		return m.appendJSON(dst, false)
	case 'J':
		return m.appendJSON(dst, true)
	case 'C':
		return append(dst, cut(p.ContentType.Value, precision)...)
	case 'D':
		return append(dst, cut(p.CorrelationData.Value, precision)...)
	case 'R':
		return append(dst, cut(p.ResponseTopic.Value, precision)...)
	default:
		return append(dst, m.number(verb)...)
	}
}

// number returns the fields that are numbers, empty where there is none, and
// the lists.
func (m *Message) number(verb byte) string {
	p := &m.Properties
	switch {
	case verb == 'A' && p.TopicAlias.Set:
		return strconv.Itoa(int(p.TopicAlias.Value))
	case verb == 'E' && p.MessageExpiryInterval.Set:
		return strconv.FormatUint(uint64(p.MessageExpiryInterval.Value), 10)
	case verb == 'F' && p.PayloadFormatIndicator.Set:
		return strconv.Itoa(int(p.PayloadFormatIndicator.Value))
	case verb == 'S':
		var ids []string
		for id := range p.SubscriptionIdentifiers.All() {
			ids = append(ids, strconv.FormatUint(uint64(id), 10))
		}
		return strings.Join(ids, " ")
	case verb == 'P':
		var pairs []string
		for k, v := range p.UserProperties.All() {
			pairs = append(pairs, string(k)+":"+string(v))
		}
		return strings.Join(pairs, " ")
	}
	return ""
}

func cut(b []byte, precision int) []byte {
	if precision >= 0 && precision < len(b) {
		return b[:precision]
	}
	return b
}

func oneIf(b bool) byte {
	if b {
		return 1
	}
	return 0
}

const isoLayout = "2006-01-02T15:04:05-0700"

// strftimeLayouts are the letters of strftime that Go's layouts have.
var strftimeLayouts = map[byte]string{
	'a': "Mon", 'A': "Monday", 'b': "Jan", 'h': "Jan", 'B': "January", 'c': "Mon Jan _2 15:04:05 2006",
	'd': "02", 'D': "01/02/06", 'e': "_2", 'F': "2006-01-02", 'H': "15", 'I': "03", 'm': "01", 'M': "04",
	'p': "PM", 'r': "03:04:05 PM", 'R': "15:04", 'S': "05", 'T': "15:04:05", 'x': "01/02/06", 'X': "15:04:05",
	'y': "06", 'Y': "2006", 'z': "-0700", 'Z': "MST",
}

// strftimeComputed are those that it does not have.
const strftimeComputed = "jsNnt"

func appendTime(dst []byte, verb byte, at time.Time) []byte {
	switch verb {
	case 'j':
		return fmt.Appendf(dst, "%03d", at.YearDay())
	case 's':
		return strconv.AppendInt(dst, at.Unix(), 10)
	case 'N':
		return fmt.Appendf(dst, "%09d", at.Nanosecond())
	case 'n':
		return append(dst, '\n')
	case 't':
		return append(dst, '\t')
	}
	return at.AppendFormat(dst, strftimeLayouts[verb])
}
