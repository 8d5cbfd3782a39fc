package repotest

import (
	"cmp"
	"slices"
	"sync"
	"testing"
	"time"

	"authd/internal/auth"
)

var usage = []test{
	{"what several processes count adds up", addUsage},
	{"a batch that comes a second time changes nothing", usageAgain},
	{"processes that count the same keys at once lose nothing, and hold up no change", usageAtOnce},
	{"of a secret, the first, the last and the client of the last use are kept", secretUse},
	{"the hours that are answered have not ended at since", usageSince},
	{"what is old is removed, so many at a time", pruneUsage},
	{"a key that is deleted takes its usage along", deletedUsage},
}

var hour = early.Truncate(time.Hour)

func usageBatch(writer string, number int64, hours ...auth.UsageHour) auth.UsageBatch {
	return auth.UsageBatch{Writer: writer, Number: number, Hours: hours}
}

func hourOf(id string, at time.Time, c auth.UsageCounts) auth.UsageHour {
	return auth.UsageHour{KeyID: id, Hour: at, UsageCounts: c}
}

// count writes a batch, of which the change log must tell nothing.
func (db *base) count(t *testing.T, b auth.UsageBatch) {
	t.Helper()
	db.unlogged(t, func() {
		if err := db.AddUsage(db.ctx, b); err != nil {
			t.Fatal(err)
		}
	})
}

func (db *base) wantHours(t *testing.T, id string, since time.Time, want ...auth.UsageHour) {
	t.Helper()
	got, err := db.other.UsageHours(db.ctx, id, since)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the hours of "+id, want, got)
}

func (db *base) wantSecretUses(t *testing.T, id string, want ...auth.SecretUse) {
	t.Helper()
	got, err := db.other.SecretUses(db.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the uses of the secrets of "+id, want, got)
}

func addUsage(t *testing.T, db *base) {
	one := auth.UsageCounts{Allowed: 1, Limited: 2, Invalid: 3, Forbidden: 4, Unavailable: 5}
	next := hour.Add(time.Hour)
	db.count(t, usageBatch("a", 1, hourOf("k1", hour, one), hourOf("k1", next, one), hourOf("k2", hour, one)))
	db.count(t, usageBatch("b", 1, hourOf("k1", hour, one)))
	db.count(t, usageBatch("a", 2, hourOf("k1", hour, one)))
	db.wantHours(t, "k1", hour, hourOf("k1", hour, one.Sum(one).Sum(one)), hourOf("k1", next, one))
	db.wantHours(t, "k2", hour, hourOf("k2", hour, one))
	db.wantHours(t, "unknown", hour)
	got, err := db.other.UsageTotals(db.ctx, hour)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the totals", map[string]auth.UsageCounts{"k1": one.Sum(one).Sum(one).Sum(one), "k2": one}, got)
	db.count(t, usageBatch("a", 3)) // an empty one
}

func usageAgain(t *testing.T, db *base) {
	one := auth.UsageCounts{Allowed: 1}
	b := usageBatch("a", 7, hourOf("k", hour, one))
	db.count(t, b)
	db.count(t, b)
	if err := db.other.AddUsage(db.ctx, b); err != nil {
		t.Fatal(err)
	}
	db.count(t, usageBatch("a", 6, hourOf("k", hour, one)))
	db.wantHours(t, "k", hour, hourOf("k", hour, one))
	// Another writer's of the same number is another batch.
	db.count(t, usageBatch("b", 7, hourOf("k", hour, one)))
	db.wantHours(t, "k", hour, hourOf("k", hour, one.Sum(one)))
}

// Each process has every batch written twice, side by side, as one that did not
// hear the first answer; keys are changed all the while.
func usageAtOnce(t *testing.T, db *base) {
	const writers, batches, keys = 3, 10, 20
	r := db.create(t, "Key")
	secret := r.Secrets[0].Digest
	var all sync.WaitGroup
	for w := range writers {
		s := db.again(t)
		all.Go(func() {
			for n := range batches {
				b := auth.UsageBatch{Writer: string(rune('a' + w)), Number: int64(n + 1)}
				for k := range keys {
					b.Hours = append(b.Hours, hourOf(string(rune('a'+k)), hour, auth.UsageCounts{Allowed: 1}))
				}
				b.Secrets = []auth.SecretUse{{Digest: secret, KeyID: r.ID, FirstUsed: early, LastUsed: early}}
				if (w+n)%2 == 0 { // neither the order of the batch nor that of another writer matters
					slices.Reverse(b.Hours)
				}
				var twice sync.WaitGroup
				for range 2 {
					twice.Go(func() {
						if err := s.AddUsage(db.ctx, b); err != nil {
							t.Errorf("writer %d, batch %d: %v", w, n, err)
						}
					})
				}
				twice.Wait()
			}
		})
	}
	for range batches {
		db.logged(t, func() (auth.Change, error) { return db.RotateKey(db.ctx, "Key", newSecret(), early) })
	}
	all.Wait()
	for k := range keys {
		id := string(rune('a' + k))
		db.wantHours(t, id, hour, hourOf(id, hour, auth.UsageCounts{Allowed: writers * batches}))
	}
}

func secretUse(t *testing.T, db *base) {
	at := func(minutes int) time.Time { return hour.Add(time.Duration(minutes) * time.Minute) }
	d, other, older := newDigest(), newDigest(), newDigest()
	use := func(number int64, u auth.SecretUse) {
		u.Digest, u.KeyID = d, "k"
		db.count(t, auth.UsageBatch{Writer: "a", Number: number, Secrets: []auth.SecretUse{u}})
	}
	want := func(u auth.SecretUse) {
		t.Helper()
		u.Digest, u.KeyID = d, "k"
		db.wantSecretUses(t, "k", u)
	}
	use(1, auth.SecretUse{LastDenied: at(1), Client: "192.0.2.0/24"})
	want(auth.SecretUse{LastDenied: at(1), Client: "192.0.2.0/24"})
	use(2, auth.SecretUse{FirstUsed: at(5), LastUsed: at(6), Client: "198.51.100.0/24"})
	want(auth.SecretUse{FirstUsed: at(5), LastUsed: at(6), LastDenied: at(1), Client: "198.51.100.0/24"})
	// Another process was slower to tell.
	use(3, auth.SecretUse{FirstUsed: at(2), LastUsed: at(3), Client: "loopback"})
	want(auth.SecretUse{FirstUsed: at(2), LastUsed: at(6), LastDenied: at(1), Client: "198.51.100.0/24"})
	// A client that is not known hides none that is.
	use(4, auth.SecretUse{FirstUsed: at(7), LastUsed: at(8)})
	want(auth.SecretUse{FirstUsed: at(2), LastUsed: at(8), LastDenied: at(1), Client: "198.51.100.0/24"})
	use(5, auth.SecretUse{LastDenied: at(9), Client: "2001:db8:1::/48"})
	want(auth.SecretUse{FirstUsed: at(2), LastUsed: at(8), LastDenied: at(9), Client: "2001:db8:1::/48"})

	db.count(t, auth.UsageBatch{Writer: "a", Number: 6, Secrets: []auth.SecretUse{
		{Digest: other, KeyID: "j", LastUsed: at(1), FirstUsed: at(1)}, {Digest: older, KeyID: "k", LastUsed: at(1), FirstUsed: at(1)},
	}})
	all, err := db.other.SecretUses(db.ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	inOrder := slices.IsSortedFunc(all, func(a, b auth.SecretUse) int {
		return cmp.Or(cmp.Compare(a.KeyID, b.KeyID), slices.Compare(a.Digest[:], b.Digest[:]))
	})
	if len(all) != 3 || !inOrder {
		t.Errorf("of all keys: %+v", all)
	}
}

func usageSince(t *testing.T, db *base) {
	one := auth.UsageCounts{Allowed: 1}
	next := hour.Add(time.Hour)
	db.count(t, usageBatch("a", 1, hourOf("k", hour, one), hourOf("k", next, one)))
	for since, want := range map[time.Time]int64{
		{}: 2, hour: 2, next.Add(-time.Millisecond): 2, next: 1, next.Add(time.Hour - time.Millisecond): 1, next.Add(time.Hour): 0,
	} {
		hours, err := db.other.UsageHours(db.ctx, "k", since)
		if err != nil || int64(len(hours)) != want {
			t.Errorf("since %s: %d hours, %v; want %d", since, len(hours), err, want)
		}
		totals, err := db.other.UsageTotals(db.ctx, since)
		if err != nil || totals["k"].Total() != want {
			t.Errorf("since %s: a total of %d, %v; want %d", since, totals["k"].Total(), err, want)
		}
	}
}

func pruneUsage(t *testing.T, db *base) {
	one := auth.UsageCounts{Allowed: 1}
	b := auth.UsageBatch{Writer: "a", Number: 1}
	for i := range 5 {
		at := hour.Add(time.Duration(i) * time.Hour)
		b.Hours = append(b.Hours, hourOf("k", at, one))
		b.Secrets = append(b.Secrets, auth.SecretUse{Digest: newDigest(), KeyID: "k", FirstUsed: hour, LastUsed: at})
	}
	slices.SortFunc(b.Secrets, func(x, y auth.SecretUse) int { return slices.Compare(x.Digest[:], y.Digest[:]) })
	db.count(t, b)
	before := hour.Add(3 * time.Hour)
	for _, want := range []int{4, 2, 0, 0} {
		db.unlogged(t, func() {
			if n, err := db.PruneUsage(db.ctx, before, 2); err != nil || n != want {
				t.Errorf("%d were removed, %v; want %d", n, err, want)
			}
		})
	}
	db.wantHours(t, "k", time.Time{}, hourOf("k", before, one), hourOf("k", before.Add(time.Hour), one))
	left, err := db.other.SecretUses(db.ctx, "k")
	if err != nil || len(left) != 2 {
		t.Errorf("%d secrets are left, %v; want 2", len(left), err)
	}
	db.count(t, b) // which is remembered all the same
	db.wantHours(t, "k", time.Time{}, hourOf("k", before, one), hourOf("k", before.Add(time.Hour), one))
}

func deletedUsage(t *testing.T, db *base) {
	one := auth.UsageCounts{Allowed: 1}
	gone, stays := db.create(t, "Gone"), db.create(t, "Stays")
	b := auth.UsageBatch{Writer: "a", Number: 1}
	for _, r := range []*auth.Record{gone, stays} {
		b.Hours = append(b.Hours, hourOf(r.ID, hour, one))
		b.Secrets = append(b.Secrets, auth.SecretUse{Digest: r.Secrets[0].Digest, KeyID: r.ID, FirstUsed: early, LastUsed: early})
	}
	db.count(t, b)
	db.logged(t, func() (auth.Change, error) { return db.DeleteKey(db.ctx, "Gone") })
	db.wantHours(t, gone.ID, hour)
	db.wantSecretUses(t, gone.ID)
	db.wantHours(t, stays.ID, hour, hourOf(stays.ID, hour, one))
	if uses, err := db.other.SecretUses(db.ctx, stays.ID); err != nil || len(uses) != 1 {
		t.Errorf("the other key's secrets: %v, %v", uses, err)
	}
}
