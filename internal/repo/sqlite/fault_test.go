package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"authd/internal/auth"
)

func TestNoDatabase(t *testing.T) {
	for name, text := range map[string]string{
		"a text":        strings.Repeat("this is no database\n", 100),
		"a short text":  "hello\n",
		"a wrong magic": "SQLite format 4\x00" + strings.Repeat("\x00", 4096),
	} {
		t.Run(name, func(t *testing.T) {
			path := path(t)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := Open(t.Context(), path, false)
			if s != nil {
				t.Error("a store was opened")
			}
			unavailable(t, "Open", err, path, "it is no SQLite database", "move this file away")
			if b, err := os.ReadFile(path); err != nil || string(b) != text {
				t.Errorf("the file was written to: %v", err)
			}
		})
	}
}

// Every page but the first is garbage.
func TestADamagedFile(t *testing.T) {
	s := fresh(t)
	addKey(t, s, 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(s.path)
	if err != nil || len(b) < 2*4096 {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	for i := range b[4096:] {
		b[4096+i] = 0xa5
	}
	if err := os.WriteFile(s.path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), s.path, true)
	unavailable(t, "Open", err, s.path, "it is damaged", "restore a backup")
}

// What can't be read is nothing that anybody may decide on, and never a key that is not there.
func TestDamagedRows(t *testing.T) {
	get := append(append([]call{}, lookups...), reads[:2]...)
	log := []call{reads[5]}
	tests := []struct {
		name, damage string
		fail         []call
	}{
		{"groups", `UPDATE keys SET groups = '["a"'`, get},
		{"scopes", `UPDATE keys SET scopes = '{}'`, get},
		{"restrictions", `UPDATE keys SET restrictions = '[1]'`, get},
		{"a network", `UPDATE keys SET restrictions = '{"cidrs":["10.0.0.0/99"]}'`, get},
		{"limits", `UPDATE keys SET limits = 'x'`, get},
		{"the user's limits", `UPDATE users SET limits = '[]'`, get},
		{"metadata", `UPDATE keys SET metadata = '[]'`, get[2:]},
		{"a time", `UPDATE keys SET expires_at = 'soon'`, get},
		{"whether it is active", `UPDATE keys SET active = 'perhaps'`, get},
		{"whether the user is", `UPDATE users SET active = 'perhaps'`, get},
		{"whether a secret is revoked", `UPDATE secrets SET revoked = 'perhaps'`, append(get[:1:1], get[2:]...)},
		{"a digest", `UPDATE secrets SET digest = x'0102'`, get[2:]},
		{"the digests of a change", `UPDATE changes SET digests = x'0102'`, log},
		{"the names of a change", `UPDATE changes SET names = 'Key 1'`, log},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := fresh(t)
			addKey(t, s, 1)
			run(t, s.writer, tt.damage)
			for _, c := range tt.fail {
				unavailable(t, c.name, c.do(t.Context(), s), s.path)
			}
		})
	}
}

// A change that fails half-way has stored nothing of it.
func TestTheDiskIsFull(t *testing.T) {
	path := path(t)
	at(t, path, writeBusy)
	s := at(t, path+"?_pragma=max_page_count(40)", writeBusy)
	n, err := 0, error(nil)
	for err == nil && n < 1000 {
		n++
		r := record(n)
		r.Note = strings.Repeat("a long note ", 100)
		_, err = s.CreateKey(t.Context(), r, secret(n))
	}
	unavailable(t, "CreateKey", err, path, "the disk is full", "nothing of this change was stored")
	if n < 3 {
		t.Fatalf("it was full after %d keys", n-1)
	}
	for _, what := range []struct {
		name string
		err  error
	}{
		{"the record", second(s.Key(t.Context(), record(n).Name))},
		{"the secret", second(s.ByDigest(t.Context(), digest(n)))},
	} {
		if !errors.Is(what.err, auth.ErrKeyNotFound) {
			t.Errorf("%s is stored: %v", what.name, what.err)
		}
	}
	users, err := s.ListUsers(t.Context())
	if last, lastErr := s.LastChange(t.Context()); err != nil || lastErr != nil || len(users) != n-1 || last != int64(n-1) {
		t.Errorf("%d users, %d changes after %d keys; %v, %v", len(users), last, n-1, err, lastErr)
	}
	if _, err := s.ByDigest(t.Context(), digest(1)); err != nil {
		t.Errorf("a look-up: %v", err)
	}
	// What makes room is done, by the same store.
	if _, err := s.DeleteKey(t.Context(), record(1).Name); err != nil {
		t.Errorf("DeleteKey: %v", err)
	}
	addKey(t, at(t, path, writeBusy), n)
}

func second[T any](_ T, err error) error { return err }

// What is written into a file that was put aside is seen by nobody.
func TestTheFileIsReplaced(t *testing.T) {
	for name, replace := range map[string]func(path string) error{
		"by another": func(path string) error { return os.Rename(path+".other", path) },
		"moved":      func(path string) error { return os.Rename(path, path+".moved") },
		"removed":    os.Remove,
	} {
		t.Run(name, func(t *testing.T) {
			s := fresh(t)
			addKey(t, s, 1)
			register(t, s, "r")
			other := at(t, s.path+".other", writeBusy)
			if err := other.Close(); err != nil {
				t.Fatal(err)
			}
			if err := replace(s.path); err != nil {
				t.Fatal(err)
			}
			for _, c := range changes {
				unavailable(t, c.name, c.do(t.Context(), s), s.path, "moved or replaced", "restart authd")
			}
		})
	}
}

// roleNobody opens a database as a user who owns nothing, and prints how that went.
func roleNobody(args []string) error {
	if os.Getuid() == 0 { // whom no permission binds
		if err := errors.Join(syscall.Setgroups(nil), syscall.Setgid(65534), syscall.Setuid(65534)); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := Open(ctx, args[0], false)
	if err == nil {
		return errors.Join(errors.New("it was opened"), s.Close())
	}
	fmt.Println(errors.Is(err, auth.ErrUnavailable), err)
	return nil
}

// No replica can follow where nothing can be written: that is said at the start.
func TestReadOnly(t *testing.T) {
	tests := []struct {
		name         string
		file, folder os.FileMode
		tells        string
	}{
		{"the file", 0o444, 0o777, "give authd's user the right to write the file and its folder"},
		{"the folder", 0o666, 0o555, "give authd's user the right to write the file and its folder"},
		{"both", 0o444, 0o555, "give authd's user the right to write the file and its folder"},
		{"not even readable", 0, 0o777, "authd's user may read and write in it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, err := os.MkdirTemp("", "authd") // t.TempDir lets nobody else in
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = errors.Join(os.Chmod(dir, 0o700), os.RemoveAll(dir)) })
			s := at(t, filepath.Join(dir, "authd.db"), writeBusy)
			addKey(t, s, 1)
			if err := errors.Join(s.Close(), os.Chmod(s.path, tt.file), os.Chmod(dir, tt.folder)); err != nil {
				t.Fatal(err)
			}
			said := start(t, "nobody", s.path).end()
			for _, part := range []string{"true " + auth.ErrUnavailable.Error(), s.path, tt.tells} {
				if !strings.Contains(said, part) {
					t.Errorf("%q is not told in: %s", part, said)
				}
			}
		})
	}
}

// Whatever a store can't do any more, or not in time, is an outage, and nothing else.
func TestOutages(t *testing.T) {
	all := append(append(append([]call{}, lookups...), reads...), changes...)
	t.Run("closed", func(t *testing.T) {
		s := fresh(t)
		addKey(t, s, 1)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for _, c := range all {
			unavailable(t, c.name, c.do(t.Context(), s), s.path)
		}
	})
	t.Run("out of time", func(t *testing.T) {
		s := fresh(t)
		addKey(t, s, 1)
		ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
		defer cancel()
		for _, c := range all {
			err := c.do(ctx, s)
			unavailable(t, c.name, err)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: error %v", c.name, err)
			}
		}
		if last, err := s.LastChange(t.Context()); err != nil || last != 1 {
			t.Errorf("something was stored: change %d, %v", last, err)
		}
	})
}
