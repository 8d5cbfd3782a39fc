package main

import (
	"context"
	"time"

	"authd/internal/auth"
)

// uses is when and from where keys were used, by their ids.
type uses map[string][]auth.SecretUse

// readUses reads those of one key, or of all where keyID is empty.
func readUses(ctx context.Context, s *session, keyID string) (uses, error) {
	list, err := s.store.SecretUses(ctx, keyID)
	all := uses{}
	for _, u := range list {
		all[u.KeyID] = append(all[u.KeyID], u)
	}
	return all, err
}

// of is the use of a secret of a key; the zero use where there was none.
func (u uses) of(keyID string, d auth.Digest) auth.SecretUse {
	for _, use := range u[keyID] {
		if use.Digest == d {
			return use
		}
	}
	return auth.SecretUse{}
}

// last is when a key was last used, by whichever secret.
func (u uses) last(keyID string) (last time.Time) {
	for _, use := range u[keyID] {
		if use.LastUsed.After(last) {
			last = use.LastUsed
		}
	}
	return last
}

// others are the uses of values that the record does not have: an override section gives them.
func (u uses) others(r *auth.Record) (list []auth.SecretUse) {
	known := map[auth.Digest]bool{}
	for _, s := range r.Secrets {
		known[s.Digest] = true
	}
	for _, use := range u[r.ID] {
		if !known[use.Digest] {
			list = append(list, use)
		}
	}
	return list
}

// begin is the first use of all that was counted; the zero time where there was none.
func (u uses) begin() (first time.Time) {
	for _, list := range u {
		for _, use := range list {
			if !use.FirstUsed.IsZero() && (first.IsZero() || use.FirstUsed.Before(first)) {
				first = use.FirstUsed
			}
		}
	}
	return first
}

// unused are the keys that were neither made nor used since.
func (u uses) unused(keys []auth.Record, since time.Time) []auth.Record {
	list := []auth.Record{}
	for i := range keys {
		if keys[i].CreatedAt.Before(since) && u.last(keys[i].ID).Before(since) {
			list = append(list, keys[i])
		}
	}
	return list
}

// warnOfUnknownUse tells where "unused" may not mean what it says, since
// people delete by it.
func (a *app) warnOfUnknownUse(s *session, u uses, since time.Time) {
	begin := u.begin()
	switch {
	case s.loaded.Config.Usage.Keep == 0:
		a.warn("Usage is not counted (usage.keep is 0): keys may have been used all the same.")
	case begin.IsZero():
		a.warn("No use was ever counted here: nothing is known of what was used.")
	case begin.After(since):
		a.warn("The first use that was counted is of %s: what was used before is not known.", instant(begin))
	case s.loaded.Config.Usage.Keep < time.Since(since):
		a.warn("Usage is kept for %s (usage.keep): what was used before is not known.", (*span)(&s.loaded.Config.Usage.Keep))
	}
}

// keyView is a key as -o json prints it.
type keyView struct {
	*auth.Record
	State        string           `json:"state"`
	LastUsed     time.Time        `json:"last_used,omitzero"`
	Secrets      []secretView     `json:"secrets"`
	OverrideUses []auth.SecretUse `json:"override_uses,omitempty"` // of a value that an override section gives
}

type secretView struct {
	auth.SecretInfo
	auth.SecretUse
}

func viewKey(r *auth.Record, u uses) keyView {
	v := keyView{Record: r, State: r.State(time.Now()), LastUsed: u.last(r.ID), Secrets: make([]secretView, len(r.Secrets)), OverrideUses: u.others(r)}
	for i, s := range r.Secrets {
		v.Secrets[i] = secretView{s, u.of(r.ID, s.Digest)}
	}
	return v
}
