package paritytest

import (
	"fmt"
	"slices"
	"strings"

	"authd/internal/auth"
)

// Case is a request as a client sends it to the proxy, and what it comes to.
type Case struct {
	Name   string
	Policy string // empty: the default

	Method, Host string
	Path, Query  string   // raw; the question mark belongs to neither
	Headers      []string // "Name: value", some of them repeated
	Client       string   // the address that the proxy sees
	Outage       error    // why no key can be looked up

	Reason  auth.Reason
	Status  int
	Code    string // empty on an allow
	Key     string // whose identity the upstream is told; empty: nobody's
	limited string // the key whose limit is told
}

// URI is the path and the query as they stand in a request line.
func (c Case) URI() string {
	if c.Query == "" {
		return c.Path
	}
	return c.Path + "?" + c.Query
}

func (c Case) as(name string) Case      { c.Name = name; return c }
func (c Case) under(policy string) Case { c.Policy = policy; return c }
func (c Case) to(method, host, path string) Case {
	c.Method, c.Host, c.Path = method, host, path
	return c
}
func (c Case) from(client string) Case  { c.Client = client; return c }
func (c Case) asking(query string) Case { c.Query = query; return c }
func (c Case) failing(err error) Case   { c.Outage = err; return c }

func (c Case) with(headers ...string) Case {
	c.Headers = slices.Concat(c.Headers, headers)
	return c
}

func (c Case) allowed(key string) Case {
	c.Reason, c.Status, c.Key = auth.Allowed, 200, key
	return c
}

func (c Case) nobody(reason auth.Reason) Case {
	c.Reason, c.Status = reason, 200
	return c
}

func (c Case) denied(reason auth.Reason, status int, code string) Case {
	c.Reason, c.Status, c.Code = reason, status, code
	return c
}

func (c Case) invalid(reason auth.Reason) Case   { return c.denied(reason, 401, "invalid_credential") }
func (c Case) forbidden(reason auth.Reason) Case { return c.denied(reason, 403, "forbidden") }

// plain is the request that the cases are variations of.
func plain(name string) Case {
	return Case{Name: name, Method: "GET", Host: "shop.example.com", Path: "/api/orders", Client: "192.0.2.7"}
}

func keyed(name, key string) Case { return plain(name).with("API-KEY: {" + key + "}") }

// Cases is the table. Each call makes it anew.
func Cases() []Case {
	return slices.Concat(credentials(), standings(), policyCases(), bound(), paths(), spoofs(), aliases(), preflights(), outages())
}

func credentials() []Case {
	const good = "{Partner sync}"
	bearer := plain("as Bearer").with("Authorization: Bearer " + good)
	return []Case{
		keyed("a good key", "Partner sync").allowed("Partner sync"),
		keyed("a key of nothing", "Plain").allowed("Plain"),
		keyed("a name that is no ASCII", "Zoë, 100%").allowed("Zoë, 100%"),
		plain("in the second header").with("X-API-Key: " + good).allowed("Partner sync"),
		bearer.allowed("Partner sync"),
		keyed("beside an Authorization of the application", "Plain").with("Authorization: Bearer ey.ey.ey").allowed("Plain"),
		plain("twice the same, in two headers").with("API-KEY: "+good, "X-API-Key: "+good).allowed("Partner sync"),
		plain("none").denied(auth.MissingCredential, 401, "missing_credential"),
		plain("an empty one").with("API-KEY:").denied(auth.MissingCredential, 401, "missing_credential"),
		plain("another scheme").with("Authorization: Basic eDp5").denied(auth.MissingCredential, 401, "missing_credential"),
		keyed("repeated", "Partner sync").with("API-KEY: " + good).invalid(auth.SeveralCredentials),
		keyed("repeated, another", "Partner sync").with("API-KEY: {Plain}").invalid(auth.SeveralCredentials),
		plain("joined").with("API-KEY: " + good + ", " + good).invalid(auth.SeveralCredentials),
		plain("two headers that disagree").with("API-KEY: "+good, "X-API-Key: {Plain}").invalid(auth.SeveralCredentials),
		bearer.as("Bearer twice").with("Authorization: Bearer " + good).invalid(auth.SeveralCredentials),
		plain("too short").with("API-KEY: short").invalid(auth.MalformedCredential),
		plain("no ASCII").with("API-KEY: é" + good).invalid(auth.MalformedCredential),
		plain("too long").with("API-KEY: " + strings.Repeat("x", 2000)).invalid(auth.MalformedCredential),
		keyed("mistyped", "mistyped").invalid(auth.BadChecksum),
		plain("in the query, which is no source").asking("api_key="+good).denied(auth.MissingCredential, 401, "missing_credential"),
	}
}

func standings() []Case {
	fast, much := keyed("too often", "Fast"), keyed("too much", "Much")
	fast.limited, much.limited = "Fast", "Much"
	return []Case{
		keyed("unknown", "unknown").invalid(auth.UnknownKey),
		keyed("revoked", "Revoked").invalid(auth.Revoked),
		keyed("overridden", "Overridden").invalid(auth.Overridden),
		keyed("disabled", "Disabled").invalid(auth.Disabled),
		keyed("of a user who left", "Left").invalid(auth.UserInactive),
		keyed("not yet valid", "Soon").invalid(auth.NotYetValid),
		keyed("expired", "Expired").invalid(auth.Expired),
		keyed("within its limit", "Slow").allowed("Slow"),
		fast.denied(auth.RateLimited, 429, "rate_limited"),
		much.denied(auth.QuotaExceeded, 429, "quota_exceeded"),
		keyed("its limit can't be counted", "Uncounted").denied(auth.Unavailable, 503, "unavailable"),
	}
}

func policyCases() []Case {
	shop := keyed("a rule by path and method", "Partner sync").under("ruled").to("GET", "a.test", "/shop/1")
	return []Case{
		keyed("one group of two", "Partner sync").under("partners").allowed("Partner sync"),
		keyed("in none of the groups", "Plain").under("partners").forbidden(auth.ForbiddenGroup),
		keyed("a route for nobody", "Partner sync").under("nobody").forbidden(auth.ForbiddenGroup),
		keyed("all scopes", "Partner sync").under("shop").allowed("Partner sync"),
		keyed("without the scopes", "Plain").under("shop").forbidden(auth.ForbiddenScope),
		keyed("a policy that is not there", "Partner sync").under("nope").forbidden(auth.UnknownPolicy),
		keyed("a policy in another case", "Partner sync").under("Open").forbidden(auth.UnknownPolicy),
		plain("anonymous").under("open").nobody(auth.AllowedAnonymous),
		keyed("a key where none is needed", "Plain").under("open").allowed("Plain"),
		keyed("a bad key where none is needed", "unknown").under("open").invalid(auth.UnknownKey),
		shop.allowed("Partner sync"),
		shop.as("the rule, and another method").to("DELETE", "a.test", "/shop/1").forbidden(auth.ForbiddenScope),
		shop.as("the rule, by HEAD").to("HEAD", "a.test", "/shop").allowed("Partner sync"),
		shop.as("no rule, so the policy's own").to("GET", "a.test", "/shopping").forbidden(auth.ForbiddenScope),
		plain("a rule that lets pass").under("ruled").to("PUT", "a.test", "/public/a").asking("b=/../c").nobody(auth.AllowedAnonymous),
		plain("beside it").under("ruled").to("GET", "a.test", "/public").denied(auth.MissingCredential, 401, "missing_credential"),
		plain("a query that names a policy").asking("policy=open&proxy=none").denied(auth.MissingCredential, 401, "missing_credential"),
	}
}

func bound() []Case {
	c := keyed("bound, and met", "Bound")
	return []Case{
		c.allowed("Bound"),
		c.as("by POST").to("POST", "shop.example.com", "/api/").allowed("Bound"),
		c.as("a host in capitals, with port").to("GET", "Shop.EXAMPLE.com:8443", "/api/").allowed("Bound"),
		c.as("a host with a final dot").to("GET", "shop.example.com.", "/api/").allowed("Bound"),
		c.as("an encoded path that all read alike").to("GET", "shop.example.com", "/%61pi/").allowed("Bound"),
		c.as("a query that looks like a path").asking("/../admin").allowed("Bound"),
		c.as("another address of the network").from("192.0.2.255").allowed("Bound"),
		c.as("by IPv6").from("2001:db8:1::7").allowed("Bound"),
		c.as("another host").to("GET", "example.com", "/api/").forbidden(auth.ForbiddenHost),
		c.as("a host that ends so").to("GET", "evilexample.com", "/api/").forbidden(auth.ForbiddenHost),
		c.as("another method").to("DELETE", "shop.example.com", "/api/").forbidden(auth.ForbiddenMethod),
		c.as("a method in small letters").to("get", "shop.example.com", "/api/").forbidden(auth.Unvouched),
		c.as("another path").to("GET", "shop.example.com", "/apis").forbidden(auth.ForbiddenPath),
		c.as("the root").to("GET", "shop.example.com", "/").forbidden(auth.ForbiddenPath),
		c.as("another network").from("198.51.100.1").forbidden(auth.ForbiddenNetwork),
		c.as("another network, by IPv6").from("2001:db9::1").forbidden(auth.ForbiddenNetwork),
	}
}

// paths that upstreams read in different ways pass where nothing looks at the path, and nowhere else.
func paths() (cases []Case) {
	for _, path := range []string{
		"/public/../admin", "/public/./a", "/public/%2e%2e/admin", "/public/..%2fadmin", "/public/%2Fadmin", "/public//admin", "//public/a",
		"/public/a%5cb", `/public/..\admin`, "/public/a;b", "/public/..;/admin", "/public/%00", "/public/a%23b", "/public/%252e%252e/admin", "/public/%ff", "/public/a%3fb",
	} {
		at := func(format string, c Case) Case {
			return c.as(fmt.Sprintf(format, path)).to("GET", "shop.example.com", path)
		}
		cases = append(cases,
			at("%s of a rule, by nobody", plain("").under("ruled")).denied(auth.MissingCredential, 401, "missing_credential"),
			at("%s of a rule", keyed("", "Partner sync").under("ruled")).forbidden(auth.AmbiguousPath),
			at("%s of a bound key", keyed("", "Bound")).forbidden(auth.AmbiguousPath),
			at("%s where nothing looks at it", keyed("", "Plain")).allowed("Plain"))
	}
	return cases
}

// spoofs are what a client adds to be taken for another, or its request for another.
func spoofs() (cases []Case) {
	admin := keyed("", "Bound").to("DELETE", "shop.example.com", "/admin").from("198.51.100.1")
	for _, headers := range [][]string{
		{"X-Forwarded-Method: GET", "X-Forwarded-Uri: /api/", "X-Forwarded-Host: shop.example.com", "X-Forwarded-For: 192.0.2.7", "X-Real-Ip: 192.0.2.7"},
		{"X-Original-Method: GET", "X-Original-URI: /api/", "X-Original-URL: https://shop.example.com/api/", "X-Original-Host: shop.example.com"},
		{"Forwarded: for=192.0.2.7;host=shop.example.com", "X-Forwarded-Prefix: /api", "X-Rewrite-URL: /api/", "X-Envoy-Original-Path: /api/", "X-HTTP-Method-Override: GET"},
		{"X_Forwarded_Uri: /api/", "X_Forwarded_Method: GET", "X_Original_Uri: /api/", "X.Forwarded.For: 192.0.2.7"},
	} {
		cases = append(cases,
			admin.as("a spoofed "+headers[0]).with(headers...).forbidden(auth.ForbiddenMethod),
			admin.as("a spoofed address, by "+headers[0]).to("GET", "shop.example.com", "/api/").with(headers...).forbidden(auth.ForbiddenNetwork),
			keyed("what is right stays so beside "+headers[0], "Bound").with(headers...).allowed("Bound"))
	}
	return append(cases,
		keyed("a client's own identity", "Plain").with("X-Auth-User: root", "X-Auth-Groups: staff", "X-Auth-Scopes: admin").allowed("Plain"),
		plain("a client's own identity, and no key").with("X-Auth-User: root", "X-Auth-Status: 200").denied(auth.MissingCredential, 401, "missing_credential"),
		keyed("what does not matter", "Plain").with("Range: bytes=0-1", "If-None-Match: *", "Accept: nothing/nothing", "Content-Type: application/grpc").allowed("Plain"))
}

// Aliases are the names of headers that an upstream might take for those of the identity.
// A proxy that passes on the headers that it is told to, is told to pass these.
var Aliases = []string{"X_Auth_User", "x-auth_key", "X.Auth.Key.Id", "X_AUTH_GROUPS", "X~Auth!Scopes"}

func aliases() (cases []Case) {
	for _, name := range Aliases {
		cases = append(cases, keyed("an alias "+name, "Partner sync").with(name+": root").forbidden(auth.AliasedHeader))
	}
	return append(cases, plain("an alias, where no key is needed").under("open").with("X_Auth_User: root").forbidden(auth.AliasedHeader))
}

func preflights() []Case {
	ask := plain("a preflight").to("OPTIONS", "shop.example.com", "/api/").with("Origin: https://a.test", "Access-Control-Request-Method: PUT")
	return []Case{
		ask.denied(auth.MissingCredential, 401, "missing_credential"),
		ask.as("a preflight that may pass").under("cors").nobody(auth.AllowedPreflight),
		ask.as("a preflight by GET").under("cors").to("GET", "shop.example.com", "/api/").denied(auth.MissingCredential, 401, "missing_credential"),
		plain("OPTIONS that is none").under("cors").to("OPTIONS", "shop.example.com", "/api/").denied(auth.MissingCredential, 401, "missing_credential"),
	}
}

func outages() []Case {
	return []Case{
		keyed("the store is away", "Partner sync").failing(auth.ErrUnavailable).denied(auth.Unavailable, 503, "unavailable"),
		keyed("the log is not followed", "Partner sync").failing(auth.ErrLeaseLost).denied(auth.LeaseLost, 503, "unavailable"),
		keyed("a mistyped key needs no store", "mistyped").failing(auth.ErrUnavailable).invalid(auth.BadChecksum),
		plain("nor does none").failing(auth.ErrUnavailable).denied(auth.MissingCredential, 401, "missing_credential"),
	}
}
