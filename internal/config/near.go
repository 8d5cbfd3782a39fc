package config

import "strings"

// nearest is the name that another one is a slip of, or "".
func nearest(name string, names []string) string {
	name = fold(name)
	best, least := "", 3
	for _, n := range names {
		if d := distance(name, fold(n)); d < least && 2*d < len(n) {
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

// distance is how many characters must be put in, taken out or changed to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
