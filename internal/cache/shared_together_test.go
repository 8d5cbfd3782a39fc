package cache

import (
	"fmt"
	"testing"

	"authd/internal/redistest"
)

// What is asked for while Redis takes its time is asked for together, and each gets its own answer,
// whatever stands, or does not stand, under the names of the others.
func TestSharedTogether(t *testing.T) {
	server := redistest.Start(t)
	c := server.Client(t)
	s := newStore()
	const keys, lost, spoilt = 40, 7, 8
	for i := range byte(keys) {
		s.put(digest(i), key(i, fmt.Sprint("key ", i)))
	}
	a, b := newSharing(t, s, server.URL, unhurried), newSharing(t, s, server.URL, unhurried)
	for i := range byte(keys) {
		expectKey(t, a.Local, digest(i), fmt.Sprint("key ", i))
		a.awaitShared(c, digest(i))
	}
	c.Del(t.Context(), a.shared.sealer.name(digest(lost)), a.shared.sealer.name(digest(spoilt)))
	if err := c.RPush(t.Context(), a.shared.sealer.name(digest(spoilt)), "foreign").Err(); err != nil {
		t.Fatal(err)
	}
	thaw := server.Freeze()
	results := make(chan error, keys)
	ask := func(i byte) {
		k, err := b.ByDigest(t.Context(), digest(i))
		if err == nil && (k.Name != fmt.Sprint("key ", i) || k.Digest != digest(i)) {
			err = fmt.Errorf("key %d got the answer of %q", i, k.Name)
		}
		results <- err
	}
	for i := range byte(keys) {
		go ask(i)
	}
	await(t, "all are asked", func() bool { return b.shared.gets.Pending() == keys })
	thaw()
	for range keys {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	b.want(fmt.Sprintf("hit %d, miss 1, invalid 1", keys-2))
}
