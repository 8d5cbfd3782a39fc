package auth

import (
	"errors"
	"fmt"
)

// Errors that every Finder and every store speak. Wrap them; compare with errors.Is.
var (
	// ErrKeyNotFound says that the source has answered, and there is no such key.
	ErrKeyNotFound = errors.New("no such key")
	// ErrUnavailable says that the source could not be asked. It is never ErrKeyNotFound.
	ErrUnavailable = errors.New("the key store can't be asked")
	// ErrStoreReplaced says that the store is not the one that was opened. It is an ErrUnavailable.
	ErrStoreReplaced = fmt.Errorf("%w: it was moved or replaced while it was open", ErrUnavailable)
	// ErrUserNotFound says that there is no such user.
	ErrUserNotFound = errors.New("no such user")
	// ErrUserTaken says that a user of this login exists.
	ErrUserTaken = errors.New("a user of this login exists")
	// ErrNameTaken says that another key has this name.
	ErrNameTaken = errors.New("another key has this name")
	// ErrSlugTaken says that another key's name has the same slug.
	ErrSlugTaken = errors.New("another key's name has the same slug")
	// ErrSecretTaken says that this value is, or was, a secret of a key that is still there.
	ErrSecretTaken = errors.New("this value is in use already, or was revoked")
	// ErrStale says that what was to be replaced is not any more what it was when it was read.
	ErrStale = errors.New("it was changed meanwhile: look at it again")
	// ErrRevoked says that the key was revoked, which is final.
	ErrRevoked = errors.New("the key was revoked, and that is final")
)
