package override

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"authd/internal/conffile"
)

// Origin is where something was written. Line is 0 where it is not known.
type Origin struct {
	File string `json:"file"`
	Line int    `json:"line,omitempty"`
}

// String is file:line.
func (o Origin) String() string {
	if o.Line == 0 {
		return o.File
	}
	return o.File + ":" + strconv.Itoa(o.Line)
}

// Fault is what is wrong with a section, and how to mend it. It holds no value of a key.
type Fault struct {
	At      Origin `json:"at"`
	Section string `json:"section"` // the record's name; empty: the section for every record
	Text    string `json:"text"`
}

// Error is one line: file:line: [api_key_NAME]: text.
func (f Fault) Error() string {
	return fmt.Sprintf("%s: %s: %s", f.At, Header(f.Section), f.Text)
}

// Faults are all that is wrong with the sections, in their order.
type Faults []Fault

// Error is a line for each fault.
func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

// maxShown bounds what a fault shows of what it complains of, in runes.
const maxShown = 300

// Header is a section's name as people write it; quoted, where it would not print.
// The one for every record has no name.
func Header(name string) string {
	if name == "" {
		return "[auth_api_key]"
	}
	h := "[" + conffile.Prefix + clip(name) + "]"
	if strings.ContainsFunc(h, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(h)
	}
	return h
}

func clip(s string) string {
	n := 0
	for i := range s {
		if n++; n > maxShown {
			return s[:i] + "…"
		}
	}
	return s
}

// collector gathers the faults while a set is being built.
type collector struct{ faults Faults }

// add notes a fault; what errors.Join has parted by lines becomes one line.
func (c *collector) add(at Origin, section, format string, args ...any) {
	text := strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "; ")
	c.faults = append(c.faults, Fault{At: at, Section: section, Text: clip(text)})
}

func (c *collector) err() error {
	if len(c.faults) == 0 {
		return nil
	}
	return c.faults
}

var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// hush takes out of a fault what it quotes and might be a key: people put one
// into the wrong field, and a fault goes to the log.
func hush(text string) string {
	return quoted.ReplaceAllStringFunc(text, func(q string) string {
		s, err := strconv.Unquote(q)
		if err != nil {
			return notShown
		}
		return named(s, false)
	})
}

// unknownField words the fault of a field that no section has. A name that is
// as long as a key might be one, and is not shown.
func unknownField(name string) string {
	known := "a section knows " + strings.Join(fieldNames, ", ")
	if len(name) > maxFieldShown {
		return "unknown field (its name is too long to be one, and is not shown): " + known
	}
	if meant := nearest(name); meant != "" {
		return fmt.Sprintf("unknown field %q: did you mean %q?", name, meant)
	}
	return fmt.Sprintf("unknown field %q: %s", name, known)
}

// maxFieldShown is below auth.MinForeign: no key is as short.
const maxFieldShown = 15

// nearest is the field that a name is a slip of, or "".
func nearest(name string) string {
	name = strings.ReplaceAll(strings.ToLower(name), "-", "_")
	best, least := "", 3
	for _, f := range fieldNames {
		if d := conffile.Distance(name, f); d < least && 2*d < len(f) {
			best, least = f, d
		}
	}
	if best != "" {
		return best
	}
	for _, f := range fieldNames {
		if len(name) >= 3 && (strings.HasPrefix(f, name) || strings.HasPrefix(name, f)) {
			return f
		}
	}
	return ""
}
