package auth_test

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"authd/internal/auth"
)

func TestImportable(t *testing.T) {
	own := auth.NewSecret("ak").Reveal()
	for name, c := range map[string]struct {
		raw  string
		want error
	}{
		"8 characters":     {"x7Kq-2pZ", nil},
		"7 characters":     {"x7Kq-2p", auth.ErrSecretFloor},
		"none":             {"", auth.ErrSecretFloor},
		"16 characters":    {strings.Repeat("x", 16), nil},
		"short, a blank":   {"x7Kq 2pZ", auth.ErrSecretChars},
		"short, non-ASCII": {"clé-été-1", auth.ErrSecretChars},
		"long, non-ASCII":  {strings.Repeat("é", 16), auth.ErrSecretChars},
		"too long":         {strings.Repeat("x", 513), auth.ErrSecretLong},
		"own":              {own, nil},
		"own, mistyped":    {own[:10] + string(other(own[10])) + own[11:], auth.ErrSecretChecksum},
	} {
		s := auth.RawSecret(c.raw)
		if err := s.Importable("ak"); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		// What an import takes, a request can carry.
		d := auth.NewDigester("ak")
		got := auth.NewChecker(d, mapFinder{}, nil, auth.Options{}).Check(t.Context(), &auth.Request{Credential: auth.Credential{Secret: s}, At: noon}).Reason
		if (got == auth.UnknownKey) != (c.want == nil) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestWeakness(t *testing.T) {
	for _, raw := range []string{
		"x7Kq-2pZ", "secretsecretsecret", "password-password", "P@ssw0rd-odoo-2024", "odoo_api_key_production", "admin1234567890!!",
		"aaaaaaaaaaaaaaaaaaaa", "abababababababababab", "abcdefghijklmnopqrstuvwxyz", "0123456789012345", "2024010120240101", "qwertyqwertyqwerty",
		"TestKey-ForPartner-2024", "my-secret-api-key-1",
	} {
		why := auth.RawSecret(raw).Weakness()
		if why == "" {
			t.Errorf("%q is taken for a good one", raw)
		}
		if strings.Contains(why, raw) {
			t.Errorf("%q repeats the value", why)
		}
	}
	for range 2000 {
		b := make([]byte, 16)
		_, _ = rand.Read(b)
		for _, raw := range []string{auth.NewSecret("ak").Reveal(), hex.EncodeToString(b), uuidOf(b), "key-" + hex.EncodeToString(b[:12])} {
			if why := auth.RawSecret(raw).Weakness(); why != "" {
				t.Errorf("%q, which is random, is said to be %s", raw, why)
			}
		}
	}
}

func uuidOf(b []byte) string {
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
