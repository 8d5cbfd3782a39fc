package main

import "authd/internal/auth"

// nearest returns the name that was probably meant: the one whose slug is a few
// typing errors away at most; empty where there is none.
func nearest(meant string, names []string) string {
	slug := auth.Slug(meant[:min(len(meant), auth.MaxName)])
	best, found := 1+max(1, len(slug)/4), ""
	for _, name := range names {
		if d := distance(slug, auth.Slug(name)); d < best {
			best, found = d, name
		}
	}
	return found
}

// distance is how many characters must be put in, left out or replaced to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
