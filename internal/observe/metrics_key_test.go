package observe

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

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
	p, reg := newPerKey(most), prometheus.NewRegistry()
	reg.MustRegister(p)
	return p, reg
}

const counted = "authd_key_requests_total"

// electNow lets the next scrape begin with an election.
func (p *perKey) electNow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.elected = time.Time{}
}

func TestSeriesPerKeyAreBoundedAndTheSumIsExact(t *testing.T) {
	for _, most := range []int{-1, 0, 1, 3, 25, 1000} {
		p, reg := newTestPerKey(most)
		const keys = 20
		for i := range keys {
			k := &auth.Key{ID: fmt.Sprint(i), Name: fmt.Sprint("key ", i), User: "u"}
			for n := range i + 1 {
				p.count(k, answer.Result(n%2))
			}
		}
		got := series(t, reg, counted)
		if sum := total(got); sum != keys*(keys+1)/2 {
			t.Errorf("at most %d: the sum is %v", most, sum)
		}
		if n, want := named(got), min(max(most, 0), keys+keys-1); n != want {
			t.Errorf("at most %d: %d series have names, want %d", most, n, want)
		}
	}
}

// named is how many series are those of one key.
func named(series map[string]float64) (n int) {
	for labels := range series {
		if !strings.Contains(labels, "key=other") && !strings.Contains(labels, "key=former") {
			n++
		}
	}
	return n
}

// A million keys from several sides, and among them, after all series are given, some that are busy: these get the
// series, which are bounded; the sum of what is scraped is exact, and no scrape shows a step that was none.
func TestTheBusiestOfAMillionKeysHaveTheSeries(t *testing.T) {
	const most, keys, sides, busy, rounds = 1000, 1_000_000, 4, 50, 20
	p, reg := newTestPerKey(most)
	one := func(prefix string, i int) *auth.Key {
		id := prefix + strconv.Itoa(i)
		return &auth.Key{ID: id, Name: id, User: "u"}
	}
	before, requests := map[string]float64{}, 0
	for round := range rounds {
		var wg sync.WaitGroup
		for side := range sides {
			wg.Go(func() {
				for i := round*keys/rounds + side; i < (round+1)*keys/rounds; i += sides {
					p.count(one("key ", i), answer.Result(i%int(answer.Results)))
					p.count(one("busy ", i/sides%busy), answer.Allow)
				}
			})
		}
		wg.Wait()
		requests += 2 * keys / rounds
		p.electNow()
		now := series(t, reg, counted)
		if total(now) != float64(requests) {
			t.Fatalf("the series have %v requests, want %d", total(now), requests)
		}
		if n := named(now); n > most || len(now) > most+2*int(answer.Results) {
			t.Fatalf("%d series have names, of %d in all; at most %d are wanted", n, len(now), most)
		}
		increase := 0.0 // as rate() sees it: of series that were there before
		for labels, v := range now {
			if was, ok := before[labels]; ok && v < was {
				t.Fatalf("%s goes from %v to %v", labels, was, v)
			} else if ok {
				increase += v - was
			}
		}
		if increase > 2*keys/rounds {
			t.Fatalf("%v requests are seen where %d were made", increase, 2*keys/rounds)
		}
		before = now
	}
	for i := range busy {
		if labels := fmt.Sprintf("key=busy %d,result=allow,user=u", i); before[labels] < keys/busy/2 {
			t.Errorf("%s has %v requests", labels, before[labels])
		}
	}
	held := 0
	p.byID.Range(func(any, any) bool { held++; return true })
	if held > most || held != len(p.named) || len(p.crowd.seen) > p.crowd.most {
		t.Errorf("%d and %d keys and %d candidates are remembered", held, len(p.named), len(p.crowd.seen))
	}
}

// A key with a series keeps it against one that is not busier.
func TestSeriesDontTakeTurns(t *testing.T) {
	p, reg := newTestPerKey(1)
	for range 5 {
		for range 10_000 {
			p.count(&auth.Key{ID: "1", Name: "First"}, answer.Allow)
			p.count(&auth.Key{ID: "2", Name: "Second"}, answer.Allow)
		}
		p.electNow()
		if got := series(t, reg, counted); named(got) != 1 || got["key=First,result=allow,user="] == 0 {
			t.Fatalf("the series went to another: %v", got)
		}
	}
}

// Who counts while series change hands is counted once.
func TestNothingIsLostWhileSeriesChangeHands(t *testing.T) {
	p, reg := newTestPerKey(10)
	const sides, each = 4, 50_000
	var wg sync.WaitGroup
	for side := range sides {
		wg.Go(func() {
			for i := range each {
				// The busy ones are others from time to time.
				p.count(&auth.Key{ID: strconv.Itoa(i/5000*100 + i%12), User: "u"}, answer.Result(side%2))
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		p.electNow()
		series(t, reg, counted)
	}
	got := series(t, reg, counted)
	if p.changes == 0 || total(got) != sides*each {
		t.Errorf("%v requests after %d changes, want %d", total(got), p.changes, sides*each)
	}
}

func TestARenamedKeyIsCountedUnderItsNewName(t *testing.T) {
	p, reg := newTestPerKey(3)
	for _, name := range []string{"Old", "Old", "New", "New", "Old", "Third", "Fourth"} {
		p.count(&auth.Key{ID: "1", Name: name, User: "u"}, answer.Allow)
	}
	got := series(t, reg, counted)
	if got["key=New,result=allow,user=u"] != 2 || got["key=Old,result=allow,user=u"] != 3 || total(got) != 7 {
		t.Errorf("the counters are %v", got)
	}
}

// Keys may be called what other keys are counted as.
func TestAKeyThatIsCalledOther(t *testing.T) {
	p, reg := newTestPerKey(1)
	p.count(&auth.Key{ID: "1", Name: "other", User: "other"}, answer.Allow)
	p.count(&auth.Key{ID: "2", Name: "Second", User: "u"}, answer.Allow)
	if got := series(t, reg, counted); got["key=other,result=allow,user=other"] != 2 {
		t.Errorf("the counters are %v", got)
	}
}

func TestALabelThatIsNoUTF8DoesNotPanic(t *testing.T) {
	p, reg := newTestPerKey(3)
	p.count(&auth.Key{ID: "1", Name: "a\xff", User: "\xff"}, answer.Allow)
	if got := series(t, reg, counted); got["key=a?,result=allow,user=?"] != 1 {
		t.Errorf("the counters are %v", got)
	}
}

// Durations are in native buckets beside the classic ones, which are 50 µs to 1 s.
func TestDurationsHaveBothKindsOfBuckets(t *testing.T) {
	reg := prometheus.NewRegistry()
	m, err := NewMetrics(reg, 1, "test")
	if err != nil {
		t.Fatal(err)
	}
	m.Count(m.NewRoute("p", "q"), &auth.Decision{}, time.Millisecond, "")
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, mf := range families {
		if mf.GetName() != "authd_verify_duration_seconds" {
			continue
		}
		h := mf.GetMetric()[0].GetHistogram()
		b := h.GetBucket()
		if len(h.GetPositiveSpan()) == 0 || b[0].GetUpperBound() != 50e-6 || b[len(b)-1].GetUpperBound() != 1 {
			t.Errorf("native %v, classic %v", h.GetPositiveSpan(), b)
		}
		return
	}
	t.Error("there is no such histogram")
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

// BenchmarkPerKey is what a request pays for the metric of its key: with a series, and without.
func BenchmarkPerKey(b *testing.B) {
	for name, id := range map[string]string{"named": "0", "other": "many"} {
		b.Run(name, func(b *testing.B) {
			p, _ := newTestPerKey(100)
			for i := range 200 {
				p.count(&auth.Key{ID: strconv.Itoa(i), Name: "n", User: "u"}, answer.Allow)
			}
			k := &auth.Key{ID: id, Name: "n", User: "u"}
			b.ReportAllocs()
			for b.Loop() {
				p.count(k, answer.Allow)
			}
		})
	}
}

// Keys that were promised a series and never come again are as bounded as the series: each new one
// takes the room of an old one.
func TestPromisedSeriesAreBounded(t *testing.T) {
	const most = 10
	p, _ := newTestPerKey(most)
	busy := func(id string, samples int) {
		for range samples {
			p.crowd.note(&auth.Key{ID: id, Name: id, User: "u"})
		}
	}
	for i := range most / 2 { // each has two series, so that there is room for two when one loses them
		k := &auth.Key{ID: fmt.Sprint("first ", i), Name: "first", User: "u"}
		p.count(k, answer.Allow)
		p.count(k, answer.Deny)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range 100 {
		busy(fmt.Sprint("once ", i), 10)
		p.elect()
		if n := len(p.named); n > most {
			t.Fatalf("after %d elections %d keys have series, or the promise of one, of %d", i+1, n, most)
		}
	}
}
