package usage

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"authd/internal/auth"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errAway = errors.New("the store is away")

// memory is a store whose answers can be lost, or that can be away. It adds up
// as repo.Usage promises.
type memory struct {
	mu      sync.Mutex
	hours   map[string]auth.UsageCounts // by key and hour
	secrets map[auth.Digest]auth.SecretUse
	last    map[string]int64 // number of the last batch, by writer
	rows    int              // of the largest batch
	answers func(n int) (written bool, err error)
	asked   int
	old     int // what there is to prune
	before  time.Time
}

func newMemory() *memory {
	return &memory{hours: map[string]auth.UsageCounts{}, secrets: map[auth.Digest]auth.SecretUse{}, last: map[string]int64{}}
}

func (m *memory) AddUsage(_ context.Context, b auth.UsageBatch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked++
	written, err := true, error(nil)
	if m.answers != nil {
		written, err = m.answers(m.asked)
	}
	m.rows = max(m.rows, len(b.Hours), len(b.Secrets))
	if !written || m.last[b.Writer] >= b.Number {
		return err
	}
	m.last[b.Writer] = b.Number
	for _, h := range b.Hours {
		at := h.KeyID + " " + h.Hour.Format(time.RFC3339)
		m.hours[at] = m.hours[at].Sum(h.UsageCounts)
	}
	for _, u := range b.Secrets {
		m.secrets[u.Digest] = later(m.secrets[u.Digest], u)
	}
	return err
}

func (m *memory) PruneUsage(_ context.Context, before time.Time, most int) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.before = before
	n := min(m.old, most)
	m.old -= n
	return n, nil
}

func (m *memory) total() (sum int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.hours {
		sum += c.Total()
	}
	return sum
}

func newTest(t testing.TB, s Store, most int64) *Recorder {
	t.Helper()
	r, err := newRecorder(s, Options{
		Keep: 400 * 24 * time.Hour, Flush: time.Millisecond,
		Log: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
	}, most)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// running runs the recorder until stop is called, which waits for its end.
func running(r *Recorder) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = r.Run(ctx)
	}()
	return func() { cancel(); <-done }
}

// until waits for a condition that is bound to come.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("this never came: %s", what)
		}
	}
}

func key(n int) *auth.Key {
	return &auth.Key{ID: "key " + string(rune('a'+n%26)), Digest: auth.Digest{1, byte(n >> 16), byte(n >> 8), byte(n)}}
}

var (
	noon   = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	nobody netip.Addr
)
