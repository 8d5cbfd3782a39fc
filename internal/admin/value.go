package admin

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"authd/internal/auth"
)

// Value is what an import keeps of a key's value, which it has seen once:
// digests. The zero Value is none.
type Value struct {
	info auth.SecretInfo
	all  []auth.Digest // by which the same value is known, whichever pepper it is stored under
	weak string        // why it may be guessed; "" where that is not known
}

// IsZero reports whether there is no value.
func (v Value) IsZero() bool { return len(v.all) == 0 }

// Weak says why the value may be guessed, or "".
func (v Value) Weak() string { return v.weak }

// Digest takes the raw value of a key that is to be imported. It is not kept.
func (s *Service) Digest(secret auth.Secret) (Value, error) {
	if err := secret.Importable(s.Digester.Prefix()); err != nil {
		return Value{}, err
	}
	pepper := s.Digester.Current()
	v := Value{
		info: auth.SecretInfo{
			Digest: pepper.Digest(secret), Hint: secret.Hint(s.Digester.Prefix()), PepperID: pepper.ID(), CreatedAt: s.now(),
		},
		weak: secret.Weakness(),
	}
	for _, p := range s.Digester.Tried() {
		v.all = append(v.all, p.Digest(secret))
	}
	return v, nil
}

var errNoDigest = errors.New("sha256:DIGEST or hmac-sha256:PEPPER-ID:DIGEST is wanted, the digest in hex or base64")

// Digested takes a value of which only the digest is known: sha256:… as it
// stands, or hmac-sha256:<pepper id>:… under a pepper that is tried.
func (s *Service) Digested(text string) (Value, error) {
	id := auth.NoPepper
	rest, plain := strings.CutPrefix(text, "sha256:")
	if !plain {
		var ok bool
		if rest, ok = strings.CutPrefix(text, "hmac-sha256:"); !ok {
			return Value{}, errNoDigest
		}
		if id, rest, ok = strings.Cut(rest, ":"); !ok || !isPepperID(id) {
			return Value{}, errNoDigest
		}
	}
	d, ok := parseDigest(rest)
	if !ok {
		return Value{}, errNoDigest
	}
	if !s.Digester.Tries(id) {
		return Value{}, fmt.Errorf("digests under pepper %s are not looked for here: put that pepper into credentials.pepper_file", id)
	}
	return Value{
		info: auth.SecretInfo{Digest: d, Hint: noHint, PepperID: id, CreatedAt: s.now()},
		all:  []auth.Digest{d},
	}, nil
}

// noHint stands for a value of which nothing is known.
const noHint = "…"

func isPepperID(id string) bool {
	b, err := hex.DecodeString(id)
	return err == nil && len(b) == 4
}

func parseDigest(text string) (auth.Digest, bool) {
	if d, err := auth.ParseDigest(text); err == nil {
		return d, true
	}
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if b, err := enc.DecodeString(text); err == nil && len(b) == len(auth.Digest{}) {
			return auth.Digest(b), true
		}
	}
	return auth.Digest{}, false
}
