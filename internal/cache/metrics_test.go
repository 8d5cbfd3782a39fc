package cache

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"authd/internal/auth"
)

// TestMetrics reads what an operator would: that the backend went away, and that it was asked.
func TestMetrics(t *testing.T) {
	reg := prometheus.NewRegistry()
	s := newStore()
	b := Observe(s, "sqlite", reg)
	m := NewMetrics(reg)
	f := NewFeed(b, auth.Replica{Lease: testLease, Outage: auth.OutageDeny}, quiet())
	m.Watch(f)
	f.begin()
	mustPoll(t, f)
	l := NewLocal(f, b, Options{MaxEntries: 10, TTL: testLease, Metrics: m})

	up := func(want float64) {
		t.Helper()
		if got := testutil.ToFloat64(b.up); got != want {
			t.Errorf("authd_backend_up is %v, want %v", got, want)
		}
	}
	s.put(digest(1), key(1, "a"))
	expectKey(t, l, digest(1), "a")
	expectKey(t, l, digest(1), "a")
	expectErr(t, l, digest(2), auth.ErrKeyNotFound)
	expectErr(t, l, digest(2), auth.ErrKeyNotFound)
	up(1)
	s.fail(errAway)
	expectErr(t, l, digest(3), auth.ErrUnavailable)
	up(0)
	for outcome, c := range map[string]prometheus.Counter{"hit": m.hit, "negative": m.negative} {
		if got := testutil.ToFloat64(c); got != 1 {
			t.Errorf("%s: %v, want 1", outcome, got)
		}
	}
	if got := testutil.ToFloat64(m.miss); got != 3 {
		t.Errorf("miss: %v, want 3", got)
	}
	problems, err := testutil.GatherAndLint(reg)
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
	if n, err := testutil.GatherAndCount(reg, "authd_lease_remaining_seconds", "authd_change_applied_seq", "authd_change_lag_seconds", "authd_change_confirm_seconds", "authd_cache_entries"); err != nil || n != 6 {
		t.Errorf("%d series, %v", n, err)
	}
}

// TestConfirmationsAreTimed: from the change's commit to the acknowledgement, each
// once, and those that an outage has delayed with all of the delay.
func TestConfirmationsAreTimed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		f := newTestFeed(s, auth.OutageServe)
		var got []time.Duration
		f.confirmed = func(took time.Duration) { got = append(got, took) }
		s.put(digest(1), nil) // from before this replica began
		mustPoll(t, f)
		s.put(digest(1), nil)
		time.Sleep(time.Second)
		s.put(digest(2), nil)
		s.onAck = func() {
			time.Sleep(time.Second)
			s.fail(errAway) // it is not heard of
			s.onAck = nil
		}
		if _, err := f.poll(t.Context(), true); err == nil {
			t.Error("the poll succeeded")
		}
		if len(got) > 0 {
			t.Errorf("told of %v before they were acknowledged", got)
		}
		s.fail(nil)
		time.Sleep(time.Second)
		mustPoll(t, f)
		mustPoll(t, f)
		if want := []time.Duration{3 * time.Second, 2 * time.Second}; !slices.Equal(got, want) {
			t.Errorf("the changes took %v, want %v", got, want)
		}
	})
}
