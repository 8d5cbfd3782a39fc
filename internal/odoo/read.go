package odoo

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"authd/internal/conffile"
)

// The variables that server_environment reads, the second one over the first.
var variables = []string{"SERVER_ENV_CONFIG", "SERVER_ENV_CONFIG_SECRET"}

// Source is where sections are read from.
type Source struct {
	// Paths are configuration files of Odoo, and folders as server_environment
	// has them. Whatever their order, files count after folders.
	Paths []string
	// Variables asks for SERVER_ENV_CONFIG and SERVER_ENV_CONFIG_SECRET as well, which count last.
	Variables bool
	LookupEnv func(name string) (string, bool)
	// Known reports whether a section may have a field.
	Known func(field string) bool
}

// Found is what was read.
type Found struct {
	Sections []conffile.Section // in the order in which they count
	Files    []string           // what has to be watched for changes, folders among it
	Warnings []string           // what is no fault, but may not be meant, a line each
}

// Read reads the sections. The error holds every fault, a line each; what
// has to be watched is told also where there is one.
func Read(from Source) (Found, error) {
	r := reader{Source: from}
	sources := r.sources()
	m := merge(sources)
	sections, faults := m.read(from.Known)
	r.found.Sections = sections
	r.faults = append(r.faults, faults...)
	for _, src := range sources {
		r.warnOf(src)
	}
	return r.found, errors.Join(r.faults...)
}

type reader struct {
	Source
	found  Found
	faults []error
}

// sources reads all sources, in the order in which they count.
func (r *reader) sources() []*source {
	var folders, files []string
	for _, path := range r.Paths {
		r.found.Files = append(r.found.Files, path)
		switch dir, err := isFolder(path); {
		case err != nil:
			r.fault(err)
		case dir:
			folders = append(folders, path)
		default:
			files = append(files, path)
		}
	}
	var rc []*source
	for _, file := range files {
		rc = r.file(rc, file)
	}
	var out []*source
	env := r.runningEnv(rc)
	for _, folder := range folders {
		for _, file := range r.folder(folder, env) {
			out = r.file(out, file)
		}
	}
	out = append(out, rc...)
	if r.Variables {
		out = append(out, r.variables()...)
	}
	return out
}

func (r *reader) fault(err error) { r.faults = append(r.faults, pathError(err)) }

func (r *reader) file(list []*source, path string) []*source {
	data, err := conffile.ReadRegular(path, conffile.MaxSize)
	if err != nil {
		r.fault(err)
		return list
	}
	return r.parsed(list, path, data, true)
}

func (r *reader) parsed(list []*source, name string, data []byte, file bool) []*source {
	src, faults := parse(name, data, file)
	r.faults = append(r.faults, faults...)
	return append(list, src)
}

// variables are those that are set, and not empty.
func (r *reader) variables() (list []*source) {
	for _, name := range variables {
		if text, _ := r.LookupEnv(name); text != "" {
			list = r.parsed(list, name, []byte(text), false)
		}
	}
	if len(list) == 0 {
		r.warn("neither %s is set, so there is nothing to read from them", strings.Join(variables, " nor "))
	}
	return list
}

func (r *reader) warn(format string, args ...any) {
	r.found.Warnings = append(r.found.Warnings, fmt.Sprintf(format, args...))
}

// warnOf tells of sections that look like one of a key and, to the letter, are none.
func (r *reader) warnOf(src *source) {
	for _, s := range src.sections {
		folded := strings.NewReplacer("-", "_", " ", "_").Replace(strings.ToLower(trim(s.name)))
		meant := folded == globalSection || strings.HasPrefix(folded, conffile.Prefix)
		if meant && s.name != globalSection && !strings.HasPrefix(s.name, conffile.Prefix) {
			r.warn("%s:%d: %s is passed over: a section of a key begins with [%s, to the letter, and blanks inside the brackets count",
				src.name, s.line, shown(s.name), conffile.Prefix)
		}
	}
	slices.Sort(r.found.Warnings)
	r.found.Warnings = slices.Compact(r.found.Warnings)
}
