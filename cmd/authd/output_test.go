package main

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"
	"unicode"
)

// What somebody wrote into a note reaches no terminal raw, and no pipe changed.
func TestOutputIsPlain(t *testing.T) {
	const nasty = "a\x1b[31mb\u009b2J\u202ec\u2028d\te\x7f\U000e0001 é ✓"
	var out, errOut bytes.Buffer
	a := &app{out: &out, err: &errOut}
	if err := a.printJSON(map[string]string{"note": nasty}); err != nil {
		t.Fatal(err)
	}
	var back map[string]string
	if err := json.Unmarshal(out.Bytes(), &back); err != nil || back["note"] != nasty {
		t.Errorf("JSON reads back %q, %v", back["note"], err)
	}
	if err := a.printTable([]string{"NOTE"}, [][]string{{nasty}}); err != nil {
		t.Fatal(err)
	}
	a.say("%s", nasty)
	for _, r := range out.String() + errOut.String() {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Errorf("%U is printed", r)
		}
	}
}

func TestTheSecretThatCanNotBePrintedIsTold(t *testing.T) {
	a := &app{out: failing{}, err: &bytes.Buffer{}}
	if err := a.print("x"); err == nil {
		t.Error("a write that failed is not told")
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, bytes.ErrTooLarge }

func TestNearest(t *testing.T) {
	names := []string{"Partner sync", "Clé été", "B"}
	for meant, want := range map[string]string{
		"Partner synk": "Partner sync", "partner_snc": "Partner sync", "cle ete": "Clé été", "C": "B", "": "", "nothing alike": "",
	} {
		if got := nearest(meant, names); got != want {
			t.Errorf("%q: %q, want %q", meant, got, want)
		}
	}
}

func TestReadyURL(t *testing.T) {
	for listen, want := range map[string]string{
		":8080":              "http://127.0.0.1:8080/readyz",
		"0.0.0.0:80":         "http://127.0.0.1:80/readyz",
		"[::]:8080":          "http://[::1]:8080/readyz",
		"192.0.2.1:8080":     "http://192.0.2.1:8080/readyz",
		"[2001:db8::1]:8080": "http://[2001:db8::1]:8080/readyz",
		"8080":               "",
	} {
		got, err := readyURL(listen)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", listen, got, err)
		}
	}
}

// An import tells how far it is, on a terminal alone, and at the end in any case.
func TestProgress(t *testing.T) {
	var out bytes.Buffer
	p := progress{a: &app{err: &out}, shown: true}
	p.show(200, 1000)
	p.last = time.Now().Add(time.Hour)
	p.show(400, 1000) // too soon after the last one
	p.show(1000, 1000)
	p.end()
	if got := out.String(); got != "\r200 of 1000 keys (20%)\r1000 of 1000 keys (100%)\n" {
		t.Errorf("%q", got)
	}
	out.Reset()
	p = progress{a: &app{err: &out}}
	p.show(1000, 1000)
	p.end()
	if out.Len() > 0 {
		t.Errorf("in a pipe: %q", &out)
	}
}
