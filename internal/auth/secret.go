package auth

import (
	"crypto/rand"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"strings"
)

const (
	base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

	randomLen   = 30 // base62 characters: 178 bits
	checksumLen = 6  // base62 characters: CRC-32 of everything before
)

// Bounds of a value that authd did not make itself, in bytes.
const (
	MinForeign = 16
	MaxSecret  = 512
)

// Secret is a raw API key. It prints as "[redacted]" through every formatting
// verb, encoder and logger; Reveal is the one way to its text.
//
// The text stands behind a pointer: fmt calls no method on an unexported
// field of a struct, and prints what it finds there, which is an address then.
// Secrets can't be compared with ==, which would compare those addresses.
type Secret struct {
	_    [0]func()
	text *string
}

const redacted = "[redacted]"

// RawSecret wraps a value as it was received, unchecked.
func RawSecret(raw string) Secret {
	if raw == "" {
		return Secret{}
	}
	return Secret{text: &raw}
}

// Reveal returns the raw text. Only the digest, the checksum and the one
// printing at creation may call it.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

func (s Secret) len() int { return len(s.Reveal()) }

// IsZero reports whether there is no value at all.
func (s Secret) IsZero() bool { return s.text == nil }

// Format writes "[redacted]" for every verb, %#v included.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// String returns "[redacted]".
func (s Secret) String() string { return redacted }

// MarshalText returns "[redacted]".
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns "[redacted]".
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// NewSecret makes a key in authd's own format: the prefix, "_", 30 random
// base62 characters and 6 of checksum.
func NewSecret(prefix string) Secret {
	var b strings.Builder
	b.Grow(len(prefix) + 1 + randomLen + checksumLen)
	b.WriteString(prefix)
	b.WriteByte('_')
	for n := 0; n < randomLen; {
		var buf [64]byte
		_, _ = rand.Read(buf[:]) // never fails: crypto/rand ends the process instead
		for _, c := range buf {
			// 248 is the largest multiple of 62 in a byte: taking more would favour the first characters.
			if c < 248 && n < randomLen {
				b.WriteByte(base62[c%62])
				n++
			}
		}
	}
	return RawSecret(b.String() + checksum(b.String()))
}

// checksum returns CRC-32 (IEEE) of s as 6 base62 digits, most significant first.
func checksum(s string) string {
	sum := crc32.ChecksumIEEE([]byte(s))
	var out [checksumLen]byte
	for i := checksumLen - 1; i >= 0; i-- {
		out[i] = base62[sum%62]
		sum /= 62
	}
	return string(out[:])
}

// ownFormat reports whether s has the shape that NewSecret gives under this prefix.
func (s Secret) ownFormat(prefix string) bool {
	rest, ok := strings.CutPrefix(s.Reveal(), prefix)
	if !ok || len(rest) != 1+randomLen+checksumLen || rest[0] != '_' {
		return false
	}
	for i := 1; i < len(rest); i++ {
		if !isBase62(rest[i]) {
			return false
		}
	}
	return true
}

// Pattern is a regular expression of what NewSecret makes under a prefix, for
// those who look for leaked keys. It knows no checksum.
func Pattern(prefix string) string {
	return fmt.Sprintf("%s_[0-9A-Za-z]{%d}", prefix, randomLen+checksumLen)
}

func isBase62(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

// checksumOK reports whether an own-format value ends in its right checksum.
// It allocates nothing: it is on the way of every request.
func (s Secret) checksumOK() bool {
	raw := s.Reveal()
	cut := len(raw) - checksumLen
	table, sum := crc32.IEEETable, ^uint32(0)
	for i := range cut {
		sum = table[byte(sum)^raw[i]] ^ sum>>8
	}
	sum = ^sum
	for i := checksumLen - 1; i >= 0; i-- {
		if raw[cut+i] != base62[sum%62] {
			return false
		}
		sum /= 62
	}
	return true
}

// Visible reports whether the value can be carried by a header without any
// doubt: visible ASCII, no comma (a proxy joins repeated headers with one).
func (s Secret) Visible() bool {
	raw := s.Reveal()
	for i := range len(raw) {
		if c := raw[i]; c <= ' ' || c > '~' || c == ',' {
			return false
		}
	}
	return raw != ""
}

// Errors of a value that somebody wants to use as a key.
var (
	ErrSecretShort    = fmt.Errorf("the value is shorter than %d characters: too easy to guess", MinForeign)
	ErrSecretLong     = fmt.Errorf("the value is longer than %d characters", MaxSecret)
	ErrSecretChars    = errors.New("the value has characters other than visible ASCII, or a comma: no header can carry it safely")
	ErrSecretChecksum = errors.New("the value has the form of a key made here, but its checksum is wrong: it was mistyped or cut")
)

// Acceptable says why a value brought from outside can't become a key, or nil.
func (s Secret) Acceptable(prefix string) error {
	switch {
	case s.len() < MinForeign:
		return ErrSecretShort
	case s.len() > MaxSecret:
		return ErrSecretLong
	case !s.Visible():
		return ErrSecretChars
	case s.ownFormat(prefix) && !s.checksumOK():
		return ErrSecretChecksum
	}
	return nil
}

// Hint is what people see of a key: enough to recognise it, not to guess it.
// Own keys show their prefix and 4 random characters, others their first 2;
// what is no acceptable key shows nothing.
func (s Secret) Hint(prefix string) string {
	switch {
	case s.Acceptable(prefix) != nil:
		return "…"
	case s.ownFormat(prefix):
		return s.Reveal()[:len(prefix)+1+4] + "…"
	}
	return s.Reveal()[:2] + "…"
}
