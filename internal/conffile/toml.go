package conffile

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// maxBrackets bounds how deep a TOML file can nest, and so the parser's stack,
// which has no bound of its own.
const maxBrackets = 50_000

// parseTOML reads a TOML document.
func parseTOML(d *document, data []byte) map[string]any {
	if n := bytes.Count(data, []byte("[")) + bytes.Count(data, []byte("{")); n > maxBrackets {
		d.fault(0, "%d brackets, more than %d: not a configuration file", n, maxBrackets)
		return nil
	}
	w := tomlWalk{document: d, items: map[string]int{}}
	w.walk(data)
	if w.deep > 0 { // the decoder's time grows with the square of it
		d.fault(w.deep, tooDeep)
		return nil
	}
	var values map[string]any
	if err := toml.Unmarshal(data, &values); err != nil {
		d.tomlFault(data, err)
		return nil
	}
	values = d.plainTable("", values)
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if fields, ok := values[name].(map[string]any); ok && strings.HasPrefix(name, Prefix) {
			d.checkFlat(name, fields)
		}
	}
	return values
}

// tomlFault words an error of the library. What it says without a place are
// names that come twice, and the walk has found most of those, with theirs.
func (d *document) tomlFault(data []byte, err error) {
	var at *toml.DecodeError
	if !errors.As(err, &at) {
		if len(d.faults) == 0 {
			d.fault(0, "not TOML: %s", strings.TrimPrefix(err.Error(), "toml: "))
		}
		return
	}
	row, _ := at.Position()
	hint := ""
	lines := strings.Split(string(data), "\n")
	if header := strings.TrimSpace(lines[min(row, len(lines))-1]); strings.HasPrefix(header, "["+Prefix) {
		if name, _, ok := strings.Cut(header[1:], "]"); ok { // else all of the line would be shown
			hint = "; a name with blanks, dots or other signs is written " + quotedHeader(name)
		}
	}
	text, _, number := strings.Cut(strings.TrimPrefix(at.Error(), "toml: "), ": strconv.") // which repeats the digits, and they may be a key
	if number {
		text += ": text is put in quotes"
	}
	d.fault(row, "not TOML: %s%s", text, hint)
}

// checkFlat finds names that were meant as one and nest for want of quotes.
func (d *document) checkFlat(section string, fields map[string]any) {
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		sub, nested := fields[field].(map[string]any)
		if !nested {
			continue
		}
		path := Join(Join("", section), field)
		meant := section + "." + field
		line := d.lines[path]
		for nested && len(sub) == 1 { // [api_key_a.b.c] is one name as well
			for name, v := range sub {
				if sub, nested = v.(map[string]any); nested {
					meant += "." + name
				}
			}
		}
		d.fault(line, "[%s]: field %q is a table; a name with a dot or a blank is written %s", section, field, quotedHeader(meant))
	}
}

func quotedHeader(name string) string {
	if strings.Contains(name, `"`) {
		return "['" + name + "']"
	}
	return `["` + name + `"]`
}

// tomlWalk notes where everything stands.
type tomlWalk struct {
	*document
	p     unstable.Parser
	items map[string]int // of each list of tables, the index of its last item
	deep  int            // the line that nests deeper than maxDepth; 0 for none
}

// walk ends at the first syntax error, which the decoder words.
func (w *tomlWalk) walk(data []byte) {
	w.p.Reset(data)
	table := ""
	for w.deep == 0 && w.p.NextExpression() {
		switch e := w.p.Expression(); e.Kind {
		case unstable.Table:
			path, line := w.resolve("", e.Key())
			w.define(path, line)
			table = path
		case unstable.ArrayTable:
			path, line := w.resolve("", e.Key())
			if i := strings.LastIndexByte(path, '['); strings.HasSuffix(path, "]") && w.hasItems(path[:i]) {
				path = path[:i]
				w.items[path]++
			} else {
				w.items[path] = 0
			}
			w.mention(path, line)
			table = Item(path, w.items[path])
			w.define(table, line)
		case unstable.KeyValue:
			w.keyValue(table, e, 0)
		}
	}
}

func (w *tomlWalk) hasItems(path string) bool {
	_, ok := w.items[path]
	return ok
}

func (w *tomlWalk) keyValue(table string, e *unstable.Node, depth int) {
	path, line := w.resolve(table, e.Key())
	w.define(path, line)
	w.value(path, e.Value(), line, depth+1)
}

// value looks for keys in inline tables and in lists of them.
func (w *tomlWalk) value(path string, v *unstable.Node, line, depth int) {
	if depth > maxDepth {
		w.deep = line
		return
	}
	switch v.Kind {
	case unstable.InlineTable:
		for it := v.Children(); it.Next(); {
			w.keyValue(path, it.Node(), depth)
		}
	case unstable.Array:
		i := 0
		for it := v.Children(); it.Next(); i++ {
			w.value(Item(path, i), it.Node(), line, depth+1)
		}
	}
}

// resolve walks a dotted key down from a table. Where it passes through a
// list of tables, it means the last one.
func (w *tomlWalk) resolve(path string, keys unstable.Iterator) (string, int) {
	line, depth := 0, 0
	for keys.Next() {
		n := keys.Node()
		if depth++; depth > maxDepth {
			w.deep = line
			break
		}
		if line == 0 {
			line = w.lineAt(int(n.Raw.Offset))
		} else {
			w.mention(path, line)
		}
		path = Join(path, string(n.Data))
		if last, ok := w.items[path]; ok {
			path = Item(path, last)
		}
	}
	return path, line
}
