package redisconn

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

func TestRedisURL(t *testing.T) {
	for url, want := range map[string]redis.UniversalOptions{
		"redis://redis":                               {Addrs: []string{"redis:6379"}},
		"redis://redis:1/2":                           {Addrs: []string{"redis:1"}, DB: 2},
		"redis://[::1]:1":                             {Addrs: []string{"[::1]:1"}},
		"redis://[::1]":                               {Addrs: []string{"[::1]:6379"}},
		"redis://:hunter2@redis/":                     {Addrs: []string{"redis:6379"}, Password: "hunter2"},
		"redis://me:a%2Fb%40c%3Ad@redis":              {Addrs: []string{"redis:6379"}, Username: "me", Password: "a/b@c:d"},
		"redis://me:a@b@redis":                        {Addrs: []string{"redis:6379"}, Username: "me", Password: "a@b"},
		"redis://:p@a,b:2,c":                          {Addrs: []string{"a:6379", "b:2", "c:6379"}, Password: "p"},
		"redis://a,b:2/3?master_name=m":               {Addrs: []string{"a:26379", "b:2"}, MasterName: "m", DB: 3},
		"redis://a?sentinel_password=s&master_name=m": {Addrs: []string{"a:26379"}, MasterName: "m", SentinelPassword: "s"},
	} {
		o, err := options(url, time.Second)
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		got := redis.UniversalOptions{Addrs: o.Addrs, DB: o.DB, Username: o.Username, Password: o.Password, MasterName: o.MasterName, SentinelPassword: o.SentinelPassword}
		if !slices.Equal(got.Addrs, want.Addrs) || got.DB != want.DB || got.Username != want.Username || got.Password != want.Password ||
			got.MasterName != want.MasterName || got.SentinelPassword != want.SentinelPassword || o.TLSConfig != nil {
			t.Errorf("%s is read as %+v", url, got)
		}
	}
	if o, err := options("rediss://redis", time.Second); err != nil || o.TLSConfig == nil || o.TLSConfig.InsecureSkipVerify {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestRedisURLRefused(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "ca")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{
		"":                             "redis://USER",
		"redis":                        "redis://USER",
		"redis:hunter2":                "redis://USER",
		"redis://":                     "redis://USER",
		"unix:///run/redis.sock":       "redis://USER",
		"http://:hunter2@redis":        "redis://USER",
		"redis://:hunter2@redis:port":  "redis://USER",
		"redis://:hunter2@redis:70000": "redis://USER",
		"redis://:hunter2@a,,b":        "redis://USER",
		"redis://:hunter2@a b":         "redis://USER",
		"redis://:hunter2%zz@a":        "redis://USER",
		"redis://:hunter2/x@a":         "redis://USER",
		"redis://:x@a#hunter2":         "redis://USER",
		"redis://:hunter2@a/b":         "number of a database",
		"redis://:hunter2@a/-1":        "number of a database",
		"redis://:hunter2@a,b/1":       "a cluster has no databases",
		"redis://a?hunter2=1":          "known are master_name, sentinel_password and ca_file",
		"redis://a?master_name=":       "empty, or given twice",
		"redis://a?master_name=m&master_name=hunter2": "empty, or given twice",
		"redis://a?sentinel_password=hunter2":         "name their master",
		"redis://a?ca_file=x":                         "rediss://",
		"rediss://a?ca_file=/nowhere/ca":              "no such file",
		"rediss://a?ca_file=" + empty:                 "no certificate",
	} {
		err := Check(url)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", url, err, want)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v tells the password", url, err)
		}
	}
}
