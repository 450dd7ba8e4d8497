package format

import "bytes"

// appendPretty appends JSON as mosquitto_sub prints it with --pretty: objects
// with a line for each member, lists in one line.
func appendPretty(dst, src []byte) []byte {
	var inside []byte // { and [ around
	quoted := false
	for i := 0; i < len(src); i++ {
		c := src[i]
		if quoted {
			dst = append(dst, c)
			if c == '\\' {
				i++
				dst = append(dst, src[i])
			}
			quoted = c != '"'
			continue
		}
		switch c {
		case '{':
			inside = append(inside, c)
			dst = append(dst, '{', '\n')
			if src[i+1] != '}' {
				dst = indent(dst, len(inside))
			}
		case '}':
			if src[i-1] != '{' {
				dst = append(dst, '\n')
			}
			inside = inside[:len(inside)-1]
			dst = append(indent(dst, len(inside)), '}')
		case ',':
			if inside[len(inside)-1] == '{' {
				dst = indent(append(dst, ',', '\n'), len(inside))
			} else {
				dst = append(dst, ',', ' ')
			}
		case ':':
			dst = append(dst, ':', '\t')
		default:
			quoted = c == '"'
			switch c {
			case '[':
				inside = append(inside, c)
			case ']':
				inside = inside[:len(inside)-1]
			}
			dst = append(dst, c)
		}
	}
	return dst
}

func indent(dst []byte, depth int) []byte { return append(dst, bytes.Repeat([]byte{'\t'}, depth)...) }
