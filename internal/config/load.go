package config

import (
	"net/netip"
	"os"
	"reflect"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/structs"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"

	"authd/internal/auth"
	"authd/internal/conffile"
)

// Source is where a configuration is read from.
type Source struct {
	Files   []string       // in the order in which they count; a folder stands for its files
	Environ []string       // NAME=value; nil: the environment of the process
	Flags   *pflag.FlagSet // those of AddFlags, parsed; may be nil
}

// Loaded is a configuration, and what was made of it.
type Loaded struct {
	Config   Config
	Policies map[string]*auth.Policy
	Trusted  []netip.Prefix // of verify.trusted_proxies
	Digester *auth.Digester // never nil; without a pepper that is faulty, so not to be used where Load has failed

	Odoo     []string           // the paths of overrides.odoo; a relative one begins at the folder of the file that names it
	Sections []conffile.Section // the override sections of all files, in the order in which they count
	Files    []string           // what the configuration was read from, and the folders that were named
	Warnings []string           // what is no fault, but may not be meant, a line each

	origins map[string]origin // by path; where a setting was written last
	faults  Faults
}

// delimiter parts the names in a path for koanf. No name that is handed to it has one in it.
const delimiter = "."

// Load reads a configuration. The error is a Faults, and holds every fault
// that shows in the settings themselves. What was read is returned all the
// same, with defaults in place of what is faulty, so that the faults that only
// others can find are told together with these.
func Load(src Source) (*Loaded, error) {
	files := readFiles(src.Files)
	l := &Loaded{
		Sections: files.sections(), Files: files.watched, Warnings: files.warnings,
		origins: map[string]origin{}, faults: files.faults,
	}
	l.merge(files, src)
	l.check()
	for _, path := range l.Config.Overrides.Odoo {
		path, _ = l.beside("overrides.odoo", path)
		l.Odoo = append(l.Odoo, path)
	}
	l.Trusted = l.trusted()
	l.Policies = l.policies()
	l.Digester = l.digester()
	return l, l.faults.err()
}

// merge lays the sources over each other.
func (l *Loaded) merge(files *files, src Source) {
	k := koanf.New(delimiter)
	l.layer(k, structs.Provider(Default(), "koanf"))
	for _, f := range files.parsed {
		r := reader{loaded: l, at: func(path string) origin {
			return origin{rank: f.rank, name: f.Path, file: true, line: f.Line(path)}
		}}
		l.layer(k, confmap.Provider(r.table("", reflect.TypeFor[Config](), f.Settings), ""))
	}
	environ := src.Environ
	if environ == nil {
		environ = os.Environ()
	}
	l.layer(k, l.environment(environ, files.last+1))
	if src.Flags != nil {
		l.layer(k, l.flags(src.Flags, files.last+2))
	}
	// Every value has its type already: the decoder has nothing to guess.
	err := k.UnmarshalWithConf("", &l.Config, koanf.UnmarshalConf{DecoderConfig: &mapstructure.DecoderConfig{TagName: "koanf", ErrorUnused: true}})
	if err != nil {
		l.faults.add(origin{}, "", err)
	}
}

func (l *Loaded) layer(k *koanf.Koanf, p koanf.Provider) {
	if err := k.Load(p, nil); err != nil {
		l.faults.add(origin{}, "", err)
	}
}

// origin is where a setting was written, or else the nearest table or list that holds it.
func (l *Loaded) origin(path string) origin {
	for path != "" {
		if at, ok := l.origins[path]; ok {
			return at
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return origin{}
}

// note records what is wrong with a setting, if anything is.
func (l *Loaded) note(path string, err error) {
	if err != nil {
		l.faults.add(l.origin(path), path, err)
	}
}
