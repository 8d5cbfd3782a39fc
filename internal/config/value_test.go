package config

import (
	"log/slog"
	"reflect"
	"testing"
	"time"
)

// parseAs parses a value as the setting at path.
func parseAs(t *testing.T, path string, v any) (any, error) {
	t.Helper()
	for i := range settings {
		if settings[i].path == path {
			return settings[i].parse(v)
		}
	}
	t.Fatalf("no setting %s", path)
	return nil, nil
}

func TestParse(t *testing.T) {
	const day = 24 * time.Hour
	for path, values := range map[string][][2]any{
		"store.migrate": {
			{true, true}, {false, false}, {"true", true}, {"Yes", true}, {"on", true}, {"1", true}, {int64(1), true},
			{"false", false}, {"no", false}, {"OFF", false}, {"0", false}, {int64(0), false}, {" true ", true},
		},
		"cache.max_entries": {{int64(7), 7}, {"7", 7}, {" 1000000 ", 1000000}, {int64(1), 1}, {int64(100_000_000), 100_000_000}},
		"cache.ttl": {
			{"10m", 10 * time.Minute}, {"7d", 7 * day}, {"2w", 14 * day}, {"1w2d3h4m5s", 9*day + 3*time.Hour + 4*time.Minute + 5*time.Second},
			{"1.5h", 90 * time.Minute}, {"1000ms", time.Second}, {" 1s ", time.Second},
		},
		"cache.max_stale":         {{"0", time.Duration(0)}, {"0s", time.Duration(0)}, {"0d", time.Duration(0)}},
		"cache.outage":            {{"serve", "serve"}, {"deny", "deny"}},
		"log.level":               {{"debug", slog.LevelDebug}, {"info", slog.LevelInfo}, {"warn", slog.LevelWarn}, {"error", slog.LevelError}},
		"verify.realm":            {{"", ""}, {" a, b ", " a, b "}, {"${HOME}", "${HOME}"}},
		"credentials.sources":     {{"a,b", []string{"a", "b"}}, {" a , b ", []string{"a", "b"}}, {"", []string{}}, {" ", []string{}}, {[]any{}, []string{}}, {[]any{"a, b"}, []string{"a, b"}}},
		"credentials.pepper_file": {{"pepper", "pepper"}},
	} {
		for _, c := range values {
			got, err := parseAs(t, path, c[0])
			if err != nil || !reflect.DeepEqual(got, c[1]) {
				t.Errorf("%s: %#v is read as %#v, %v", path, c[0], got, err)
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for path, values := range map[string][]any{
		"store.migrate":       {nil, "", "ja", "t", "2", int64(2), 1.0, []any{}, map[string]any{}},
		"cache.max_entries":   {nil, "", "1e6", "0x10", "1_000", 1e6, "1.5", int64(0), int64(-1), int64(100_000_001), "99999999999999999999", true, []any{}},
		"cache.ttl":           {nil, "", "10", int64(600), 1.5, "-10m", "999ms", "1h2d", "2d1w", "d", "1d-2h", "-1d", "1dd", "1.5d", "ten minutes", "9999999999w", "106751d999999h", true},
		"cache.lease":         {"999ms", "2h"},
		"cache.max_stale":     {"-1s"},
		"cache.outage":        {nil, "", "Serve", "serve ", true, []any{}},
		"log.level":           {nil, "", "INFO", "trace", "info+2", "0", int64(0), true},
		"verify.realm":        {nil, int64(1), 1.5, true, []any{"a"}, map[string]any{}},
		"credentials.sources": {nil, int64(1), true, map[string]any{}, []any{int64(1)}, []any{"a", nil}, []any{""}, "a,,b", "a,", ","},
	} {
		for _, v := range values {
			if got, err := parseAs(t, path, v); err == nil {
				t.Errorf("%s: %#v is read as %#v", path, v, got)
			}
		}
	}
}

// What config show prints of a duration is what was written.
func TestDurationText(t *testing.T) {
	for _, s := range []string{"0s", "50ms", "30s", "10m", "1h", "1h30m", "1h0m5s", "10m5s", "100h"} {
		d, err := readDuration(s)
		if got := durationText(d); err != nil || got != s {
			t.Errorf("%s is shown as %s, %v", s, got, err)
		}
	}
}
