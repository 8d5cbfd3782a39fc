package api

import (
	"slices"
	"strings"
	"testing"

	"authd/internal/auth"
)

func long(n int) string { return strings.Repeat("x", n) }

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
}
