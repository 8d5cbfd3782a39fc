package repotest

import (
	"maps"
	"slices"
	"testing"
	"time"

	"authd/internal/auth"
)

var counting = []test{
	{"keys are counted by Record.State", countKeys},
	{"live secrets are counted by pepper", countPeppers},
}

// Records of every state, and of two at once, each of which has its turn in Record.State.
func countKeys(t *testing.T, db *base) {
	from, to := early.Truncate(time.Millisecond), early.Truncate(time.Millisecond).Add(time.Minute)
	bound := func(r *auth.Record) { r.NotBefore, r.ExpiresAt = from, to }
	db.create(t, "active")
	db.create(t, "bound", bound)
	db.create(t, "disabled", func(r *auth.Record) { r.Active = false })
	db.create(t, "disabled and bound", bound, func(r *auth.Record) { r.Active = false })
	db.create(t, "disabled, of an inactive user", func(r *auth.Record) { r.Active = false; r.User = "gone" })
	db.create(t, "of an inactive user", func(r *auth.Record) { r.User = "gone" })
	db.create(t, "bound, of an inactive user", bound, func(r *auth.Record) { r.User = "gone" })
	db.create(t, "revoked")
	db.create(t, "revoked, disabled and bound", bound, func(r *auth.Record) { r.Active = false; r.User = "gone" })
	for _, ref := range []string{"revoked", "revoked, disabled and bound"} {
		if _, err := db.RevokeKey(db.ctx, ref, early); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.SetUserActive(db.ctx, "gone", false); err != nil {
		t.Fatal(err)
	}
	list, err := db.other.ListKeys(db.ctx, auth.KeyFilter{})
	if err != nil {
		t.Fatal(err)
	}
	seen, most := map[string]bool{}, 0
	for _, now := range []time.Time{
		from.Add(-time.Microsecond), from, from.Add(time.Microsecond), to.Add(-time.Microsecond), to, to.Add(time.Microsecond),
	} {
		want := map[string]int{}
		for i := range list {
			want[list[i].State(now)]++
			seen[list[i].State(now)] = true
		}
		got, err := db.other.CountKeys(db.ctx, now)
		if err != nil {
			t.Fatal(err)
		}
		for _, before := range []time.Time{from, to, to.Add(time.Millisecond), to.Add(time.Hour)} {
			expiring := 0
			for i := range list {
				f := auth.KeyFilter{Expiring: before}
				if list[i].State(now) == "active" && f.Matches(&list[i]) {
					expiring++
				}
			}
			got, err := db.other.CountExpiring(db.ctx, now, before)
			if err != nil {
				t.Fatal(err)
			}
			same(t, "keys that expire from "+now.Format("05.000000")+" to "+before.Format("05.000000"), expiring, got)
			most = max(most, got)
		}
		maps.DeleteFunc(got, func(_ string, n int) bool { return n == 0 })
		same(t, "keys at "+now.Format("05.000000"), want, got)
	}
	if most != 1 {
		t.Errorf("%d keys expire, want the one that is bound", most)
	}
	if len(seen) != len(auth.States) {
		t.Errorf("the test has not all states: %v", seen)
	}
	for state := range seen {
		if !slices.Contains(auth.States, state) {
			t.Errorf("%s is not among auth.States", state)
		}
	}
}

func countPeppers(t *testing.T, db *base) {
	under := func(pepper string, ends time.Time) auth.SecretInfo {
		s := newSecret()
		s.PepperID, s.ExpiresAt = pepper, ends
		return s
	}
	past, future := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC)
	db.createWith(t, newRecord("First"), under("0badcafe", past), under("0badcafe", future), under(auth.NoPepper, time.Time{}))
	db.createWith(t, newRecord("Second"), under("0badcafe", time.Time{}), under("aged", past))
	db.createWith(t, newRecord("Revoked"), under("0badcafe", time.Time{}), under("leaked", time.Time{}))
	db.createWith(t, newRecord("Deleted"), under("0badcafe", time.Time{}))
	if _, err := db.RevokeKey(db.ctx, "Revoked", early); err != nil {
		t.Fatal(err)
	}
	if _, err := db.DeleteKey(db.ctx, "Deleted"); err != nil {
		t.Fatal(err)
	}
	got, err := db.other.CountPeppers(db.ctx)
	if err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(got, func(_ string, n int) bool { return n == 0 })
	same(t, "live secrets", map[string]int{"0badcafe": 2, auth.NoPepper: 1}, got)
}
