package auth

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Slug is the tech name of a record, as Odoo's server_environment makes it:
// accents dropped, lower case, every run of other characters one underscore
// ("Clé été" is "cle_ete"). A name without a single ASCII letter or digit gets
// a slug from its digest. Slug(Slug(x)) == Slug(x).
func Slug(name string) string {
	var b strings.Builder
	gap := false
	for _, r := range norm.NFKD.String(name) {
		if r >= utf8.RuneSelf {
			continue
		}
		c := byte(r)
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9') {
			gap = b.Len() > 0
			continue
		}
		if gap {
			b.WriteByte('_')
			gap = false
		}
		b.WriteByte(c)
	}
	if b.Len() > 0 {
		return b.String()
	}
	sum := sha256.Sum256([]byte(name))
	return "k_" + hex.EncodeToString(sum[:4])
}
