package config

import (
	"strings"

	"authd/internal/conffile"
)

// nearest is the name that another one is a slip of, or "".
func nearest(name string, names []string) string {
	name = fold(name)
	best, least := "", 3
	for _, n := range names {
		if d := conffile.Distance(name, fold(n)); d < least && 2*d < len(n) {
			best, least = n, d
		}
	}
	return best
}

// elsewhere is the setting that has this name in another table, if there is one alone.
func elsewhere(name string) string {
	found := ""
	for i := range settings {
		if settings[i].name == fold(name) {
			if found != "" {
				return ""
			}
			found = settings[i].path
		}
	}
	return found
}

func fold(name string) string { return strings.ReplaceAll(strings.ToLower(name), "-", "_") }
