package repo_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"

	"authd/internal/auth"
	"authd/internal/repo"
)

// counter counts how often the records were counted.
type counter struct {
	repo.Keys
	asked int
	err   error
}

func (c *counter) CountKeys(context.Context, time.Time) (map[string]int, error) {
	c.asked++
	return map[string]int{"active": 3, "revoked": 1}, c.err
}

func (c *counter) CountExpiring(_ context.Context, now, before time.Time) (int, error) {
	return int(before.Sub(now).Hours() / 24), c.err
}

// Every state has its series, and scraping often does not count often.
func TestCollector(t *testing.T) {
	keys := &counter{}
	reg := prometheus.NewRegistry()
	reg.MustRegister(repo.NewCollector(keys))
	for range 3 {
		if n, err := testutil.GatherAndCount(reg, "authd_keys"); err != nil || n != len(auth.States) {
			t.Errorf("%d series, %v", n, err)
		}
	}
	page, err := testutil.CollectAndFormat(repo.NewCollector(keys), expfmt.TypeTextPlain, "authd_keys_expiring")
	if err != nil || !strings.HasSuffix(string(page), "\nauthd_keys_expiring 7\n") {
		t.Errorf("a week is not looked ahead: %v\n%s", err, page)
	}
	if keys.asked != 2 {
		t.Errorf("two collectors counted the records %d times for four scrapes", keys.asked)
	}
}

// What can't be counted is not 0.
func TestCollectorWithoutItsStore(t *testing.T) {
	reg := prometheus.NewRegistry()
	reg.MustRegister(repo.NewCollector(&counter{err: fmt.Errorf("%w: away", auth.ErrUnavailable)}))
	if n, err := testutil.GatherAndCount(reg); err != nil || n != 0 {
		t.Errorf("%d series, %v", n, err)
	}
}
