package postgres

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"authd/internal/auth"
	"authd/internal/pgtest"
)

// What a request costs that no cache answers, with few keys and with many.
func BenchmarkByDigest(b *testing.B) {
	for _, keys := range []int{1_000, 1_000_000} {
		url := pgtest.Database(b)
		fill(b, url, keys)
		for _, way := range []struct {
			name string
			o    Options
		}{{"direct", Options{Listen: true}}, {"pooled", Options{}}} {
			b.Run(fmt.Sprintf("keys=%d/%s", keys, way.name), func(b *testing.B) { lookUp(b, at(b, url, way.o), keys) })
		}
	}
}

func lookUp(b *testing.B, s *Store, keys int) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.ByDigest(b.Context(), digestOf(1+rand.N(keys))); err != nil {
			b.Fatal(err)
		}
	}
}

func digestOf(n int) auth.Digest { return sha256.Sum256([]byte(strconv.Itoa(n))) }

// fill stores keys with one secret each, ten to a user.
func fill(b *testing.B, url string, keys int) {
	b.Helper()
	at(b, url, Options{})
	c := raw(b, url)
	run(b, c, `INSERT INTO users SELECT 'user' || n, true, 1, 0 FROM generate_series(0, $1::integer / 10) n`, keys)
	run(b, c, `INSERT INTO keys (id, name, slug, login, active, revoked_at, not_before, expires_at, groups, scopes, restrictions, limits,
			metadata, note, created_at, updated_at, changed_seq, revoked_seq)
		SELECT gen_random_uuid()::text, 'Key ' || n, 'key_' || n, 'user' || n / 10, true, 0, 0, 0, '["partner"]', '["shop:read"]', '{}', '{}',
			'{}', '', 1, 1, 1, 0 FROM generate_series(1, $1::integer) n`, keys)
	run(b, c, `INSERT INTO secrets SELECT sha256(substr(name, 5)::bytea), n, 0, 'ak_a1B2…', 'none', 1, 0, false FROM keys`)
	run(b, c, `VACUUM ANALYZE`)
}

// A whole import: 100,000 records of a thousand users, in one transaction.
func BenchmarkImportKeys(b *testing.B) {
	const keys = 100_000
	for b.Loop() {
		b.StopTimer()
		s, batch := at(b, pgtest.Database(b), Options{}), auth.Batch{Writes: make([]auth.KeyWrite, keys)}
		for i := range batch.Writes {
			name := fmt.Sprintf("Key %d", i)
			batch.Writes[i] = auth.KeyWrite{
				Record: auth.Record{
					ID: fmt.Sprintf("01980000-0000-7000-8000-%012d", i), Name: name, Slug: auth.Slug(name), User: fmt.Sprintf("user%d@example.com", i%1000),
					Active: true, Groups: []string{"partner"}, CreatedAt: time.Now(), UpdatedAt: time.Now(),
				},
				Secrets: []auth.SecretInfo{{Digest: digestOf(i), Hint: "ak_a1B2…", CreatedAt: time.Now()}},
			}
		}
		b.StartTimer()
		if _, err := s.ImportKeys(b.Context(), batch, nil); err != nil {
			b.Fatal(err)
		}
	}
}
