package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"authd/internal/auth"
	"authd/internal/repo"
)

// keyed is a database of Postgres with keys.
type keyed struct {
	url     string
	secrets []auth.Secret
}

// The rows of the first key, again and again, with what must differ.
const (
	moreUsers = `INSERT INTO users (login, active, created_at, changed_seq)
		SELECT 'user' || i || '@example.com', active, created_at, 0 FROM users, generate_series(1, $1::int) i`
	moreKeys = `INSERT INTO keys (id, name, slug, login, SAME)
		SELECT gen_random_uuid(), 'Bench ' || i, 'bench_' || i, 'user' || i / 10 || '@example.com', SAME FROM keys, generate_series(1, $1::int) i`
	moreSecrets = `INSERT INTO secrets (digest, key, place, hint, pepper, created_at, expires_at, revoked)
		SELECT m.digest, k.n, place, hint, pepper, s.created_at, s.expires_at, revoked
		FROM secrets s, made m JOIN keys k ON k.name = 'Bench ' || m.i`
	sameOfKeys = `active, revoked_at, not_before, expires_at, groups, scopes, restrictions, limits, metadata, note,
		created_at, updated_at, changed_seq, revoked_seq`
)

// fill makes a database with so many keys: the first one as authd makes it, the others after its likeness.
func (p *postgres) fill(ctx context.Context, name string, keys int) (k *keyed, err error) {
	if err := p.exec(ctx, "postgres", "CREATE DATABASE "+name); err != nil {
		return nil, err
	}
	k = &keyed{url: p.url(name), secrets: make([]auth.Secret, keys)}
	for i := range k.secrets {
		k.secrets[i] = auth.NewSecret(prefix)
	}
	store, err := repo.Open(ctx, k.url, repo.Options{PollOnly: true})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := store.Migrate(ctx); err != nil {
		return nil, err
	}
	first, err := newKey(0, k.secrets[0])
	if err != nil {
		return nil, err
	}
	if _, err := store.CreateKey(ctx, &first.Record, first.Secrets[0]); err != nil {
		return nil, err
	}
	c, err := pgx.Connect(ctx, k.url)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Close(ctx)) }()
	return k, multiply(ctx, c, k.secrets)
}

func multiply(ctx context.Context, c *pgx.Conn, secrets []auth.Secret) error {
	last := len(secrets) - 1
	if _, err := c.Exec(ctx, `CREATE TEMP TABLE made (i int, digest bytea)`); err != nil {
		return err
	}
	rows := pgx.CopyFromSlice(last, func(i int) ([]any, error) {
		d := auth.Pepper{}.Digest(secrets[i+1])
		return []any{i + 1, d[:]}, nil
	})
	if _, err := c.CopyFrom(ctx, pgx.Identifier{"made"}, []string{"i", "digest"}, rows); err != nil {
		return err
	}
	if _, err := c.Exec(ctx, moreUsers, last/10); err != nil {
		return err
	}
	if _, err := c.Exec(ctx, strings.ReplaceAll(moreKeys, "SAME", sameOfKeys), last); err != nil {
		return err
	}
	if _, err := c.Exec(ctx, moreSecrets); err != nil {
		return err
	}
	_, err := c.Exec(ctx, `VACUUM ANALYZE`)
	return err
}

// exec runs a statement in a database.
func (p *postgres) exec(ctx context.Context, database, query string) (err error) {
	c, err := pgx.Connect(ctx, p.url(database))
	if err != nil {
		return fmt.Errorf("%s: %w", query, err)
	}
	defer func() { err = errors.Join(err, c.Close(ctx)) }()
	_, err = c.Exec(ctx, query)
	return err
}

// size is what a database takes on the disk, in bytes.
func (p *postgres) size(ctx context.Context, database string) (n int64, err error) {
	c, err := pgx.Connect(ctx, p.url(database))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, c.Close(ctx)) }()
	err = c.QueryRow(ctx, `SELECT pg_database_size(current_database())`).Scan(&n)
	return n, err
}
