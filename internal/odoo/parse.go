package odoo

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"authd/internal/conffile"
)

// defaultSection is the one whose options all other sections have as well.
const defaultSection = "DEFAULT"

// source is one file, or one variable, parsed.
type source struct {
	name     string // as faults name it
	sections []*section
	defaults *section // nil: it has none
}

// section is one that a source has.
type section struct {
	name    string
	line    int // of its header, 1-based
	options map[string]string
	lines   map[string]int // of each option
	order   []string       // of the options
}

// parse reads text as Python's ConfigParser does that server_environment makes
// (strict, no inline comments, names to the letter): each fault names its
// line and no value.
//
//   - a line is stripped; one that begins with "#" or ";" is a comment
//   - "[" begins a header, which goes on to the last "]" of the line: what
//     follows that is passed over
//   - a line that is indented deeper than the option before it goes on with its value, and an empty line does too
//   - the first "=" or ":" parts the name from the value
//   - a section, or an option in one, that comes twice is a fault; DEFAULT may come again
//
// A file ends its lines as any system does, a variable with "\n" alone.
func parse(name string, data []byte, file bool) (*source, []error) {
	p := parser{source: &source{name: name}, seen: map[string]*section{}}
	if len(data) > conffile.MaxSize {
		return p.source, []error{fmt.Errorf("%s: larger than %d KiB: not a configuration of Odoo", name, conffile.MaxSize>>10)}
	}
	if file {
		data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
		data = bytes.ReplaceAll(data, []byte("\r"), []byte("\n"))
	}
	for i, line := range strings.Split(string(data), "\n") {
		p.number = i + 1
		if !utf8.ValidString(line) {
			p.fault("not UTF-8")
			continue
		}
		p.line(line)
	}
	for _, s := range append(p.sections, p.defaults) {
		s.strip()
	}
	return p.source, p.told()
}

type parser struct {
	*source
	number int
	faults []error
	more   int

	seen   map[string]*section
	in     *section
	option string // the last one of in; "" where it has none yet
	indent int    // of the last header or option
}

// maxFaults bounds what is told of a file that was taken for a configuration by mistake.
const maxFaults = 20

func (p *parser) fault(format string, args ...any) {
	if len(p.faults) == maxFaults {
		p.more++
		return
	}
	p.faults = append(p.faults, fmt.Errorf("%s:%d: %s", p.name, p.number, fmt.Sprintf(format, args...)))
}

func (p *parser) told() []error {
	if p.more > 0 {
		p.faults = append(p.faults, fmt.Errorf("%s: and %d more", p.name, p.more))
	}
	return p.faults
}

func (p *parser) line(raw string) {
	text := trim(raw)
	indent := utf8.RuneCountInString(raw) - utf8.RuneCountInString(strings.TrimLeftFunc(raw, isSpace))
	switch {
	case text == "":
		if p.option != "" {
			p.in.options[p.option] += "\n"
		}
	case text[0] == '#' || text[0] == ';':
	case p.option != "" && indent > p.indent:
		p.in.options[p.option] += "\n" + text
	default:
		p.indent = indent
		if name, ok := header(text); ok {
			p.header(name)
		} else {
			p.pair(text)
		}
	}
}

// header is the name in a header, if the line is one.
func header(text string) (string, bool) {
	end := strings.LastIndexByte(text, ']')
	if text[0] != '[' || end < 2 {
		return "", false
	}
	return text[1:end], true
}

func (p *parser) header(name string) {
	p.option = ""
	if name == defaultSection {
		if p.defaults == nil {
			p.defaults = newSection(name, p.number)
		}
		p.in = p.defaults
		return
	}
	if first := p.seen[name]; first != nil {
		p.fault("%s is there twice, first on line %d: make one section of both", shown(name), first.line)
		p.in = newSection(name, p.number) // which nobody reads
		return
	}
	p.in = newSection(name, p.number)
	p.seen[name] = p.in
	p.sections = append(p.sections, p.in)
}

func newSection(name string, line int) *section {
	return &section{name: name, line: line, options: map[string]string{}, lines: map[string]int{}}
}

func (p *parser) pair(text string) {
	i := strings.IndexAny(text, "=:")
	switch {
	case p.in == nil:
		p.fault("it stands under no section: Odoo refuses such a file")
		return
	case i < 0:
		p.fault("neither a section, nor an option with its value: Odoo refuses such a file")
		return
	}
	name, value := trim(text[:i]), trim(text[i+1:])
	if name == "" {
		p.fault("a value without the name of an option: Odoo refuses such a file")
		return
	}
	p.option = name
	if first := p.in.lines[name]; first > 0 {
		p.fault("in %s an option is there twice, first on line %d: keep one of them", shown(p.in.name), first)
	} else {
		p.in.lines[name] = p.number
		p.in.order = append(p.in.order, name)
	}
	p.in.options[name] = value
}

// strip takes the empty lines off the end of each value.
func (s *section) strip() {
	if s == nil {
		return
	}
	for name, value := range s.options {
		s.options[name] = strings.TrimRightFunc(value, isSpace)
	}
}

func trim(s string) string { return strings.TrimFunc(s, isSpace) }

// isSpace is Python's str.isspace.
func isSpace(r rune) bool { return unicode.IsSpace(r) || 0x1c <= r && r <= 0x1f }

// maxShown bounds the name of a section in a fault, in bytes.
const maxShown = 200

// shown is a section's header for a fault.
func shown(name string) string {
	if len(name) > maxShown {
		name = strings.ToValidUTF8(name[:maxShown], "") + "…"
	}
	h := "[" + name + "]"
	if strings.ContainsFunc(h, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fmt.Sprintf("%q", h)
	}
	return h
}
