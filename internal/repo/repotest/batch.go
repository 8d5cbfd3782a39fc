package repotest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"authd/internal/auth"
)

var batches = []test{
	{"new records are stored as CreateKey does, and the log tells of each", batchIsStored},
	{"what can't be stored leaves nothing of the batch", batchIsAllOrNothing},
	{"a record is replaced, and its secrets end, if it is the one that was read", batchReplaces},
	{"users are made, and made inactive", batchMakesInactive},
	{"an empty batch does nothing", emptyBatch},
}

// many is more than any backend stores at once.
const many = 450

func newWrites(n int, prefix string) []auth.KeyWrite {
	writes := make([]auth.KeyWrite, n)
	for i := range writes {
		r := newRecord(fmt.Sprintf("%s %d", prefix, i))
		r.User = fmt.Sprintf("user-%d", i%3)
		writes[i] = auth.KeyWrite{Record: r, Secrets: []auth.SecretInfo{newSecret()}}
	}
	return writes
}

// wantWritten looks for a new record of a batch, and for what the log tells of it.
func (db *base) wantWritten(t *testing.T, w *auth.KeyWrite, log []auth.Change) {
	t.Helper()
	of := slices.IndexFunc(log, func(c auth.Change) bool { return slices.Contains(c.Names, w.Record.Name) })
	if of < 0 {
		t.Fatalf("the log does not tell of %q", w.Record.Name)
	}
	for _, s := range w.Secrets {
		if !slices.Contains(log[of].Digests, s.Digest) {
			t.Errorf("the log tells of %q, and not of its secret", w.Record.Name)
		}
	}
	if !slices.Contains(log[of].Names, w.Record.Slug) {
		t.Errorf("the log tells of %q, and not of its slug", w.Record.Name)
	}
	if id := log[of].KeyID; id != "" && id != w.Record.ID {
		t.Errorf("the change is of key %q", id)
	}
	want := w.Record
	want.Secrets, want.ChangedSeq = w.Secrets, log[of].Seq
	db.wantRecord(t, asStored(&want))
}

func batchIsStored(t *testing.T, db *base) {
	db.create(t, "Before")
	writes := newWrites(many, "Batch")
	writes[7].Record = fullRecord("All of it")
	writes[7].Secrets = append(writes[7].Secrets, newSecret())
	writes[8].Secrets = nil
	writes[9].Record.RevokedAt, writes[9].Secrets[0].Revoked = early.Add(time.Hour), true
	writes[10].Record.Active = false
	before := db.last(t)
	var told []int
	last, err := db.ImportKeys(db.ctx, auth.Batch{Writes: writes}, func(made int) { told = append(told, made) })
	if err != nil {
		t.Fatal(err)
	}
	log := db.since(t, before)
	if len(log) == 0 || last.Seq != log[len(log)-1].Seq || last.Seq != db.last(t) {
		t.Fatalf("change %d is returned, and %d were logged", last.Seq, len(log))
	}
	for _, i := range []int{0, 7, 8, 9, 10, many / 2, many - 1} {
		db.wantWritten(t, &writes[i], log)
	}
	list, err := db.other.ListKeys(db.ctx, auth.KeyFilter{})
	if err != nil || len(list) != many+1 {
		t.Errorf("%d records, %v", len(list), err)
	}
	if len(told) == 0 || told[len(told)-1] != many || !slices.IsSorted(told) {
		t.Errorf("the progress was told as %v", told)
	}
	_, err = db.RotateKey(db.ctx, writes[9].Record.ID, newSecret(), early)
	wantErr(t, "rotating one that came revoked", err, auth.ErrRevoked)
	// One alone is a change as any other.
	one := newWrites(1, "Alone")
	c := db.logged(t, func() (auth.Change, error) { return db.ImportKeys(db.ctx, auth.Batch{Writes: one}, nil) })
	tells(t, c, one[0].Record.ID, []auth.Digest{one[0].Secrets[0].Digest}, "Alone 0", "alone_0")
}

func batchIsAllOrNothing(t *testing.T, db *base) {
	there := db.create(t, "There")
	for what, c := range map[string]struct {
		spoil func(writes []auth.KeyWrite)
		want  error
	}{
		"a taken name":          {func(w []auth.KeyWrite) { w[many-1].Record.Name = "There" }, auth.ErrNameTaken},
		"a taken slug":          {func(w []auth.KeyWrite) { w[many-1].Record.Slug = there.Slug }, auth.ErrSlugTaken},
		"a taken secret":        {func(w []auth.KeyWrite) { w[many-1].Secrets[0].Digest = there.Secrets[0].Digest }, auth.ErrSecretTaken},
		"a name twice":          {func(w []auth.KeyWrite) { w[many-1].Record.Name = w[0].Record.Name }, auth.ErrNameTaken},
		"a slug twice":          {func(w []auth.KeyWrite) { w[many-1].Record.Slug = w[0].Record.Slug }, auth.ErrSlugTaken},
		"a secret twice":        {func(w []auth.KeyWrite) { w[many-1].Secrets[0].Digest = w[0].Secrets[0].Digest }, auth.ErrSecretTaken},
		"one that is not there": {func(w []auth.KeyWrite) { w[many-1].Replaces = 1 }, auth.ErrStale},
		"one that was changed":  {func(w []auth.KeyWrite) { w[many-1].Record.ID, w[many-1].Replaces = there.ID, there.ChangedSeq+1 }, auth.ErrStale},
	} {
		writes := newWrites(many, "Batch")
		c.spoil(writes)
		db.unlogged(t, func() {
			_, err := db.ImportKeys(db.ctx, auth.Batch{Writes: writes}, nil)
			wantErr(t, what, err, c.want)
			if err != nil && !strings.Contains(err.Error(), fmt.Sprintf("%q", writes[many-1].Record.Name)) {
				t.Errorf("%s: the error does not name the key: %v", what, err)
			}
		})
		db.wantDigest(t, writes[1].Secrets[0].Digest, nil)
	}
	db.unlogged(t, func() {
		_, err := db.ImportKeys(db.ctx, auth.Batch{Writes: newWrites(2, "Batch"), Inactive: []string{"nobody"}}, nil)
		wantErr(t, "a user who is not there", err, auth.ErrUserNotFound)
	})
	db.wantRecord(t, there)
	db.wantUsers(t, auth.User{Login: login, Active: true, Keys: 1})
}

func batchReplaces(t *testing.T, db *base) {
	r := db.create(t, "Partner", func(r *auth.Record) { r.Scopes = []string{"shop:read"} })
	gone := db.create(t, "Gone")
	if _, err := db.RevokeKey(db.ctx, gone.ID, early); err != nil {
		t.Fatal(err)
	}
	next, retire := newSecret(), early.Add(time.Hour)
	edited := *r
	edited.User, edited.Groups, edited.Active = "other@example.com", []string{"gold"}, false
	w := auth.KeyWrite{Record: edited, Secrets: []auth.SecretInfo{next}, Replaces: r.ChangedSeq, Retire: retire}
	before := db.last(t)
	fresh := newWrites(1, "Fresh")[0]
	last, err := db.ImportKeys(db.ctx, auth.Batch{Writes: []auth.KeyWrite{fresh, w}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	log := db.since(t, before)
	if last.Seq != log[len(log)-1].Seq {
		t.Errorf("change %d is returned, the last one is %d", last.Seq, log[len(log)-1].Seq)
	}
	db.wantWritten(t, &fresh, log)
	tells(t, log[len(log)-1], r.ID, []auth.Digest{r.Secrets[0].Digest, next.Digest}, "Partner", "partner")
	want := edited
	old := r.Secrets[0]
	old.ExpiresAt = retire
	want.Secrets = []auth.SecretInfo{old, next}
	db.wantRecord(t, asStored(changed(&want, last)))

	// What was read before is not what is there now.
	for what, stale := range map[string]struct {
		w    auth.KeyWrite
		want error
	}{
		"once more": {w, auth.ErrStale},
		"a revoked one": {func() auth.KeyWrite {
			now, err := db.Key(db.ctx, gone.ID)
			if err != nil {
				t.Fatal(err)
			}
			return auth.KeyWrite{Record: *now, Secrets: []auth.SecretInfo{newSecret()}, Replaces: now.ChangedSeq}
		}(), auth.ErrRevoked},
	} {
		db.unlogged(t, func() {
			_, err := db.ImportKeys(db.ctx, auth.Batch{Writes: []auth.KeyWrite{stale.w}}, nil)
			wantErr(t, what, err, stale.want)
		})
	}
	// One that says what is there already logs nothing.
	same := auth.KeyWrite{Record: *asStored(&want), Replaces: last.Seq}
	db.unlogged(t, func() {
		if _, err := db.ImportKeys(db.ctx, auth.Batch{Writes: []auth.KeyWrite{same}}, nil); err != nil {
			t.Error(err)
		}
	})
}

func batchMakesInactive(t *testing.T, db *base) {
	there := db.create(t, "There")
	writes := newWrites(3, "Batch")
	writes[2].Record.User = "new@example.com"
	before := db.last(t)
	last, err := db.ImportKeys(db.ctx, auth.Batch{Writes: writes, Inactive: []string{login, "new@example.com"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	log := db.since(t, before)
	if last.Seq != db.last(t) {
		t.Errorf("change %d is returned, the last one is %d", last.Seq, db.last(t))
	}
	var touched []auth.Digest
	for _, c := range log {
		touched = append(touched, c.Digests...)
	}
	if !slices.Contains(touched, there.Secrets[0].Digest) {
		t.Error("the log does not tell of the keys of a user who was made inactive")
	}
	k, err := db.other.ByDigest(db.ctx, writes[2].Secrets[0].Digest)
	if err != nil || k.UserActive {
		t.Errorf("%+v, %v: the user is to be inactive", k, err)
	}
	there.UserActive = false
	db.wantRecord(t, there)
	db.unlogged(t, func() { // they are so already
		c, err := db.ImportKeys(db.ctx, auth.Batch{Inactive: []string{login}}, nil)
		if err != nil || c.Seq > last.Seq {
			t.Errorf("%+v, %v", c, err)
		}
	})
}

func emptyBatch(t *testing.T, db *base) {
	db.unlogged(t, func() {
		c, err := db.ImportKeys(db.ctx, auth.Batch{}, nil)
		if err != nil || c.Seq != 0 {
			t.Errorf("%+v, %v", c, errors.Join(err))
		}
	})
}
