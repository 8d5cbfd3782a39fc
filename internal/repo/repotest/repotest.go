// Package repotest is the one conformance suite of the store: what the
// comments of repo.Store, auth.Finder, auth.Change and auth.Replica promise,
// as tests that every backend must pass.
package repotest

import (
	"testing"

	"authd/internal/repo"
)

// Backend is what the suite needs of a backend. The stores that it gives are
// closed by t.Cleanup, also those that the test has closed by then.
type Backend struct {
	// Open gives a store on a new database, with nothing in it: the suite migrates it.
	Open func(t *testing.T) repo.Store
	// Again gives another handle onto s's database, as another process would have it.
	Again func(t *testing.T, s repo.Store) repo.Store
}

// test is one promise. It gets a database of its own.
type test struct {
	promise string
	check   func(t *testing.T, db *base)
}

var suite = []struct {
	of    string
	tests []test
}{
	{"Finder", finding},
	{"CreateKey", creating},
	{"ImportKeys", batches},
	{"UpdateKey", updating},
	{"RotateKey", rotating},
	{"RevokeKey", revoking},
	{"DeleteKey", deleting},
	{"ListKeys", listing},
	{"Counts", counting},
	{"Users", users},
	{"Audit", audits},
	{"Log", logging},
	{"Woken", waking},
	{"Replicas", replicas},
	{"Usage", usage},
	{"Writers", writers},
	{"Outage", outages},
	{"Schema", schema},
	{"Model", models},
}

// Run holds a backend to every promise.
func Run(t *testing.T, b Backend) {
	for _, part := range suite {
		t.Run(part.of, func(t *testing.T) {
			for _, test := range part.tests {
				t.Run(test.promise, func(t *testing.T) {
					t.Parallel()
					test.check(t, newBase(t, b))
				})
			}
		})
	}
}
