// Package spec holds the model of the protocol to the code: that each rule has its mutants, its place and its tests.
package spec

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var quoted = regexp.MustCompile("`([^`]+)`")

func names(cell string) (list []string) {
	for _, m := range quoted.FindAllStringSubmatch(cell, -1) {
		list = append(list, m[1])
	}
	return list
}

// TestRules: the table in README.md names mutants that are searched, files whose comments name the rule, and tests that are there.
func TestRules(t *testing.T) {
	rules := table(t)
	if len(rules) != 22 {
		t.Fatalf("%d rules, want 22", len(rules))
	}
	check, model, tests := read(t, "check.sh"), read(t, "revocation.pml"), allTests(t)
	for i, row := range rules {
		n := strconv.Itoa(i + 1)
		if len(row) != 4 || !strings.HasPrefix(row[0], n+" ") {
			t.Errorf("row %s: %q", n, row)
			continue
		}
		for _, column := range row[1:] {
			if len(names(column)) == 0 {
				t.Errorf("rule %s: nothing is named in %q", n, column)
			}
		}
		for _, m := range names(row[1]) {
			if !regexp.MustCompile(`(?m)^`+m+`( |$)`).MatchString(check) || !regexp.MustCompile(`\bM_`+m+`\b`).MatchString(model) {
				t.Errorf("rule %s: no mutant %s is searched", n, m)
			}
		}
		says := regexp.MustCompile(`rules? ([0-9]+(,| and) )*` + n + `\b`)
		for _, file := range names(row[2]) {
			if !says.MatchString(read(t, filepath.Join("..", file))) {
				t.Errorf("rule %s: no comment in %s names it", n, file)
			}
		}
		for _, name := range names(row[3]) {
			if !strings.Contains(tests, "func "+name+"(") {
				t.Errorf("rule %s: there is no test %s", n, name)
			}
		}
	}
}

// table is the rows of the rules, by column.
func table(t *testing.T) (rows [][]string) {
	for line := range strings.Lines(read(t, "README.md")) {
		if regexp.MustCompile(`^\| [0-9]+ `).MatchString(line) {
			cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			rows = append(rows, cells)
		}
	}
	return rows
}

// allTests is the text of every file that holds tests, those of conformance suites too.
func allTests(t *testing.T) string {
	var all strings.Builder
	err := filepath.WalkDir("../internal", func(path string, _ fs.DirEntry, err error) error {
		if err == nil && (strings.HasSuffix(path, "_test.go") || strings.Contains(path, "repotest") && strings.HasSuffix(path, ".go")) {
			all.WriteString(read(t, path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
