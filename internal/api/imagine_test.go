package api

import (
	"net/netip"
	"reflect"
	"testing"

	"authd/internal/auth"
	"authd/internal/inbound"
)

// What is imagined is what the dialect reads of the same request.
func TestImaginedIsWhatTheDialectReads(t *testing.T) {
	client := netip.MustParseAddr("192.0.2.7")
	for _, c := range []struct{ method, url, host, uri string }{
		{"GET", "https://Shop.example.com:8443/a/%7Eb?x=1", "Shop.example.com:8443", "/a/%7Eb?x=1"},
		{"PUT", "http://shop.example.com", "shop.example.com", "/"},
		{"GET", "https://shop.example.com?x=/", "shop.example.com", "/?x=/"},
		{"GET", "https://[2001:DB8::1]/a//b#part", "[2001:DB8::1]", "/a//b"},
		{"get", "https://shop.example.com/", "shop.example.com", "/"},
		{"GET", "https://u:p@shop.example.com/", "u:p@shop.example.com", "/"},
		{"GET", "https:///a", "", "/a"},
		{"GET", "https://a.test/a b", "a.test", "/a b"},
	} {
		got, why, err := Imagined{Proxy: "traefik", Method: c.method, URL: c.url, Client: client}.Request()
		if err != nil {
			t.Errorf("%s: %v", c.url, err)
		}
		o := inbound.Vouch(c.method, c.host, c.uri, client)
		want := auth.Request{Vouched: o.Vouched, Method: o.Method, Host: o.Host, Path: o.Path, Client: o.Client}
		if !reflect.DeepEqual(got, want) || why != o.Why || got.Vouched == (why != "") {
			t.Errorf("%s %s: %+v (%s), want %+v (%s)", c.method, c.url, got, why, want, o.Why)
		}
	}
	for _, proxy := range []string{"", NoProxy} {
		if got, why, err := (Imagined{Proxy: proxy, Method: "GET", URL: "https://a.test/"}).Request(); err != nil || got.Vouched || why == "" {
			t.Errorf("plain: %+v, %q, %v", got, why, err)
		}
	}
	if got, why, err := (Imagined{Proxy: "traefik", Method: "GET"}).Request(); err != nil || got.Vouched || why == "" {
		t.Errorf("without a URL: %+v, %q, %v", got, why, err)
	}
	for _, i := range []Imagined{{Proxy: "squid"}, {Proxy: "traefik", URL: "shop.example.com/a"}, {Proxy: "traefik", URL: "ftp://a.test/"}} {
		if _, _, err := i.Request(); err == nil {
			t.Errorf("%+v is no request", i)
		}
	}
}
