package soak

import (
	"fmt"
	"strings"
	"testing"

	"authd/internal/auth"
)

func TestLogbook(t *testing.T) {
	secret := auth.NewSecret("ak")
	raw := secret.Reveal()
	for what, c := range map[string]struct{ text, wrong, kept string }{
		"a line":              {"all is well\n", "", "all is well"},
		"half a line":         {"panic: ", "", ""},
		"a panic":             {"x\npanic: oh\n", "crashed", "panic: oh"},
		"a panicking request": {`level=ERROR msg="a request panicked: please report this"` + "\n", "crashed", "panicked"},
		"a race":              {"WARNING: DATA RACE\n", "crashed", "RACE"},
		"a raw key":           {"key=" + raw + " denied\n", "raw key", ""},
		"a part of one":       {"key=" + raw[6:30] + "\n", "raw key", ""},
		"a hint":              {"key=" + raw[:7] + "…\n", "", raw[:7]},
	} {
		known := newLeaks()
		known.add(secret)
		said := ""
		b := logbook{leaks: known, greet: func(string, string) {}, wrong: func(format string, args ...any) { said += fmt.Sprintf(format, args...) }}
		for _, c := range []byte(c.text) { // in pieces, as pipes do
			if _, err := b.Write([]byte{c}); err != nil {
				t.Fatal(err)
			}
		}
		if c.wrong == "" && said != "" || !strings.Contains(said, c.wrong) {
			t.Errorf("%s: %q; %q is to be told", what, said, c.wrong)
		}
		if !strings.Contains(b.tail(), c.kept) || known.in(said+b.tail()) {
			t.Errorf("%s: kept is %q", what, b.tail())
		}
	}
}

func TestLogbookHearsTheGreeting(t *testing.T) {
	var verify, metrics string
	b := logbook{leaks: newLeaks(), greet: func(v, m string) { verify, metrics = v, m }}
	if _, err := b.Write([]byte("authd devel answers on http://127.0.0.1:71/verify (listen.verify 127.0.0.1:0); metrics: http://127.0.0.1:72/metrics\n")); err != nil {
		t.Fatal(err)
	}
	if verify != "http://127.0.0.1:71" || metrics != "http://127.0.0.1:72" {
		t.Error(verify, metrics)
	}
}
