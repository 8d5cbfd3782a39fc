package admin

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"authd/internal/auth"
	"authd/internal/repo"
)

func open(t *testing.T) repo.Store {
	t.Helper()
	store, err := repo.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "authd.db"), repo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return store
}

func service(t *testing.T) *Service {
	t.Helper()
	return New(open(t), auth.NewDigester("ak"))
}

func create(t *testing.T, s *Service, name string) Done {
	t.Helper()
	done, err := s.Create(t.Context(), auth.Record{Name: name, User: "u"}, auth.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// key reads a record as the store has it.
func key(t *testing.T, s *Service, ref string) *auth.Record {
	t.Helper()
	r, err := s.Store.Key(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCreate(t *testing.T) {
	s := service(t)
	expires := time.Now().Add(time.Hour)
	done, err := s.Create(t.Context(), auth.Record{
		Name: "Clé été", User: "partner@example.com", Groups: []string{"b", "a", "b"}, ExpiresAt: expires,
		Restrictions: auth.Restrictions{Hosts: []string{"API.Example.com"}, Methods: []string{"get"}},
	}, auth.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	if !done.UserMade || done.Change.Seq == 0 {
		t.Errorf("user made %v, change %d", done.UserMade, done.Change.Seq)
	}
	r := key(t, s, "cle_ete")
	if r.ID != done.Key.ID || r.Name != "Clé été" || strings.Join(r.Groups, ",") != "b,a" || !r.Active ||
		r.Restrictions.Hosts[0] != "api.example.com" || r.Restrictions.Methods[0] != "GET" ||
		auth.Millis(r.ExpiresAt) != auth.Millis(expires) {
		t.Errorf("stored: %+v", r)
	}
	found, err := s.Store.ByDigest(t.Context(), s.Digester.Current().Digest(done.Secret))
	if err != nil || found.ID != r.ID {
		t.Errorf("by its secret: %+v, %v", found, err)
	}
	again, err := s.Create(t.Context(), auth.Record{Name: "Other", User: "partner@example.com"}, auth.Secret{})
	if err != nil || again.UserMade {
		t.Errorf("a second key of the user: made %v, %v", again.UserMade, err)
	}
}

func TestCreateTellsEveryFault(t *testing.T) {
	s := service(t)
	own := "short-value"
	_, err := s.Create(t.Context(), auth.Record{
		Name: " x", User: "", Groups: []string{"a,b"}, Scopes: []string{"a b"},
		ExpiresAt: time.Now().Add(-time.Hour), Limits: auth.Limits{Burst: 5},
	}, auth.RawSecret(own))
	var invalid *InvalidError
	if !errors.As(err, &invalid) || !errors.Is(err, ErrPast) || !errors.Is(err, auth.ErrSecretShort) {
		t.Fatalf("error %v", err)
	}
	for _, want := range []string{"the name begins", "login is empty", `group "a,b"`, `scope "a b"`, "burst needs a rate"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not told in: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), own) {
		t.Errorf("the value is in the error: %v", err)
	}
	if keys, err := s.Store.ListKeys(t.Context(), auth.KeyFilter{Now: time.Now()}); err != nil || len(keys) != 0 {
		t.Errorf("stored: %v, %v", keys, err)
	}
	if users, err := s.Store.ListUsers(t.Context()); err != nil || len(users) != 0 {
		t.Errorf("users: %v, %v", users, err)
	}
}

func TestNamesAreTaken(t *testing.T) {
	s := service(t)
	create(t, s, "Partner sync")
	create(t, s, "Other")
	for name, want := range map[string]error{"Partner sync": auth.ErrNameTaken, "partner-sync": auth.ErrSlugTaken} {
		if _, err := s.Create(t.Context(), auth.Record{Name: name, User: "u"}, auth.Secret{}); !errors.Is(err, want) {
			t.Errorf("create %q: %v", name, err)
		}
		if _, err := s.Rename(t.Context(), "Other", name); !errors.Is(err, want) || !strings.Contains(err.Error(), name) {
			t.Errorf("rename to %q: %v", name, err)
		}
	}
}

func TestOwnSecretIsTakenUnderEveryPepper(t *testing.T) {
	s := service(t)
	own := auth.RawSecret("a-value-of-our-own")
	if _, err := s.Create(t.Context(), auth.Record{Name: "A", User: "u"}, own); err != nil {
		t.Fatal(err)
	}
	pepper, err := auth.NewPepper([]byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	s.Digester = auth.NewDigester("ak", pepper)
	if _, err := s.Create(t.Context(), auth.Record{Name: "B", User: "u"}, own); !errors.Is(err, auth.ErrSecretTaken) {
		t.Errorf("create: %v", err)
	}
	if _, err := s.Rotate(t.Context(), "A", 0, own); !errors.Is(err, auth.ErrSecretTaken) {
		t.Errorf("rotate: %v", err)
	}
}

func TestRotate(t *testing.T) {
	tests := []struct {
		name    string
		overlap time.Duration
		old     bool // it goes on
	}{
		{"with an overlap", time.Hour, true},
		{"at once", 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := service(t)
			first := create(t, s, "Partner")
			done, err := s.Rotate(t.Context(), "partner", tt.overlap, auth.Secret{})
			if err != nil {
				t.Fatal(err)
			}
			r := key(t, s, "Partner")
			if len(r.Secrets) != 2 || done.Secret.Reveal() == first.Secret.Reveal() || done.Change.Seq <= first.Change.Seq {
				t.Fatalf("secrets %+v, change %d after %d", r.Secrets, done.Change.Seq, first.Change.Seq)
			}
			if r.Secrets[0].ExpiresAt.After(time.Now()) != tt.old || !r.Secrets[1].ExpiresAt.IsZero() {
				t.Errorf("the old one ends %v, the new one %v", r.Secrets[0].ExpiresAt, r.Secrets[1].ExpiresAt)
			}
			if !done.Key.Secrets[0].ExpiresAt.Equal(r.Secrets[0].ExpiresAt) {
				t.Errorf("told %v, stored %v", done.Key.Secrets[0].ExpiresAt, r.Secrets[0].ExpiresAt)
			}
		})
	}
}

func TestDisableAndEnable(t *testing.T) {
	s := service(t)
	create(t, s, "Partner")
	for _, active := range []bool{false, true} {
		do := s.Disable
		if active {
			do = s.Enable
		}
		first, err := do(t.Context(), "Partner")
		if err != nil || first.Already {
			t.Fatalf("active %v: %+v, %v", active, first, err)
		}
		second, err := do(t.Context(), "Partner")
		if err != nil || !second.Already || second.Change.Seq != first.Change.Seq {
			t.Errorf("active %v, again: change %d after %d, %v", active, second.Change.Seq, first.Change.Seq, err)
		}
		if r := key(t, s, "Partner"); r.Active != active {
			t.Errorf("stored active %v", r.Active)
		}
	}
}

func TestRevokedIsFinal(t *testing.T) {
	s := service(t)
	made := create(t, s, "Partner")
	first, err := s.Revoke(t.Context(), "Partner")
	if err != nil || first.Already || first.Key.State(time.Now()) != "revoked" {
		t.Fatalf("%+v, %v", first, err)
	}
	second, err := s.Revoke(t.Context(), "Partner")
	if err != nil || !second.Already || second.Change.Seq != first.Change.Seq {
		t.Errorf("again: change %d after %d, %v", second.Change.Seq, first.Change.Seq, err)
	}
	if _, err := s.Enable(t.Context(), "Partner"); !errors.Is(err, auth.ErrRevoked) {
		t.Errorf("enable: %v", err)
	}
	if _, err := s.Rotate(t.Context(), "Partner", 0, auth.Secret{}); !errors.Is(err, auth.ErrRevoked) {
		t.Errorf("rotate: %v", err)
	}
	if _, err := s.Create(t.Context(), auth.Record{Name: "Other", User: "u"}, made.Secret); !errors.Is(err, auth.ErrSecretTaken) {
		t.Errorf("its value for another key: %v", err)
	}
	if k, err := s.Store.ByDigest(t.Context(), s.Digester.Current().Digest(made.Secret)); err != nil || !k.Revoked {
		t.Errorf("by its digest: %+v, %v", k, err)
	}
}

func TestUpdate(t *testing.T) {
	s := service(t)
	create(t, s, "Partner")
	done, err := s.Update(t.Context(), "Partner", func(r *auth.Record) { r.Groups = []string{"a", "a"}; r.Note = "n" })
	if err != nil || done.Already || strings.Join(key(t, s, "Partner").Groups, ",") != "a" {
		t.Fatalf("%+v, %v", done, err)
	}
	again, err := s.Update(t.Context(), "Partner", func(r *auth.Record) { r.Note = "n" })
	if err != nil || !again.Already || again.Change.Seq != done.Change.Seq {
		t.Errorf("again: %+v, %v", again, err)
	}
	if _, err := s.Update(t.Context(), "Partner", func(r *auth.Record) { r.ExpiresAt = time.Now() }); !errors.Is(err, ErrPast) {
		t.Errorf("expired at once: %v", err)
	}
	if _, err := s.Update(t.Context(), "Partner", func(r *auth.Record) { r.Groups = []string{""} }); !errors.As(err, new(*InvalidError)) {
		t.Errorf("an empty group: %v", err)
	}
	if _, err := s.Update(t.Context(), "nobody", func(*auth.Record) {}); !errors.Is(err, auth.ErrKeyNotFound) {
		t.Errorf("unknown: %v", err)
	}
}

func TestRenameMovesTheSlug(t *testing.T) {
	s := service(t)
	made := create(t, s, "Partner")
	if _, err := s.Rename(t.Context(), "Partner", "Clé été"); err != nil {
		t.Fatal(err)
	}
	if r := key(t, s, "cle_ete"); r.ID != made.Key.ID || r.Name != "Clé été" {
		t.Errorf("stored %+v", r)
	}
	if _, err := s.Store.Key(t.Context(), "partner"); !errors.Is(err, auth.ErrKeyNotFound) {
		t.Errorf("the old slug: %v", err)
	}
	if _, err := s.Rename(t.Context(), "cle_ete", "a\x1bb"); !errors.As(err, new(*InvalidError)) {
		t.Errorf("a control character: %v", err)
	}
}

func TestDelete(t *testing.T) {
	s := service(t)
	made := create(t, s, "Partner")
	done, err := s.Delete(t.Context(), "Partner")
	if err != nil || done.Change.Seq <= made.Change.Seq || done.Key.ID != made.Key.ID {
		t.Fatalf("%+v, %v", done, err)
	}
	if _, err := s.Delete(t.Context(), "Partner"); !errors.Is(err, auth.ErrKeyNotFound) {
		t.Errorf("again: %v", err)
	}
}

func TestUsers(t *testing.T) {
	s := service(t)
	if err := s.CreateUser(t.Context(), "u"); err != nil {
		t.Fatal(err)
	}
	if err := s.CreateUser(t.Context(), "u"); !errors.Is(err, auth.ErrUserTaken) {
		t.Errorf("again: %v", err)
	}
	if err := s.CreateUser(t.Context(), "u\n"); !errors.As(err, new(*InvalidError)) {
		t.Errorf("a new line: %v", err)
	}
	off, err := s.SetUserActive(t.Context(), "u", false)
	if err != nil || off.Already {
		t.Errorf("disable: %+v, %v", off, err)
	}
	if again, err := s.SetUserActive(t.Context(), "u", false); err != nil || !again.Already || again.Change.Seq != off.Change.Seq {
		t.Errorf("disable again: %+v, %v", again, err)
	}
	if made := create(t, s, "Partner"); made.UserMade || made.Key.UserActive {
		t.Errorf("a key of a disabled user: %+v", made)
	}
	if _, err := s.SetUserActive(t.Context(), "nobody", true); !errors.Is(err, auth.ErrUserNotFound) {
		t.Errorf("unknown: %v", err)
	}
}

func TestNoSecretInTheDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "authd.db")
	store, err := repo.Open(t.Context(), "sqlite:"+path, repo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := New(store, auth.NewDigester("ak"))
	made := create(t, s, "Partner")
	rotated, err := s.Rotate(t.Context(), "Partner", time.Hour, auth.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) == 0 {
		t.Fatalf("files %v, %v", files, err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []auth.Secret{made.Secret, rotated.Secret} {
			if strings.Contains(string(b), secret.Reveal()[3:20]) {
				t.Errorf("%s holds a part of a secret", filepath.Base(file))
			}
		}
	}
}
