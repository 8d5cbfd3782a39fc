package admin

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"authd/internal/auth"
	"authd/internal/repo"
)

// steps is a clock that moves only when the waiter sleeps, and runs a step of
// the test each time.
type steps struct {
	at    time.Time
	after []func() // run after the first sleep, the second, ...
	n     int
	every time.Duration // how far a sleep moves the clock; as asked where zero
}

func (s *steps) sleep(ctx context.Context, d time.Duration) error {
	if s.every > 0 {
		d = s.every
	}
	s.at = s.at.Add(d)
	if s.n < len(s.after) {
		s.after[s.n]()
	}
	s.n++
	return ctx.Err()
}

func (s *steps) waiter(store repo.Replicas) *waiter {
	s.at = time.Now()
	return &waiter{store: store, now: func() time.Time { return s.at }, sleep: s.sleep}
}

func register(t *testing.T, store repo.Store, r auth.Replica) {
	t.Helper()
	if r.Name == "" {
		r.Name = r.ID
	}
	if r.Outage == "" {
		r.Outage = auth.OutageServe
	}
	if r.Lease == 0 {
		r.Lease = 30 * time.Second
	}
	if r.MaxStale == 0 {
		r.MaxStale = time.Hour
	}
	if err := store.Register(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

func acknowledge(t *testing.T, store repo.Store, id string, seq int64) func() {
	return func() {
		t.Helper()
		if ok, err := store.Acknowledge(t.Context(), id, seq); err != nil || !ok {
			t.Fatalf("Acknowledge(%s, %d) = %v, %v", id, seq, ok, err)
		}
	}
}

func compare(t *testing.T, got, want Confirmation) {
	t.Helper()
	want.listed = true
	opts := cmp.Options{
		cmp.AllowUnexported(Confirmation{}),
		cmpopts.IgnoreFields(Confirmation{}, "Took"), cmpopts.IgnoreFields(Pending{}, "Until"),
	}
	if diff := cmp.Diff(want, got, opts); diff != "" {
		t.Errorf("confirmation (-want +got):\n%s", diff)
	}
}

func TestConfirmWithoutReplicas(t *testing.T) {
	s := &steps{}
	got, err := s.waiter(open(t)).confirm(t.Context(), 7, time.Minute)
	if err != nil || !got.Confirmed() || s.n != 0 {
		t.Errorf("confirmed %v after %d pauses, error %v", got.Confirmed(), s.n, err)
	}
	compare(t, got, Confirmation{})
}

func TestConfirmWaitsForEachReplica(t *testing.T) {
	store := open(t)
	register(t, store, auth.Replica{ID: "a", Applied: 7})
	register(t, store, auth.Replica{ID: "b", Applied: 6})
	register(t, store, auth.Replica{ID: "c", Applied: 3})
	s := &steps{after: []func(){acknowledge(t, store, "c", 6), acknowledge(t, store, "b", 9), acknowledge(t, store, "c", 7)}}
	got, err := s.waiter(store).confirm(t.Context(), 7, time.Minute)
	if err != nil || !got.Confirmed() || s.n != 3 {
		t.Errorf("confirmed %v after %d pauses, error %v", got.Confirmed(), s.n, err)
	}
	compare(t, got, Confirmation{Replicas: 3, Acknowledged: 3})
}

func TestConfirmIgnoresReplicasThatBeginLater(t *testing.T) {
	store := open(t)
	register(t, store, auth.Replica{ID: "a"})
	s := &steps{after: []func(){
		func() { register(t, store, auth.Replica{ID: "later"}) }, // and never says another word
		acknowledge(t, store, "a", 7),
	}}
	got, err := s.waiter(store).confirm(t.Context(), 7, time.Minute)
	if err != nil || !got.Confirmed() {
		t.Errorf("confirmed %v, error %v", got.Confirmed(), err)
	}
	compare(t, got, Confirmation{Replicas: 1, Acknowledged: 1})
}

func TestConfirmCountsReplicasThatStop(t *testing.T) {
	store := open(t)
	register(t, store, auth.Replica{ID: "a", Applied: 7})
	register(t, store, auth.Replica{ID: "b"})
	s := &steps{after: []func(){func() {
		if err := store.Unregister(t.Context(), "b"); err != nil {
			t.Fatal(err)
		}
	}}}
	got, err := s.waiter(store).confirm(t.Context(), 7, time.Minute)
	if err != nil || !got.Confirmed() {
		t.Errorf("confirmed %v, error %v", got.Confirmed(), err)
	}
	compare(t, got, Confirmation{Replicas: 2, Acknowledged: 1, Stopped: 1})
}

func TestConfirmByTime(t *testing.T) {
	silent := auth.Replica{ID: "silent", Outage: auth.OutageDeny, Lease: 10 * time.Second, MaxStale: time.Hour}
	serving := silent
	serving.Outage = auth.OutageServe
	other := auth.Replica{ID: "other", Outage: auth.OutageDeny, Lease: 20 * time.Second, Applied: 7}
	tests := []struct {
		name     string
		replicas []auth.Replica
		stops    time.Duration // after the commit has answered; not before
	}{
		{"deny: the lease and the margin", []auth.Replica{silent}, 10*time.Second + auth.ClockMargin},
		{"deny: the largest lease among all", []auth.Replica{silent, other}, 20*time.Second + auth.ClockMargin},
		{"serve: max_stale as well", []auth.Replica{serving}, time.Hour + 10*time.Second + auth.ClockMargin},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := open(t)
			for _, r := range tt.replicas {
				register(t, store, r)
			}
			s := &steps{every: time.Second}
			got, err := s.waiter(store).confirm(t.Context(), 7, tt.stops)
			if err != nil || got.Confirmed() {
				t.Errorf("within %v: confirmed %v, error %v", tt.stops, got.Confirmed(), err)
			}
			got, err = s.waiter(store).confirm(t.Context(), 7, tt.stops+2*time.Second)
			if err != nil || !got.Confirmed() || got.Timed != 1 {
				t.Errorf("after %v: %+v, error %v", tt.stops, got, err)
			}
		})
	}
}

func TestConfirmNamesWhoDoesNotFollow(t *testing.T) {
	store := open(t)
	register(t, store, auth.Replica{ID: "2", Name: "pod-b", Applied: 6})
	register(t, store, auth.Replica{ID: "1", Name: "pod-a", Applied: 7})
	s := &steps{every: time.Second}
	got, err := s.waiter(store).confirm(t.Context(), 7, 45*time.Second)
	if err != nil || got.Confirmed() {
		t.Errorf("confirmed %v, error %v", got.Confirmed(), err)
	}
	compare(t, got, Confirmation{Replicas: 2, Acknowledged: 1, Pending: []Pending{{ID: "2", Name: "pod-b", Applied: 6}}})
	rows, err := store.ListReplicas(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if row.ID == "2" && !got.Pending[0].Until.Equal(row.SeenAt.Add(row.StopsAfter())) {
			t.Errorf("until %v, last seen %v", got.Pending[0].Until, row.SeenAt)
		}
	}
}

func TestConfirmReadsTheRowsOnceWithoutAWait(t *testing.T) {
	store := open(t)
	register(t, store, auth.Replica{ID: "a", Applied: 7})
	s := &steps{}
	got, err := s.waiter(store).confirm(t.Context(), 7, 0)
	if err != nil || !got.Confirmed() {
		t.Errorf("confirmed %v, error %v", got.Confirmed(), err)
	}
}

// away is a store that can't be asked until it has been often enough.
type away struct {
	repo.Replicas
	left int
}

func (a *away) ListReplicas(ctx context.Context) ([]auth.Replica, error) {
	if a.left--; a.left >= 0 {
		return nil, auth.ErrUnavailable
	}
	return a.Replicas.ListReplicas(ctx)
}

func TestConfirmRidesOutAnOutage(t *testing.T) {
	store := open(t)
	register(t, store, auth.Replica{ID: "a", Applied: 7})
	s := &steps{}
	got, err := s.waiter(&away{store, 3}).confirm(t.Context(), 7, time.Minute)
	if err != nil || !got.Confirmed() {
		t.Errorf("confirmed %v, error %v", got.Confirmed(), err)
	}
	got, err = s.waiter(&away{store, 1 << 30}).confirm(t.Context(), 7, time.Minute)
	if !errors.Is(err, auth.ErrUnavailable) || got.Confirmed() {
		t.Errorf("without an answer: confirmed %v, error %v", got.Confirmed(), err)
	}
}

func TestConfirmEndsWithItsContext(t *testing.T) {
	store := open(t)
	register(t, store, auth.Replica{ID: "a"})
	ctx, cancel := context.WithCancel(t.Context())
	s := &steps{after: []func(){cancel}}
	got, err := s.waiter(store).confirm(ctx, 7, time.Minute)
	if !errors.Is(err, context.Canceled) || got.Confirmed() || len(got.Pending) != 1 {
		t.Errorf("%+v, error %v", got, err)
	}
}

// The exported way, by the system's clock: a revocation and its repetition wait alike.
func TestConfirmASecondRevocationWaitsToo(t *testing.T) {
	s := service(t)
	create(t, s, "Partner")
	register(t, s.Store, auth.Replica{ID: "a"})
	for range 2 {
		done, err := s.Revoke(t.Context(), "Partner")
		if err != nil {
			t.Fatal(err)
		}
		got, err := Confirm(t.Context(), s.Store, done.Change, 0)
		if err != nil || got.Confirmed() {
			t.Errorf("revoked already %v: confirmed %v, error %v", done.Already, got.Confirmed(), err)
		}
	}
	done, err := s.Revoke(t.Context(), "Partner")
	if err != nil || !done.Already {
		t.Fatalf("a third time: %+v, %v", done, err)
	}
	acknowledge(t, s.Store, "a", done.Change.Seq)()
	got, err := Confirm(t.Context(), s.Store, done.Change, 10*time.Second)
	if err != nil || !got.Confirmed() {
		t.Errorf("confirmed %v, error %v", got.Confirmed(), err)
	}
}
