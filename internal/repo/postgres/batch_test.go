package postgres

import (
	"testing"

	"authd/internal/auth"
	"authd/internal/pgtest"
)

// A batch looks its users and keys up by index, though the connection has plans from when there were next to none, and
// reading these was cheaper.
func TestBatchReadsNoWholeTable(t *testing.T) {
	const few, many = 20, 2000
	url := pgtest.Database(t)
	s := at(t, url, Options{})
	c := raw(t, url)
	for n := range 2 * few {
		if n == few {
			run(t, c, `VACUUM ANALYZE`) // from now on it is known that a table has one page
		}
		addKey(t, s, n)
	}
	before := read[int64](t, c, tuplesRead)
	var b auth.Batch
	for n := 2 * few; n < many; n++ {
		b.Writes = append(b.Writes, auth.KeyWrite{Record: *record(n), Secrets: []auth.SecretInfo{secret(n)}})
	}
	if _, err := s.ImportKeys(t.Context(), b, nil); err != nil {
		t.Fatal(err)
	}
	_ = s.Close() // by then at the latest the server counts what its process has done
	until(t, "the statistics", func() bool {
		return read[int64](t, c, `SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'secrets'`) == many
	})
	if n := read[int64](t, c, tuplesRead) - before; n > 100*few*few {
		t.Errorf("%d rows were read in whole tables, for %d keys", n, many)
	}
}

const tuplesRead = `SELECT coalesce(sum(seq_tup_read), 0)::bigint FROM pg_stat_user_tables WHERE relname IN ('users', 'keys')`
