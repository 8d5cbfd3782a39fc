package sqlite

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"authd/internal/auth"
)

// roleVar makes this very program another process of a test, see child.
const roleVar = "AUTHD_TEST_ROLE"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVar); role != "" {
		if err := roles[role](os.Args[1:]); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// patience is how long a test awaits what should come at once: machines are busy.
const patience = 30 * time.Second

func path(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "authd.db")
}

// at opens a database, up to date, until the test ends. Changes wait for their turn for busy.
func at(t *testing.T, rest string, busy time.Duration) *Store {
	t.Helper()
	l, err := parse(rest)
	if err != nil {
		t.Fatal(err)
	}
	s, err := open(t.Context(), l, false, busy)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func fresh(t *testing.T) *Store {
	t.Helper()
	return at(t, path(t), writeBusy)
}

// raw is the database as any program may open it that is not authd.
func raw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func run(t *testing.T, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
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

func digest(n int) auth.Digest { return auth.Digest{1, byte(n >> 8), byte(n)} }

func addKey(t *testing.T, s *Store, n int) auth.Change {
	t.Helper()
	c, err := s.CreateKey(t.Context(), record(n), secret(n))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// unavailable checks that the database was not asked, which is never "unknown", and that people are told what to do.
func unavailable(t *testing.T, what string, err error, tells ...string) {
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

var lookups = []call{
	{"ByDigest", func(ctx context.Context, s *Store) error { _, err := s.ByDigest(ctx, digest(1)); return err }},
	{"ByName", func(ctx context.Context, s *Store) error { _, err := s.ByName(ctx, "Key 1"); return err }},
}

var reads = []call{
	{"Key", func(ctx context.Context, s *Store) error { _, err := s.Key(ctx, "Key 1"); return err }},
	{"ListKeys", func(ctx context.Context, s *Store) error { _, err := s.ListKeys(ctx, auth.KeyFilter{}); return err }},
	{"CountKeys", func(ctx context.Context, s *Store) error { _, err := s.CountKeys(ctx, time.Now()); return err }},
	{"CountPeppers", func(ctx context.Context, s *Store) error { _, err := s.CountPeppers(ctx); return err }},
	{"ListUsers", func(ctx context.Context, s *Store) error { _, err := s.ListUsers(ctx); return err }},
	{"Changes", func(ctx context.Context, s *Store) error { _, err := s.Changes(ctx, 0, 10); return err }},
	{"LastChange", func(ctx context.Context, s *Store) error { _, err := s.LastChange(ctx); return err }},
	{"ListReplicas", func(ctx context.Context, s *Store) error { _, err := s.ListReplicas(ctx); return err }},
}

var changes = []call{
	{"CreateKey", func(ctx context.Context, s *Store) error {
		_, err := s.CreateKey(ctx, record(2), secret(2))
		return err
	}},
	{"UpdateKey", func(ctx context.Context, s *Store) error {
		_, err := s.UpdateKey(ctx, "Key 1", func(r *auth.Record) error { r.Note = "changed"; return nil })
		return err
	}},
	{"RotateKey", func(ctx context.Context, s *Store) error {
		_, err := s.RotateKey(ctx, "Key 1", secret(3), time.Now())
		return err
	}},
	{"RevokeKey", func(ctx context.Context, s *Store) error { _, err := s.RevokeKey(ctx, "Key 1", time.Now()); return err }},
	{"DeleteKey", func(ctx context.Context, s *Store) error { _, err := s.DeleteKey(ctx, "Key 1"); return err }},
	{"CreateUser", func(ctx context.Context, s *Store) error { return s.CreateUser(ctx, "user9") }},
	{"SetUserActive", func(ctx context.Context, s *Store) error { _, err := s.SetUserActive(ctx, "user1", false); return err }},
	{"Register", func(ctx context.Context, s *Store) error { return s.Register(ctx, replica("r")) }},
	{"Acknowledge", func(ctx context.Context, s *Store) error { _, err := s.Acknowledge(ctx, "r", 1); return err }},
	{"Unregister", func(ctx context.Context, s *Store) error { return s.Unregister(ctx, "r") }},
}

// roles are what this program does as another process: it prints a line when
// it has come to its point, and ends with its standard input.
var roles = map[string]func(args []string) error{
	"replica": roleReplica,
	"locker":  roleLocker,
	"migrate": roleMigrate,
	"nobody":  roleNobody,
}

// child is another process.
type child struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.Closer
	out *bufio.Reader
}

// start begins a role, and ends it with the test if not before.
func start(t *testing.T, role string, args ...string) *child {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{t: t, cmd: exec.Command(program, args...)}
	c.cmd.Env = append(os.Environ(), roleVar+"="+role)
	c.cmd.Stderr = os.Stderr
	in, err := c.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.in, c.out = in, bufio.NewReader(out)
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait()
	})
	return c
}

// says waits for a line of the process.
func (c *child) says() string {
	c.t.Helper()
	line, err := c.out.ReadString('\n')
	if err != nil {
		c.t.Fatalf("the other process said %q, then: %v", line, err)
	}
	return strings.TrimSuffix(line, "\n")
}

// ready waits until it has come to its point.
func (c *child) ready() {
	c.t.Helper()
	if line := c.says(); line != "ready" {
		c.t.Fatalf("the other process said %q", line)
	}
}

// end lets it end in good order, and returns what it still had to say.
func (c *child) end() string {
	c.t.Helper()
	_ = c.in.Close()
	rest, err := io.ReadAll(c.out)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.cmd.Wait(); err != nil {
		c.t.Fatalf("%v: %s", err, rest)
	}
	return string(rest)
}

// point tells the test that the role has come to its point, and waits until it may end.
func point() {
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
}
