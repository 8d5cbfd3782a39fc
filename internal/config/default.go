package config

import "time"

// Default is the configuration where nothing is written.
func Default() Config {
	return Config{
		Listen: Listen{Verify: ":8080", Admin: "127.0.0.1:8081", Metrics: ":8082"},
		Store:  Store{URL: "sqlite:authd.db", Migrate: true, Listen: "auto"},
		Redis:  Redis{Timeout: 50 * time.Millisecond},
		Cache: Cache{
			MaxEntries: 1_000_000, TTL: 10 * time.Minute, Lease: 30 * time.Second,
			Outage: "serve", MaxStale: time.Hour,
		},
		Credentials: Credentials{Sources: []string{"header:API-KEY", "header:X-API-Key", "bearer"}, Prefix: "ak"},
		Verify:      Verify{Proxy: "none", TrustedProxies: []string{"private"}, Realm: "authd"},
		Identity: Identity{Headers: Headers{
			User: "X-Auth-User", Key: "X-Auth-Key", KeyID: "X-Auth-Key-Id", Groups: "X-Auth-Groups", Scopes: "X-Auth-Scopes",
		}},
		Users:     Users{Inactive: InactiveDeny},
		Limits:    Limits{Fail: "open"},
		Metrics:   Metrics{PerKey: 1000},
		Usage:     Usage{Keep: 400 * 24 * time.Hour, Flush: 5 * time.Second},
		Overrides: Overrides{Odoo: []string{}},
		Log:       Log{Format: "auto"},
	}
}
