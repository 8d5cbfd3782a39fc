package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"authd/internal/admin"
	"authd/internal/auth"
	"authd/internal/repo"
)

// A confirmation is to reach, with the most replicas, in ms.
const confirmWithin = 50

// revocations is how many are measured.
const revocations = 200

// confirmWait is longer than any confirmation takes that is worth measuring.
const confirmWait = 30 * time.Second

// confirmed is how long revocations took until every replica had acknowledged them, in ms.
type confirmed struct {
	Replicas int     `json:"replicas"`
	P50      float64 `json:"p50_ms"`
	P99      float64 `json:"p99_ms"`
	Most     float64 `json:"most_ms"`
	Commit   float64 `json:"commit_p50_ms"` // of the change itself, before
}

// measureConfirm measures what keys revoke prints: from the commit's answer on.
func measureConfirm(ctx context.Context, b *bench) (err error) {
	p, err := b.startPostgres(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Stop()) }()
	b.printf("\nRevocations, confirmed by every replica, on one Postgres, %d of each\n", revocations)
	for _, replicas := range []int{1, 5, 20} {
		c, err := b.confirmations(ctx, p, replicas)
		if err != nil {
			return err
		}
		bound := 0.0
		if replicas == 20 {
			bound = confirmWithin
		}
		b.printf("  %2d replicas: p50 %.1f ms, p99 %.1f ms, at most %.1f ms; the commit before it: p50 %.1f ms  %s\n",
			c.Replicas, c.P50, c.P99, c.Most, c.Commit, verdict(c.P99, bound, "%.0f ms"))
		b.report.Confirm = append(b.report.Confirm, *c)
	}
	return nil
}

func (b *bench) confirmations(ctx context.Context, p *postgres, replicas int) (c *confirmed, err error) {
	k, err := p.fill(ctx, fmt.Sprintf("confirm_%d", replicas), revocations)
	if err != nil {
		return nil, err
	}
	stop, err := b.startMany(ctx, authdOn(k.url), replicas)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	store, err := repo.Open(ctx, k.url, repo.Options{PollOnly: true})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	service := admin.New(store, auth.NewDigester(prefix))
	var took, commits []time.Duration
	for i := range revocations {
		began := time.Now()
		done, err := service.Revoke(ctx, fmt.Sprintf("Bench %d", i))
		if err != nil {
			return nil, err
		}
		commits = append(commits, time.Since(began))
		got, err := admin.Confirm(ctx, store, done.Change, confirmWait)
		if err != nil {
			return nil, err
		}
		if got.Acknowledged != replicas || !got.Confirmed() {
			return nil, fmt.Errorf("%d of %d replicas have acknowledged revocation %d", got.Acknowledged, replicas, i)
		}
		took = append(took, got.Took)
	}
	return &confirmed{replicas, quantile(took, .5), quantile(took, .99), quantile(took, 1), quantile(commits, .5)}, nil
}

// startMany starts so many replicas with the same settings.
func (b *bench) startMany(ctx context.Context, l launch, n int) (stop func() error, err error) {
	var all []*running
	stop = func() (err error) {
		for _, s := range all {
			err = errors.Join(err, s.Stop())
		}
		return err
	}
	for range n {
		s, err := b.start(ctx, l)
		if err != nil {
			return nil, errors.Join(err, stop())
		}
		all = append(all, s)
	}
	return stop, nil
}
