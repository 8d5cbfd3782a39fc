package override

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"authd/internal/auth"
	"authd/internal/conffile"
)

// TestBadReloadKeepsTheOldSet, says so, and the next good one is taken.
func TestBadReloadKeepsTheOldSet(t *testing.T) {
	for name, c := range map[string]struct {
		bad  func(*watched)
		says []string // in one line of the log
	}{
		"a fault in a section": {
			func(w *watched) { w.put("x.yaml", yaml("kye_file", "value")) }, []string{"level=ERROR", "the old ones stay in force", "x.yaml:1", "[api_key_Partner sync]", "key_file"}},
		"no YAML":          {func(w *watched) { w.put("x.yaml", "{") }, []string{"level=ERROR", "the old ones stay in force", "x.yaml:1", "not YAML"}},
		"the file is gone": {func(w *watched) { w.remove("x.yaml") }, []string{"level=ERROR", "the old ones stay in force", "x.yaml", "no such file"}},
		"the key_file is gone": {
			func(w *watched) { w.remove("value") }, []string{"level=ERROR", "the old ones stay in force", "x.yaml:1", "[api_key_Partner sync]", "no such file"}},
		"the key_file is empty": {
			func(w *watched) { w.put("value", "") }, []string{"level=ERROR", "the old ones stay in force", "x.yaml:1", "[api_key_Partner sync]", "is empty"}},
		"the key_file is a loop": {
			func(w *watched) { w.remove("value"); w.link("value", "value") }, []string{"level=ERROR", "too many levels of symbolic links"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWatched(t)
			w.records.put(record("Partner sync"), w.digest(production))
			w.put("value", here+"\n")
			w.put("x.yaml", yaml("key_file", "value"))
			w.run(t)
			w.passes(t, here)
			if got := w.results("failed"); got != 0 {
				t.Errorf("%v failed reloads", got)
			}
			c.bad(w)
			await(t, "the line in the log", func() bool { return w.log.count(c.says...) > 0 })
			await(t, "the metric", func() bool { return w.results("failed") > 0 })
			w.passes(t, here)
			if w.taken() {
				t.Error("authd_override_last_reload_successful says that the files are in force")
			}

			good := w.results("ok")
			w.remove("value")
			w.put("value", other+"\n")
			w.put("x.yaml", yaml("key_file", "value"))
			w.passes(t, other)
			await(t, "the metric", func() bool { return w.results("ok") > good && w.taken() })
		})
	}
}

// TestReloadIsAskedFor reads again what no file tells of, as SIGHUP does.
func TestReloadIsAskedFor(t *testing.T) {
	w := newWatched(t)
	var mu sync.Mutex
	value := here
	w.watcher.Env.LookupEnv = func(string) (string, bool) {
		mu.Lock()
		defer mu.Unlock()
		return value, true
	}
	w.records.put(record("Partner sync"), w.digest(production))
	w.put("x.yaml", yaml("key_env", "VALUE"))
	w.run(t)
	w.passes(t, here)
	mu.Lock()
	value = other
	mu.Unlock()
	for range 100 {
		w.watcher.Reload() // never waits
	}
	w.passes(t, other)
	await(t, "a word on it", func() bool { return w.log.count("level=INFO", "changed=\"[Partner sync]\"") == 1 })
	w.put("x.yaml", "api_key_Nobody: {key: "+here+"}\n") // and what it matches is told at once
	await(t, "a word on it", func() bool {
		return w.log.count("level=INFO", "added=[Nobody]", "removed=\"[Partner sync]\"") == 1 && w.log.count("matches no record", "[api_key_Nobody]") == 1
	})
	if w.sections(Unmatched) != 1 || w.sections(Matched) != 0 {
		t.Error("the metric tells of the old sections")
	}
}

// TestUnmatchedIsTold once for as long as it lasts.
func TestUnmatchedIsTold(t *testing.T) {
	w := newWatched(t)
	w.watcher.matchEvery = 2 * time.Millisecond
	w.put("x.yaml", "api_key_Partner sync: {key: "+here+"}\napi_key_S: {standalone: true, user: u, key: "+other+"}\n")
	w.run(t)
	told := func() int {
		return w.log.count("level=WARN", "matches no record", "[api_key_Partner sync]", "x.yaml:1")
	}
	matched := func() { // anew, and to the end
		t.Helper()
		from := w.records.lookups()
		await(t, "some matchings", func() bool { return w.records.lookups() > from+3 })
	}
	expect := func(state State, warnings int) {
		t.Helper()
		matched()
		for _, s := range states {
			want := map[State]float64{state: 1, Standalone: 1}[s]
			if got := w.sections(s); got != want {
				t.Errorf("authd_override_sections{state=%q} is %v, want %v", s, got, want)
			}
		}
		if got := told(); got != warnings {
			t.Errorf("told %d times, want %d:\n%s", got, warnings, &w.log)
		}
	}
	expect(Unmatched, 1)
	w.records.put(record("Partner sync"), w.digest(production))
	expect(Matched, 1)
	w.expect(here, auth.Allowed)
	w.records.remove("id-partner_sync")
	expect(Unmatched, 2)

	unasked := func() int { return w.log.count("level=WARN", "it can't be told which override sections match", "away") }
	w.records.fail(errors.Join(errors.New("away"), auth.ErrUnavailable))
	await(t, "a word on the outage", func() bool { return unasked() == 1 })
	expect(Unchecked, 2)
	w.records.fail(nil)
	expect(Unmatched, 2) // it was told before the outage
	if got := unasked(); got != 1 {
		t.Errorf("the outage was told %d times", got)
	}
	before := told()
	w.put("x.yaml", "# another file\napi_key_Partner sync: {key: "+here+"}\napi_key_T: {standalone: true, user: u, key: "+other+"}\n")
	await(t, "it is told again once the sections have changed", func() bool {
		return w.log.count("level=WARN", "matches no record", "[api_key_Partner sync]", "x.yaml:2") == 1
	})
	if told() != before {
		t.Error("the old place is told again")
	}
}

// TestMatchingIsTriedAgain soon after an outage, not when the next minute comes.
func TestMatchingIsTriedAgain(t *testing.T) {
	w := newWatched(t)
	w.watcher.compareEvery = 5 * time.Millisecond
	w.put("x.yaml", yaml("key", here))
	w.records.put(record("Partner sync"))
	w.records.fail(auth.ErrUnavailable)
	w.run(t)
	await(t, "unchecked", func() bool { return w.sections(Unchecked) == 1 })
	w.records.fail(nil)
	await(t, "matched", func() bool { return w.sections(Matched) == 1 && w.sections(Unchecked) == 0 })
}

// TestMovingFilesAreNotTaken: sections of files that change while they are
// read may be of two states. Once the files stay the same, they are read.
func TestMovingFilesAreNotTaken(t *testing.T) {
	w := newWatched(t)
	w.records.put(record("Partner sync"), w.digest(production))
	w.put("x.yaml", yaml("key", here))
	var mu sync.Mutex
	moving := false
	inner := w.watcher.Read
	w.watcher.Read = func() ([]conffile.Section, []string, error) {
		mu.Lock()
		defer mu.Unlock()
		sections, files, err := inner()
		if moving {
			w.put("new", yaml("key", other)+"# "+time.Now().String())
			w.rename("new", "x.yaml")
		}
		return sections, files, err
	}
	w.run(t)
	w.passes(t, here)
	mu.Lock()
	moving = true
	mu.Unlock()
	w.watcher.Reload()
	await(t, "a word on it", func() bool { return w.log.count("level=ERROR", "change while they are read") > 0 })
	w.expect(here, auth.Allowed)
	mu.Lock()
	moving = false
	mu.Unlock()
	w.passes(t, other)
}

// TestMetricsAreThereFromTheStart, so that an alert has something to compare with.
func TestMetricsAreThereFromTheStart(t *testing.T) {
	reg := prometheus.NewRegistry()
	if _, err := NewWatcher(WatcherOptions{Registerer: reg}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"authd_override_sections": len(states), "authd_override_reload_total": 2, "authd_override_last_reload_successful": 1} {
		if got, err := testutil.GatherAndCount(reg, name); err != nil || got != want {
			t.Errorf("%s: %d series, %v", name, got, err)
		}
	}
	if _, err := NewWatcher(WatcherOptions{Registerer: reg}); err == nil {
		t.Error("a second watcher counts into the metrics of the first")
	}
}
