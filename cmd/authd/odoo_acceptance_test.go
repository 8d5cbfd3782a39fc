package main

import (
	"strings"
	"syscall"
	"testing"

	"authd/internal/auth"
	"authd/internal/pgtest"
)

// seed is a deployment that has moved here from Odoo's module: two replicas on one database, and Odoo's own file.
type seed struct {
	*place
	t        *testing.T // of the case
	replicas []*daemon
}

// Cases that share the deployment have keys of their own.
const seedFile = `
overrides: {odoo: [odoo.conf], odoo_env: true}
verify: {trusted_proxies: [loopback]}
policies:
  partners: {groups: [partner]}
  nobody: {groups: []}
`

// fresh is a value that nothing else has.
func fresh() string { return auth.NewSecret("ak").Reveal() }

// TestAcceptance holds authd to what those know who come from the module, case by case, on SQLite and on Postgres.
func TestAcceptance(t *testing.T) {
	for backend, open := range map[string]func(t *testing.T) *place{
		"sqlite":   newPlace,
		"postgres": func(t *testing.T) *place { return newPlace(t).on(pgtest.Database(t)) },
	} {
		t.Run(backend, func(t *testing.T) {
			p := open(t)
			common, secret := fresh(), fresh()
			p.env = append(p.env, "SERVER_ENV_CONFIG=[api_key_Both]\nkey = "+common, "SERVER_ENV_CONFIG_SECRET=[api_key_Both]\nkey = "+secret)
			p.write("authd.yaml", seedFile)
			p.write("odoo.conf", "[options]\n")
			p.must("keys", "create", "Both", "--user", "u", "-q")
			s := &seed{place: p, replicas: []*daemon{p.serve("-c", "authd.yaml"), p.serve("-c", "authd.yaml")}}
			for _, c := range acceptance {
				t.Run(c.name, func(t *testing.T) { c.run(&seed{s.at(t), t, s.replicas}) })
			}
			t.Run("19 both variables set: the secret one wins", func(t *testing.T) {
				s := &seed{s.at(t), t, s.replicas}
				s.all(200, secret)
				s.all(401, common)
			})
			for _, d := range s.replicas {
				if strings.Contains(d.log.String(), secret) {
					t.Error("a value of the environment is in the log")
				}
			}
		})
	}
}

// at is the place, whose failures are those of a case.
func (p *place) at(t *testing.T) *place {
	here := *p
	here.t = t
	return &here
}

// all asks every replica.
func (s *seed) all(status int, key string) {
	s.t.Helper()
	for i, d := range s.replicas {
		if a := d.ask("/verify", key); a.status != status {
			s.t.Errorf("replica %d: status %d, want %d", i, a.status, status)
		}
	}
}

// comes awaits that a value passes on every replica: files are followed, each in its time.
func (s *seed) comes(key string) {
	s.t.Helper()
	for _, d := range s.replicas {
		s.await("the value of the section", func() bool { return d.ask("/verify", key).status == 200 })
	}
}

// create makes a key, and returns its value.
func (s *seed) create(name string, flags ...string) string {
	s.t.Helper()
	return s.must(append([]string{"keys", "create", name, "--user", "u", "-q"}, flags...)...)
}

// sections replace those that there were.
func (s *seed) sections(text string) { s.write("odoo.conf", "[options]\n"+text) }

// dead awaits that no replica lets a value in any more.
func (s *seed) dead(key string) {
	s.t.Helper()
	for _, d := range s.replicas {
		s.await("the end of the value", func() bool { return d.ask("/verify", key).status == 401 })
	}
}

var acceptance = []struct {
	name string
	run  func(s *seed)
}{
	{"01 an active key in API-KEY, any casing", func(s *seed) {
		key := s.create("One")
		for _, name := range []string{"API-KEY", "api-key", "Api-Key", "aPi-KeY"} {
			for _, d := range s.replicas {
				if a := d.try("GET", "/verify", name+": "+key); a == nil || a.status != 200 || a.header.Get("X-Auth-User") != "u" {
					s.t.Errorf("%s: %+v", name, a)
				}
			}
		}
	}},
	{"02 no header", func(s *seed) {
		if a := s.replicas[0].try("GET", "/verify"); a == nil || a.status != 401 || !strings.Contains(a.body, "missing_credential") {
			s.t.Errorf("%+v", a)
		}
	}},
	{"03 an empty header", func(s *seed) { s.all(401, "") }},
	{"04 an unknown key, which is in no log", func(s *seed) {
		key := fresh()
		s.all(401, key)
		s.nowhere(key)
	}},
	{"05 a key that differs only in case", func(s *seed) {
		s.write("five.jsonl", `{"name":"Five","user":"u","key":"five-Zq8vR2kLm5xW-Tn4"}`+"\n")
		s.must("keys", "import", "jsonl", "five.jsonl", "-q")
		s.all(200, "five-Zq8vR2kLm5xW-Tn4")
		s.all(401, "Five-Zq8vR2kLm5xW-Tn4")
		s.all(401, "five-zq8vr2klm5xw-tn4")
	}},
	{"06 the key in the query", func(s *seed) {
		key := s.create("Six")
		for _, name := range []string{"api_key", "API-KEY", "api-key"} {
			if a := s.replicas[0].try("GET", "/verify?"+name+"="+key); a == nil || a.status != 401 {
				s.t.Errorf("%s: %+v", name, a)
			}
		}
	}},
	{"07 a value replaced, on all replicas", func(s *seed) {
		old := s.create("Seven")
		s.all(200, old)
		next := s.must("keys", "rotate", "Seven", "--overlap", "0", "-q")
		s.all(200, next)
		s.all(401, old)
	}},
	{"08 its user changed", func(s *seed) {
		key := s.create("Eight")
		s.all(200, key)
		s.must("keys", "update", "Eight", "--user", "other@example.com", "-q")
		for _, d := range s.replicas {
			if a := d.want(200, "/verify", key); a.header.Get("X-Auth-User") != "other@example.com" {
				s.t.Errorf("%v", a.header)
			}
		}
	}},
	{"09 an inactive user", func(s *seed) {
		key := s.must("keys", "create", "Nine", "--user", "nine@example.com", "-q")
		s.all(200, key)
		s.must("users", "disable", "nine@example.com", "-q")
		s.all(401, key)
		lax := s.at(s.t)
		lax.env = append(lax.env[:len(lax.env):len(lax.env)], "AUTHD_USERS_INACTIVE=allow")
		d := lax.serve("-c", "authd.yaml")
		d.want(200, "/verify", key)
		d.signal(syscall.SIGTERM) // in good order: over a network nothing proves that a replica is dead
		d.wait()
		s.must("users", "enable", "nine@example.com", "-q")
		s.all(200, key)
	}},
	{"10 a key disabled or deleted, even when cached", func(s *seed) {
		key, gone := s.create("Ten"), s.create("Ten gone")
		s.all(200, key)
		s.all(200, gone)
		s.must("keys", "disable", "Ten", "-q")
		s.all(401, key)
		s.must("keys", "enable", "Ten", "-q")
		s.all(200, key)
		s.must("keys", "delete", "Ten gone", "-q")
		s.all(401, gone)
	}},
	{"11 a duplicate name or slug", func(s *seed) {
		s.create("Eleven é")
		for _, name := range []string{"Eleven é", "eleven e", "ELEVEN--E"} {
			if _, code := s.authd("keys", "create", name, "--user", "u"); code != exitFailed {
				s.t.Errorf("%q: exit code %d", name, code)
			}
		}
	}},
	{"12 an override: its value is accepted, the database's denied", func(s *seed) {
		stored, beside, here := s.create("Twelve"), s.create("Twelve beside"), fresh()
		s.sections("[api_key_Twelve]\nkey = " + here + "\n")
		s.comes(here)
		s.all(401, stored)
		s.all(200, beside)
	}},
	{"13 an empty override: both are denied, other records untouched", func(s *seed) {
		stored, beside, here := s.create("Thirteen"), s.create("Thirteen beside"), fresh()
		s.sections("[api_key_Thirteen]\nkey = " + here + "\n")
		s.comes(here)
		s.sections("[api_key_Thirteen]\nkey =\n")
		s.dead(here)
		s.all(401, stored)
		s.all(200, beside)
	}},
	{"14 the section removed: the database's value works again", func(s *seed) {
		stored, here := s.create("Fourteen"), fresh()
		s.sections("[api_key_Fourteen]\nkey = " + here + "\n")
		s.comes(here)
		s.all(401, stored)
		s.sections("")
		s.comes(stored)
		s.all(401, here)
	}},
	{"15 a section without a record", func(s *seed) {
		before, value, told := strings.Split(s.must("keys", "list", "-q"), "\n"), fresh(), s.create("Fifteen")
		mark := fresh()
		s.sections("[api_key_Of nobody]\nkey = " + value + "\n[api_key_Fifteen]\nkey = " + mark + "\n")
		s.comes(mark) // so the other one is read as well
		s.all(401, value)
		s.all(401, told)
		if after := strings.Split(s.must("keys", "list", "-q"), "\n"); len(after) != len(before)+1 {
			s.t.Errorf("a key was created beside Fifteen: %s", after)
		}
	}},
	{"16 My Key by its name and by its slug", func(s *seed) {
		stored, byName, bySlug, mark := s.create("My Key"), fresh(), fresh(), fresh()
		s.create("Sixteen")
		s.sections("[api_key_My Key]\nkey = " + byName + "\n")
		s.comes(byName)
		s.sections("[api_key_my_key]\nkey = " + bySlug + "\n")
		s.comes(bySlug)
		s.all(401, byName)
		s.all(401, stored)
		s.sections("[ api_key_my_key ]\nkey = " + bySlug + "\n[api_key_Sixteen]\nkey = " + mark + "\n")
		s.comes(mark)
		s.all(401, bySlug)
		s.all(200, stored)
	}},
	{"17 Clé été by its name and by its slug", func(s *seed) {
		s.create("Clé été")
		for _, section := range []string{"Clé été", "cle_ete"} {
			value := fresh()
			s.sections("[api_key_" + section + "]\nkey = " + value + "\n")
			s.comes(value)
		}
	}},
	{"18 a rename moves the slug", func(s *seed) {
		stored, value := s.create("Eighteen"), fresh()
		s.sections("[api_key_renamed_18]\nkey = " + value + "\n")
		s.all(200, stored)
		s.must("keys", "rename", "Eighteen", "Renamed 18", "-q")
		s.comes(value)
		s.dead(stored)
		s.must("keys", "rename", "Renamed 18", "Eighteen", "-q")
		s.all(200, stored)
		s.all(401, value)
	}},
	{"20 a%%b and quotes", func(s *seed) {
		s.create("Twenty")
		s.sections("[api_key_Twenty]\nkey = twenty-a%%b-Zq8vR2kLm5\n")
		s.comes("twenty-a%b-Zq8vR2kLm5")
		s.all(401, "twenty-a%%b-Zq8vR2kLm5")
		s.sections("[api_key_Twenty]\nkey = \"twenty-Zq8vR2kLm5\"\n")
		s.comes(`"twenty-Zq8vR2kLm5"`)
		s.all(401, "twenty-Zq8vR2kLm5")
	}},
	{"21 a stored non-ASCII value", func(s *seed) {
		s.write("21.jsonl", `{"name":"Twenty one","user":"u","key":"clé-très-secrète-été"}`+"\n"+
			`{"name":"Twenty one beside","user":"u","key":"beside-Zq8vR2kLm5xW"}`+"\n")
		if _, code := s.authd("keys", "import", "jsonl", "21.jsonl"); code != exitFailed {
			s.t.Errorf("exit code %d: the line that can't be imported is to be told", code)
		}
		s.all(200, "beside-Zq8vR2kLm5xW")
		s.all(401, "clé-très-secrète-été")
		s.all(200, "beside-Zq8vR2kLm5xW")
	}},
	{"22 groups", func(s *seed) {
		inside, outside := s.create("Inside", "--group", "partner"), s.create("Outside", "--group", "other")
		forwarded := []string{"X-Forwarded-Method: GET", "X-Forwarded-Host: example.com", "X-Forwarded-Uri: /", "X-Forwarded-For: 192.0.2.1"}
		for _, d := range s.replicas {
			d.want(200, "/verify/traefik/partners", inside, forwarded...)
			d.want(403, "/verify/traefik/partners", outside, forwarded...)
			d.want(403, "/verify/traefik/nobody", inside, forwarded...)
			d.want(403, "/verify/traefik/nobody", outside, forwarded...)
		}
	}},
}
