package config

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/v2"

	"authd/internal/conffile"
)

// environment reads the variables. Those that sections take a value from are
// no settings, whatever their name.
func (l *Loaded) environment(environ []string, rank int) koanf.Provider {
	values := keyVariables(l.Sections)
	return env.Provider(delimiter, env.Opt{
		Prefix:      variablePrefix,
		EnvironFunc: func() []string { return environ },
		TransformFunc: func(name, value string) (string, any) {
			at := origin{rank: rank, name: name}
			i := slices.IndexFunc(settings, func(f field) bool { return f.variable() == name })
			if i < 0 {
				if !slices.Contains(values, name) && !ofKubernetes(name, value) {
					l.faults.add(at, name, unknownVariable(name))
				}
				return "", nil
			}
			return l.text(at, &settings[i], value)
		},
	})
}

// text reads a setting from text. The empty path says that it is faulty.
func (l *Loaded) text(at origin, f *field, value string) (path string, v any) {
	v, err := f.parse(value)
	if err != nil {
		l.faults.add(at, f.path, err)
		return "", nil
	}
	l.origins[f.path] = at
	return f.path, v
}

// service are the variables that Kubernetes gives to every container for each
// Service whose name begins with authd.
var service = regexp.MustCompile(`^AUTHD_(?:[A-Z0-9_]+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)$`)

func ofKubernetes(name, value string) bool {
	return service.MatchString(name) || strings.HasSuffix(name, "_PORT") && strings.Contains(value, "://")
}

func unknownVariable(name string) error {
	if strings.HasPrefix(name, variablePrefix+"POLICIES") {
		return errors.New("policies can't be given by the environment: write them into a file")
	}
	names := make([]string, len(settings))
	for i := range settings {
		names[i] = settings[i].variable()
	}
	if meant := nearest(name, names); meant != "" {
		return fmt.Errorf("no setting has this name: did you mean %s?", meant)
	}
	return errors.New("no setting has this name; all names are in docs/configuration.md")
}

// keyVariables are the variables that sections take a value from.
func keyVariables(sections []conffile.Section) (names []string) {
	for _, s := range sections {
		if name, ok := s.Fields["key_env"].(string); ok {
			names = append(names, strings.TrimSpace(name))
		}
	}
	return names
}
