package odoo

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"authd/internal/conffile"
)

// globalSection gives its fields to every record.
const globalSection = "auth_api_key"

// given is an option, and where it was given last.
type given struct {
	value string
	rank  int // of the source
	line  int // of the section's header there
	at    int // the option's own
}

// merged is what all sources amount to: sections of one name are one, and
// later sources win, option by option.
type merged struct {
	sources  []*source
	names    []string // of the sections that mean a key, in the order in which they first come
	sections map[string]map[string]given
	defaults map[string]given
}

func merge(sources []*source) *merged {
	m := &merged{sources: sources, sections: map[string]map[string]given{}, defaults: map[string]given{}}
	for rank, src := range sources {
		if src.defaults != nil {
			take(m.defaults, src.defaults, rank)
		}
		for _, s := range src.sections {
			if s.name != globalSection && !strings.HasPrefix(s.name, conffile.Prefix) {
				continue
			}
			if m.sections[s.name] == nil {
				m.names = append(m.names, s.name)
				m.sections[s.name] = map[string]given{}
			}
			take(m.sections[s.name], s, rank)
		}
	}
	return m
}

func take(into map[string]given, s *section, rank int) {
	for _, name := range s.order {
		into[name] = given{s.options[name], rank, s.line, s.lines[name]}
	}
}

// read makes sections of what was merged. Of [DEFAULT] they have the options
// that known says a section has: the others are meant for others.
func (m *merged) read(known func(string) bool) (out []conffile.Section, faults []error) {
	for _, name := range m.names {
		parts, errs := m.section(name, known)
		out = append(out, parts...)
		faults = append(faults, errs...)
	}
	return out, faults
}

// section makes one section for each place that says something of it: what
// comes from [DEFAULT] first, the rest in the order of the sources.
func (m *merged) section(name string, known func(string) bool) (parts []conffile.Section, faults []error) {
	own := m.sections[name]
	all := make(map[string]given, len(own))
	for option, g := range m.defaults {
		if known(option) {
			g.rank -= len(m.sources) // before every source
			all[option] = g
		}
	}
	for option, g := range own {
		all[option] = g
	}
	lookup := func(option string) (string, bool) {
		g, ok := own[option]
		if !ok {
			g, ok = m.defaults[option]
		}
		return g.value, ok
	}
	byRank := map[int]*conffile.Section{}
	for _, option := range slices.Sorted(maps.Keys(all)) {
		g := all[option]
		src := m.sources[(g.rank+len(m.sources))%len(m.sources)]
		value, err := interpolate(g.value, 0, lookup)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s:%d: %s: %w", src.name, g.at, shown(name), err))
			continue
		}
		if byRank[g.rank] == nil {
			byRank[g.rank] = m.part(name, src, g.line)
		}
		byRank[g.rank].Fields[option] = value
	}
	for _, rank := range slices.Sorted(maps.Keys(byRank)) {
		parts = append(parts, *byRank[rank])
	}
	if len(all) == 0 {
		parts = append(parts, *m.empty(name))
	}
	standalone(parts)
	return parts, faults
}

func (m *merged) part(name string, src *source, line int) *conffile.Section {
	record, _ := strings.CutPrefix(name, conffile.Prefix)
	s := &conffile.Section{Name: record, File: src.name, Line: line, Fields: map[string]any{}}
	if s.Global = name == globalSection; s.Global {
		s.Name = ""
	}
	return s
}

// empty is a section that says nothing, where it first comes.
func (m *merged) empty(name string) *conffile.Section {
	for _, src := range m.sources {
		for _, s := range src.sections {
			if s.name == name {
				return m.part(name, src, s.line)
			}
		}
	}
	return nil
}

// standalone makes a key of its own of a section with a key and a user, as
// the module had them in 10.0, where there were no records. One that says
// standalone itself has said it.
func standalone(parts []conffile.Section) {
	var user *conffile.Section
	key := false
	for i := range parts {
		for option := range parts[i].Fields {
			switch option {
			case "standalone":
				return
			case "user":
				user = &parts[i]
			case "key", "key_file", "key_env", "key_digest":
				key = true
			}
		}
	}
	if user != nil && key && !user.Global {
		user.Fields["standalone"] = true
	}
}
