package usage

import (
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"authd/internal/auth"
)

func TestWhatIsCounted(t *testing.T) {
	m := newMemory()
	r := newTest(t, m, 100)
	k := key(1)
	other := *k // the same key, by another secret
	other.Digest = key(2).Digest
	at := func(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }
	client := netip.MustParseAddr("192.0.2.77")
	r.Observe(k, auth.Allowed, at(1), client)
	r.Observe(k, auth.Allowed, at(2), nobody)
	r.Observe(k, auth.QuotaExceeded, at(3), nobody)
	r.Observe(k, auth.SecretExpired, at(4), netip.MustParseAddr("2001:db8:1:2::3"))
	r.Observe(k, auth.Unavailable, at(5), nobody)
	r.Observe(k, auth.ForbiddenPath, at(61), nobody)
	r.Observe(&other, auth.RateLimited, at(59), client)
	if err := r.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := map[string]auth.UsageCounts{
		"key b 2026-01-02T12:00:00Z": {Allowed: 2, Limited: 2, Invalid: 1, Unavailable: 1},
		"key b 2026-01-02T13:00:00Z": {Forbidden: 1},
	}
	if d := cmp.Diff(want, m.hours); d != "" {
		t.Errorf("the hours, as they should be (-) and as they are (+):\n%s", d)
	}
	uses := map[auth.Digest]auth.SecretUse{
		k.Digest:     {Digest: k.Digest, KeyID: "key b", FirstUsed: at(1), LastUsed: at(3), LastDenied: at(61), Client: "2001:db8:1::/48"},
		other.Digest: {Digest: other.Digest, KeyID: "key b", FirstUsed: at(59), LastUsed: at(59), Client: "192.0.2.0/24"},
	}
	if d := cmp.Diff(uses, m.secrets); d != "" {
		t.Errorf("the secrets, as they should be (-) and as they are (+):\n%s", d)
	}
	if n := r.table.size.Load(); n != 0 {
		t.Errorf("%d counters are left after the writing", n)
	}
}

// Each reason has one class, and each class is reached.
func TestEveryReasonHasAClass(t *testing.T) {
	classes := map[auth.Use]int{}
	for reason := range auth.Reasons {
		u := reason.Use()
		if u >= auth.Uses || reason.Allows() != (u == auth.UseAllowed) {
			t.Errorf("%s is of class %d", reason, u)
		}
		classes[u]++
	}
	if len(classes) != int(auth.Uses) {
		t.Errorf("the classes that are reached: %v", classes)
	}
}

// The writer takes counters away all the while: none is lost, none counts twice.
func TestNothingIsLostOrCountedTwice(t *testing.T) {
	const clients, each, keys = 8, 20_000, 5
	for name, answers := range map[string]func(int) (bool, error){
		"the store answers":                 nil,
		"every other answer is lost":        func(n int) (bool, error) { return true, [2]error{nil, errAway}[n%2] },
		"every other batch does not arrive": func(n int) (bool, error) { return n%2 == 0, [2]error{nil, errAway}[n%2] },
	} {
		t.Run(name, func(t *testing.T) {
			m := newMemory()
			m.answers = answers
			r := newTest(t, m, 100)
			stop := running(r)
			var all sync.WaitGroup
			for c := range clients {
				all.Go(func() {
					for n := range each {
						r.Observe(key((c+n)%keys), auth.Allowed, noon, nobody)
					}
				})
			}
			all.Wait()
			until(t, "all is written", func() bool { return m.total() == clients*each })
			stop()
			if got := m.total(); got != clients*each {
				t.Errorf("%d of %d requests are counted", got, clients*each)
			}
			if m.asked < 3 {
				t.Errorf("the writer had its turn %d times: too few to be in anybody's way", m.asked)
			}
		})
	}
}

// At the end, what is there is written, whatever the interval.
func TestTheLastIsWrittenAtTheEnd(t *testing.T) {
	m := newMemory()
	r := newTest(t, m, 10_000)
	r.options.Flush = time.Hour
	stop := running(r)
	for n := range 3 * batchRows {
		r.Observe(key(n), auth.Allowed, noon, nobody)
	}
	stop()
	if m.total() != 3*batchRows || m.rows > batchRows {
		t.Errorf("%d requests were written, at most %d rows at once", m.total(), m.rows)
	}
}

// An outage costs memory for so many secrets and no more. What is counted
// already goes on being counted, and what is not is told.
func TestMemoryIsBoundedWhileTheStoreIsAway(t *testing.T) {
	m := newMemory()
	back := false
	m.answers = func(int) (bool, error) {
		if back {
			return true, nil
		}
		return false, errAway
	}
	const most = 1000
	r := newTest(t, m, most)
	stop := running(r)
	defer stop()
	r.Observe(key(0), auth.Allowed, noon, nobody)
	until(t, "the store was asked, and did not answer", func() bool { return testutil.ToFloat64(r.metrics.failed) > 0 })
	const secrets = 5000
	for n := range secrets {
		r.Observe(key(n), auth.Allowed, noon, nobody)
		r.Observe(key(0), auth.Allowed, noon, nobody)
	}
	if n := r.table.size.Load(); n != most {
		t.Errorf("%d secrets wait; at most %d should", n, most)
	}
	uncounted := int64(testutil.ToFloat64(r.metrics.uncounted))
	if uncounted != secrets-most {
		t.Errorf("%d requests are told to be uncounted; want %d", uncounted, secrets-most)
	}
	m.mu.Lock()
	back = true
	m.mu.Unlock()
	until(t, "all that was counted is written", func() bool { return m.total() == 1+2*secrets-uncounted })
}

// So many secrets that the interval would be too long are written at once.
func TestAHalfFullTableIsWrittenAtOnce(t *testing.T) {
	m := newMemory()
	r := newTest(t, m, 100)
	r.options.Flush = time.Hour
	stop := running(r)
	defer stop()
	for n := range 51 {
		r.Observe(key(n), auth.Allowed, noon, nobody)
	}
	until(t, "it is written", func() bool { return m.total() == 51 })
}

func TestWhatIsOldIsRemovedByAndBy(t *testing.T) {
	m := newMemory()
	m.old = 3*pruneRows + 1
	r := newTest(t, m, 100)
	if err := r.pruneSome(t.Context()); err != nil { // the first time has come
		t.Fatal(err)
	}
	if m.old != 2*pruneRows+1 {
		t.Errorf("%d rows are left", m.old)
	}
	for range 4 {
		if err := r.pruneSome(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if m.old != 0 || time.Until(r.prune) < pruneEvery/4 {
		t.Errorf("%d rows are left, and the next time is %s", m.old, r.prune)
	}
	if age := time.Since(m.before); age < 400*24*time.Hour || age > 401*24*time.Hour {
		t.Errorf("what is older than %s is removed", age)
	}
}

func TestNetwork(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.77": "192.0.2.0/24", "10.1.2.3": "10.1.2.0/24", "255.255.255.255": "255.255.255.0/24", "0.0.0.0": "0.0.0.0/24",
		"127.0.0.1": "loopback", "127.8.8.8": "loopback", "::1": "loopback", "::ffff:127.0.0.1": "loopback",
		"::ffff:192.0.2.77": "192.0.2.0/24", "2001:db8:1:2:3:4:5:6": "2001:db8:1::/48", "fd00:1:2:3::4": "fd00:1:2::/48",
		"ffff:ffff:ffff:ffff::": "ffff:ffff:ffff::/48", "::": "::/48",
	} {
		if got := networkOf(netip.MustParseAddr(addr)).String(); got != want {
			t.Errorf("%s is kept as %q, want %q", addr, got, want)
		}
	}
	if got := networkOf(nobody).String(); got != "" {
		t.Errorf("an unknown client is kept as %q", got)
	}
}

// On the way of a request nothing is allocated, but the first time between two writings.
func TestObserveAllocatesNothing(t *testing.T) {
	r := newTest(t, newMemory(), 100)
	k, client := key(1), netip.MustParseAddr("192.0.2.77")
	if n := testing.AllocsPerRun(1000, func() { r.Observe(k, auth.Allowed, noon, client) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkObserve(b *testing.B) {
	r := newTest(b, newMemory(), 100)
	k, client, now := key(1), netip.MustParseAddr("192.0.2.77"), time.Now()
	b.ReportAllocs()
	for b.Loop() {
		r.Observe(k, auth.Allowed, now, client)
	}
}

// Every core with the same key: the worst there is.
func BenchmarkObserveParallel(b *testing.B) {
	r := newTest(b, newMemory(), 100)
	k, client := key(1), netip.MustParseAddr("192.0.2.77")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r.Observe(k, auth.Allowed, time.Now(), client)
		}
	})
}
