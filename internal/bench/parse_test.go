package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseBenchmarks(t *testing.T) {
	got, err := parseBenchmarks([]byte(`goos: linux
pkg: authd/internal/auth
BenchmarkCheckWarm/own-2  	 1000000	      812.5 ns/op	       8 B/op	       1 allocs/op
BenchmarkDigest-2         	 3000000	      402 ns/op	  150.00 MB/s	       0 B/op	       0 allocs/op
PASS
ok  	authd/internal/auth	2.1s
pkg: authd/internal/cache
BenchmarkHit/cold-start   	 5000000	      100 ns/op	       0 B/op	       0 allocs/op
ok  	authd/internal/cache	2.1s
?   	authd/internal/api	[no test files]
`))
	want := []inner{
		{Name: "auth.CheckWarm/own", Nanos: 812.5, Bytes: 8, Allocs: 1},
		{Name: "auth.Digest", Nanos: 402},
		{Name: "cache.Hit/cold-start", Nanos: 100},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	if v := got[0].verdict(); v != "<= 1000 ns ok, <= 1 ok" {
		t.Errorf("the Checker's verdict is %q", v)
	}
	if v := got[2].verdict(); v != "" {
		t.Errorf("what has no bound has the verdict %q", v)
	}
	if _, err := parseBenchmarks([]byte("BenchmarkX-2 1 many ns/op\n")); err == nil {
		t.Error("a figure that is none was read")
	}
}

func TestParseMetrics(t *testing.T) {
	got, err := parseMetrics(strings.NewReader(`# HELP go_memstats_next_gc_bytes text 1
# TYPE go_memstats_next_gc_bytes gauge
go_memstats_next_gc_bytes 4.194304e+06

authd_cache_entries{kind="known"} 100000
authd_verify_total{policy="a b",reason="ok"} 7
`))
	want := map[string]float64{
		"go_memstats_next_gc_bytes":                    4194304,
		`authd_cache_entries{kind="known"}`:            100000,
		`authd_verify_total{policy="a b",reason="ok"}`: 7,
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	for _, bad := range []string{"lonely\n", "name value\n"} {
		if _, err := parseMetrics(strings.NewReader(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestChoose(t *testing.T) {
	all, err := choose("")
	if err != nil || len(all) != len(parts()) || all[0].name != "warm" {
		t.Errorf("nothing chosen is %d parts, error %v", len(all), err)
	}
	some, err := choose("ready,warm")
	if err != nil || len(some) != 2 || some[0].name != "warm" || some[1].name != "ready" {
		t.Errorf("two chosen are %v, error %v", some, err)
	}
	if _, err := choose("warm,speed"); err == nil || !strings.Contains(err.Error(), "inprocess") {
		t.Errorf("an unknown part: %v", err)
	}
}
