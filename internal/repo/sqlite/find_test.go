package sqlite

import (
	"strings"
	"testing"
)

// Whatever is asked for often, or under the writers' lock, finds its rows by an index.
func TestLookUpsUseAnIndex(t *testing.T) {
	s := fresh(t)
	for name, query := range map[string]string{
		"ByDigest": findByDigest,
		"ByName":   findByName,
		"Key":      selectRecords + byRef,
		"Changes":  selectChanges + `WHERE seq > ?1 ORDER BY seq LIMIT 10`,
	} {
		var steps []string
		err := conn{s, s.readers}.rows(t.Context(), "EXPLAIN QUERY PLAN "+query, []any{"x"}, func(scan func(...any) error) error {
			var step string
			err := scan(new(int), new(int), new(int), &step)
			steps = append(steps, step)
			return err
		})
		if err != nil || len(steps) == 0 {
			t.Fatalf("%s: %v", name, err)
		}
		for _, step := range steps {
			if strings.HasPrefix(step, "SCAN") && step != "SCAN CONSTANT ROW" || strings.Contains(step, "TEMP B-TREE") {
				t.Errorf("%s: %s", name, strings.Join(steps, "; "))
			}
		}
	}
}
