package repotest

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"authd/internal/auth"
)

var audits = []test{
	{"an audit begins empty", auditEmpty},
	{"each change is a row: who, what, before and after", auditChanges},
	{"what changes nothing, or fails, leaves no row", auditNothing},
	{"a row that is appended is the next one", auditAppend},
	{"rows are answered after a number, so many at most", auditPages},
	{"writers at once make one chain", auditWriters},
}

const actor = "root@host"

// audit reads all rows by another process, and checks that they are one chain.
func (db *base) audit(t *testing.T) []auth.AuditEntry {
	t.Helper()
	list, err := db.other.AuditEntries(db.ctx, 0, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	head, err := db.other.AuditHead(db.ctx)
	if err != nil {
		t.Fatal(err)
	}
	check := auth.NewAuditCheck(head.Hash)
	for i := range list {
		check.Next(&list[i])
	}
	check.End(head)
	if n, ok := check.At(head.Hash); len(check.Faults) > 0 || !ok || n != int64(len(list)) {
		t.Fatalf("%d rows, the head is at %d: %s", len(list), n, strings.Join(check.Faults, "; "))
	}
	return list
}

func auditEmpty(t *testing.T, db *base) {
	if list := db.audit(t); len(list) != 0 {
		t.Errorf("a new database has %d rows", len(list))
	}
	if head, err := db.other.AuditHead(db.ctx); err != nil || head != (auth.AuditHead{}) {
		t.Errorf("its head is %v, %v", head, err)
	}
}

// told is a row as the tests write it: the action, the key, the user, and each field's name.
func told(t *testing.T, e *auth.AuditEntry) string {
	t.Helper()
	changes, err := e.Changes()
	if err != nil {
		t.Fatal(err)
	}
	parts := []string{e.Action, e.Key, e.User}
	for _, c := range changes {
		parts = append(parts, c.Field)
	}
	return strings.Join(parts, " ")
}

func auditChanges(t *testing.T, db *base) {
	begun := time.Now()
	db.ctx = auth.WithActor(db.ctx, actor)
	must := func(_ auth.Change, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	edit := func(ref string, change func(*auth.Record)) {
		t.Helper()
		must(db.UpdateKey(db.ctx, ref, func(r *auth.Record) error { change(r); return nil }))
	}
	r := db.create(t, "A", func(r *auth.Record) { r.Groups, r.Note = []string{"g"}, "n" })
	edit("A", func(r *auth.Record) { r.Groups, r.Metadata = []string{"g", "h"}, map[string]string{"k": "v"} })
	edit("A", func(r *auth.Record) { r.Name, r.Slug = "B", "b" })
	edit("B", func(r *auth.Record) { r.Active = false })
	edit("B", func(r *auth.Record) { r.Active, r.User = true, "v" })
	must(db.RotateKey(db.ctx, "B", newSecret(), time.Now().Add(time.Hour)))
	must(db.SetUserActive(db.ctx, "v", false))
	must(db.SetUserActive(db.ctx, "v", true))
	if err := db.CreateUser(db.ctx, "w"); err != nil {
		t.Fatal(err)
	}
	must(db.RevokeKey(db.ctx, "B", time.Now()))
	must(db.DeleteKey(db.ctx, "B"))
	db.create(t, "C", func(r *auth.Record) { r.User = "w" })
	edit("C", func(r *auth.Record) { r.RevokedAt = time.Now() })

	list := db.audit(t)
	got := make([]string, len(list))
	for i := range list {
		e := &list[i]
		got[i] = told(t, e)
		if e.Actor != actor || e.At.Before(begun.Add(-time.Minute)) || e.At.After(time.Now().Add(time.Minute)) {
			t.Errorf("row %d is by %s at %s", e.N, e.Actor, e.At)
		}
		if keyed := strings.HasPrefix(e.Action, "keys."); keyed != (e.KeyID != "") {
			t.Errorf("row %d (%s) has the key's id %q", e.N, e.Action, e.KeyID)
		}
		for _, secret := range r.Secrets {
			if strings.Contains(e.Fields, secret.Digest.String()) || strings.Contains(e.Fields, "pepper") {
				t.Errorf("row %d tells of a secret: %s", e.N, e.Fields)
			}
		}
	}
	same(t, "the audit", []string{
		"users.create  " + login + " active",
		"keys.create A " + login + " name slug user active groups note secrets",
		"keys.update A " + login + " groups metadata.k",
		"keys.rename B " + login + " name slug",
		"keys.disable B " + login + " active",
		"users.create  v active",
		"keys.enable B v user active",
		"keys.rotate B v secrets",
		"users.disable  v active",
		"users.enable  v active",
		"users.create  w active",
		"keys.revoke B v revoked_at secrets",
		"keys.delete B v name slug user active revoked_at groups metadata.k note secrets",
		"keys.create C w name slug user active secrets",
		"keys.revoke C w revoked_at secrets",
	}, got)
	changes, err := list[2].Changes()
	if err != nil {
		t.Fatal(err)
	}
	same(t, "before and after", []auth.FieldChange{
		{Field: "groups", Before: json.RawMessage(`["g"]`), After: json.RawMessage(`["g","h"]`)},
		{Field: "metadata.k", After: json.RawMessage(`"v"`)},
	}, changes)
}

func auditNothing(t *testing.T, db *base) {
	db.create(t, "A")
	db.create(t, "B")
	if _, err := db.RevokeKey(db.ctx, "B", early); err != nil {
		t.Fatal(err)
	}
	before := len(db.audit(t))
	stop := errors.New("stop")
	taken := newRecord("A")
	fails := func(what string, _ auth.Change, err error) {
		if err == nil {
			t.Errorf("%s: it was done", what)
		}
	}
	c, err := db.CreateKey(db.ctx, &taken, newSecret())
	fails("a name that is taken", c, err)
	c, err = db.UpdateKey(db.ctx, "A", func(r *auth.Record) error { r.Note = "x"; return stop })
	fails("an edit that fails", c, err)
	c, err = db.UpdateKey(db.ctx, "A", func(r *auth.Record) error { r.Name = "B"; return nil })
	fails("a rename to a name that is taken", c, err)
	c, err = db.RotateKey(db.ctx, "B", newSecret(), early)
	fails("rotating a revoked key", c, err)
	c, err = db.DeleteKey(db.ctx, "nobody")
	fails("deleting nobody", c, err)
	fails("a user that is there", auth.Change{}, db.CreateUser(db.ctx, login))
	for what, again := range map[string]func() (auth.Change, error){
		"the same once more": func() (auth.Change, error) {
			return db.UpdateKey(db.ctx, "A", func(*auth.Record) error { return nil })
		},
		"a second revocation": func() (auth.Change, error) { return db.RevokeKey(db.ctx, "B", early) },
		"the same standing":   func() (auth.Change, error) { return db.SetUserActive(db.ctx, login, true) },
	} {
		if _, err := again(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if after := len(db.audit(t)); after != before {
		t.Errorf("%d rows have become %d", before, after)
	}
}

func auditAppend(t *testing.T, db *base) {
	db.create(t, "A")
	e := auth.AuditEntry{N: 77, Action: auth.ActionOverrideReload, Actor: "not this one"}
	if err := e.SetFields([]auth.FieldChange{{Field: "api_key_A.groups", After: json.RawMessage(`"given"`)}}); err != nil {
		t.Fatal(err)
	}
	db.unlogged(t, func() {
		if err := db.AppendAudit(auth.WithActor(db.ctx, actor), e); err != nil {
			t.Fatal(err)
		}
	})
	db.create(t, "B")
	list := db.audit(t)
	got := list[2]
	if got.N != 3 || got.Actor != actor || got.Action != e.Action || got.Fields != e.Fields || got.At.IsZero() {
		t.Errorf("the row is %+v", got)
	}
	if list[0].Actor != auth.NoActor {
		t.Errorf("who has no name is %q", list[0].Actor)
	}
}

func auditPages(t *testing.T, db *base) {
	for _, name := range []string{"A", "B", "C", "D"} {
		db.create(t, name)
	}
	all := db.audit(t)
	for after := range int64(len(all)) + 2 {
		got, err := db.other.AuditEntries(db.ctx, after, 2)
		if err != nil {
			t.Fatal(err)
		}
		want := all[min(after, int64(len(all))):min(after+2, int64(len(all)))]
		if len(got) != len(want) || len(got) > 0 && got[0] != want[0] {
			t.Errorf("after %d there are %d rows, want %d", after, len(got), len(want))
		}
	}
}

func auditWriters(t *testing.T, db *base) {
	const each, keys = 3, 8
	var all sync.WaitGroup
	for range each {
		s := db.again(t)
		all.Go(func() {
			for range keys {
				r := newRecord("Key " + newID())
				if _, err := s.CreateKey(context.WithoutCancel(db.ctx), &r, newSecret()); err != nil {
					t.Errorf("creating: %v", err)
				}
			}
		})
	}
	all.Wait()
	if n := len(db.audit(t)); n != each*keys+1 { // and their user
		t.Errorf("%d rows, want %d", n, each*keys+1)
	}
}
