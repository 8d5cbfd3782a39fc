package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"authd/internal/auth"
	"authd/internal/bench/load"
)

// serveAt makes the test binary a server of its own, at this address.
const serveAt = "BENCH_TEST_SERVE_AT"

func TestMain(m *testing.M) {
	addr, serve := os.LookupEnv(serveAt)
	if !serve {
		os.Exit(m.Run())
	}
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	srv := http.Server{Addr: addr, Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}
	go func() {
		fmt.Println(srv.ListenAndServe())
		os.Exit(1)
	}()
	<-term
	os.Exit(0)
}

// self launches the test binary; listen chooses its address. The race detector
// would hold each of them up for a second at its end.
func self(listen func(addresses) string) launch {
	return launch{
		program: "self",
		args:    func(addresses) []string { return nil },
		env:     func(at addresses) []string { return []string{serveAt + "=" + listen(at), "GORACE=atexit_sleep_ms=0"} },
	}
}

func testBench(t *testing.T, out *bytes.Buffer, o options) *bench {
	return &bench{
		options: o, dir: t.TempDir(), out: out, report: newReport(o),
		programs: map[string]string{"self": os.Args[0]},
	}
}

// A whole contest: servers are started, loaded, measured, and end.
func TestContest(t *testing.T) {
	server := self(func(at addresses) string { return at.verify })
	for _, fresh := range []bool{false, true} {
		var out bytes.Buffer
		b := testBench(t, &out, options{rounds: 2, span: 100 * time.Millisecond, warmup: 10 * time.Millisecond, conns: 2})
		c := contest{
			name: "test", title: "Test", fresh: fresh,
			set: func(context.Context, *bench) (*field, error) {
				return &field{authd: server, source: load.Always(request(nil, plainQuestion, auth.NewSecret(prefix)))}, nil
			},
			references: []rival{
				{title: "the same again", launch: server, atMost: 1.50},
				{title: "the same with a setting", settings: []string{"NOBODY_READS=this"}},
			},
		}
		if err := c.run(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		t.Log(out.String())
		file := filepath.Join(b.dir, "report.json")
		if err := b.report.write(file); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var r report
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatal(err)
		}
		if len(r.Contests) != 1 || len(r.Contests[0].Servers) != 3 || len(r.Contests[0].Ratios) != 2 {
			t.Fatalf("the report is %s", text)
		}
		for _, s := range r.Contests[0].Servers {
			// A request costs more than a microsecond and less than ten milliseconds on any machine.
			if s.CPU.Least < 1 || s.CPU.Most > 10_000 || s.Turn.P50 > s.Turn.P99 || s.Turn.PerSecond <= 0 || s.Turn.RSS < 1 {
				t.Errorf("fresh %v, %s: %+v", fresh, s.Title, s)
			}
		}
	}
}

func TestAServerThatCannotStartIsReported(t *testing.T) {
	b := testBench(t, &bytes.Buffer{}, options{})
	nowhere := self(func(addresses) string { return "256.0.0.1:http" })
	if _, err := b.start(t.Context(), nowhere); err == nil || !strings.Contains(err.Error(), "256.0.0.1") {
		t.Errorf("error %v", err)
	}
}
