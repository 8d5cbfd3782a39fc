package postgres

import (
	"slices"
	"strings"
	"testing"

	"authd/internal/auth"
	"authd/internal/pgtest"
)

// faults checks the audit as authd audit verify does.
func faults(t *testing.T, s *Store) []string {
	t.Helper()
	list, err := s.AuditEntries(t.Context(), -1<<62, 1000)
	if err != nil {
		t.Fatal(err)
	}
	head, err := s.AuditHead(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := auth.NewAuditCheck()
	for i := range list {
		c.Next(&list[i])
	}
	c.End(head)
	return c.Faults
}

var tampering = []string{
	`UPDATE audit SET actor = 'somebody' WHERE n = 3`,
	`DELETE FROM audit WHERE n = 3`,
	`DELETE FROM audit`,
	`TRUNCATE audit`,
	`TRUNCATE audit_head`,
	`UPDATE audit_head SET n = n - 1`,
	`UPDATE audit_head SET hash = ''`,
	`DELETE FROM audit_head`,
}

func TestTheAuditIsAppendOnly(t *testing.T) {
	url := pgtest.Database(t)
	s := at(t, url, Options{})
	for n := range 3 {
		addKey(t, s, n)
	}
	db := raw(t, url)
	for _, statement := range tampering {
		if _, err := db.Exec(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: %v", statement, err)
		}
	}
	if got := faults(t, s); len(got) != 0 {
		t.Errorf("what was refused has left: %v", got)
	}
}

// Whoever owns the table can drop the triggers. What they do then is found.
func TestTamperingWithTheAuditIsFound(t *testing.T) {
	for _, c := range []struct {
		statement string
		want      []string
	}{
		{`UPDATE audit SET actor = 'somebody' WHERE n = 3`, []string{"row 3 was altered: users.create, by somebody"}},
		{`UPDATE audit SET fields = 'x' WHERE n = 6`, []string{"row 6 was altered: keys.create, by unknown"}},
		{`DELETE FROM audit WHERE n = 3`, []string{"row 3 was removed"}},
		{`DELETE FROM audit WHERE n < 4`, []string{"rows 1 to 3 were removed"}},
		{`DELETE FROM audit WHERE n = 6`, []string{"row 6, the newest, was removed"}},
		{`DELETE FROM audit WHERE n > 3`, []string{"rows 4 to 6, the newest, were removed"}},
		{`DELETE FROM audit`, []string{"rows 1 to 6, the newest, were removed"}},
		{`INSERT INTO audit SELECT 7, at, actor, action, key_id, key, login, fields, hash, hash FROM audit WHERE n = 6`,
			[]string{"row 7 was altered", "row 7 was inserted: the last one that was written is 6"}},
		{`INSERT INTO audit SELECT -1, at, actor, action, key_id, key, login, fields, prev, hash FROM audit WHERE n = 2`, []string{"row -1 was inserted"}},
		{`UPDATE audit_head SET n = 5, hash = (SELECT hash FROM audit WHERE n = 5)`, []string{"row 6 was inserted: the last one that was written is 5"}},
	} {
		url := pgtest.Database(t)
		s := at(t, url, Options{})
		for n := range 3 {
			addKey(t, s, n) // and its user
		}
		db := raw(t, url)
		run(t, db, `ALTER TABLE audit DISABLE TRIGGER ALL; ALTER TABLE audit_head DISABLE TRIGGER ALL`)
		run(t, db, c.statement)
		got := faults(t, s)
		if !slices.EqualFunc(got, c.want, strings.HasPrefix) {
			t.Errorf("%s is found as %q, want %q", c.statement, got, c.want)
		}
	}
}
