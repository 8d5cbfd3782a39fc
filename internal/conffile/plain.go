package conffile

import (
	"fmt"
	"math"
	"time"
	"unicode/utf8"
)

// plainTable brings the values of a parser to the types that File promises.
func (d *document) plainTable(path string, table map[string]any) map[string]any {
	out := make(map[string]any, len(table))
	for name, v := range table {
		out[name] = d.plain(Join(path, name), v)
	}
	return out
}

func (d *document) plain(path string, v any) any {
	switch v := v.(type) {
	case nil, bool, int64, float64:
		return v
	case string:
		if !utf8.ValidString(v) {
			d.fault(d.lines[path], "%s: not UTF-8", path)
		}
		return v
	case int:
		return int64(v)
	case uint64:
		if v > math.MaxInt64 {
			return float64(v)
		}
		return int64(v)
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case fmt.Stringer: // dates and times without a zone
		return v.String()
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = d.plain(Item(path, i), v[i])
		}
		return out
	case map[string]any:
		return d.plainTable(path, v)
	}
	d.fault(d.lines[path], "%s: a value of a kind that no setting has", path)
	return nil
}
