package config

import (
	"encoding/json"
	"log/slog"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"authd/internal/conffile"
)

// Setting is one setting as it is in force.
type Setting struct {
	Path   string `json:"path"`
	Value  any    `json:"value"`  // text, number, bool, list or, for rules, a list of tables; no password
	Origin string `json:"origin"` // file:line, the variable, the flag, or default
}

// Settings are all settings, in the order of Config; of the policies, what was written.
func (l *Loaded) Settings() []Setting {
	var out []Setting
	l.show(&out, "", reflect.ValueOf(l.Config))
	return out
}

func (l *Loaded) show(out *[]Setting, path string, v reflect.Value) {
	for i, f := range fieldsOf(path, v.Type()) {
		switch v := v.Field(i); v.Kind() {
		case reflect.Struct:
			l.show(out, f.path, v)
		case reflect.Map:
			for _, name := range slices.Sorted(maps.Keys(l.Config.Policies)) {
				l.showPolicy(out, conffile.Join(f.path, name), l.Config.Policies[name])
			}
		default:
			value := plainValue(v)
			if text, ok := value.(string); ok && f.secret() {
				value = masked(text)
			}
			*out = append(*out, Setting{f.path, value, l.origin(f.path).String()})
		}
	}
}

// showPolicy shows what was written of a policy: one that says nothing is an empty table.
func (l *Loaded) showPolicy(out *[]Setting, path string, p Policy) {
	table := plainTable(reflect.ValueOf(p))
	if len(table) == 0 {
		*out = append(*out, Setting{path, table, l.origin(path).String()})
	}
	for _, f := range fieldsOf(path, reflect.TypeOf(p)) {
		if v, ok := table[f.name]; ok {
			*out = append(*out, Setting{f.path, v, l.origin(f.path).String()})
		}
	}
}

// plainTable is a struct whose fields were given or are zero.
func plainTable(v reflect.Value) map[string]any {
	out := map[string]any{}
	for i, f := range fieldsOf("", v.Type()) {
		if v := v.Field(i); !v.IsZero() {
			out[f.name] = plainValue(v)
		}
	}
	return out
}

// plainValue is a value as a file would have it.
func plainValue(v reflect.Value) any {
	switch v := v.Interface().(type) {
	case time.Duration:
		return durationText(v)
	case slog.Level:
		return strings.ToLower(v.String())
	case []Rule:
		rules := make([]any, len(v))
		for i := range v {
			rules[i] = plainTable(reflect.ValueOf(v[i]))
		}
		return rules
	case *bool:
		return *v
	default:
		return v
	}
}

// durationText leaves out what time.Duration.String appends: 10m0s is 10m.
func durationText(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// String is the setting as a line of TOML: authd config show prints what authd could read.
func (s Setting) String() string { return s.Path + " = " + tomlText(s.Value) }

func tomlText(v any) string {
	switch v := v.(type) {
	case []any:
		items := make([]string, len(v))
		for i := range v {
			items[i] = tomlText(v[i])
		}
		return "[" + strings.Join(items, ", ") + "]"
	case []string:
		items := make([]string, len(v))
		for i := range v {
			items[i] = tomlText(v[i])
		}
		return "[" + strings.Join(items, ", ") + "]"
	case map[string]any:
		var items []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			items = append(items, name+" = "+tomlText(v[name]))
		}
		return "{" + strings.Join(items, ", ") + "}"
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // text, a number or a bool
	return strings.TrimSuffix(b.String(), "\n")
}

var (
	userinfo   = regexp.MustCompile(`//.*@`)
	parameters = regexp.MustCompile(`(?i)([?&;][^=&;]*(?:pass|pwd|secret|token|key)[^=&;]*=)[^&;]*`)
)

const hidden = "***"

// masked hides what may be a password in a URL: everything between "//" and
// the last "@", and parameters that are named like one. What is no URL is hidden whole.
func masked(s string) string {
	scheme, _, ok := strings.Cut(s, ":")
	switch {
	case s == "" || scheme == "sqlite":
		return s
	case !ok || strings.ContainsAny(scheme, "=@ "):
		return hidden
	case !strings.Contains(s, "//"):
		return scheme + ":" + hidden
	}
	s = userinfo.ReplaceAllString(s, "//"+hidden+"@")
	return parameters.ReplaceAllString(s, "${1}"+hidden)
}
