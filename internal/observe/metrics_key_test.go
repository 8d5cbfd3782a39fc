package observe

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"authd/internal/answer"
	"authd/internal/auth"
)

// series are the values of a metric, by its labels as they are written.
func series(t testing.TB, g prometheus.Gatherer, metric string) map[string]float64 {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]float64{}
	for _, mf := range families {
		if mf.GetName() != metric {
			continue
		}
		for _, m := range mf.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() { // in the order of their names
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			found[strings.Join(labels, ",")] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return found
}

func total(m map[string]float64) (sum float64) {
	for _, v := range m {
		sum += v
	}
	return sum
}

func newTestPerKey(most int) (*perKey, *prometheus.Registry) {
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "n", Help: "h"}, []string{"key", "user", "result"})
	reg := prometheus.NewRegistry()
	reg.MustRegister(vec)
	return newPerKey(vec, most), reg
}

func TestSeriesPerKeyAreBoundedAndTheSumIsExact(t *testing.T) {
	for _, most := range []int{-1, 0, 1, 3, 25, 1000} {
		p, reg := newTestPerKey(most)
		const keys = 20
		for i := range keys {
			k := &auth.Key{ID: fmt.Sprint(i), Name: fmt.Sprint("key ", i), User: "u"}
			for n := range i + 1 {
				p.of(k, answer.Result(n%2)).Inc()
			}
		}
		got := series(t, reg, "n")
		if sum := total(got); sum != keys*(keys+1)/2 {
			t.Errorf("at most %d: the sum is %v", most, sum)
		}
		named := 0
		for labels := range got {
			if !strings.Contains(labels, "key=other") {
				named++
			}
		}
		if want := min(max(most, 0), keys+keys-1); named != want {
			t.Errorf("at most %d: %d series have names, want %d", most, named, want)
		}
	}
}

// A million keys from several sides: the series are bounded, the sum is exact, and
// keys that have none cost no memory.
func TestAMillionKeysAreCountedExactly(t *testing.T) {
	const most, keys, sides = 1000, 1_000_000, 4
	p, reg := newTestPerKey(most)
	var wg sync.WaitGroup
	for side := range sides {
		wg.Go(func() {
			k := auth.Key{User: "u"}
			for i := side; i < keys; i += sides {
				k.ID = strconv.Itoa(i)
				k.Name = k.ID
				p.of(&k, answer.Result(i%int(answer.Results))).Inc()
			}
		})
	}
	wg.Wait()
	got := series(t, reg, "n")
	if len(got) != most+int(answer.Results) || total(got) != keys {
		t.Errorf("%d series have %v requests; want %d and %d", len(got), total(got), most+int(answer.Results), keys)
	}
	held := 0
	p.byID.Range(func(any, any) bool { held++; return true })
	if held != most {
		t.Errorf("%d keys are remembered, want %d", held, most)
	}
}

func TestARenamedKeyIsCountedUnderItsNewName(t *testing.T) {
	p, reg := newTestPerKey(3)
	for _, name := range []string{"Old", "Old", "New", "New", "Old", "Third", "Fourth"} {
		p.of(&auth.Key{ID: "1", Name: name, User: "u"}, answer.Allow).Inc()
	}
	got := series(t, reg, "n")
	if got["key=New,result=allow,user=u"] != 2 || got["key=Old,result=allow,user=u"] != 3 || total(got) != 7 {
		t.Errorf("the counters are %v", got)
	}
}

func TestALabelThatIsNoUTF8DoesNotPanic(t *testing.T) {
	p, reg := newTestPerKey(3)
	p.of(&auth.Key{ID: "1", Name: "a\xff", User: "\xff"}, answer.Allow).Inc()
	if got := series(t, reg, "n"); got["key=a?,result=allow,user=?"] != 1 {
		t.Errorf("the counters are %v", got)
	}
}

func TestTheSameMetricsTwiceAreAnError(t *testing.T) {
	reg := prometheus.NewRegistry()
	if _, err := NewMetrics(reg, 1, "test"); err != nil {
		t.Fatal(err)
	}
	if _, err := NewMetrics(reg, 1, "test"); err == nil {
		t.Error("the same metrics are registered twice, and nobody is told")
	}
}
