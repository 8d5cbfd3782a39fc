package conffile

import (
	"strings"
	"unicode"
)

// parseINI reads the dialect of Odoo: a value is all that follows the first
// "=" or ":", without the blanks around it; quotes, "%", "#" and ";" in it are
// literal. Comments have a line of their own. A line that is indented deeper
// than the key before it would go on with the value there: it is refused.
//
// Libraries for INI unquote values, merge sections that come twice and tell no
// lines, which is why there is none here.
func parseINI(d *document, data []byte) map[string]any {
	p := iniParser{document: d, values: map[string]any{}, after: loose}
	for i, line := range strings.Split(string(data), "\n") {
		p.line(i+1, strings.TrimSuffix(line, "\r"))
	}
	return p.values
}

type iniParser struct {
	*document
	values map[string]any

	path   string         // of the section
	table  map[string]any // of the section; nil before the first one, and in one that is refused
	after  string         // why no key may come here, if table is nil
	indent int            // of the last key; -1 where a section has none yet
}

// loose words why a key can't stand above all sections, or in the one that
// other readers of INI give to all.
const loose = "a key stands under the section it belongs to: [listen], then verify = :8080"

func (p *iniParser) line(n int, raw string) {
	text := strings.TrimSpace(raw)
	switch {
	case text == "" || text[0] == '#' || text[0] == ';':
	case strings.ContainsFunc(text, func(r rune) bool { return r != '\t' && unicode.IsControl(r) }):
		p.fault(n, "a control character")
	case p.continues(raw):
		p.fault(n, "the line is indented, as if it went on with the value above: a value has one line")
	case text[0] == '[':
		p.header(n, text)
	default:
		p.key(n, text)
		p.indent = indentOf(raw)
	}
}

func (p *iniParser) continues(raw string) bool {
	return p.table != nil && p.indent >= 0 && indentOf(raw) > p.indent
}

func indentOf(raw string) int { return len(raw) - len(strings.TrimLeft(raw, " \t")) }

func (p *iniParser) header(n int, text string) {
	p.table, p.after, p.indent = nil, "", -1
	name := strings.TrimSuffix(text[1:], "]")
	switch name {
	case text[1:]:
		p.fault(n, `a section ends in "]", and nothing follows it on the line`)
		return
	case "":
		p.fault(n, "a section without a name")
		return
	case "DEFAULT":
		p.after = loose
		return
	}
	parts := []string{name}
	if !strings.HasPrefix(name, Prefix) {
		parts = strings.Split(name, ".")
	}
	if len(parts) > maxDepth {
		p.fault(n, tooDeep)
		return
	}
	p.path = ""
	table := p.values
	for _, part := range parts {
		p.path = Join(p.path, part)
		p.mention(p.path, n)
		if _, ok := table[part]; !ok {
			table[part] = map[string]any{}
		}
		sub, ok := table[part].(map[string]any)
		if !ok {
			p.fault(n, "%s is a value on line %d, and can't be a section", p.path, p.lines[p.path])
			return
		}
		table = sub
	}
	p.define(p.path, n)
	p.table = table
}

func (p *iniParser) key(n int, text string) {
	i := strings.IndexAny(text, "=:")
	if i < 0 {
		p.fault(n, "neither a section, nor a key with its value: key = value")
		return
	}
	name, value := strings.TrimSpace(text[:i]), strings.TrimSpace(text[i+1:])
	if name == "" {
		p.fault(n, "a value without a key")
		return
	}
	if p.table == nil {
		if p.after != "" {
			p.fault(n, "%s", p.after)
		}
		return
	}
	path := Join(p.path, name)
	if _, section := p.table[name].(map[string]any); section {
		p.fault(n, "%s is a section on line %d, and can't have a value", path, p.lines[path])
		return
	}
	p.define(path, n)
	p.table[name] = value
}
