package repotest

import (
	"testing"

	"authd/internal/auth"
)

var waking = []test{
	{"a commit wakes the others", commitWakes},
	{"it is closed with the store", wokenIsClosed},
}

// A signal may stand for several commits, and one may be left from before the
// first: each round but that needs a signal of its own.
func commitWakes(t *testing.T, db *base) {
	db.create(t, "Key")
	for _, active := range []bool{false, true, false, true, false} {
		db.update(t, "Key", func(r *auth.Record) { r.Active = active })
		select {
		case _, open := <-db.other.Woken():
			if !open {
				t.Fatal("it is closed, and the store is not")
			}
		case <-db.ctx.Done():
			t.Fatal("nothing came")
		}
	}
}

func wokenIsClosed(t *testing.T, db *base) {
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for open := true; open; {
		select {
		case _, open = <-db.Woken():
		case <-db.ctx.Done():
			t.Fatal("it is still open")
		}
	}
	db.wantName(t, "unknown", nil) // the other one's is its own
	select {
	case _, open := <-db.other.Woken():
		if !open {
			t.Error("another handle's was closed as well")
		}
	default:
	}
}
