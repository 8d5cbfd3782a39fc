package config

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"authd/internal/auth"
	"authd/internal/conffile"
)

// reader reads the settings of one file into the types of Config. What is
// faulty is left out of what it returns.
type reader struct {
	loaded *Loaded
	at     func(path string) origin
}

func (r *reader) fault(path string, err error) { r.loaded.faults.add(r.at(path), path, err) }

// unknown is the fault of a name that can't stand in a table.
func (r *reader) unknown(table, name string, err error) {
	at := r.at(conffile.Join(table, name))
	if len(name) > maxName {
		name = "…"
	}
	r.loaded.faults.add(at, conffile.Join(table, name), err)
}

// table reads a table whose names are the fields of a struct type.
func (r *reader) table(path string, t reflect.Type, v any) map[string]any {
	out := map[string]any{}
	given, ok := r.given(path, v)
	if !ok {
		return out
	}
	fields := fieldsOf(path, t)
	for _, name := range slices.Sorted(maps.Keys(given)) {
		sub := conffile.Join(path, name)
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
		if i < 0 {
			r.unknown(path, name, unknownSetting(path, name, fields))
			continue
		}
		if read, ok := r.value(sub, &fields[i], given[name]); ok {
			out[name] = read
		}
	}
	return out
}

// given is the table at path. One with nothing in it may be null as well.
func (r *reader) given(path string, v any) (map[string]any, bool) {
	if v == nil {
		return nil, true
	}
	table, ok := v.(map[string]any)
	if !ok {
		r.fault(path, fmt.Errorf("%s is no table of settings", shownAny(v)))
	}
	return table, ok
}

func (r *reader) value(path string, f *field, v any) (any, bool) {
	switch t := f.Type; {
	case t.Kind() == reflect.Struct:
		return r.table(path, t, v), true
	case t.Kind() == reflect.Map:
		return r.policies(path, t.Elem(), v), true
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		return r.rules(path, t.Elem(), v)
	}
	read, err := f.parse(v)
	if err != nil {
		r.fault(path, err)
		return nil, false
	}
	r.loaded.origins[path] = r.at(path)
	return read, true
}

// policies reads a table whose names are free.
func (r *reader) policies(path string, t reflect.Type, v any) map[string]any {
	out := map[string]any{}
	given, _ := r.given(path, v)
	for _, name := range slices.Sorted(maps.Keys(given)) {
		sub := conffile.Join(path, name)
		if err := auth.CheckPolicyName(name); err != nil {
			r.unknown(path, name, err)
			continue
		}
		r.loaded.origins[sub] = r.at(sub)
		out[name] = r.table(sub, t, given[name])
	}
	return out
}

// rules reads a list of tables. A later file replaces it whole: its order is what it means.
func (r *reader) rules(path string, t reflect.Type, v any) (any, bool) {
	list, ok := v.([]any)
	if !ok {
		r.fault(path, errors.New("a list of tables is wanted; INI can't hold one, but YAML, TOML and JSON can"))
		return nil, false
	}
	out := make([]any, len(list))
	for i, item := range list {
		sub := conffile.Item(path, i)
		r.loaded.origins[sub] = r.at(sub)
		if item == nil {
			r.fault(sub, errNothing)
		}
		out[i] = r.table(sub, t, item)
	}
	r.loaded.origins[path] = r.at(path)
	return out, true
}

// unknownSetting words the fault of a name that no setting has.
func unknownSetting(path, name string, fields []field) error {
	if len(name) > maxName {
		return errors.New("unknown setting (its name is too long to be one, and is not shown)")
	}
	names := make([]string, len(fields))
	for i := range fields {
		names[i] = fields[i].name
	}
	meant := nearest(name, names)
	if meant == "" {
		meant = elsewhere(name)
	} else {
		meant = conffile.Join(path, meant)
	}
	folded := fold(name)
	switch {
	case meant != "":
		return fmt.Errorf("unknown setting: did you mean %s?", meant)
	case path == "" && (strings.HasPrefix(folded, "api_key") || strings.HasPrefix(folded, "apikey")):
		return fmt.Errorf("unknown setting: a section that overrides a key is named %sNAME", conffile.Prefix)
	case path == "":
		return fmt.Errorf("unknown setting: known are %s, and sections %sNAME", strings.Join(names, ", "), conffile.Prefix)
	}
	return fmt.Errorf("unknown setting: %s has %s", path, strings.Join(names, ", "))
}

// maxName is the length of the longest name that is shown: a longer one is none, and might be a key.
const maxName = 30
