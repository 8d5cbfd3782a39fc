package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"authd/internal/auth"
	"authd/internal/repo"
)

// shaky is a store that fails as often as it is told to.
type shaky struct {
	repo.Store
	left  atomic.Int64
	tried chan struct{}
}

func (s *shaky) AppendAudit(ctx context.Context, e auth.AuditEntry) error {
	defer func() {
		select {
		case s.tried <- struct{}{}:
		default:
		}
	}()
	if s.left.Add(-1) >= 0 {
		return auth.ErrUnavailable
	}
	return s.Store.AppendAudit(ctx, e)
}

func fields(n int) (list []auth.FieldChange) {
	for i := range n {
		list = append(list, auth.FieldChange{Field: fmt.Sprintf("api_key_%d.active", i), After: json.RawMessage(`"given"`)})
	}
	return list
}

// recorded runs a Recorder over a store that fails at first, until it has tried so often, and returns what is stored then.
func recorded(t *testing.T, failures int64, attempts int, reload []auth.FieldChange) ([]auth.AuditEntry, string) {
	t.Helper()
	var log bytes.Buffer
	s := &shaky{Store: open(t), tried: make(chan struct{}, 1000)}
	s.left.Store(failures)
	r := NewRecorder(s, "serve@host", slog.New(slog.NewTextHandler(&log, nil)))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- r.Run(ctx) }()
	r.Reloaded(reload)
	for range attempts {
		<-s.tried
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("it ends with %v", err)
	}
	list, err := s.AuditEntries(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return list, log.String()
}

func TestReloadsAreRecorded(t *testing.T) {
	list, log := recorded(t, 0, 1, fields(2))
	if len(list) != 1 || list[0].Actor != "serve@host" || list[0].Action != auth.ActionOverrideReload || time.Since(list[0].At) > time.Minute {
		t.Fatalf("recorded %+v", list)
	}
	if changes, err := list[0].Changes(); err != nil || len(changes) != 2 || changes[1].Field != "api_key_1.active" {
		t.Errorf("it tells of %v, %v", changes, err)
	}
	if log != "" {
		t.Errorf("the log has %s", log)
	}
}

func TestALargeReloadMakesSeveralRows(t *testing.T) {
	list, _ := recorded(t, 0, 3, fields(2*maxRowFields+1))
	if len(list) != 3 {
		t.Errorf("%d rows, want 3", len(list))
	}
}

func TestRecordingRidesOutAnOutage(t *testing.T) {
	list, log := recorded(t, 2, 3, fields(1))
	if len(list) != 1 || strings.Count(log, "it is tried again") != 2 || strings.Contains(log, "is lost") {
		t.Errorf("%d rows, and the log is\n%s", len(list), log)
	}
}

// At the end each row is tried once more, and what can't be written is told.
func TestWhatIsLostIsTold(t *testing.T) {
	if list, log := recorded(t, 1, 1, fields(1)); len(list) != 1 || strings.Contains(log, "is lost") {
		t.Errorf("%d rows, and the log is\n%s", len(list), log)
	}
	if list, log := recorded(t, 1000, 1, fields(2*maxRowFields)); len(list) != 0 || strings.Count(log, "is lost") != 2 {
		t.Errorf("%d rows, and the log is\n%s", len(list), log)
	}
	var log bytes.Buffer
	r := NewRecorder(open(t), "serve@host", slog.New(slog.NewTextHandler(&log, nil)))
	for range maxQueued + 3 { // nobody takes them
		r.Reloaded(fields(1))
	}
	if n := strings.Count(log.String(), "too many rows wait"); n != 3 {
		t.Errorf("3 rows too many, and the log tells of %d", n)
	}
}
