package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"

	"authd/internal/auth"
	"authd/internal/bench/load"
)

// What authd is compared with.
var (
	emptyGin = reference()
	constant = reference("-identity")
)

// contests are the comparisons. To add one, say what authd is started with and what it is asked,
// and whom it is compared with.
var contests = []contest{
	{
		name: "warm", title: "A warm key, connections kept",
		set: warmKey(plainQuestion),
		references: []rival{
			{title: "empty gin", launch: emptyGin, atMost: 1.50},
			{title: "gin, constant headers", launch: constant, atMost: 1.20},
		},
	},
	{
		name: "connections", title: "A warm key, a new connection for each request",
		set: warmKey(plainQuestion), fresh: true,
		references: []rival{
			{title: "empty gin", launch: emptyGin},
			{title: "gin, constant headers", launch: constant},
		},
	},
	{
		name: "usage", title: "A warm key, usage and per-key metrics on, tracing off",
		set: warmKey(plainQuestion),
		references: []rival{
			{title: "the same with both off", atMost: 1.03, settings: []string{"AUTHD_USAGE_KEEP=0s", "AUTHD_METRICS_PER_KEY=0"}},
			{title: "the same with usage off", settings: []string{"AUTHD_USAGE_KEEP=0s"}},
			{title: "the same with per-key metrics off", settings: []string{"AUTHD_METRICS_PER_KEY=0"}},
			{title: "the same with tracing on, nothing sampled", settings: []string{"OTEL_TRACES_EXPORTER=otlp", "OTEL_TRACES_SAMPLER=always_off"}},
		},
	},
	{
		name: "limits", title: "A warm key with a rate, counted in process",
		set:        limitedKey,
		references: []rival{{title: "empty gin", launch: emptyGin, atMost: 1.60}},
	},
	{
		name: "limits", title: "A warm key with a rate, counted in a Redis of this machine",
		set:        limitedByRedis,
		references: []rival{{title: "empty gin", launch: emptyGin, atMost: 3.60}},
	},
}

// warmKey is one key with every identity header, made as an operator makes
// it, and a question that carries it.
func warmKey(question string) func(context.Context, *bench) (*field, error) {
	return func(ctx context.Context, b *bench) (*field, error) { return b.warmKey(ctx, question) }
}

func (b *bench) warmKey(ctx context.Context, question string, flags ...string) (*field, error) {
	key, database, err := b.createKey(ctx, flags...)
	if err != nil {
		return nil, err
	}
	return &field{authd: authd(database), source: load.Always(request(nil, question, key))}, nil
}

// createKey makes a database with a key in it.
func (b *bench) createKey(ctx context.Context, flags ...string) (key auth.Secret, database string, err error) {
	bin, err := b.build(ctx, "authd/cmd/authd")
	if err != nil {
		return key, "", err
	}
	database = b.path(fmt.Sprintf("warm-%d.db", len(b.report.Contests)))
	cmd := exec.CommandContext(ctx, bin, append([]string{"keys", "create", "Bench 1", "-q",
		"--user", "bench@example.com", "--group", "partner", "--group", "staff",
		"--scope", "shop:read", "--scope", "shop:write"}, flags...)...)
	cmd.Env = environment("AUTHD_STORE_URL=sqlite:" + database)
	var faults bytes.Buffer
	cmd.Stderr = &faults
	secret, err := cmd.Output()
	if err != nil {
		return key, "", fmt.Errorf("making a key: %w: %s", err, faults.Bytes())
	}
	return auth.RawSecret(string(bytes.TrimSpace(secret))), database, nil
}

// plainQuestion is what a proxy asks, and little besides: the fewer headers there
// are, the more the ratio shows what authd itself costs.
const plainQuestion = "GET /verify HTTP/1.1\r\nHost: authd.test"

func request(buf []byte, question string, key auth.Secret) []byte {
	buf = append(buf, question...)
	buf = append(buf, "\r\nUser-Agent: bench\r\nAccept: */*\r\nAPI-KEY: "...)
	buf = append(buf, key.Reveal()...)
	return append(buf, "\r\n\r\n"...)
}
