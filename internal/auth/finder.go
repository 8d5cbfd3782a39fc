package auth

import "context"

// Finder looks a key up.
//
// It answers ErrKeyNotFound only when the source has answered; an outage is
// ErrUnavailable. The Key is shared and immutable: nobody writes to it.
type Finder interface {
	// ByDigest finds the key that one of whose secrets has this digest,
	// revoked and expired ones included: judging them is the Checker's.
	ByDigest(ctx context.Context, d Digest) (*Key, error)
	// ByName finds the record that an override section means: the one of this
	// exact name, or else the one of this slug. Its Digest is zero.
	ByName(ctx context.Context, name string) (*Key, error)
}
