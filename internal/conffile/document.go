package conffile

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// document is what a parser knows of the file beside its values.
type document struct {
	path     string
	newlines []int           // their offsets
	lines    map[string]int  // where each setting stands
	defined  map[string]bool // those that may not come again
	faults   []fault
}

type fault struct {
	line int
	text string
}

// Bounds of an error: a file that was taken for a configuration by mistake has
// a fault on each of its lines.
const (
	maxFaults = 100
	maxText   = 500 // bytes of a fault
)

// fault notes what is wrong on a line; line 0 is the file as a whole.
func (d *document) fault(line int, format string, args ...any) {
	text := oneLine(fmt.Sprintf(format, args...))
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "") + "…"
	}
	d.faults = append(d.faults, fault{line, text})
}

// oneLine writes control characters as Go does.
func oneLine(text string) string {
	if !strings.ContainsFunc(text, unicode.IsControl) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if unicode.IsControl(r) {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// define notes the line of a setting or a table, which may not be defined again.
func (d *document) define(path string, line int) {
	if d.defined[path] {
		d.fault(line, "%s is there twice, first on line %d", path, d.lines[path])
		return
	}
	d.defined[path] = true
	d.lines[path] = line
}

// mention notes the line of a table that may be defined, or mentioned, again.
func (d *document) mention(path string, line int) {
	if d.lines[path] == 0 {
		d.lines[path] = line
	}
}

// err joins the faults in the order of the file.
func (d *document) err() error {
	slices.SortFunc(d.faults, func(a, b fault) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.text, b.text))
	})
	var errs []error
	for i, f := range d.faults {
		if i == maxFaults {
			errs = append(errs, fmt.Errorf("%s: and %d more", d.path, len(d.faults)-i))
			break
		}
		if f.line > 0 {
			errs = append(errs, fmt.Errorf("%s:%d: %s", d.path, f.line, f.text))
		} else {
			errs = append(errs, fmt.Errorf("%s: %s", d.path, f.text))
		}
	}
	return errors.Join(errs...)
}

// section files the value of a top-level name that begins with Prefix.
func (d *document) section(f *File, name string, v any) {
	path := Join("", Prefix+name)
	s := Section{Name: name, File: d.path, Line: d.lines[path]}
	switch v := v.(type) {
	case nil: // "api_key_x:" with nothing below it, as an INI section without keys
		s.Fields = map[string]any{}
	case map[string]any:
		s.Fields = v
	default:
		d.fault(s.Line, "%s: a section is wanted, a table of fields such as key_file", path)
		return
	}
	if name == "" {
		d.fault(s.Line, "[%s] names no record", Prefix)
		return
	}
	f.Sections = append(f.Sections, s)
}

func newDocument(path string, data []byte) *document {
	d := &document{path: path, lines: map[string]int{}, defined: map[string]bool{}}
	for i, c := range data {
		if c == '\n' {
			d.newlines = append(d.newlines, i)
		}
	}
	return d
}

// lineAt is the line that an offset lies on.
func (d *document) lineAt(offset int) int {
	n, _ := slices.BinarySearch(d.newlines, offset)
	return n + 1
}

// invalidAt is the offset of the first byte that is not UTF-8.
func invalidAt(data []byte) int {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(data)
}
