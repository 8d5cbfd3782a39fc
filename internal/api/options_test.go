package api

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"authd/internal/auth"
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
		"":                         "is wanted",
		"Bearer":                   "is wanted",
		"bearer:x":                 "is wanted",
		"basic:":                   "is wanted",
		"API-KEY":                  "is wanted",
		"form:key":                 "is wanted",
		"header":                   "not the name of a header",
		"header:":                  "not the name of a header",
		"header:a b":               "not the name of a header",
		"header:a:b":               "not the name of a header",
		"header:é":                 "not the name of a header",
		"header: API-KEY":          "not the name of a header",
		"header:authorization":     "bearer or basic",
		"header:cookie":            "cookie:NAME",
		"header:x-forwarded-uri":   "another meaning",
		"header:Host":              "another meaning",
		"header:x-request-id":      "another meaning",
		"header:www-authenticate":  "another meaning",
		"query:":                   "1 to 64",
		"query:a b":                "1 to 64",
		"cookie:":                  "1 to 64",
		"cookie:a=b":               "1 to 64",
		"cookie:a;b":               "1 to 64",
		`cookie:a"b`:               "1 to 64",
		"query:" + long(65):        "1 to 64",
		"header:Transfer-Encoding": "another meaning",
	} {
		if _, err := ParseSources([]string{text}); err == nil || !strings.Contains(err.Error(), part) || !strings.Contains(err.Error(), strconv.Quote(text)) {
			t.Errorf("%q: %v, want it to tell of %q", text, err, part)
		}
	}
}

func long(n int) string { return strings.Repeat("x", n) }

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

func TestOptionsReportEveryFault(t *testing.T) {
	headers := func(names ...string) (h [auth.IdentityFields]string) {
		copy(h[:], names)
		return h
	}
	sources := mustSources(t, "header:API-KEY", "bearer")
	for _, c := range []struct {
		name    string
		options Options
		want    []string // the option, and a part of the text
	}{
		{"the least", Options{Sources: sources}, nil},
		{"none is no proxy", Options{Sources: sources, Proxy: NoProxy}, nil},
		{"a dialect", Options{Sources: sources, Proxy: "traefik", Realm: "Shop 24", Headers: headers("remote-user")}, nil},
		{"nothing", Options{}, []string{"sources: no credential source"}},
		{"an unknown proxy", Options{Sources: sources, Proxy: "squid"}, []string{`proxy: proxy "squid": none or one of apisix, caddy, haproxy, ingress-nginx, nginx, traefik is wanted`}},
		{"a proxy in another case", Options{Sources: sources, Proxy: "Traefik"}, []string{`proxy: proxy "Traefik"`}},
		{"a realm with a newline", Options{Sources: sources, Realm: "a\nb"}, []string{`realm: realm "a\nb"`}},
		{"a realm that is not ASCII", Options{Sources: sources, Realm: "é"}, []string{`realm: realm "é"`}},
		{"a long realm", Options{Sources: sources, Realm: long(101)}, []string{"realm: realm"}},
		{"no header name", Options{Sources: sources, Headers: headers("a b")}, []string{`headers.user: identity header "a b": not the name`}},
		{"a header of HTTP", Options{Sources: sources, Headers: headers("", "content-length")}, []string{`headers.key: identity header "Content-Length": this header has another`}},
		{"a forwarded header", Options{Sources: sources, Headers: headers("", "", "x-forwarded-user")}, []string{"headers.key_id: "}},
		{"a header of our own", Options{Sources: sources, Headers: headers("", "", "", "RateLimit")}, []string{"headers.groups: "}},
		{"two alike", Options{Sources: sources, Headers: headers("", "", "", "X_Auth_User")}, []string{`headers.groups: identity headers "X-Auth-User" and "X_auth_user"`}},
		{"one that holds keys", Options{Sources: sources, Headers: headers("", "", "", "", "api_key")}, []string{`headers.scopes: identity header "Api_key": keys are read from header:API-KEY`}},
		{"all at once", Options{Proxy: "squid", Realm: "\x00", Headers: headers("Host", "a b", "x", "X", "Authorization")}, []string{
			"sources: ", "proxy: ", "realm: ", "headers.user: ", "headers.key: ", "headers.groups: ", "headers.scopes: ",
		}},
	} {
		faults := c.options.Faults()
		var got []string
		for _, f := range faults {
			got = append(got, f.Option+": "+f.Error())
		}
		if !slices.EqualFunc(got, c.want, strings.HasPrefix) {
			t.Errorf("%s: the faults are\n  %s\nwant\n  %s", c.name, strings.Join(got, "\n  "), strings.Join(c.want, "\n  "))
		}
		err := c.options.Validate()
		if (err == nil) != (len(faults) == 0) || err != nil && strings.Count(err.Error(), "\n") < len(faults)-1 {
			t.Errorf("%s: Validate tells %v of %d faults", c.name, err, len(faults))
		}
	}
}

func TestNewVerifyRefusesWhatCannotBe(t *testing.T) {
	for name, edit := range map[string]func(*Options){
		"a faulty option":        func(o *Options) { o.Proxy = "squid" },
		"no source":              func(o *Options) { o.Sources = nil },
		"a policy that is nil":   func(o *Options) { o.Policies = map[string]*auth.Policy{"x": nil} },
		"a policy of a bad name": func(o *Options) { o.Policies = map[string]*auth.Policy{"a/b": mustPolicy(t, "x", auth.Requirement{})} },
		"a name that is taken": func(o *Options) {
			o.Policies = map[string]*auth.Policy{"default": mustPolicy(t, "x", auth.Requirement{})}
		},
	} {
		o := options(t, &memory{}, nil)
		edit(&o)
		if _, err := NewVerify(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	o := options(t, &memory{}, nil)
	if _, err := NewVerify(o); err != nil {
		t.Fatal(err)
	}
	if _, err := NewVerify(o); err == nil {
		t.Error("the same metrics are registered twice, and nobody is told")
	}
}
