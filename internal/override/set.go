package override

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"authd/internal/auth"
	"authd/internal/conffile"
)

// Set is all override sections, read-only. Each holds digests and no value;
// printing a Set shows neither.
type Set struct {
	sections []*section // in the order in which their names first come
	byDigest map[auth.Digest]*section
	byName   map[string]*section
	rest     *section // of records that no section of their own overrides; nil: they stay as they are
}

// Len is the number of sections.
func (s Set) Len() int {
	if s.rest != nil {
		return len(s.sections) + 1
	}
	return len(s.sections)
}

// Format writes how many sections there are, for every verb.
func (s Set) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "%d override sections", s.Len()) }

// ValueOf names the section that has a value of this digest, and its place.
func (s *Set) ValueOf(d auth.Digest) (name string, at Origin, ok bool) {
	found := s.byDigest[d]
	if found == nil {
		return "", Origin{}, false
	}
	return found.name, found.at, true
}

// section finds what overrides a key of the store's.
func (s *Set) section(k *auth.Key) *section {
	if found := s.byName[k.Name]; found != nil {
		return found
	}
	if found := s.byName[k.Slug]; found != nil {
		return found
	}
	return s.rest
}

// NewSet makes a Set of the sections of all files, in the order in which the
// files count. Sections of one name merge, and later ones win field by field.
// The error is a Faults, and holds them all.
func NewSet(sections []conffile.Section, env Env) (*Set, error) {
	b := builder{env: env, drafts: map[string]*draft{}}
	for _, s := range sections {
		b.take(s)
	}
	set := &Set{byDigest: map[auth.Digest]*section{}, byName: map[string]*section{}}
	if b.global != nil {
		b.forAll()
		set.rest, _ = b.build(b.global)
	}
	claims := map[auth.Digest]*section{}
	for _, d := range b.order {
		s, digests := b.build(d)
		set.sections = append(set.sections, s)
		set.byName[s.name] = s
		if s.value.usable {
			b.claim(claims, s, digests)
			set.byDigest[s.value.digest] = s
		}
	}
	for _, s := range set.sections {
		if slug := auth.Slug(s.name); slug != s.name && set.byName[slug] != nil {
			o := set.byName[slug]
			b.add(o.at, o.name, "this is the slug of %s (%s), so both would mean one record: keep one of them", Header(s.name), s.at)
		}
	}
	return set, b.err()
}

// builder gathers sections, and what is wrong with them.
type builder struct {
	collector
	env    Env
	drafts map[string]*draft
	order  []*draft
	global *draft // of Odoo's [auth_api_key]; nil: there is none
}

// draft is what the sections of one name have said so far. It holds raw
// values, and lives no longer than the building.
type draft struct {
	name      string
	at        Origin
	fields    map[string]given
	faultless bool
}

type given struct {
	value any
	at    Origin
}

// take adds what a section of a file says. A source of the value replaces that of an earlier file.
func (b *builder) take(s conffile.Section) {
	at := Origin{s.File, s.Line}
	d := b.draft(s, at)
	var values []string
	for _, source := range sources {
		if _, ok := s.Fields[source]; ok {
			values = append(values, source)
		}
	}
	if len(values) > 0 {
		for _, source := range sources {
			delete(d.fields, source)
		}
	}
	if len(values) > 1 {
		b.fault(d, at, "%s are given: the value comes from one of them, keep that one", strings.Join(values, " and "))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Fields)) {
		var scratch overlay
		if !slices.Contains(fieldNames, name) {
			b.fault(d, at, "%s", unknownField(name))
		} else if err := scratch.read(name, s.Fields[name]); err != nil {
			b.fault(d, at, "%s: %s", name, hush(err.Error()))
		} else if len(values) <= 1 || !slices.Contains(sources, name) {
			d.fields[name] = given{s.Fields[name], at}
		}
	}
}

// draft finds what was said so far of the record that a section is for.
func (b *builder) draft(s conffile.Section, at Origin) *draft {
	d := b.drafts[s.Name]
	if s.Global {
		d = b.global
	}
	if d != nil {
		return d
	}
	d = &draft{name: s.Name, at: at, fields: map[string]given{}, faultless: true}
	if s.Global {
		b.global = d
		return d
	}
	b.drafts[s.Name] = d
	b.order = append(b.order, d)
	if err := auth.CheckText("the record's name", s.Name, auth.MaxName); err != nil {
		b.fault(d, at, "%v: no record can have it", err)
	}
	return d
}

// forAll gives what the section for every record says to each that has a
// section of its own, and does not say it. What can't be every record's is a fault.
func (b *builder) forAll() {
	for _, field := range append([]string{"standalone"}, sources...) {
		if g, ok := b.global.fields[field]; ok {
			b.fault(b.global, g.at, "%s would be that of every record, and one value can't stand for several keys: write it into a section [%sNAME]", field, conffile.Prefix)
			delete(b.global.fields, field)
		}
	}
	for _, d := range b.order {
		for field, g := range b.global.fields {
			if _, ok := d.fields[field]; !ok && len(d.fields) > 0 {
				d.fields[field] = g
			}
		}
	}
}

func (b *builder) fault(d *draft, at Origin, format string, args ...any) {
	d.faultless = false
	b.add(at, d.name, format, args...)
}

// build makes a section of its draft, and tells every digest that its value has here.
func (b *builder) build(d *draft) (s *section, digests []auth.Digest) {
	s = &section{name: d.name, at: d.at, origins: map[string]Origin{}}
	for name, g := range d.fields {
		s.origins[name] = g.at
		_ = s.overlay.read(name, g.value) // take has read it already
	}
	for _, source := range sources {
		g, ok := d.fields[source]
		if !ok {
			continue
		}
		text, _ := readText(g.value)
		var err error
		if s.value, digests, err = b.env.valueOf(source, text, g.at); err != nil {
			b.fault(d, g.at, "%s: %v", source, err)
		}
	}
	for _, clash := range s.overlay.clashes() {
		b.fault(d, s.origins[clash.field], "%s", clash.text)
	}
	if len(d.fields) == 0 && d.faultless {
		b.fault(d, d.at, "the section is empty, and overrides nothing: fill it, or remove it")
	}
	if s.overlay.standalone != nil && *s.overlay.standalone {
		b.standalone(d, s)
	}
	return s, digests
}

func (b *builder) standalone(d *draft, s *section) {
	at := s.origins["standalone"]
	if s.overlay.user == nil && d.faultless {
		b.fault(d, at, "a standalone key has no record to name its user: give user")
	}
	if !s.value.usable && d.faultless {
		b.fault(d, at, "a standalone key needs a value that is not empty: give %s", strings.Join(sources, ", "))
	}
	if d.faultless {
		s.ready = s.standaloneKey()
	}
}

// claim finds two sections that have one value, under whichever pepper.
func (b *builder) claim(claims map[auth.Digest]*section, s *section, digests []auth.Digest) {
	for _, digest := range digests {
		if o := claims[digest]; o != nil {
			b.add(s.at, s.name, "its value is that of %s (%s) as well: one value can't stand for two keys, give one of them another", Header(o.name), o.at)
			break
		}
	}
	for _, digest := range digests {
		claims[digest] = s
	}
}

// keyFiles are the files that the sections take values from, whether they can be read or not.
func keyFiles(sections []conffile.Section) []string {
	var files []string
	for _, s := range sections {
		if path, ok := s.Fields["key_file"].(string); ok && path != "" {
			files = append(files, resolve(path, Origin{File: s.File}))
		}
	}
	return files
}

// diff names the sections that a new set has added, removed and changed, in order.
func diff(old, set *Set) (added, removed, changed []string) {
	for _, s := range set.sections {
		if was := old.byName[s.name]; was == nil {
			added = append(added, s.name)
		} else if !was.equal(s) {
			changed = append(changed, s.name)
		}
	}
	for _, s := range old.sections {
		if set.byName[s.name] == nil {
			removed = append(removed, s.name)
		}
	}
	switch global := Header(""); {
	case old.rest == nil && set.rest != nil:
		added = append(added, global)
	case old.rest != nil && set.rest == nil:
		removed = append(removed, global)
	case set.rest != nil && !set.rest.equal(old.rest):
		changed = append(changed, global)
	}
	return added, removed, changed
}
