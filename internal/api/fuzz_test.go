package api

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"authd/internal/auth"
)

// credulous is a Finder that knows every key: whatever gets as far as a look-up passes.
type credulous struct{ restrictions *auth.Restrictions }

func (c credulous) ByDigest(_ context.Context, d auth.Digest) (*auth.Key, error) {
	return &auth.Key{Digest: d, ID: "1", Name: "k", User: "u", UserActive: true, Active: true, Restrictions: c.restrictions}, nil
}

func (credulous) ByName(context.Context, string) (*auth.Key, error) { return nil, auth.ErrKeyNotFound }

func fuzzHandler(f *testing.F, edit func(*Options)) http.Handler {
	f.Helper()
	o := options(f, credulous{}, nil)
	edit(&o)
	h, err := NewVerify(o)
	if err != nil {
		f.Fatal(err)
	}
	return h
}

// lines are the values of a header, one a line; none where s is empty.
func lines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

func serveOne(h http.Handler, method, target string, headers http.Header) int {
	r := &http.Request{Method: method, URL: &url.URL{Path: target}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: headers, Body: http.NoBody, RemoteAddr: "127.0.0.1:4000", Host: "authd.test", RequestURI: target}
	if p, q, ok := strings.Cut(target, "?"); ok {
		r.URL.Path, r.URL.RawQuery = p, q
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

// A value that nobody can read in two ways: visible ASCII, no comma, of a length that a key may have, imported ones included.
var (
	clearText   = fmt.Sprintf(`[!-+\--~]{%d,%d}`, auth.MinImported, auth.MaxSecret)
	clearValue  = regexp.MustCompile(`\A` + clearText + `\z`)
	clearBearer = regexp.MustCompile(`\A(?i:bearer) +` + clearText + ` *\z`)
	clearBasic  = regexp.MustCompile(`\A(?i:basic) +[A-Za-z0-9+/]+=* *\z`)
)

// What passes has exactly one clear value in the first source that holds anything.
func FuzzCredential(f *testing.F) {
	const k = "correct-horse-battery-staple"
	for _, s := range [][3]string{
		{k, "", ""}, {"", k, ""}, {k, k, ""}, {k, k + "x", ""}, {k + "\n" + k, "", ""}, {k + ", " + k, "", ""}, {"", "", "Bearer " + k}, {"", "", "bearer  " + k + " "},
		{"", "", "Basic " + base64.StdEncoding.EncodeToString([]byte("u:"+k))}, {"\n" + k, "", ""}, {k + "\x00", "", ""}, {"é" + k, "", ""}, {" ", "\n", "Bearer"},
		{"", "", "Bearer " + k + ", Bearer " + k}, {"", "", "Bearer " + k + "\nBasic x"}, {"ak_0000000000000000000000000000001dZEUY", "", ""}, {"ak_0000000000000000000000000000001dZEUZ", "", ""},
		{"", "00000000", ""}, {"", "0000000", ""}, {"", "", "Bearer 00000000"},
	} {
		f.Add(s[0], s[1], s[2])
	}
	h := fuzzHandler(f, func(o *Options) { o.Sources = mustSources(f, "header:API-KEY", "header:X-API-Key", "bearer", "basic") })
	f.Fuzz(func(t *testing.T, first, second, authorization string) {
		headers := http.Header{"Api-Key": lines(first), "X-Api-Key": lines(second), "Authorization": lines(authorization)}
		code := serveOne(h, "GET", "/verify", headers)
		if code != 200 && code != 401 {
			t.Fatalf("answered %d", code)
		}
		if code == 401 {
			return
		}
		if first+second != "" && first+second != "\n" {
			var values []string
			for _, v := range []string{first, second} {
				if v != "" && !slices.Contains(values, v) {
					values = append(values, v)
				}
			}
			if len(values) != 1 || !clearValue.MatchString(values[0]) {
				t.Errorf("%q and %q have passed", first, second)
			}
			return
		}
		if !clearBearer.MatchString(authorization) && !clearBasic.MatchString(authorization) {
			t.Errorf("Authorization %q has passed", authorization)
		}
	})
}

// Only a path that is configured, to the letter, decides; no other is a redirect, an error or an allow.
func FuzzRoute(f *testing.F) {
	known := []string{"/verify"}
	for _, name := range dialectNames() {
		for _, policy := range []string{"", "/default", "/open"} {
			if policy != "" || !dialects[name].below {
				known = append(known, verifyPath+"/"+name+policy)
			}
		}
	}
	below := func(p string) bool {
		return strings.HasPrefix(p, "/verify/envoy/default/") || strings.HasPrefix(p, "/verify/envoy/open/")
	}
	for _, p := range append(known, "/verify/", "/verify/traefik/", "//verify", "/verify/traefik/open/", "/verify/traefik/open?x", "/VERIFY", "/healthz", "/readyz/", "/", "", "*", "/verify/:policy", "/verify/*", "/verify/envoy", "/verify/envoy/", "/verify/envoy/open/", "/verify/envoy/open/../nope", "/verify/envoy//open/a", "/verify/envoy/nope/a") {
		f.Add("GET", p)
		f.Add("BREW", p)
	}
	h := fuzzHandler(f, func(o *Options) {
		o.Policies = map[string]*auth.Policy{"open": mustPolicy(f, "open", auth.Requirement{Anonymous: true})}
	})
	f.Fuzz(func(t *testing.T, method, target string) {
		p, _, _ := strings.Cut(target, "?")
		code := serveOne(h, method, target, http.Header{"Api-Key": {"correct-horse-battery-staple"}})
		health := (method == "GET" || method == "HEAD") && (p == "/healthz" || p == "/readyz")
		switch {
		case slices.Contains(known, p) || below(p) || health:
			if code != 200 {
				t.Errorf("%q %q: answered %d", method, target, code)
			}
		case strings.HasPrefix(p, "/verify/") && code != 403, !strings.HasPrefix(p, "/verify/") && code != 404:
			t.Errorf("%q %q: answered %d", method, target, code)
		}
	})
}
