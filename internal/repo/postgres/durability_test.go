package postgres

import (
	"strings"
	"testing"
	"time"

	"authd/internal/auth"
	"authd/internal/pgtest"
)

func TestDurability(t *testing.T) {
	t.Parallel()
	for setting, want := range map[string]auth.Durability{
		"fsync=off": auth.InMemory, "fsync=on": auth.OnDisk,
	} {
		s := at(t, pgtest.Start(t, setting).Database(t), Options{})
		if got, err := s.Durability(t.Context()); got != want || err != nil {
			t.Errorf("%s: %q, %v; want %q", setting, got, err, want)
		}
	}
}

// With a standby that commits wait for, a change that has answered is on it: the primary may be lost the next moment.
func TestDurabilityOnAStandby(t *testing.T) {
	t.Parallel()
	primary := pgtest.Start(t, "synchronous_standby_names=*")
	standby := primary.Standby(t)
	url := primary.Database(t)
	s := at(t, url, Options{})
	addKey(t, s, 1)
	if got, err := s.Durability(t.Context()); got != auth.OnStandby || err != nil {
		t.Errorf("a server with a standby says %q, %v", got, err)
	}
	if _, err := s.RevokeKey(t.Context(), "Key 1", time.Now()); err != nil {
		t.Fatal(err)
	}
	primary.Kill(t)
	standby.Promote(t)
	after := at(t, strings.Replace(url, primary.Address(), standby.Address(), 1), Options{})
	if k, err := after.ByDigest(t.Context(), digest(1)); err != nil || !k.Revoked {
		t.Errorf("on the standby the key is %+v, %v", k, err)
	}
	if got, err := after.Durability(t.Context()); err != nil || got == auth.OnStandby {
		t.Errorf("a server without a standby says %q, %v", got, err)
	}
}
