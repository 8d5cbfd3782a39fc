package inbound

import (
	"strconv"
	"strings"
	"testing"
)

func TestParseSources(t *testing.T) {
	good := []string{"header:API-KEY", "header:X-API-Key", "bearer", "basic", "query:api_key", "cookie:key", "query:key"}
	sources, err := ParseSources(good)
	if err != nil || len(sources) != len(good) {
		t.Fatalf("%d sources, %v", len(sources), err)
	}
	for i, s := range sources {
		if s.String() != good[i] {
			t.Errorf("%q prints as %q", good[i], s)
		}
	}
	for text, part := range map[string]string{
		"":                                 "is wanted",
		"Bearer":                           "is wanted",
		"bearer:x":                         "is wanted",
		"basic:":                           "is wanted",
		"API-KEY":                          "is wanted",
		"form:key":                         "is wanted",
		"header":                           "not the name of a header",
		"header:":                          "not the name of a header",
		"header:a b":                       "not the name of a header",
		"header:a:b":                       "not the name of a header",
		"header:é":                         "not the name of a header",
		"header: API-KEY":                  "not the name of a header",
		"header:authorization":             "bearer or basic",
		"header:cookie":                    "cookie:NAME",
		"header:x-forwarded-uri":           "another meaning",
		"header:Host":                      "another meaning",
		"header:x-request-id":              "another meaning",
		"header:www-authenticate":          "another meaning",
		"query:":                           "1 to 64",
		"query:a b":                        "1 to 64",
		"cookie:":                          "1 to 64",
		"cookie:a=b":                       "1 to 64",
		"cookie:a;b":                       "1 to 64",
		`cookie:a"b`:                       "1 to 64",
		"query:" + strings.Repeat("x", 65): "1 to 64",
		"header:Transfer-Encoding":         "another meaning",
	} {
		if _, err := ParseSources([]string{text}); err == nil || !strings.Contains(err.Error(), part) || !strings.Contains(err.Error(), strconv.Quote(text)) {
			t.Errorf("%q: %v, want it to tell of %q", text, err, part)
		}
	}
}

func TestParseSourcesReportsEveryFault(t *testing.T) {
	sources, err := ParseSources([]string{"header:API-KEY", "nonsense", "header:api-key", "bearer", "cookie:", "bearer"})
	if err == nil {
		t.Fatal("no fault is found")
	}
	got := strings.Split(err.Error(), "\n")
	for i, want := range []string{`"nonsense"`, `"header:api-key": listed twice`, `"cookie:"`, `"bearer": listed twice`} {
		if i >= len(got) || !strings.Contains(got[i], want) {
			t.Errorf("fault %d is not %s:\n%v", i+1, want, err)
		}
	}
	if len(got) != 4 || len(sources) != 2 {
		t.Errorf("%d faults and %d sources", len(got), len(sources))
	}
}
