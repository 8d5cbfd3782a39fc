package cache

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"authd/internal/auth"
)

// store is a double of the store, with hooks for what real ones do at the worst of times. Its
// steps are recorded in order.
type store struct {
	mu      sync.Mutex
	keys    map[auth.Digest]*auth.Key
	names   map[string]*auth.Key
	changes []auth.Change
	rows    map[string]int64 // replica id -> applied
	steps   []string
	err     error  // every call fails with it
	onRead  func() // called by a look-up after it has read, before it answers
	onPoll  func() // called before the log is read
	onAck   func() // called before an acknowledgement is written
	lookups int
	woken   chan struct{}
}

func newStore() *store {
	return &store{
		keys: map[auth.Digest]*auth.Key{}, names: map[string]*auth.Key{},
		rows: map[string]int64{}, woken: make(chan struct{}, 1),
	}
}

// put changes what the store answers for a digest, and logs it, in one transaction.
func (s *store) put(d auth.Digest, k *auth.Key) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := auth.Change{Seq: int64(len(s.changes) + 1), At: time.Now(), Digests: []auth.Digest{d}}
	if old := s.keys[d]; old != nil {
		c.Names = append(c.Names, old.Name)
		delete(s.names, old.Name)
	}
	delete(s.keys, d)
	if k != nil {
		s.keys[d], s.names[k.Name] = k, k
		c.Names = append(c.Names, k.Name)
	}
	s.changes = append(s.changes, c)
	return c.Seq
}

func (s *store) step(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps = append(s.steps, name)
	return s.err
}

func (s *store) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *store) taken() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.steps)
}

func (s *store) asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lookups
}

func (s *store) ByDigest(_ context.Context, d auth.Digest) (*auth.Key, error) {
	s.mu.Lock()
	s.lookups++
	k, err, hook := s.keys[d], s.err, s.onRead
	s.mu.Unlock()
	return found(k, err, hook)
}

func (s *store) ByName(_ context.Context, name string) (*auth.Key, error) {
	s.mu.Lock()
	s.lookups++
	k, err, hook := s.names[name], s.err, s.onRead
	s.mu.Unlock()
	return found(k, err, hook)
}

func found(k *auth.Key, err error, hook func()) (*auth.Key, error) {
	if hook != nil {
		hook()
	}
	if err == nil && k == nil {
		err = auth.ErrKeyNotFound
	}
	return k, err
}

func (s *store) Changes(_ context.Context, after int64, limit int) ([]auth.Change, error) {
	if s.onPoll != nil {
		s.onPoll()
	}
	if err := s.step("changes"); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	end := min(int(after)+limit, len(s.changes))
	return slices.Clone(s.changes[min(int(after), end):end]), nil
}

func (s *store) LastChange(context.Context) (int64, error) {
	err := s.step("last")
	s.mu.Lock()
	defer s.mu.Unlock()
	return int64(len(s.changes)), err
}

func (s *store) Register(_ context.Context, r auth.Replica) error {
	err := s.step("register")
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.rows[r.ID] = r.Applied
	}
	return err
}

func (s *store) Acknowledge(_ context.Context, id string, applied int64) (bool, error) {
	if s.onAck != nil {
		s.onAck()
	}
	if err := s.step("acknowledge"); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.rows[id]; !ok {
		return false, nil
	}
	s.rows[id] = applied
	return true, nil
}

func (s *store) Unregister(_ context.Context, id string) error {
	err := s.step("unregister")
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.rows, id)
	return err
}

func (s *store) Woken() <-chan struct{} { return s.woken }

// acked is the lowest acknowledgement of all rows; -1 without any.
func (s *store) acked() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	low := int64(-1)
	for _, n := range s.rows {
		if low < 0 || n < low {
			low = n
		}
	}
	return low
}

var errAway = errors.New("the store is away")

const testLease = 3 * time.Second

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func newTestFeed(s *store, outage string) *Feed {
	f := NewFeed(s, auth.Replica{Name: "r1", Lease: testLease, Outage: outage, MaxStale: time.Minute}, quiet())
	f.begin()
	return f
}

func mustPoll(t *testing.T, f *Feed) {
	t.Helper()
	if _, err := f.poll(t.Context(), true); err != nil {
		t.Fatal(err)
	}
}

func newTestLocal(f *Feed, s *store) *Local {
	return NewLocal(f, s, Options{MaxEntries: 1000, TTL: time.Hour, Metrics: NewMetrics(prometheus.NewRegistry())})
}

func digest(n byte) auth.Digest { return auth.Digest{n, n, 1} }

func key(n byte, name string) *auth.Key {
	return &auth.Key{Digest: digest(n), ID: name, Name: name, Active: true, UserActive: true}
}
