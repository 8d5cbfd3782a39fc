package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"authd/internal/auth"
	"authd/internal/repo"
)

// filled is a database with many keys. Their values are in this process's memory and nowhere else.
type filled struct {
	database string
	secrets  []auth.Secret
}

// fill makes the database once.
func (b *bench) fill(ctx context.Context) (*filled, error) {
	if b.filled != nil {
		return b.filled, nil
	}
	begin := time.Now()
	f, err := b.stored(ctx, "filled.db", b.keys)
	if err != nil {
		return nil, err
	}
	b.filled = f
	b.printf("\n%d keys stored in %s\n", b.keys, time.Since(begin).Round(time.Millisecond))
	return f, nil
}

// stored makes a database with so many keys.
func (b *bench) stored(ctx context.Context, name string, keys int) (*filled, error) {
	f := &filled{database: b.path(name), secrets: make([]auth.Secret, keys)}
	store, err := repo.Open(ctx, "sqlite:"+f.database, repo.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { _ = store.Close() }()
	if err := store.Migrate(ctx); err != nil {
		return nil, err
	}
	batch := auth.Batch{Writes: make([]auth.KeyWrite, keys)}
	for i := range f.secrets {
		f.secrets[i] = auth.NewSecret(prefix)
		if batch.Writes[i], err = newKey(i, f.secrets[i]); err != nil {
			return nil, err
		}
	}
	if _, err := store.ImportKeys(ctx, batch, nil); err != nil {
		return nil, err
	}
	return f, nil
}

// prefix is that of keys where nothing else is configured.
const prefix = "ak"

// newKey is a key as people make them, with a name that tells its number.
func newKey(i int, secret auth.Secret) (auth.KeyWrite, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return auth.KeyWrite{}, err
	}
	name := fmt.Sprintf("Bench %d", i)
	slug, now := auth.Slug(name), time.Now().UTC().Truncate(time.Millisecond)
	return auth.KeyWrite{
		Record: auth.Record{
			ID: id.String(), Name: name, Slug: slug,
			User: fmt.Sprintf("user%d@example.com", i/10), UserActive: true, Active: true,
			Groups: []string{"partner", "staff"}, Scopes: []string{"shop:read", "shop:write"},
			CreatedAt: now, UpdatedAt: now,
		},
		Secrets: []auth.SecretInfo{{
			Digest: auth.Pepper{}.Digest(secret), Hint: secret.Hint(prefix), PepperID: auth.NoPepper, CreatedAt: now,
		}},
	}, nil
}

// eachOnce is a load.Source that asks for each key once.
func (f *filled) eachOnce(n int64, buf []byte) []byte {
	return request(buf, plainQuestion, f.secrets[n])
}
