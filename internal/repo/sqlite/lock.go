package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/gofrs/flock"

	"authd/internal/auth"
)

// lock is a locked file. The operating system lets go of it when the process
// ends, however it ends: that is what makes it a proof.
type lock struct{ f *flock.Flock }

// lockPause is how long to wait before a lock is tried again.
const lockPause = 5 * time.Millisecond

// waitForLock makes the file where it has to, and locks it.
func waitForLock(ctx context.Context, path string) (lock, error) {
	for {
		l, ok, err := tryLock(path, os.O_CREATE|os.O_RDWR)
		if ok || err != nil {
			return l, err
		}
		if !pause(ctx, lockPause) {
			return lock{}, fmt.Errorf("%w: another process holds %s: %w", auth.ErrUnavailable, path, ctx.Err())
		}
	}
}

// tryExisting locks a file that is there, and reports whether it could. A file
// that is not there proves nothing.
func tryExisting(path string) (lock, bool, error) {
	l, ok, err := tryLock(path, os.O_RDWR)
	if errors.Is(err, os.ErrNotExist) {
		return l, false, nil
	}
	return l, ok, err
}

// tryLock reports false as well where the file that it locked is no longer the
// one of that name: whoever removes one holds its lock, and may have been quicker.
func tryLock(path string, flags int) (lock, bool, error) {
	f := flock.New(path, flock.SetFlag(flags), flock.SetPermissions(0o600))
	ok, err := f.TryLock()
	if !ok || err != nil {
		return lock{}, false, err
	}
	ours, err := f.Stat()
	if err == nil {
		var named os.FileInfo
		if named, err = os.Stat(path); err == nil && os.SameFile(ours, named) {
			return lock{f}, true, nil
		}
	}
	_ = f.Close()
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return lock{}, false, err
}

// remove removes the file, then lets go of it, in that order: nobody locks
// what is about to be removed.
func (l lock) remove() {
	_ = os.Remove(l.f.Path())
	l.release()
}

// release lets go, and leaves the file.
func (l lock) release() { _ = l.f.Close() }
