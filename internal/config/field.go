package config

import (
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"time"

	"authd/internal/conffile"
)

// field is a field of Config or of a struct in it.
type field struct {
	path string // from the top; below a map NAME stands for the name
	name string // the last part of path
	reflect.StructField
}

// fieldsOf are the fields of a struct type, in order.
func fieldsOf(parent string, t reflect.Type) []field {
	fields := make([]field, t.NumField())
	for i := range fields {
		f := t.Field(i)
		name := f.Tag.Get("koanf")
		fields[i] = field{conffile.Join(parent, name), name, f}
	}
	return fields
}

// settings are all leaves of Config that have one place, and so a variable.
var settings = leaves("", reflect.TypeFor[Config]())

func leaves(parent string, t reflect.Type) (out []field) {
	for _, f := range fieldsOf(parent, t) {
		switch f.Type.Kind() {
		case reflect.Struct:
			out = append(out, leaves(f.path, f.Type)...)
		case reflect.Map:
		default:
			out = append(out, f)
		}
	}
	return out
}

// variablePrefix begins the name of every variable.
const variablePrefix = "AUTHD_"

// variable is the name of the setting in the environment.
func (f *field) variable() string {
	return variablePrefix + strings.ToUpper(strings.ReplaceAll(f.path, ".", "_"))
}

// flag is the name of the setting as a flag; only those with a help text have one.
func (f *field) flag() string { return strings.NewReplacer(".", "-", "_", "-").Replace(f.path) }

func (f *field) flagHelp() string { return f.Tag.Get("flag") }

// enum are the values that the setting may have; empty: any of its type.
func (f *field) enum() []string {
	if f.Type == levelType {
		return levels
	}
	return strings.Fields(f.Tag.Get("enum"))
}

func (f *field) secret() bool { return f.Tag.Get("secret") != "" }

// fieldAt finds the value of a setting.
func fieldAt(c *Config, path string) reflect.Value {
	v := reflect.ValueOf(c).Elem()
	for name := range strings.SplitSeq(path, ".") {
		i := slices.IndexFunc(fieldsOf("", v.Type()), func(f field) bool { return f.name == name })
		v = v.Field(i)
	}
	return v
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	levelType    = reflect.TypeFor[slog.Level]()
	listType     = reflect.TypeFor[[]string]()

	levels = []string{"debug", "info", "warn", "error"}
)
