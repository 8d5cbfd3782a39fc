package auth_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"authd/internal/auth"
)

// chain is an audit of so many rows, and its head.
func chain(n int) (rows []auth.AuditEntry, head auth.AuditHead) {
	for i := range n {
		e := auth.AuditEntry{At: noon.Add(time.Duration(i) * time.Second), Actor: "root@host", Action: auth.ActionKeyUpdate, Key: "Partner", Fields: "[]"}
		head = e.Follow(head)
		rows = append(rows, e)
	}
	return rows, head
}

func checkChain(rows []auth.AuditEntry, head auth.AuditHead, noted ...auth.ChainHash) *auth.AuditCheck {
	c := auth.NewAuditCheck(noted...)
	for i := range rows {
		c.Next(&rows[i])
	}
	c.End(head)
	return c
}

// rehash gives rows the hashes that they should have from i on, as somebody who knows the format would.
func rehash(rows []auth.AuditEntry, i int, head auth.AuditHead) auth.AuditHead {
	for ; i < len(rows); i++ {
		head = rows[i].Follow(head)
	}
	return head
}

func TestTheChainNamesWhatDoesNotFit(t *testing.T) {
	for _, c := range []struct {
		name   string
		tamper func(rows []auth.AuditEntry, head *auth.AuditHead) []auth.AuditEntry
		want   []string
	}{
		{"nothing", func(rows []auth.AuditEntry, _ *auth.AuditHead) []auth.AuditEntry { return rows }, nil},
		{"a row that is altered", func(rows []auth.AuditEntry, _ *auth.AuditHead) []auth.AuditEntry {
			rows[2].Action = auth.ActionKeyCreate
			return rows
		}, []string{"row 3 was altered: keys.create, by root@host, at 2026-07-01T12:00:02Z"}},
		{"a row and its hash", func(rows []auth.AuditEntry, _ *auth.AuditHead) []auth.AuditEntry {
			rows[2].Actor = "somebody"
			rows[2].Follow(auth.AuditHead{N: 2, Hash: rows[1].Hash})
			return rows
		}, []string{"row 3 was replaced: row 4 was written after another one"}},
		{"the last row and its hash", func(rows []auth.AuditEntry, _ *auth.AuditHead) []auth.AuditEntry {
			rows[4].Actor = "somebody"
			rows[4].Follow(auth.AuditHead{N: 4, Hash: rows[3].Hash})
			return rows
		}, []string{"row 5 was replaced: another one was written last"}},
		{"a row that is removed", func(rows []auth.AuditEntry, _ *auth.AuditHead) []auth.AuditEntry {
			return slices.Delete(rows, 1, 2)
		}, []string{"row 2 was removed"}},
		{"one that is removed, and all after it moved up and written anew", func(rows []auth.AuditEntry, _ *auth.AuditHead) []auth.AuditEntry {
			rows = slices.Delete(rows, 1, 2)
			rehash(rows, 1, auth.AuditHead{N: 1, Hash: rows[0].Hash})
			return rows
		}, []string{"row 5, the newest, was removed"}},
		{"two rows that changed places", func(rows []auth.AuditEntry, _ *auth.AuditHead) []auth.AuditEntry {
			rows[1], rows[2] = rows[2], rows[1]
			rows[1].N, rows[2].N = 2, 3
			return rows
		}, []string{"row 2 was altered", "row 3 was altered"}},
	} {
		rows, head := chain(5)
		rows = c.tamper(rows, &head)
		if got := checkChain(rows, head).Faults; !slices.EqualFunc(got, c.want, strings.HasPrefix) {
			t.Errorf("%s: found %q, want %q", c.name, got, c.want)
		}
	}
}

// Whoever writes the whole chain anew is found by a head that was noted before.
func TestANotedHeadIsFoundAgainOrNot(t *testing.T) {
	rows, head := chain(5)
	c := checkChain(rows, head, rows[2].Hash)
	if n, ok := c.At(rows[2].Hash); !ok || n != 3 || len(c.Faults) != 0 {
		t.Errorf("the head of row 3 is found at %d (%v)", n, ok)
	}
	noted := rows[2].Hash
	rows[1].Actor = "somebody"
	head = rehash(rows, 1, auth.AuditHead{N: 1, Hash: rows[0].Hash})
	c = checkChain(rows, head, noted)
	if _, ok := c.At(noted); ok || len(c.Faults) != 0 {
		t.Errorf("a chain that was written anew has the old head (%v), or faults %v", ok, c.Faults)
	}
	if _, ok := c.At(auth.ChainHash{}); !ok {
		t.Error("an audit without rows comes before every audit")
	}
}

// However a row is altered, its number is told.
func TestEveryFieldIsInTheHash(t *testing.T) {
	alter := map[string]func(*auth.AuditEntry, string){
		"actor": func(e *auth.AuditEntry, s string) { e.Actor += s }, "action": func(e *auth.AuditEntry, s string) { e.Action += s },
		"key id": func(e *auth.AuditEntry, s string) { e.KeyID += s }, "key": func(e *auth.AuditEntry, s string) { e.Key += s },
		"user": func(e *auth.AuditEntry, s string) { e.User += s }, "fields": func(e *auth.AuditEntry, s string) { e.Fields += s },
		"at": func(e *auth.AuditEntry, s string) { e.At = e.At.Add(time.Duration(len(s)) * time.Millisecond) },
		"moved": func(e *auth.AuditEntry, s string) {
			e.Actor, e.Action = e.Actor+s, e.Action[min(len(s), len(e.Action)):]
		},
		"hash": func(e *auth.AuditEntry, s string) { e.Hash[0] ^= byte(len(s)) }, "prev": func(e *auth.AuditEntry, s string) { e.Prev[9] ^= byte(len(s)) },
	}
	for name, f := range alter {
		rapid.Check(t, func(t *rapid.T) {
			rows, head := chain(4)
			i := rapid.IntRange(0, 3).Draw(t, "row")
			f(&rows[i], rapid.StringN(1, 20, 200).Draw(t, "text"))
			c := checkChain(rows, head)
			if len(c.Faults) == 0 || !strings.HasPrefix(c.Faults[0], "row "+string(rune('1'+i))+" was altered") {
				t.Fatalf("%s of row %d: found %q", name, i+1, c.Faults)
			}
		})
	}
}

func TestKeyAuditTellsNoSecret(t *testing.T) {
	r := goodRecord()
	secret := auth.NewSecret("ak")
	d := auth.NewDigester("ak").Current().Digest(secret)
	r.Secrets = []auth.SecretInfo{{Digest: d, Hint: secret.Hint("ak"), PepperID: "0badcafe", CreatedAt: noon}}
	r.Note = strings.Repeat("é", auth.MaxNote/2)
	e, err := auth.KeyAudit(auth.ActionKeyCreate, nil, &r)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{secret.Reveal()[8:], d.String(), "0badcafe"} {
		if strings.Contains(e.Fields, part) {
			t.Errorf("the row holds %s", part)
		}
	}
	if !strings.Contains(e.Fields, `"hint":"`+secret.Hint("ak")) || !strings.Contains(e.Fields, "… (4000 bytes)") || len(e.Fields) > 2000 || !utf8.ValidString(e.Fields) {
		t.Errorf("the row is %s", e.Fields)
	}
}

func TestAuditFilter(t *testing.T) {
	before, after := goodRecord(), goodRecord()
	after.Name, after.Slug, after.User = "Orders", "orders", "v"
	e, err := auth.KeyAudit(auth.EditAction(&before, &after), &before, &after)
	if err != nil {
		t.Fatal(err)
	}
	e.At = noon
	reload := auth.AuditEntry{Action: auth.ActionOverrideReload, At: noon, Fields: `[{"field":"api_key_Partner sync.groups","after":"given"}]`}
	for _, c := range []struct {
		name string
		f    auth.AuditFilter
		e    *auth.AuditEntry
		want bool
	}{
		{"everything", auth.AuditFilter{}, &e, true},
		{"its name", auth.AuditFilter{Key: "Orders"}, &e, true},
		{"its slug", auth.AuditFilter{Key: "orders"}, &e, true},
		{"its id", auth.AuditFilter{Key: e.KeyID}, &e, true},
		{"the name before", auth.AuditFilter{Key: "Partner sync"}, &e, true},
		{"a name that it has now", auth.AuditFilter{Key: "Later", KeyID: e.KeyID}, &e, true},
		{"another", auth.AuditFilter{Key: "Other", KeyID: "other"}, &e, false},
		{"its user", auth.AuditFilter{User: "v"}, &e, true},
		{"its user before", auth.AuditFilter{User: "partner@example.com"}, &e, true},
		{"another user", auth.AuditFilter{User: "Orders"}, &e, false},
		{"the action", auth.AuditFilter{Action: "keys.rename"}, &e, true},
		{"all of keys", auth.AuditFilter{Action: "keys"}, &e, true},
		{"a part of a word", auth.AuditFilter{Action: "key"}, &e, false},
		{"since then", auth.AuditFilter{Since: noon}, &e, true},
		{"since later", auth.AuditFilter{Since: noon.Add(1)}, &e, false},
		{"a section", auth.AuditFilter{Key: "Partner sync"}, &reload, true},
		{"a section of another", auth.AuditFilter{Key: "Partner"}, &reload, false},
	} {
		if got := c.f.Matches(c.e); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestActor(t *testing.T) {
	ctx := context.Background()
	if got := auth.ActorOf(ctx); got != auth.NoActor {
		t.Errorf("nobody is %q", got)
	}
	got := auth.ActorOf(auth.WithActor(ctx, "a\x00\xff"+strings.Repeat("é", auth.MaxActor)))
	if !strings.HasPrefix(got, "a??é") || len(got) > auth.MaxActor+2 || !utf8.ValidString(got) {
		t.Errorf("a wild name becomes %q", got)
	}
}
