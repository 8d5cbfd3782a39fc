package usage

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"authd/internal/auth"
)

// Store is what is needed of the store. Its contract is that of repo.Usage.
type Store interface {
	AddUsage(ctx context.Context, b auth.UsageBatch) error
	PruneUsage(ctx context.Context, before time.Time, most int) (int, error)
}

// Options of a Recorder.
type Options struct {
	Keep       time.Duration // how long hours are kept
	Flush      time.Duration // how often is written
	Log        *slog.Logger
	Registerer prometheus.Registerer
}

// mostWaiting is how many secrets may wait to be written, in an hour each: some
// 250 bytes each, and so 16 MB. Their number alone bounds what an outage of the store costs.
const mostWaiting = 1 << 16

// Recorder is an auth.Observer that counts. Run writes what it has counted.
type Recorder struct {
	store   Store
	options Options
	table   table
	full    chan struct{} // the table is full to a quarter
	metrics *metrics

	// Owned by Run.
	writer  string
	number  int64
	pending *auth.UsageBatch // taken off the table, and not known to be written
	down    bool             // the last writing failed, and that was logged
	prune   time.Time        // when to look for what is old
}

// New makes a recorder, and registers its metrics.
func New(s Store, o Options) (*Recorder, error) { return newRecorder(s, o, mostWaiting) }

func newRecorder(s Store, o Options, most int64) (*Recorder, error) {
	r := &Recorder{
		store: s, options: o, table: table{most: most}, full: make(chan struct{}, 1),
		writer: uuid.Must(uuid.NewV7()).String(),
	}
	var err error
	r.metrics, err = newMetrics(o.Registerer, r.table.size.Load)
	return r, err
}

// Observe implements auth.Observer.
func (r *Recorder) Observe(k *auth.Key, reason auth.Reason, at time.Time, client netip.Addr) {
	now, from, use := at.UnixMilli(), networkOf(client), reason.Use()
	s := subjectOf(k.Digest, now)
	for {
		c := r.table.counter(s, k.ID)
		if c == nil {
			r.metrics.uncounted.Inc()
			return
		}
		if c.note(use, now, from) {
			break
		}
	}
	if r.table.size.Load() > r.table.most/4 {
		select {
		case r.full <- struct{}{}:
		default:
		}
	}
}
