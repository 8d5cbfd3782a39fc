package repotest

import (
	"testing"
	"time"

	"authd/internal/auth"
)

var logging = []test{
	{"a new database has an empty log", emptyLog},
	{"each write logs one change, with the next number", oneChangeEach},
	{"the log is read in order, in batches, from anywhere", readInBatches},
	{"many keys of a user are one change", manyKeys},
}

func emptyLog(t *testing.T, db *base) {
	if n := db.last(t); n != 0 {
		t.Errorf("the last change of a new database is %d", n)
	}
	if list := db.since(t, 0); len(list) != 0 {
		t.Errorf("logged: %+v", list)
	}
}

// history is a life of two keys: each write in it changes something.
func history(db *base) []func() (auth.Change, error) {
	first, second := newRecord("First"), newRecord("Second")
	update := func(ref string, edit func(*auth.Record)) func() (auth.Change, error) {
		return func() (auth.Change, error) {
			return db.UpdateKey(db.ctx, ref, func(r *auth.Record) error { edit(r); return nil })
		}
	}
	return []func() (auth.Change, error){
		func() (auth.Change, error) { return db.CreateKey(db.ctx, &first, newSecret()) },
		func() (auth.Change, error) { return db.CreateKey(db.ctx, &second, newSecret(), newSecret()) },
		update("First", func(r *auth.Record) { r.Active = false }),
		update("First", func(r *auth.Record) { r.Name = "Renamed" }),
		update("Renamed", func(r *auth.Record) { r.Note = "no answer changes by it, but the record does" }),
		func() (auth.Change, error) { return db.RotateKey(db.ctx, "Renamed", newSecret(), early) },
		func() (auth.Change, error) { return db.SetUserActive(db.ctx, login, false) },
		func() (auth.Change, error) { return db.RevokeKey(db.ctx, "Second", early) },
		func() (auth.Change, error) { return db.SetUserActive(db.ctx, login, true) },
		func() (auth.Change, error) { return db.DeleteKey(db.ctx, "Second") },
		func() (auth.Change, error) { return db.DeleteKey(db.ctx, "Renamed") },
	}
}

func oneChangeEach(t *testing.T, db *base) {
	var last int64
	var at time.Time
	for i, write := range history(db) {
		c := db.logged(t, write)
		if c.Seq <= last {
			t.Errorf("write %d has number %d, after %d", i, c.Seq, last)
		}
		last = c.Seq
		if n := db.last(t); n != last {
			t.Errorf("write %d: the last change is %d, not %d", i, n, last)
		}
		if kept := auth.FromMillis(auth.Millis(c.At)); !c.At.Equal(kept) {
			t.Errorf("write %d was at %s, which is more than the milliseconds that are kept", i, c.At)
		}
		at = c.At
	}
	if at.Before(early) {
		t.Errorf("the last write was at %s", at)
	}
}

func readInBatches(t *testing.T, db *base) {
	for _, write := range history(db) {
		if _, err := write(); err != nil {
			t.Fatal(err)
		}
	}
	all := db.since(t, 0)
	for limit := 1; limit <= len(all)+1; limit++ {
		var read []auth.Change
		for after := int64(0); ; {
			batch, err := db.other.Changes(db.ctx, after, limit)
			if err != nil {
				t.Fatal(err)
			}
			if len(batch) > limit {
				t.Errorf("%d changes, where %d were asked for", len(batch), limit)
			}
			if len(batch) == 0 {
				break
			}
			read = append(read, batch...)
			after = batch[len(batch)-1].Seq
		}
		same(t, "the log in batches", all, read)
	}
	for i, c := range all {
		same(t, "what follows a change", all[i+1:], db.since(t, c.Seq))
	}
	if list := db.since(t, db.last(t)+1000); len(list) != 0 {
		t.Errorf("after the end: %+v", list)
	}
}

func manyKeys(t *testing.T, db *base) {
	const n = 50
	for range n {
		db.createWith(t, newRecord("Key "+newID()), newSecret(), newSecret())
	}
	c := db.logged(t, func() (auth.Change, error) { return db.SetUserActive(db.ctx, login, false) })
	if len(c.Digests) != 2*n || len(c.Names) != 2*n {
		t.Errorf("the change tells of %d digests and %d names", len(c.Digests), len(c.Names))
	}
	list, err := db.other.ListKeys(db.ctx, auth.KeyFilter{User: login})
	if err != nil || len(list) != n {
		t.Fatalf("%d keys, %v", len(list), err)
	}
	for i := range list {
		tells(t, c, "", digestsOf(&list[i]), list[i].Name, list[i].Slug)
	}
}
