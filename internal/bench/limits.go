package main

import "context"

// limitedKey has a rate that nobody reaches.
func limitedKey(ctx context.Context, b *bench) (*field, error) {
	return b.warmKey(ctx, plainQuestion, "--rate", "1000000000/1s")
}

// limitedByRedis counts in a Redis, whose own processor time is told beside authd's.
func limitedByRedis(ctx context.Context, b *bench) (*field, error) {
	f, err := limitedKey(ctx, b)
	if err != nil {
		return nil, err
	}
	redis, at, err := b.startRedis()
	if err != nil {
		return nil, err
	}
	f.beside = append(f.beside, redis)
	f.authd = f.authd.with(append(redisSettings(at), "AUTHD_LIMITS_FAIL=closed")...)
	return f, nil
}
