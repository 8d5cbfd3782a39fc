// Package conffile reads one configuration file, in YAML, TOML, JSON or INI by
// its ending, and parts it in two: the settings, and the [api_key_<Record
// Name>] sections. It knows nothing of what either means.
package conffile

// Prefix begins the name of every override section.
const Prefix = "api_key_"

// File is one file, parsed.
type File struct {
	Path     string
	Settings map[string]any // nested by section; everything but the override sections
	Sections []Section      // in the order of the file where the format keeps one, else by name
	lines    map[string]int // of settings by dotted path, and of sections by whole name; 1-based
}

// Section is an override section as a file has it.
type Section struct {
	Name   string // what stands behind the prefix, to the letter
	File   string
	Line   int // of its header, 1-based; 0 where the format does not tell
	Fields map[string]any
}
