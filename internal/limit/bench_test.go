package limit_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"authd/internal/auth"
	"authd/internal/limit"
	"authd/internal/redistest"
)

func BenchmarkTake(b *testing.B) {
	const most = 1_000_000_000
	fast := rate(most, time.Second)
	both := fast
	both.Quota = auth.Quota{Count: most, Per: "mo"}
	for name, limits := range map[string]auth.Limits{"rate": fast, "quota": quota(most, "d"), "both": both} {
		b.Run(name, func(b *testing.B) {
			l, k, ctx, at := local(), key("k", limits), context.Background(), noon
			b.ReportAllocs()
			for b.Loop() {
				at = at.Add(time.Microsecond)
				if s, err := l.Take(ctx, k, at, ""); err != nil || s.Reason != auth.Allowed {
					b.Fatal("refused")
				}
			}
		})
	}
	b.Run("refused", func(b *testing.B) {
		l, k, ctx := local(), key("k", quota(1, "d")), context.Background()
		b.ReportAllocs()
		for b.Loop() {
			_, _ = l.Take(ctx, k, noon, "")
		}
	})
}

// Many keys, each now and then: entries come and go.
func BenchmarkTakeManyKeys(b *testing.B) {
	keys := make([]*auth.Key, 100_000)
	for i := range keys {
		keys[i] = key(fmt.Sprintf("01980000-0000-7000-8000-%012d", i), rate(10, time.Second))
	}
	l, ctx := local(), context.Background()
	var n atomic.Int64
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := n.Add(1)
			_, _ = l.Take(ctx, keys[i%int64(len(keys))], noon.Add(time.Duration(i)*20*time.Microsecond), "")
		}
	})
}

// Through a Redis of this machine: what this process does for it, mostly.
func BenchmarkTakeShared(b *testing.B) {
	s := shared(b, connect(b, redistest.Start(b).URL, patience), "db", limit.FailClosed, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	l := rate(1_000_000_000, time.Second)
	k, ctx := of("u", "k", &l, nil), context.Background()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.Take(ctx, k, noon, ""); err != nil {
				b.Error(err)
			}
		}
	})
}
