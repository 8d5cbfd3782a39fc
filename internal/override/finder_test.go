package override

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"authd/internal/auth"
)

const valued = "api_key_Partner sync: {key: " + here + "}"

// TestAcceptance walks through what an override does to one record, and to those beside it.
func TestAcceptance(t *testing.T) {
	w := newWorld(t)
	w.records.put(record("Partner sync"), w.digest(production))
	w.records.put(record("Clé été"), w.digest(other))
	w.expect(production, auth.Allowed)
	w.expect(here, auth.UnknownKey)

	w.load(valued) // an override: its value is accepted, the store's is dead
	w.expect(here, auth.Allowed)
	w.expect(production, auth.Overridden)
	w.expect(other, auth.Allowed)
	if got := w.ask(here); got.Key.Name != "Partner sync" || got.Key.User != "partner@example.com" || got.Key.ID != "id-partner_sync" {
		t.Errorf("it stands for %+v", got.Key)
	}

	for _, text := range []string{"api_key_partner_sync: {key: ''}", "api_key_Partner sync: {key: }"} {
		w.load(text) // an empty one: both are dead, other records untouched
		w.expect(here, auth.UnknownKey)
		w.expect(production, auth.Overridden)
		w.expect(other, auth.Allowed)
	}

	w.finder.Swap(nil) // none: the store's works again
	w.expect(production, auth.Allowed)
	w.expect(here, auth.UnknownKey)

	w.load("api_key_Nobody: {key: " + here + "}") // one without a record
	w.expect(here, auth.UnknownKey)
	w.expect(production, auth.Allowed)

	w.load("api_key_cle_ete: {key: " + here + "}") // by its slug
	w.expect(here, auth.Allowed)
	w.expect(other, auth.Overridden)

	renamed := record("Été")
	renamed.ID = "id-cle_ete"
	w.records.put(renamed, w.digest(other)) // the slug moves, and the section of the old one has no record
	w.expect(here, auth.UnknownKey)
	w.expect(other, auth.Allowed)
	w.load("api_key_ete: {key: " + here + "}")
	w.expect(here, auth.Allowed)
	w.expect(other, auth.Overridden)
}

// TestSectionDoesNotRevive: the section changes the value, and the record goes
// on saying who may use it.
func TestSectionDoesNotRevive(t *testing.T) {
	for _, c := range []struct {
		change func(*auth.Record)
		fields string // of the section, beside its value
		want   auth.Reason
	}{
		{func(r *auth.Record) { r.Active = false }, "", auth.Disabled},
		{func(r *auth.Record) { r.Active = false }, ", active: true", auth.Allowed},
		{func(r *auth.Record) { r.RevokedAt = noon }, ", active: true, user: u", auth.Revoked},
		{func(r *auth.Record) { r.UserActive = false }, ", active: true", auth.UserInactive},
		{func(r *auth.Record) { r.UserActive = false }, ", user: u", auth.Allowed},
		{func(r *auth.Record) { r.ExpiresAt = noon }, "", auth.Expired},
		{func(r *auth.Record) { r.ExpiresAt = noon }, ", expires_at: ", auth.Allowed},
		{func(r *auth.Record) { r.NotBefore = noon.AddDate(0, 0, 1) }, "", auth.NotYetValid},
		{func(r *auth.Record) { r.NotBefore = noon.AddDate(0, 0, 1) }, ", not_before: 2026-01-01", auth.Allowed},
		{func(*auth.Record) {}, ", active: false", auth.Disabled},
		{func(*auth.Record) {}, ", expires_at: 2026-01-01", auth.Expired},
		{func(*auth.Record) {}, ", hosts: a.example.com", auth.Unvouched},
		{func(r *auth.Record) { r.Restrictions.Methods = []string{"GET"} }, "", auth.Unvouched},
		{func(r *auth.Record) { r.Restrictions.Methods = []string{"GET"} }, ", methods: []", auth.Allowed},
	} {
		w := newWorld(t)
		r := record("Partner sync")
		c.change(&r)
		w.records.put(r, w.digest(production))
		w.load("api_key_partner_sync: {key: " + here + c.fields + "}")
		if got := w.ask(here); got.Reason != c.want {
			t.Errorf("%s: %s, want %s", c.fields, got.Reason, c.want)
		}
		w.expect(production, auth.Overridden)
	}
}

// TestFieldsWithoutValue: the store's values go on, as the section would have them.
func TestFieldsWithoutValue(t *testing.T) {
	w := newWorld(t)
	w.records.put(record("Partner sync"), w.digest(production), w.digest(other))
	w.load("api_key_Partner sync: {groups: [staging], user: staging@example.com}")
	for _, value := range []string{production, other} {
		got := w.ask(value)
		if got.Reason != auth.Allowed || got.Key.User != "staging@example.com" || got.Key.Told(auth.IdentityGroups)[0] != "staging" ||
			got.Key.Told(auth.IdentityScopes)[0] != "shop:read" {
			t.Errorf("%s: %+v", got.Reason, got.Key)
		}
	}
	w.load("api_key_Partner sync: {active: no}")
	w.expect(production, auth.Disabled)
	w.load("api_key_Partner sync: {standalone: no}") // a field like any other, which changes nothing
	w.expect(production, auth.Allowed)
}

func TestStandalone(t *testing.T) {
	w := newWorld(t)
	w.records.put(record("Partner sync"), w.digest(production))
	w.load("api_key_Only here: {standalone: true, key: " + here + ", user: staging@example.com, groups: [staging]}")
	got := w.ask(here)
	if got.Reason != auth.Allowed || got.Key.Name != "Only here" || got.Key.Slug != "only_here" || got.Key.User != "staging@example.com" {
		t.Errorf("%s: %+v", got.Reason, got.Key)
	}
	id := got.Key.ID
	w.load("api_key_Only here: {standalone: true, key: " + other + ", user: somebody@example.com}")
	if got := w.ask(other); got.Reason != auth.Allowed || got.Key.ID != id || id == "" {
		t.Errorf("%s: the id is %q, and was %q: logs and quotas would lose it", got.Reason, got.Key.ID, id)
	}
	w.expect(here, auth.UnknownKey)

	w.records.fail(auth.ErrUnavailable) // it needs no store
	w.expect(other, auth.Allowed)
	w.records.fail(nil)

	w.load("api_key_partner_sync: {standalone: true, key: " + here + ", user: u}") // where there is a record after all, its values are dead
	w.expect(here, auth.Allowed)
	w.expect(production, auth.Overridden)
	w.load("api_key_x: {standalone: true, key: " + here + ", user: u, active: no}")
	w.expect(here, auth.Disabled)
}

// A user's limits are those of the record's own user: of another one the store was not asked.
func TestLimitsOfAnotherUser(t *testing.T) {
	for fields, want := range map[string]bool{"": true, ", user: partner@example.com": true, ", user: u": false} {
		w := newWorld(t)
		r := record("Partner sync")
		r.UserLimits.Quota = auth.Quota{Count: 1, Per: "d"}
		w.records.put(r, w.digest(production))
		w.load("api_key_partner_sync: {key: " + here + fields + "}")
		if k := w.ask(here).Key; k == nil || (k.UserLimits != nil) != want {
			t.Errorf("%q: %+v", fields, k)
		}
	}
}

// TestOutageStaysOutage: what can't be looked up is not unknown, and does not pass.
func TestOutageStaysOutage(t *testing.T) {
	for _, outage := range []error{auth.ErrUnavailable, auth.ErrLeaseLost, context.DeadlineExceeded, errors.New("anything")} {
		want := auth.Unavailable
		if errors.Is(outage, auth.ErrLeaseLost) {
			want = auth.LeaseLost
		}
		for _, text := range []string{valued, "api_key_Partner sync: {key: ''}", "api_key_Partner sync: {groups: []}"} {
			w := newWorld(t, mustPepper(t, "the pepper of this test"))
			w.records.put(record("Partner sync"), w.digest(production))
			w.load(text)
			w.expect(here, map[bool]auth.Reason{true: auth.Allowed, false: auth.UnknownKey}[text == valued])
			w.records.fail(fmt.Errorf("asking: %w", outage))
			for _, value := range []string{here, production, other} {
				w.expect(value, want)
			}
		}
	}
}

// wrongNames answers a look-up by name with some other record, or with none and no error.
type wrongNames struct {
	*records
	key *auth.Key
}

func (w wrongNames) ByName(context.Context, string) (*auth.Key, error) { return w.key, nil }

func TestWrongRecordIsAnOutage(t *testing.T) {
	r := record("Somebody else")
	for _, k := range []*auth.Key{nil, auth.NewKey(&r, auth.SecretInfo{})} {
		w := newWorld(t)
		f := NewFinder(wrongNames{w.records, k}, mustSet(t, w.env, "x.yaml", valued))
		if got, err := f.ByDigest(t.Context(), w.digest(here)); got != nil || err == nil || errors.Is(err, auth.ErrKeyNotFound) {
			t.Errorf("%v, %v", got, err)
		}
	}
}

// TestByName: sections are matched by what the store says, not by their own work.
func TestByName(t *testing.T) {
	w := newWorld(t)
	w.records.put(record("Partner sync"))
	w.load(valued + "\napi_key_Only here: {standalone: true, user: u, key: " + other + "}")
	if k, err := w.finder.ByName(t.Context(), "partner_sync"); err != nil || k.Overridden || k.Digest != (auth.Digest{}) {
		t.Errorf("%+v, %v", k, err)
	}
	if k, err := w.finder.ByName(t.Context(), "Only here"); !errors.Is(err, auth.ErrKeyNotFound) {
		t.Errorf("%+v, %v", k, err)
	}
}

// TestPeppers: whichever pepper a section's value and the store's were made
// under, the first passes and the second does not. What is looked up first
// must not have the last word on a value that is tried under another pepper still.
func TestPeppers(t *testing.T) {
	pepper, old := mustPepper(t, "the pepper of this test"), mustPepper(t, "the pepper before it")
	for _, peppers := range [][]auth.Pepper{nil, {pepper}, {pepper, old}, {pepper, old, mustPepper(t, "one that is not tried")}} {
		w := newWorld(t, peppers...)
		tried := w.env.Digester.Tried()
		for _, stored := range tried {
			for _, of := range tried {
				digestOf := func(value string) string {
					d := of.Digest(auth.RawSecret(value)).String()
					if of.ID() == auth.NoPepper {
						return "sha256:" + d
					}
					return "hmac-sha256:" + of.ID() + ":" + d
				}
				// The store has both values, the section's one among them, under any pepper.
				w.records.put(record("Partner sync"), stored.Digest(auth.RawSecret(production)), stored.Digest(auth.RawSecret(here)))
				w.load("api_key_Partner sync: {key_digest: '" + digestOf(here) + "'}")
				w.expect(here, auth.Allowed)
				if got := w.ask(production); got.Reason != auth.Overridden && got.Reason != auth.UnknownKey {
					t.Errorf("stored under %v, section under %v: %s", stored, of, got.Reason)
				}
				w.expect(other, auth.UnknownKey)
			}
		}
	}
}

// TestMergesFollowTheRecord: what a section remembers of a record does not outlive it.
func TestMergesFollowTheRecord(t *testing.T) {
	w := newWorld(t)
	for _, text := range []string{"api_key_partner_sync: {key: " + here + "}", "api_key_partner_sync: {scopes: []}"} {
		w.load(text)
		value := here
		if !strings.Contains(text, here) {
			value = production
		}
		r := record("Partner sync")
		w.records.put(r, w.digest(production))
		before := w.ask(value)
		if again := w.ask(value); before.Key != again.Key {
			t.Error("a record that stays the same is merged again")
		}
		r.User, r.Groups = "new@example.com", []string{"new"}
		w.records.put(r, w.digest(production))
		if got := w.ask(value); got.Key.User != "new@example.com" || got.Key.Told(auth.IdentityGroups)[0] != "new" || before.Key.User != "partner@example.com" {
			t.Errorf("%+v, before %+v", got.Key, before.Key)
		}
		r.Active = false
		w.records.put(r, w.digest(production))
		w.expect(value, auth.Disabled)
		w.records.remove(r.ID)
		w.expect(value, auth.UnknownKey)
	}
}

// TestSwapIsAtomic: a look-up goes by one set. Under each of them the store's
// value is dead, and a standalone key is of one piece.
func TestSwapIsAtomic(t *testing.T) {
	w := newWorld(t)
	w.records.put(record("Partner sync"), w.digest(production))
	var sets []*Set
	for _, n := range []string{"one", "two"} {
		sets = append(sets, mustSet(t, w.env, "x.yaml", "api_key_partner_sync: {key: "+here+"-"+n+", user: "+n+", groups: ["+n+"]}\n"+
			"api_key_S: {standalone: true, key: "+other+", user: "+n+", groups: ["+n+"]}"))
	}
	w.finder.Swap(sets[0])
	done := make(chan struct{})
	var askers sync.WaitGroup
	for range 4 {
		askers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				w.expect(production, auth.Overridden)
				for _, value := range []string{here + "-one", here + "-two", other} {
					got := w.ask(value)
					switch {
					case got.Reason == auth.UnknownKey && value != other:
					case got.Reason != auth.Allowed:
						t.Errorf("%s: %s", value, got.Reason)
					case got.Key.Grants.Groups[0] != got.Key.User || got.Key.Told(auth.IdentityUser)[0] != got.Key.User:
						t.Errorf("of two sets: %+v", got.Key)
					case value != other && !strings.HasSuffix(value, got.Key.User):
						t.Errorf("%s passes as %s", value, got.Key.User)
					}
				}
			}
		})
	}
	for i := range 2000 {
		w.finder.Swap(sets[i%2])
	}
	close(done)
	askers.Wait()
}

// TestWarmLookUpsAllocateNothing, whatever a section makes of them.
func TestWarmLookUpsAllocateNothing(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"valued", "fields", "none"} {
		w.records.put(record(name), w.digest(production+name))
	}
	for _, text := range []string{"", "api_key_valued: {key: " + here + "}\napi_key_fields: {groups: [a]}\napi_key_S: {standalone: yes, user: u, key: " + other + "}"} {
		w.load(text)
		for _, value := range []string{here, other, production + "valued", production + "fields", production + "none", "no such value at all"} {
			d := w.digest(value)
			ctx := t.Context()
			if got := testing.AllocsPerRun(100, func() { _, _ = w.finder.ByDigest(ctx, d) }); got != 0 {
				t.Errorf("%q, sections %q: %v allocations", value, text, got)
			}
		}
	}
}
