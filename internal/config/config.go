package config

import (
	"log/slog"
	"time"
)

//go:generate go test -run TestManualIsCurrent . -update

// Config is every setting. The tags beside a name: flag gives it a flag, with
// this help; enum lists its values; min and max bound it; secret says that it
// may hold a password.
type Config struct {
	// Where authd answers. An address is HOST:PORT; without a host it is every
	// interface; port 0 takes any that is free.
	Listen Listen `koanf:"listen"`
	// Where keys are kept.
	Store Store `koanf:"store"`
	// A cache that replicas share; see [redis](redis.md).
	Redis Redis `koanf:"redis"`
	// What each process remembers, and how long it may.
	Cache Cache `koanf:"cache"`
	// How a key is sent, made and stored.
	Credentials Credentials `koanf:"credentials"`
	// What is believed of a request.
	Verify Verify `koanf:"verify"`
	// How the identity is told to the service behind.
	Identity Identity `koanf:"identity"`
	// The people and programs that keys stand for.
	Users Users `koanf:"users"`
	// What a route asks of a key, by the name that stands in the path:
	// `/verify/traefik/partners` asks for the policy `partners`. A name is
	// letters, digits, `-` and `_`; `default` is taken by the policy that asks for
	// a key and nothing more. A policy without any setting asks for no more
	// either. Policies can't be given by the environment.
	Policies map[string]Policy `koanf:"policies"`
	// Rate limits and quotas of keys and users, see [limits](limits.md).
	Limits Limits `koanf:"limits"`
	// What `/metrics` tells.
	Metrics Metrics `koanf:"metrics"`
	// What keys are used for, hour by hour, in the database; see [usage](usage.md).
	Usage Usage `koanf:"usage"`
	// The sections `api_key_NAME` are read from every configuration file; see
	// [overrides](overrides.md). These are further places to read them from.
	Overrides Overrides `koanf:"overrides"`
	// What the process writes to stderr.
	Log Log `koanf:"log"`
}

// Listen are the listeners.
type Listen struct {
	// For the ingress: `/verify`, `/healthz`, `/readyz`. Nobody else should reach it.
	Verify string `koanf:"verify" flag:"the address for the ingress"`
	// Reserved for the admin page and the REST API: this version does not listen on it.
	Admin string `koanf:"admin"`
	// For `/metrics`. Empty: none.
	Metrics string `koanf:"metrics" flag:"the address for /metrics; empty for none"`
	// For Envoy's external authorization over gRPC, in plain text, with the standard
	// health service; see [envoy](envoy.md). Nobody but Envoy should reach it. Empty: none.
	ExtAuthz string `koanf:"extauthz" flag:"the address for Envoy's gRPC; empty for none"`
}

// Store is the database.
type Store struct {
	// `sqlite:PATH`: a file, which is made if it is not there, in a folder that
	// is. A relative path starts where the process was started.
	//
	// `postgres://USER:PASSWORD@HOST:PORT/DATABASE?...`, as libpq reads it: several hosts by comma, of
	// which the primary is taken; `sslmode` and the like; the password from `PGPASSWORD` or
	// `passfile` as well. See [postgres](postgres.md).
	URL string `koanf:"url" secret:"true" flag:"the database, as sqlite:PATH or postgres://..."`
	// Whether the schema is brought up to date by whoever opens the database.
	// With `false`, that is left to `authd migrate`.
	Migrate bool `koanf:"migrate"`
	// How a process learns of changes in Postgres: by notifications (`auto`), or by looking a few times
	// a second (`off`), for a pooler that hands each transaction to another session. SQLite is
	// always looked at.
	Listen string `koanf:"listen" enum:"auto off"`
}

// Redis is a cache that replicas share.
type Redis struct {
	// `redis://USER:PASSWORD@HOST:PORT/DB`, or `rediss://` for TLS. Several addresses by comma are
	// the nodes of a cluster, or Sentinels where `?master_name=NAME` names
	// their master. Empty: none, and each process has its own cache alone.
	URL string `koanf:"url" secret:"true"`
	// How long an answer of Redis is waited for before the database is asked instead; a connection
	// has to be made within it too. Without Redis it does nothing.
	Timeout time.Duration `koanf:"timeout" min:"1ms" max:"10s"`
}

// Cache is what a process remembers; docs/revocation.md tells what lease, outage and max_stale promise.
type Cache struct {
	// How many keys are remembered, at most; a few hundred bytes each.
	MaxEntries int `koanf:"max_entries" min:"1" max:"100000000"`
	// How long an answer of the database holds. What is changed by authd holds
	// at once, whatever this says: it is for changes made past authd.
	TTL time.Duration `koanf:"ttl" min:"1s"`
	// How long a process may answer from memory after it last followed the
	// change log; see [revocation](revocation.md). It asks every third of that,
	// and whenever it hears of a change.
	Lease time.Duration `koanf:"lease" min:"1s" max:"1h"`
	// What a process does when its lease is over, because the database is away: `serve` goes
	// on to answer for the keys that it knows, for `max_stale`; `deny` answers 503.
	Outage string `koanf:"outage" enum:"serve deny"`
	// How long `serve` goes on. A revocation waits as long for a process that can't be
	// reached, before it counts as confirmed.
	MaxStale time.Duration `koanf:"max_stale" min:"0s"`
}

// Credentials are how a key is sent, made and stored.
type Credentials struct {
	// Where a key is looked for: `header:NAME`, `bearer`, `basic` (the password,
	// or the user name where there is none), `query:NAME`, `cookie:NAME`. Headers
	// of their own go before all others; after them the first that holds something
	// counts. Keys in a query end up in logs, and cookies are sent by browsers
	// unasked: allow these two with care.
	Sources []string `koanf:"sources"`
	// What new keys begin with: 1 to 16 letters and digits. Keys with another
	// prefix go on.
	Prefix string `koanf:"prefix"`
	// A file of peppers: secrets that go into what is stored of a key, so that a
	// stolen database can't be searched for keys. One a line, the newest first, each at
	// least 16 bytes, the file at most 4 KiB; `openssl rand -hex 32` makes a
	// good one. Empty: none.
	//
	// New keys are made under the first line. A request is tried under the first two
	// of: the lines, then no pepper at all. So a first pepper locks nobody out,
	// and neither does the next one, written above the old; rotate what was made under an older one
	// before a third comes. The file is read at the start.
	PepperFile string `koanf:"pepper_file"`
}

// Verify is what is believed of a request.
type Verify struct {
	// The dialect of plain `/verify`: `apisix`, `caddy`, `haproxy`, `ingress-nginx`, `nginx` or
	// `traefik`; or `none`, which believes nothing but the credential. Envoy is asked
	// for at `/verify/envoy/<policy>` only: it appends its client's path.
	Proxy string `koanf:"proxy"`
	// The peers whose forwarded headers are believed: networks (`10.0.0.0/8`),
	// addresses, `loopback` (127.0.0.0/8, ::1), `private` (loopback, 10.0.0.0/8, 172.16.0.0/12,
	// 192.168.0.0/16, fc00::/7; neither link-local addresses nor 100.64.0.0/10), or `none`
	// alone, which is what an empty list means too.
	TrustedProxies []string `koanf:"trusted_proxies"`
	// The realm in `WWW-Authenticate`.
	Realm string `koanf:"realm"`
}

// Identity is how the identity is told to the service behind.
type Identity struct {
	// The names of the headers of an allow. Each is set on every allow.
	Headers Headers `koanf:"headers"`
	// Give `Authorization` back where it was not the key, for proxies that are told
	// to take it from authd's answer.
	ReturnAuthorization bool `koanf:"return_authorization"`
}

// Headers are the names of the identity headers.
type Headers struct {
	// The user's login.
	User string `koanf:"user"`
	// The key's name.
	Key string `koanf:"key"`
	// The key's id.
	KeyID string `koanf:"key_id"`
	// The key's groups, with commas.
	Groups string `koanf:"groups"`
	// The key's scopes, with blanks.
	Scopes string `koanf:"scopes"`
}

// ListenOff is the value of Store.Listen that asks for polling alone.
const ListenOff = "off"

// The values of Users.Inactive.
const (
	InactiveDeny  = "deny"
	InactiveAllow = "allow"
)

// Users are those whom keys stand for.
type Users struct {
	// What the keys of an inactive user are worth: nothing (`deny`), or what they were before (`allow`).
	Inactive string `koanf:"inactive" enum:"deny allow"`
}

// Policy is what a route asks of a key. A nil list was not given.
type Policy struct {
	// The key is in any of these. Not given: no group is asked for. An empty list: nobody passes.
	Groups []string `koanf:"groups"`
	// The key has all of these.
	Scopes []string `koanf:"scopes"`
	// Requests without any key pass, with empty identity headers. Whoever sends one is judged by it.
	Anonymous bool `koanf:"anonymous"`
	// CORS preflights pass without a key (`allow`); browsers send none with them.
	Preflight string `koanf:"preflight" enum:"deny allow"`
	// Try the policy out: requests pass or not as if it asked for a key and nothing more, and what
	// it would have denied is counted (`result="would_deny"`) and logged. See [explain](explain.md).
	Shadow bool `koanf:"shadow"`
	// Exceptions: the first rule that matches the request replaces those of the settings
	// above that it gives. A list of tables; INI can't hold one. A policy with rules needs
	// a proxy that is trusted: it looks at the original request.
	Rules []Rule `koanf:"rules"`
}

// Rule is an exception from a policy. What it does not give is as in the policy.
type Rule struct {
	// The paths that it is for, decoded: `/a/` is all below /a, `/a` is /a itself too. Not given: every path.
	Paths []string `koanf:"paths"`
	// The methods that it is for. Not given: every method.
	Methods []string `koanf:"methods"`
	// In place of the policy's.
	Groups []string `koanf:"groups"`
	// In place of the policy's.
	Scopes []string `koanf:"scopes"`
	// In place of the policy's.
	Anonymous *bool `koanf:"anonymous"`
	// In place of the policy's.
	Preflight string `koanf:"preflight" enum:"deny allow"`
}

// Limits are about the rate limits and quotas of keys and users.
type Limits struct {
	// What becomes of a request that has limits while the Redis of `redis.url` does not answer: `open` lets it
	// pass, uncounted; `closed` denies it with 503; `local` counts in the process, so that each replica grants
	// the whole limit. Without `redis.url` each process counts by itself in any case.
	Fail string `koanf:"fail" enum:"open closed local"`
}

// Metrics are what /metrics tells.
type Metrics struct {
	// How many series keys have of their own, at most: the busiest keys, each by result. All others are counted together as `other`.
	PerKey int `koanf:"per_key" min:"0" max:"100000"`
}

// Usage is what keys are used for.
type Usage struct {
	// How long it is kept. `0s`: nothing is counted.
	Keep time.Duration `koanf:"keep" min:"0s"`
	// How often a process writes what it has counted; what came since is lost if the process is killed.
	Flush time.Duration `koanf:"flush" min:"100ms" max:"1h"`
}

// Overrides are further places to read override sections from.
type Overrides struct {
	// Configuration files of Odoo, and folders of them as its server_environment has them; their
	// `[api_key_NAME]` and `[auth_api_key]` are read, by the rules of Odoo's parser, and all else in them
	// is passed over. A relative path begins at the folder of the file that names it. What authd's own
	// files say of a key goes before what these say. See [odoo](odoo.md).
	Odoo []string `koanf:"odoo"`
	// Read the variables `SERVER_ENV_CONFIG` and `SERVER_ENV_CONFIG_SECRET` as well, as Odoo's
	// server_environment does. They go before Odoo's files.
	OdooEnv bool `koanf:"odoo_env"`
}

// Log is what the process writes to stderr.
type Log struct {
	// The least level that is written. A denial is `info`, an allow `debug`.
	Level slog.Level `koanf:"level" flag:"the least level that is logged: debug, info, warn or error"`
	// `text`, `json`, or `auto`: text on a terminal, JSON elsewhere.
	Format string `koanf:"format" enum:"auto text json" flag:"how logs are written: auto, text or json"`
}
