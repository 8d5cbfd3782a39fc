package config

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strings"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/configuration.md instead of comparing it")

const manual = "../../docs/configuration.md"

// The manual is made of the comments of Config by this very test.
func TestManualIsCurrent(t *testing.T) {
	want := render(t)
	if *update {
		if err := os.WriteFile(manual, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(manual)
	if err != nil {
		t.Fatalf("%v\nRun: make docs", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("docs/configuration.md is not what the comments in internal/config/config.go say. Run: make docs\n%s", diff)
	}
}

// entry is what the manual tells of a setting, or of a table of them.
type entry struct {
	Path, Heading, Facts, Comment string
}

func render(t *testing.T) []byte {
	t.Helper()
	sample, err := os.ReadFile("testdata/sample.yaml")
	if err != nil {
		t.Fatal(err)
	}
	page, err := template.ParseFiles("testdata/manual.md.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	m := manualOf{t: t, comments: comments(t)}
	m.table("", 2, reflect.TypeFor[Config](), reflect.ValueOf(Default()))
	var out bytes.Buffer
	if err := page.Execute(&out, map[string]any{"Sample": string(sample), "Entries": m.entries}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// manualOf gathers the entries of the manual.
type manualOf struct {
	t        *testing.T
	comments map[string]string
	entries  []entry
}

// table takes in the fields of a struct. Below a policy there are no defaults, and they are not valid.
func (m *manualOf) table(path string, depth int, t reflect.Type, defaults reflect.Value) {
	for i, f := range fieldsOf(path, t) {
		e := entry{Path: f.path, Heading: strings.Repeat("#", depth), Comment: m.comments[t.Name()+"."+f.Name]}
		if e.Comment == "" {
			m.t.Errorf("%s.%s (%s) has no comment, and it is the manual", t.Name(), f.Name, f.path)
		}
		var value reflect.Value
		if defaults.IsValid() {
			value = defaults.Field(i)
		}
		e.Facts = facts(&f, value)
		m.entries = append(m.entries, e)
		switch {
		case f.Type.Kind() == reflect.Struct:
			m.table(f.path, depth+1, f.Type, value)
		case f.Type.Kind() == reflect.Map:
			m.table(f.path+".NAME", depth+1, f.Type.Elem(), reflect.Value{})
		case kind(f.Type) == "" && f.Type.Kind() == reflect.Slice:
			m.table(f.path+"[]", depth+1, f.Type.Elem(), reflect.Value{})
		}
	}
}

// facts is the line below the heading of a setting; empty for a table.
func facts(f *field, value reflect.Value) string {
	facts := []string{kind(f.Type)}
	if facts[0] == "" {
		return ""
	}
	if values := f.enum(); len(values) > 0 {
		facts[0] = "`" + strings.Join(values, "`, `") + "`"
	}
	for _, bound := range [][2]string{{"min", "at least "}, {"max", "at most "}} {
		if s := f.Tag.Get(bound[0]); s != "" {
			facts = append(facts, bound[1]+s)
		}
	}
	if value.IsValid() {
		facts = append(facts, "default `"+tomlText(plainValue(value))+"`", "`"+f.variable()+"`")
		if f.flagHelp() != "" {
			facts = append(facts, "`--"+f.flag()+"`")
		}
	}
	return strings.Join(facts, " · ")
}

// kind names a type as people do; empty for a table, and for a list of them.
func kind(t reflect.Type) string {
	switch {
	case t == durationType:
		return "time"
	case t == listType:
		return "list"
	case t == levelType, t.Kind() == reflect.String:
		return "text"
	case t.Kind() == reflect.Int:
		return "number"
	case t.Kind() == reflect.Bool, t.Kind() == reflect.Pointer:
		return "bool"
	}
	return ""
}

// comments are those of the fields of all structs in config.go, by Type.Field.
func comments(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "config.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if s, ok := spec.Type.(*ast.StructType); ok {
			for _, f := range s.Fields.List {
				for _, name := range f.Names {
					out[fmt.Sprintf("%s.%s", spec.Name.Name, name.Name)] = strings.TrimSpace(f.Doc.Text())
				}
			}
		}
		return false
	})
	return out
}
