package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"authd/internal/auth"
)

// patience is how long a test awaits what should come at once: machines are busy.
const patience = time.Minute

// at opens a database, up to date, until the test ends.
func at(t testing.TB, url string, o Options) *Store {
	t.Helper()
	s := opened(t, url, o)
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// opened is at without the schema.
func opened(t testing.TB, url string, o Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// raw is the database as any program may open it that is not authd.
func raw(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeConn(c) })
	return c
}

func run(t testing.TB, c *pgx.Conn, query string, args ...any) {
	t.Helper()
	if _, err := c.Exec(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// read reads one value.
func read[T any](t testing.TB, c *pgx.Conn, query string, args ...any) (v T) {
	t.Helper()
	if err := c.QueryRow(t.Context(), query, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

// until waits for a condition.
func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("this never came: %s", what)
		}
	}
}

func record(n int) *auth.Record {
	return &auth.Record{
		ID: fmt.Sprintf("id-%d", n), Name: fmt.Sprintf("Key %d", n), Slug: fmt.Sprintf("key_%d", n),
		User: fmt.Sprintf("user%d", n), Active: true, Groups: []string{"a"},
	}
}

func secret(n int) auth.SecretInfo {
	return auth.SecretInfo{Digest: digest(n), Hint: "ak_…", PepperID: auth.NoPepper, CreatedAt: time.Now()}
}

func digest(n int) auth.Digest { return auth.Digest{1, byte(n >> 16), byte(n >> 8), byte(n)} }

func replica(id string) auth.Replica {
	return auth.Replica{ID: id, Name: "pod", Lease: 30 * time.Second, Outage: auth.OutageServe, MaxStale: time.Hour}
}

func addKey(t testing.TB, s *Store, n int) auth.Change {
	t.Helper()
	c, err := s.CreateKey(t.Context(), record(n), secret(n))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// unavailable checks that the database was not asked, which is never "unknown", and that people are told what to do.
func unavailable(t testing.TB, what string, err error, tells ...string) {
	t.Helper()
	if !errors.Is(err, auth.ErrUnavailable) || errors.Is(err, auth.ErrKeyNotFound) || errors.Is(err, auth.ErrUserNotFound) {
		t.Errorf("%s: error %v", what, err)
		return
	}
	for _, part := range tells {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %q is not told in: %v", what, part, err)
		}
	}
}

// call is a method of the store with arguments for which it does something.
type call struct {
	name string
	do   func(context.Context, *Store) error
}

var calls = []call{
	{"ByDigest", func(ctx context.Context, s *Store) error { _, err := s.ByDigest(ctx, digest(1)); return err }},
	{"ByName", func(ctx context.Context, s *Store) error { _, err := s.ByName(ctx, "Key 1"); return err }},
	{"ListKeys", func(ctx context.Context, s *Store) error { _, err := s.ListKeys(ctx, auth.KeyFilter{}); return err }},
	{"Changes", func(ctx context.Context, s *Store) error { _, err := s.Changes(ctx, 0, 10); return err }},
	{"LastChange", func(ctx context.Context, s *Store) error { _, err := s.LastChange(ctx); return err }},
	{"ListReplicas", func(ctx context.Context, s *Store) error { _, err := s.ListReplicas(ctx); return err }},
	{"RevokeKey", func(ctx context.Context, s *Store) error { _, err := s.RevokeKey(ctx, "Key 1", time.Now()); return err }},
	{"CreateUser", func(ctx context.Context, s *Store) error { return s.CreateUser(ctx, "user9") }},
	{"Register", func(ctx context.Context, s *Store) error { return s.Register(ctx, replica("r")) }},
	{"Acknowledge", func(ctx context.Context, s *Store) error { _, err := s.Acknowledge(ctx, "r", 1); return err }},
	{"Unregister", func(ctx context.Context, s *Store) error { return s.Unregister(ctx, "r") }},
}

// as is the URL for another user.
func as(url, user string) string { return strings.Replace(url, "postgres@", user+"@", 1) }
