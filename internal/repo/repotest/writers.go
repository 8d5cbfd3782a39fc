package repotest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"

	"authd/internal/auth"
	"authd/internal/repo"
)

var writers = []test{
	{"writers at once lose no update, and readers see their order", noLostUpdate},
	{"writers at once can't mislead a follower", followedWriters},
}

const (
	writersEach  = 2  // goroutines of each of two processes
	writesOfEach = 15 // updates of each of them
	livesOfEach  = 4  // keys of each of them
)

// write runs work in several goroutines of two processes at once, and
// closes done when all have ended.
func (db *base) write(work func(s repo.Store, writer int)) (done chan struct{}) {
	done = make(chan struct{})
	var all sync.WaitGroup
	for i := range 2 * writersEach {
		s := []repo.Store{db.Store, db.other}[i%2]
		all.Go(func() { work(s, i) })
	}
	go func() { all.Wait(); close(done) }()
	return done
}

// A key's only group counts its updates. Whoever has seen n changes of a key
// must find n updates or more. Whoever has found n updates must see n changes
// or more. And no row of the log may ever appear behind one that was seen.
func noLostUpdate(t *testing.T, db *base) {
	keys := []*auth.Record{db.create(t, "A"), db.create(t, "B")}
	reader := newFollower(db.again(t), db.last(t))
	began := reader.applied
	done := db.write(func(s repo.Store, writer int) {
		for i := range writesOfEach {
			if _, err := s.UpdateKey(db.ctx, keys[(writer+i)%2].ID, count); err != nil {
				t.Errorf("an update: %v", err)
			}
		}
	})
	var log []auth.Change
	seen, found := map[string]int{}, map[string]int{} // by the key's id
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true // and what is there now is read once more
		default:
		}
		read, err := reader.poll(db.ctx)
		if err != nil {
			t.Error(err)
			break
		}
		log = append(log, read...)
		for _, c := range read {
			seen[c.KeyID]++
		}
		for _, r := range keys {
			k, err := reader.store.ByDigest(db.ctx, r.Secrets[0].Digest)
			if err != nil {
				t.Error(err)
				continue
			}
			now := counted(k.Grants.Groups)
			if now < seen[r.ID] || seen[r.ID] < found[r.ID] {
				t.Errorf("%s: %d updates were found, then %d changes seen, then %d updates found", r.Name, found[r.ID], seen[r.ID], now)
			}
			found[r.ID] = now
		}
	}
	<-done
	if want := 2 * writersEach * writesOfEach; len(log) != want || found[keys[0].ID]+found[keys[1].ID] != want {
		t.Errorf("%d updates were made, %d changes seen, and found: %v", want, len(log), found)
	}
	same(t, "the log as it was read meanwhile", db.since(t, began), log)
	if !slices.IsSortedFunc(log, func(a, b auth.Change) int { return cmp.Compare(a.Seq, b.Seq) }) {
		t.Error("the log was not read in order")
	}
}

func count(r *auth.Record) error {
	r.Groups = []string{strconv.Itoa(counted(r.Groups) + 1)}
	return nil
}

func counted(groups []string) int {
	if len(groups) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(groups[0])
	return n
}

// Each writer lets keys of its own live and die, and all want the same name,
// slug and secret for them, which so go from key to key. The follower looks at
// all of it meanwhile. Once they have ended, and it has read the log to its
// end, nothing that it remembers may be wrong.
func followedWriters(t *testing.T, db *base) {
	digests := []auth.Digest{newDigest()} // that all of them want
	names := []string{"Wanted", "wanted"}
	for i := range 2 * writersEach {
		digests = append(digests, newDigest())
		names = append(names, fmt.Sprintf("Own %d", i), fmt.Sprintf("own_%d", i))
	}
	f := newFollower(db.again(t), db.last(t))
	done := db.write(func(s repo.Store, writer int) {
		for range livesOfEach {
			for i, err := range live(db.ctx, s, writer, digests[0], digests[writer+1]) {
				if err != nil {
					t.Errorf("writer %d, write %d: %v", writer, i, err)
				}
			}
		}
	})
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true
		default:
		}
		if _, err := f.poll(db.ctx); err != nil {
			t.Error(err)
			break
		}
		f.lookUp(t, db, digests, names, ended)
	}
	<-done
}

// live is the life of a key, from its creation to its deletion. That another
// writer has the wanted name or secret is an answer, too.
func live(ctx context.Context, s repo.Store, writer int, wanted, own auth.Digest) []error {
	r, first, next := newRecord(fmt.Sprintf("Own %d", writer)), newSecret(), newSecret()
	first.Digest, next.Digest = own, wanted
	update := func(edit func(*auth.Record)) error {
		return second(s.UpdateKey(ctx, r.ID, func(r *auth.Record) error { edit(r); return nil }))
	}
	unless := func(err error, taken ...error) error {
		if slices.ContainsFunc(taken, func(t error) bool { return errors.Is(err, t) }) {
			return nil
		}
		return err
	}
	return []error{
		second(s.CreateKey(ctx, &r, first)),
		unless(update(func(r *auth.Record) { r.Name, r.Slug = "Wanted", "wanted" }), auth.ErrNameTaken, auth.ErrSlugTaken),
		unless(second(s.RotateKey(ctx, r.ID, next, early)), auth.ErrSecretTaken),
		update(func(r *auth.Record) { r.Active = false }),
		second(s.SetUserActive(ctx, login, writer%2 == 0)),
		second(s.RevokeKey(ctx, r.ID, early)),
		second(s.DeleteKey(ctx, r.ID)),
	}
}

// lookUp asks the follower for everything and, at the end, compares what it
// says with what the store says.
func (f *follower) lookUp(t *testing.T, db *base, digests []auth.Digest, names []string, ended bool) {
	t.Helper()
	for _, d := range digests {
		k, err := f.byDigest(db.ctx, d)
		if err != nil {
			t.Error(err)
		} else if ended {
			db.wantDigest(t, d, k)
		}
	}
	for _, n := range names {
		k, err := f.byName(db.ctx, n)
		if err != nil {
			t.Error(err)
		} else if ended {
			db.wantName(t, n, k)
		}
	}
}
