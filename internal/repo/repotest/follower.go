package repotest

import (
	"context"
	"errors"

	"authd/internal/auth"
	"authd/internal/repo"
)

// follower is a cache of the simplest kind. It keeps every answer that it ever
// got, and drops only what a new change names: the log alone must suffice for
// it to be never wrong. It is used by one goroutine.
type follower struct {
	store   repo.Store
	applied int64
	digests map[auth.Digest]*auth.Key // nil: no such key
	names   map[string]*auth.Key
}

// batch is small, so that reading the log takes several.
const batch = 2

func newFollower(s repo.Store, applied int64) *follower {
	return &follower{s, applied, map[auth.Digest]*auth.Key{}, map[string]*auth.Key{}}
}

// poll reads the log to its end, and returns what was new.
func (f *follower) poll(ctx context.Context) ([]auth.Change, error) {
	var read []auth.Change
	for {
		list, err := f.store.Changes(ctx, f.applied, batch)
		if err != nil || len(list) == 0 {
			return read, err
		}
		for _, c := range list {
			for _, d := range c.Digests {
				delete(f.digests, d)
			}
			for _, n := range c.Names {
				delete(f.names, n)
			}
			f.applied = c.Seq
		}
		read = append(read, list...)
	}
}

// byDigest answers from memory, where it can; nil stands for no such key.
func (f *follower) byDigest(ctx context.Context, d auth.Digest) (*auth.Key, error) {
	return remembered(f.digests, d, func() (*auth.Key, error) { return f.store.ByDigest(ctx, d) })
}

func (f *follower) byName(ctx context.Context, name string) (*auth.Key, error) {
	return remembered(f.names, name, func() (*auth.Key, error) { return f.store.ByName(ctx, name) })
}

func remembered[K comparable](known map[K]*auth.Key, by K, find func() (*auth.Key, error)) (*auth.Key, error) {
	if k, ok := known[by]; ok {
		return k, nil
	}
	k, err := answer(find())
	if err == nil {
		known[by] = k
	}
	return k, err
}

// answer makes nil of the answer that there is no such key.
func answer(k *auth.Key, err error) (*auth.Key, error) {
	if errors.Is(err, auth.ErrKeyNotFound) && !errors.Is(err, auth.ErrUnavailable) {
		return nil, nil
	}
	return k, err
}
