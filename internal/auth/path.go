package auth

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// CanonicalPath decodes the path of a request target as the client sent it
// (no query), and reports whether every upstream would read it alike. Where
// one might not (dot segments, "//", a backslash, ";", "#", "?", an encoded
// slash, double encoding, control characters, invalid UTF-8), it does not guess.
func CanonicalPath(raw string) (path string, ok bool) {
	if raw == "" || raw[0] != '/' || len(raw) > MaxPath {
		return "", false
	}
	path = raw
	if strings.IndexByte(raw, '%') >= 0 {
		if path, ok = decodePath(raw); !ok {
			return "", false
		}
	}
	for i := range len(path) {
		switch c := path[i]; {
		case c < ' ' || c == 0x7f || c == '\\' || c == ';' || c == '#' || c == '?':
			return "", false
		case c == '/' && ambiguousSegment(path[i+1:]):
			return "", false
		}
	}
	return path, utf8.ValidString(path)
}

// MaxPath bounds the path that a rule looks at, in bytes.
const MaxPath = 8 << 10

// ambiguousSegment reports whether the segment that rest begins with is ".",
// "..", or empty without being the last.
func ambiguousSegment(rest string) bool {
	switch {
	case rest == "":
		return false
	case rest[0] == '/':
		return true
	case rest[0] != '.':
		return false
	}
	rest = strings.TrimPrefix(rest[1:], ".")
	return rest == "" || rest[0] == '/'
}

// decodePath undoes percent-encoding once. It refuses what hides a delimiter
// or another encoding.
func decodePath(raw string) (string, bool) {
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c == '%' {
			if i+2 >= len(raw) {
				return "", false
			}
			hi, lo := unhex(raw[i+1]), unhex(raw[i+2])
			if hi < 0 || lo < 0 {
				return "", false
			}
			c = byte(hi<<4 | lo)
			if c == '/' || c == '%' || c == '.' {
				return "", false
			}
			i += 2
		}
		out = append(out, c)
	}
	return string(out), true
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// PathUnder reports whether a canonical path lies under a prefix: "/a/" is
// all below /a, "/a" is /a itself and all below it, never "/ab".
func PathUnder(path, prefix string) bool {
	rest, ok := strings.CutPrefix(path, prefix)
	return ok && (rest == "" || rest[0] == '/' || strings.HasSuffix(prefix, "/"))
}

// CheckPathPrefix says why s can't be the prefix of a rule or a restriction.
func CheckPathPrefix(s string) error {
	if _, ok := CanonicalPath(s); !ok || strings.IndexByte(s, '%') >= 0 {
		return errors.New("a path prefix begins with '/' and is written decoded: no '%', '?', ';', '#', '\\', '//' or dot segments")
	}
	return nil
}
