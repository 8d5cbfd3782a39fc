package admin

import (
	"context"
	"log/slog"
	"time"

	"authd/internal/auth"
	"authd/internal/repo"
)

const (
	// maxQueued bounds the rows that wait for a store that is away.
	maxQueued = 100
	// maxRowFields bounds the fields that one row tells of; what is more makes further rows.
	maxRowFields = 500
	// recordTime is what one attempt gets, and what is left over gets at the end.
	recordTime = 5 * time.Second

	firstRetry = 100 * time.Millisecond
	mostRetry  = 10 * time.Second
)

// Recorder writes into the audit what a process has done by itself. Nobody
// waits for it: while the store is away, rows wait, in a bounded queue.
type Recorder struct {
	store repo.Audit
	actor string
	log   *slog.Logger
	queue chan auth.AuditEntry
	now   func() time.Time
}

// NewRecorder makes a Recorder of what actor does; Run does the writing.
func NewRecorder(store repo.Audit, actor string, log *slog.Logger) *Recorder {
	return &Recorder{store: store, actor: actor, log: log, queue: make(chan auth.AuditEntry, maxQueued), now: time.Now}
}

// Reloaded records a reload of override sections that changed these fields.
func (r *Recorder) Reloaded(fields []auth.FieldChange) {
	for len(fields) > 0 {
		n := min(len(fields), maxRowFields)
		e := auth.AuditEntry{Action: auth.ActionOverrideReload, At: storedTime(r.now())}
		if err := e.SetFields(fields[:n]); err != nil {
			r.lost(&e, err.Error())
		} else {
			r.add(e)
		}
		fields = fields[n:]
	}
}

func (r *Recorder) add(e auth.AuditEntry) {
	select {
	case r.queue <- e:
	default:
		r.lost(&e, "too many rows wait for the store")
	}
}

func (r *Recorder) lost(e *auth.AuditEntry, why string) {
	r.log.Error("a row of the audit is lost", "action", e.Action, "at", e.At, "fields", len(e.Fields), "error", why)
}

// Run writes until ctx ends, and then what is left, once. It returns nil.
func (r *Recorder) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			r.flush(ctx)
			return nil
		case e := <-r.queue:
			if !r.persist(ctx, e) {
				r.try(context.WithoutCancel(ctx), &e, true)
			}
		}
	}
}

// persist tries until it is done, and reports false where ctx ends before.
func (r *Recorder) persist(ctx context.Context, e auth.AuditEntry) bool {
	for pause := firstRetry; ctx.Err() == nil; pause = min(2*pause, mostRetry) {
		if r.try(ctx, &e, false) {
			return true
		}
		if sleep(ctx, pause) != nil {
			break
		}
	}
	return false
}

// try writes a row once. The last time, a failure is told.
func (r *Recorder) try(ctx context.Context, e *auth.AuditEntry, last bool) bool {
	ctx, cancel := context.WithTimeout(auth.WithActor(ctx, r.actor), recordTime)
	defer cancel()
	err := r.store.AppendAudit(ctx, *e)
	switch {
	case err == nil:
	case last:
		r.lost(e, err.Error())
	default:
		r.log.Warn("a row of the audit could not be written: it is tried again", "action", e.Action, "error", err)
	}
	return err == nil
}

// flush tries what is left over, within the time of one attempt.
func (r *Recorder) flush(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	for {
		select {
		case e := <-r.queue:
			r.try(ctx, &e, true)
		default:
			return
		}
	}
}
