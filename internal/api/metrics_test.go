package api

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"authd/internal/answer"
	"authd/internal/auth"
	"authd/internal/observe"
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

func verifyLabels(proxy, policy string, r auth.Reason) string {
	return fmt.Sprintf("policy=%s,proxy=%s,reason=%s,result=%s", policy, proxy, r, answer.Of(r).Result())
}

func TestEveryReasonIsCounted(t *testing.T) {
	f, table := everyReason(t)
	for _, a := range table {
		before := series(t, f.reg, "authd_verify_total")
		f.raise(a, http.MethodGet)
		proxy, policy := "none", auth.DefaultPolicy
		if rest, ok := strings.CutPrefix(a.path, "/verify/traefik"); ok {
			if proxy = "traefik"; rest != "" {
				policy = rest[1:]
			}
		}
		switch a.reason {
		case auth.UnknownPolicy:
			policy = observe.Unknown
		case auth.UnknownProxy:
			proxy, policy = observe.Unknown, observe.Unknown
		}
		after := series(t, f.reg, "authd_verify_total")
		labels := verifyLabels(proxy, policy, a.reason)
		if after[labels] != before[labels]+1 || total(after) != total(before)+1 {
			t.Errorf("%s: %s went from %v to %v, all from %v to %v", a.reason, labels, before[labels], after[labels], total(before), total(after))
		}
	}
	// A panic is counted, and took no time that means anything.
	if n := total(series(t, f.reg, "authd_verify_duration_seconds")); n != float64(len(table)-1) {
		t.Errorf("%d requests have %v durations", len(table)-1, n)
	}
}

func TestCountersThatAlertsWatchStartAtZero(t *testing.T) {
	f := start(t, func(o *Options) { o.Policies = testPolicies(t) })
	got := series(t, f.reg, "authd_verify_total")
	for _, labels := range []string{
		verifyLabels("none", "default", auth.Allowed), verifyLabels("none", "default", auth.Unavailable),
		verifyLabels("traefik", "default", auth.Unavailable), verifyLabels("traefik", "shop", auth.Allowed),
	} {
		if v, ok := got[labels]; !ok || v != 0 {
			t.Errorf("%s is %v, %v before the first request", labels, v, ok)
		}
	}
}

func TestMetricsPassTheLinter(t *testing.T) {
	f, table := everyReason(t)
	for _, a := range table {
		f.raise(a, http.MethodGet)
	}
	problems, err := testutil.GatherAndLint(f.reg)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestBuildInfo(t *testing.T) {
	f := start(t, nil)
	want := map[string]float64{"goversion=" + runtime.Version() + ",version=test": 1}
	if got := series(t, f.reg, "authd_build_info"); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("authd_build_info is %v, want %v", got, want)
	}
}

// Whatever a client makes up, there are no more series than before.
func TestNothingThatAClientChoosesIsALabel(t *testing.T) {
	f, table := everyReason(t)
	for _, a := range table {
		f.raise(a, http.MethodGet)
	}
	hostile := func(i int) {
		s := fmt.Sprintf("x%d", i)
		forwarded := traefik("M"+s, s+".test", "/"+s, fmt.Sprintf("198.51.100.%d", i%250))
		f.send(head(s+" /verify HTTP/1.1", "API-KEY: "+auth.NewSecret("ak").Reveal()))
		f.send(head("GET /verify/"+s+"/"+s+"?"+s+" HTTP/1.1", forwarded...))
		f.send(head("GET /verify/traefik/"+s+" HTTP/1.1", append(forwarded, "X-Request-Id: "+s, "User-Agent: "+s)...))
		f.send(head("GET /verify/traefik/shop HTTP/1.1", append(forwarded, "API-KEY: "+s+strings.Repeat("y", 20))...))
		f.send(head("GET /" + s + " HTTP/1.1"))
	}
	hostile(0) // reasons of routes that nobody has had before
	before, err := testutil.GatherAndCount(f.reg)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		hostile(i + 1)
	}
	if after, err := testutil.GatherAndCount(f.reg); err != nil || after != before {
		t.Errorf("%d series have become %d (%v)", before, after, err)
	}
}

func TestConcurrentRequestsAreCountedExactly(t *testing.T) {
	reg := prometheus.NewRegistry()
	f := start(t, func(o *Options) { o.Metrics = newMetrics(t, reg, 5) })
	var keys []string
	for i := range 8 {
		keys = append(keys, f.keys.add(fmt.Sprint("Key ", i), nil))
	}
	const each = 200
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			for n := range each {
				r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/verify", http.NoBody)
				r.Header.Set("API-KEY", keys[(i+n)%len(keys)])
				if n%4 == 0 {
					r.Header.Set("X_Auth_User", "root")
				}
				f.handler.ServeHTTP(httptest.NewRecorder(), r)
			}
		})
	}
	wg.Wait()
	all := float64(each * len(keys))
	verify, perKey := series(t, reg, "authd_verify_total"), series(t, reg, "authd_key_requests_total")
	if got := verify[verifyLabels("none", "default", auth.Allowed)]; got != all*3/4 {
		t.Errorf("%v of %v requests are counted as allowed", got, all)
	}
	if got := verify[verifyLabels("none", "default", auth.AliasedHeader)]; got != all/4 {
		t.Errorf("%v of %v requests are counted as denied", got, all)
	}
	if got := total(perKey); got != all*3/4 {
		t.Errorf("the keys have %v of %v requests", got, all*3/4)
	}
	if n := len(perKey); n != 5+int(answer.Results) {
		t.Errorf("there are %d series of keys", n)
	}
}

func TestMetricsPage(t *testing.T) {
	f := start(t, nil)
	f.send(head("GET /verify HTTP/1.1", "API-KEY: "+f.keys.add("Partner sync", nil)))
	w := httptest.NewRecorder()
	NewMetrics(f.reg).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	for _, want := range []string{
		`authd_verify_total{policy="default",proxy="none",reason="ok",result="allow"} 1`,
		`authd_key_requests_total{key="Partner sync",result="allow",user="partner@example.com"} 1`,
		"authd_verify_duration_seconds_count 1", "authd_build_info{",
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the page does not have %s:\n%s", want, w.Body)
		}
	}
}
