package main

import (
	"authd/internal/auth"
	"authd/internal/conffile"
)

// nearest returns the name that was probably meant: the one whose slug is a few
// typing errors away at most; empty where there is none.
func nearest(meant string, names []string) string {
	slug := auth.Slug(meant[:min(len(meant), auth.MaxName)])
	best, found := 1+max(1, len(slug)/4), ""
	for _, name := range names {
		if d := conffile.Distance(slug, auth.Slug(name)); d < best {
			best, found = d, name
		}
	}
	return found
}
