package repo_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"

	"authd/internal/auth"
	"authd/internal/repo"
)

// kept keeps what it confirms on the disk, if it can be asked.
type kept struct{ err error }

func (k kept) Durability(context.Context) (auth.Durability, error) { return auth.OnDisk, k.err }

func TestDurabilityCollector(t *testing.T) {
	reg := prometheus.NewRegistry()
	reg.MustRegister(repo.NewDurabilityCollector(kept{}))
	page, err := testutil.CollectAndFormat(repo.NewDurabilityCollector(kept{}), expfmt.TypeTextPlain, "authd_store_durability")
	for _, line := range []string{`{until="disk"} 1`, `{until="memory"} 0`, `{until="standby"} 0`} {
		if !strings.Contains(string(page), "authd_store_durability"+line+"\n") {
			t.Errorf("%s is missing: %v\n%s", line, err, page)
		}
	}
	if n, err := testutil.GatherAndCount(reg); err != nil || n != len(auth.Durabilities) {
		t.Errorf("%d series, %v", n, err)
	}
}

// What can't be asked is not told.
func TestDurabilityCollectorWithoutItsStore(t *testing.T) {
	c := repo.NewDurabilityCollector(kept{fmt.Errorf("%w: away", auth.ErrUnavailable)})
	if n := testutil.CollectAndCount(c); n != 0 {
		t.Errorf("%d series", n)
	}
}
