package admin

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"authd/internal/auth"
)

// bringing is one of the user u.
func bringing(t *testing.T, s *Service, place, name, value string) Entry {
	t.Helper()
	e := Entry{Place: place, Name: name, Apply: func(r *auth.Record) { r.User, r.Active = "u", true }}
	if value != "" {
		var err error
		if e.Value, err = s.Digest(auth.RawSecret(value)); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

// brings imports entries, and wants the lines, each as "outcome name: why; notes".
func brings(t *testing.T, s *Service, entries []Entry, want ...string) Imported {
	t.Helper()
	dry, err := s.Import(t.Context(), "there", entries, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	done, err := s.Import(t.Context(), "there", entries, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	for what, got := range map[string]Imported{"a dry run": dry, "the import": done} {
		var lines []string
		for _, l := range got.Lines {
			text := string(l.Outcome) + " " + l.Name
			if l.Why != "" {
				text += ": " + l.Why
			}
			lines = append(lines, strings.Join(append([]string{text}, l.Notes...), "; "))
		}
		if !slices.Equal(lines, want) {
			t.Errorf("%s:\n%s\nwant\n%s", what, strings.Join(lines, "\n"), strings.Join(want, "\n"))
		}
	}
	return done
}

const (
	valueA = "value-Zq8vR2kLm5xW-a"
	valueB = "value-Hd7nB4sYp9tC-b"
	valueC = "value-Jk3fG6wQz1eV-c"
)

func last(t *testing.T, s *Service) int64 {
	t.Helper()
	n, err := s.Store.LastChange(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestImportConflicts(t *testing.T) {
	s := service(t)
	if _, err := s.Create(t.Context(), auth.Record{Name: "Mine", User: "me"}, auth.RawSecret(valueC)); err != nil {
		t.Fatal(err)
	}
	entries := []Entry{
		bringing(t, s, "record 1", "First", valueA),
		bringing(t, s, "record 2", "The same value", valueA),
		bringing(t, s, "record 3", "first", valueB),
		bringing(t, s, "record 4", "First", valueB),
		bringing(t, s, "record 5", "Mine", valueB),
		bringing(t, s, "record 6", "mine!", valueB),
		bringing(t, s, "record 7", "Value of mine", valueC),
		{Place: "record 8", Name: "Nothing", Skip: "it has no value"},
		{Place: "record 9", Name: "Bad", Fault: `it holds "` + valueA + `"`},
		{Place: "record 10", Name: " blank ", Apply: func(r *auth.Record) { r.User = "u" }},
	}
	before := last(t, s)
	brings(t, s, entries,
		"created First",
		`conflict The same value: its value is that of "First" (record 1) as well, which counts`,
		`conflict first: its slug first is that of "First" (record 1) as well, which counts: rename one of them`,
		"conflict First: its name is that of record 1 as well, which counts",
		`conflict Mine: key "Mine" here did not come by an import from there, and differs in value, user: rename or delete one of them`,
		`conflict mine!: its slug mine is that of key "Mine" here as well, which counts: rename one of them`,
		`conflict Value of mine: its value is that of key "Mine" here as well, which counts`,
		"skipped Nothing: it has no value",
		"invalid Bad: it holds (not shown, as it might be a key)",
		"invalid  blank : the name begins or ends with a blank",
	)
	if last(t, s) != before+1 {
		t.Errorf("%d changes were logged, and one key was created", last(t, s)-before)
	}
}

func TestImportAgain(t *testing.T) {
	s := service(t)
	first := []Entry{bringing(t, s, "1", "A", valueA), bringing(t, s, "2", "B", valueB), bringing(t, s, "3", "C", "")}
	done := brings(t, s, first, "created A", "created B", "created C; it has no value: authd keys rotate makes one")
	again := brings(t, s, first, "unchanged A", "unchanged B", "unchanged C")
	if again.Change.Seq != done.Change.Seq {
		t.Errorf("one that changes nothing answers change %d, and not the last one, %d", again.Change.Seq, done.Change.Seq)
	}

	// A value that has changed there: the old one ends at once.
	next := []Entry{bringing(t, s, "1", "A", valueC)}
	brings(t, s, next, "changed A: value")
	r, err := s.Store.Key(t.Context(), "A")
	if err != nil || len(r.Secrets) != 2 || !ended(&r.Secrets[0]) || ended(&r.Secrets[1]) {
		t.Fatalf("%+v, %v", r, err)
	}
	brings(t, s, first[:1], "skipped A: its value has ended here, and is not revived: the key was rotated since")

	// Nothing is enabled, nothing revived.
	for _, do := range []func() (Done, error){
		func() (Done, error) { return s.Disable(t.Context(), "A") },
		func() (Done, error) { return s.Revoke(t.Context(), "B") },
		func() (Done, error) { return s.SetUserActive(t.Context(), "u", false) },
	} {
		if _, err := do(); err != nil {
			t.Fatal(err)
		}
	}
	brings(t, s, append(next, first[1]),
		"unchanged A; it is disabled here, and active there: authd keys enable enables it",
		"skipped B: the key was revoked here, and that is final")
	if users, err := s.Store.ListUsers(t.Context()); err != nil || users[0].Active {
		t.Errorf("%+v, %v: the user is to stay inactive", users, err)
	}
}

func TestImportOfInactiveUsers(t *testing.T) {
	s := service(t)
	e := bringing(t, s, "1", "A", valueA)
	e.UserInactive = true
	note := `its user "u" is inactive there, and so it is here: the key passes only where users.inactive is allow`
	brings(t, s, []Entry{e}, "created A; "+note)
	brings(t, s, []Entry{e}, "unchanged A; "+note)
	if _, err := s.SetUserActive(t.Context(), "u", true); err != nil {
		t.Fatal(err)
	}
	brings(t, s, []Entry{e}, "changed A: whether its user is active; "+note)
	r, err := s.Store.Key(t.Context(), "A")
	if err != nil || r.UserActive {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestDigested: ready digests, in each of their forms.
func TestDigested(t *testing.T) {
	pepper, err := auth.NewPepper([]byte("the pepper of this test"))
	if err != nil {
		t.Fatal(err)
	}
	s := New(nil, auth.NewDigester("ak", pepper))
	plain := auth.Pepper{}.Digest(auth.RawSecret(valueA))
	for _, text := range []string{
		"sha256:" + plain.String(), fmt.Sprintf("sha256:%X", plain[:]), "hmac-sha256:" + pepper.ID() + ":" + plain.String(),
	} {
		v, err := s.Digested(text)
		if err != nil || v.IsZero() || v.info.Digest != plain {
			t.Errorf("%s: %v, %v", text, v, err)
		}
	}
	for _, text := range []string{"", plain.String(), "sha256:", "sha1:abc", "hmac-sha256:" + plain.String(), "hmac-sha256:00000000:" + plain.String(), "sha256:" + plain.String() + "00"} {
		if v, err := s.Digested(text); err == nil || !v.IsZero() {
			t.Errorf("%q is taken for a digest", text)
		}
	}
}
