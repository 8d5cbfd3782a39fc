package main

import (
	"context"
	"fmt"
	"net"
	"os/exec"

	"authd/internal/bench/proc"
)

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
	socket, err := freeAddresses()
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(socket.verify)
	if err != nil {
		return nil, err
	}
	bin, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, fmt.Errorf("%w: this installs it: apt-get install -y --no-install-recommends redis-server", err)
	}
	f.beside, err = proc.Start(b.path("redis.log"), environment(), bin, "--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no")
	if err != nil {
		return nil, err
	}
	plain := f.authd.env
	f.authd.env = func(at addresses) []string {
		// A Redis that is slow on a busy machine is waited for: otherwise, what is measured is its absence.
		return append(plain(at), "AUTHD_REDIS_URL=redis://"+socket.verify, "AUTHD_REDIS_TIMEOUT=5s", "AUTHD_LIMITS_FAIL=closed")
	}
	return f, nil
}
