package auth

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// MinImported is the least length, in bytes, of a value that an import may
// bring along. It is shorter than what can be made a key here: who moves in has
// keys that work elsewhere today, and is told which of them are weak. Below it,
// even random letters are found by asking: 7 of them within three months at
// 1000 requests a second, 8 within seven years.
const MinImported = 8

// ErrSecretFloor says that a value is too short even for an import.
var ErrSecretFloor = fmt.Errorf("the value is shorter than %d characters: it can be found by trying", MinImported)

// Importable says why a value that is in use elsewhere can't become a key, or
// nil. It is Acceptable but for the least length.
func (s Secret) Importable(prefix string) error {
	if s.len() < MinImported {
		return ErrSecretFloor
	}
	if err := s.Acceptable(prefix); !errors.Is(err, ErrSecretShort) {
		return err
	}
	if !s.Visible() {
		return ErrSecretChars
	}
	return nil
}

// words are what people make keys of, those that are part of another last. None
// is of hexadecimal digits alone: such come about by chance.
var words = []string{
	"administrator", "development", "production", "password", "passwort", "contrasena", "motdepasse", "changeme", "integration",
	"connector", "customer", "external", "internal", "webhook", "welcome", "default", "example", "partner", "staging", "company", "service",
	"letmein", "dragon", "monkey", "master", "secret", "server", "access", "apikey", "azerty", "qwertz", "qwerty", "client", "odoo", "admin",
	"login", "token", "super", "local", "test", "demo", "prod", "user", "auth", "pass", "sync", "shop", "key", "api", "web", "erp", "dev", "app",
}

// leet undoes what people take for disguise.
var leet = strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "!", "i")

const (
	// weakBits is what a value must hold to be no guess, as far as that can be told of it: 10 random letters.
	weakBits = 47
	// minPlain is how many letters must be left of a value without its words; two digits are as good as one letter.
	minPlain = 10
)

// Weakness says why a value may be guessed, as far as that can be told of it,
// or "". It repeats nothing of the value.
func (s Secret) Weakness() string {
	raw := s.Reveal()
	switch {
	case len(raw) < MinForeign:
		return "short"
	case madeOfWords(raw):
		return "made of words or of dates"
	case bits(raw) < weakBits:
		return "of too few different characters, or repeated"
	}
	return ""
}

// madeOfWords reports whether little is left of a value without words and what parts them.
func madeOfWords(raw string) bool {
	lower := strings.ToLower(raw)
	for _, text := range []string{lower, leet.Replace(lower)} {
		found := false
		for _, w := range words {
			if strings.Contains(text, w) {
				text, found = strings.ReplaceAll(text, w, " "), true
			}
		}
		left := strings.Map(func(r rune) rune {
			if 'a' <= r && r <= 'z' {
				return r
			}
			return -1
		}, text)
		if found && len(left)+digits(text)/2 < minPlain {
			return true
		}
	}
	return dated(lower)
}

// digits counts those in a text.
func digits(text string) (n int) {
	for _, r := range text {
		if '0' <= r && r <= '9' {
			n++
		}
	}
	return n
}

// dated reports whether a value is nothing but digits, and so few of them that
// they may be a date or a number of somebody's.
func dated(text string) bool {
	return digits(text) == len(text) && len(text) < MinForeign+1
}

// bits bounds from above what a value holds: of each character, as much as the
// choice among the different ones gives; nothing of one that goes on with the
// one before it, as in "aaa", "abc" or "321"; and nothing of what repeats the value's beginning.
func bits(raw string) float64 {
	b := []byte(raw)
	for n := 1; n <= len(b)/2; n++ {
		if raw[n:] == raw[:len(raw)-n] {
			b = b[:n]
			break
		}
	}
	different := slices.Compact(slices.Sorted(slices.Values(b)))
	fresh := 0
	for i := range b {
		if i == 0 || b[i]-b[i-1]+1 > 2 { // neither one less, nor the same, nor one more
			fresh++
		}
	}
	return float64(fresh) * math.Log2(float64(max(len(different), 1)))
}
