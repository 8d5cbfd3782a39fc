// Package conffile reads one configuration file, in YAML, TOML, JSON or INI by
// its ending, and parts it in two: the settings, and the [api_key_<Record
// Name>] sections. It knows nothing of what either means.
//
// Names are taken to the letter: none is split, folded or trimmed, save that a
// dot in the name of an INI section that is no override nests, as in
// [policies.partners].
package conffile

import (
	"strconv"
	"strings"
	"unicode"
)

// Prefix begins the name of every override section.
const Prefix = "api_key_"

// File is one file, parsed. Its values are nil, bool, int64, float64, string,
// []any and map[string]any, whatever the format; INI knows strings only, and
// dates come as the text that the file has.
type File struct {
	Path     string
	Settings map[string]any // nested by section; everything but the override sections
	Sections []Section      // in the order of the file
	lines    map[string]int // by path as Join and Item build it; 1-based
}

// Section is an override section as a file has it.
type Section struct {
	Name   string // what stands behind the prefix, to the letter
	Global bool   // it is Odoo's [auth_api_key], which is for every record; Name is empty
	File   string
	Line   int // of its header, 1-based; 0 where the format does not tell
	Fields map[string]any
}

// Join appends a name to the path of a setting, quoted where it would be
// ambiguous or break the line of a fault.
func Join(parent, name string) string {
	if name == "" || strings.ContainsAny(name, `."[]`) || strings.ContainsFunc(name, unicode.IsControl) {
		name = strconv.Quote(name)
	}
	if parent == "" {
		return name
	}
	return parent + "." + name
}

// Item appends the index of an item of a list to the path of a setting.
func Item(parent string, i int) string { return parent + "[" + strconv.Itoa(i) + "]" }

// Line tells where a setting stands: its own line, or else that of the nearest
// table or list that holds it; 0 where there is none.
func (f *File) Line(path string) int {
	for path != "" {
		if line := f.lines[path]; line > 0 {
			return line
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return 0
}
