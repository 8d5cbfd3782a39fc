package postgres

import (
	"testing"

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
