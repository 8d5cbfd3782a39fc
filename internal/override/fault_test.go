package override

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"authd/internal/auth"
	"authd/internal/conffile"
)

// faultyEnv has a folder of files, and a pepper beside plain SHA-256.
func faultyEnv(t *testing.T) (Env, auth.Pepper) {
	t.Helper()
	t.Chdir(t.TempDir())
	write(t, ".", "empty", "")
	write(t, ".", "blank", " \n")
	write(t, ".", "two lines", here+"\n"+other+"\n")
	write(t, ".", "large", strings.Repeat("x", MaxKeyFile+1))
	write(t, ".", "good", here+"\n")
	for _, err := range []error{os.Symlink("loop", "loop"), os.Mkdir("folder", 0o700), os.Mkdir("secrets", 0o700)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("AUTHD_TEST_EMPTY", "")
	t.Setenv("AUTHD_TEST_GOOD", here)
	pepper := mustPepper(t, "the pepper of this test")
	return NewEnv(auth.NewDigester("ak", pepper)), pepper
}

// cut is a key of our own format that has lost its last character.
func cut() string {
	s := auth.NewSecret("ak").Reveal()
	return s[:len(s)-1] + map[bool]string{true: "1", false: "0"}[strings.HasSuffix(s, "0")]
}

func TestFaults(t *testing.T) {
	env, pepper := faultyEnv(t)
	digest := func(p auth.Pepper, value string) string { return p.Digest(auth.RawSecret(value)).String() }
	plain := "sha256:" + digest(auth.Pepper{}, here)
	peppered := "hmac-sha256:" + pepper.ID() + ":" + digest(pepper, here)
	const (
		relative = " (a relative path begins at the folder of the configuration file)"
		twice    = "its value is that of [api_key_a] (x.yaml:1) as well: one value can't stand for two keys, give one of them another"
	)
	for _, c := range []struct {
		text string   // of x.yaml
		want []string // without "x.yaml:"
	}{
		// the value
		{"api_key_a: {key: short}", []string{"1: [api_key_a]: key: the value is shorter than 16 characters: too easy to guess"}},
		{"api_key_a: {key: ' '}", []string{"1: [api_key_a]: key: the value is shorter than 16 characters: too easy to guess"}},
		{"api_key_a: {key: " + strings.Repeat("x", auth.MaxSecret+1) + "}", []string{"1: [api_key_a]: key: the value is longer than 512 characters"}},
		{"api_key_a: {key: blank in the middle of it}", []string{"1: [api_key_a]: key: the value has characters other than visible ASCII, or a comma: no header can carry it safely"}},
		{"api_key_a: {key: " + cut() + "}", []string{"1: [api_key_a]: key: the value has the form of a key made here, but its checksum is wrong: it was mistyped or cut"}},
		{"api_key_a: {key: 1234567890123456789}", []string{"1: [api_key_a]: key: text is wanted: put it in quotes"}},
		{"api_key_a: {key: [value-in-a-list-00]}", []string{"1: [api_key_a]: key: text is wanted: put it in quotes"}},
		{"api_key_a: {key: {value-in-a-table-0: }}", []string{"1: [api_key_a]: key: text is wanted: put it in quotes"}},
		// key_file
		{"api_key_a: {key_file: nowhere}", []string{`1: [api_key_a]: key_file: "nowhere" can't be read: no such file or directory` + relative}},
		{"api_key_a: {key_file: secrets/of_partner_sync}", []string{`1: [api_key_a]: key_file: "secrets/of_partner_sync" can't be read: no such file or directory` + relative}},
		{"api_key_a: {key_file: base64/with+a/slash==}", []string{`1: [api_key_a]: key_file: (not shown, as it might be a key) can't be read: no such file or directory` + relative}},
		{"api_key_a: {key_file: folder}", []string{`1: [api_key_a]: key_file: "folder" can't be read: not a regular file` + relative}},
		{"api_key_a: {key_file: loop}", []string{`1: [api_key_a]: key_file: "loop" can't be read: too many levels of symbolic links` + relative}},
		{"api_key_a: {key_file: empty}", []string{`1: [api_key_a]: key_file: "empty" is empty: fill it; for a record without a usable key write an empty key`}},
		{"api_key_a: {key_file: blank}", []string{`1: [api_key_a]: key_file: "blank" is empty: fill it; for a record without a usable key write an empty key`}},
		{"api_key_a: {key_file: two lines}", []string{`1: [api_key_a]: key_file: "two lines" has more than one line: it holds one key, and nothing else`}},
		{"api_key_a: {key_file: large}", []string{`1: [api_key_a]: key_file: "large" is larger than 4 KiB: it holds one key, and nothing else`}},
		{"api_key_a: {key_file: ''}", []string{"1: [api_key_a]: key_file: the path of a file is wanted"}},
		{"api_key_a: {key_file: " + auth.NewSecret("ak").Reveal() + "}", []string{"1: [api_key_a]: key_file: the path of a file is wanted, and this looks like a key: write it as key, or into a file"}},
		// key_env
		{"api_key_a: {key_env: AUTHD_TEST_NOTHING}", []string{`1: [api_key_a]: key_env: the environment variable "AUTHD_TEST_NOTHING" is not set`}},
		{"api_key_a: {key_env: ABCDEFGHIJKLMNOPQRST}", []string{`1: [api_key_a]: key_env: the environment variable (not shown, as it might be a key) is not set`}},
		{"api_key_a: {key_env: AUTHD_TEST_EMPTY}", []string{`1: [api_key_a]: key_env: the environment variable "AUTHD_TEST_EMPTY" is empty: fill it; for a record without a usable key write an empty key`}},
		{"api_key_a: {key_env: }", []string{"1: [api_key_a]: key_env: the name of an environment variable is wanted"}},
		{"api_key_a: {key_env: " + auth.NewSecret("ak").Reveal() + "}", []string{"1: [api_key_a]: key_env: the name of an environment variable is wanted, and this looks like a key: write it as key"}},
		// key_digest
		{"api_key_a: {key_digest: '" + strings.Repeat("0", 64) + "'}", []string{"1: [api_key_a]: key_digest: " + errDigest.Error()}},
		{"api_key_a: {key_digest: 'sha256:00'}", []string{"1: [api_key_a]: key_digest: " + errDigest.Error()}},
		{"api_key_a: {key_digest: 'hmac-sha256:none:" + strings.Repeat("0", 64) + "'}", []string{"1: [api_key_a]: key_digest: " + errDigest.Error()}},
		{"api_key_a: {key_digest: 'hmac-sha256:00000000:" + strings.Repeat("0", 64) + "'}",
			[]string{"1: [api_key_a]: key_digest: digests under pepper 00000000 are not looked for here; those under " + pepper.ID() + " and none are"}},
		{"api_key_a: {key_digest: ''}", []string{"1: [api_key_a]: key_digest: " + errDigest.Error()}},
		// sources
		{"api_key_a: {key: '', key_file: good}", []string{"1: [api_key_a]: key and key_file are given: the value comes from one of them, keep that one"}},
		{"api_key_a: {key: x, key_file: x, key_env: x, key_digest: x, standalone: yes, user: u}",
			[]string{"1: [api_key_a]: key and key_file and key_env and key_digest are given: the value comes from one of them, keep that one"}},
		// one value twice, whatever it comes from and under either pepper
		{"api_key_a: {key: " + here + "}\napi_key_b: {key: " + here + "}", []string{"2: [api_key_b]: " + twice}},
		{"api_key_a: {key: " + here + "}\napi_key_b: {key_file: good}", []string{"2: [api_key_b]: " + twice}},
		{"api_key_a: {key_file: good}\napi_key_b: {key_env: AUTHD_TEST_GOOD}", []string{"2: [api_key_b]: " + twice}},
		{"api_key_a: {key_env: AUTHD_TEST_GOOD}\napi_key_b: {key_digest: '" + plain + "'}", []string{"2: [api_key_b]: " + twice}},
		{"api_key_a: {key_digest: '" + peppered + "'}\napi_key_b: {key: " + here + "}", []string{"2: [api_key_b]: " + twice}},
		{"api_key_a: {key_digest: '" + plain + "'}\napi_key_b: {key_digest: '" + strings.ToUpper(plain[7:]) + "'}", []string{"2: [api_key_b]: key_digest: " + errDigest.Error()}},
		{"api_key_a: {key_digest: '" + plain + "'}\napi_key_b: {key_digest: 'sha256:" + strings.ToUpper(plain[7:]) + "'}", []string{"2: [api_key_b]: " + twice}},
		// fields
		{"api_key_a: {kye_file: good}", []string{`1: [api_key_a]: unknown field "kye_file": did you mean "key_file"?`}},
		{"api_key_a: {Key: x}", []string{`1: [api_key_a]: unknown field "Key": did you mean "key"?`}},
		{"api_key_a: {expires: x}", []string{`1: [api_key_a]: unknown field "expires": did you mean "expires_at"?`}},
		{"api_key_a: {key-env: x}", []string{`1: [api_key_a]: unknown field "key-env": did you mean "key_env"?`}},
		{"api_key_a: {note: x}", []string{`1: [api_key_a]: unknown field "note": a section knows ` + strings.Join(fieldNames, ", ")}},
		{"api_key_a: {production-value-0001: x}", []string{"1: [api_key_a]: unknown field (its name is too long to be one, and is not shown): a section knows " + strings.Join(fieldNames, ", ")}},
		{"api_key_a: {active: maybe}", []string{`1: [api_key_a]: active: "maybe" is neither true nor false (yes, no, on, off, 1, 0 will do as well)`}},
		{"api_key_a: {active: }", []string{`1: [api_key_a]: active: "" is neither true nor false (yes, no, on, off, 1, 0 will do as well)`}},
		{"api_key_a: {active: [yes]}", []string{`1: [api_key_a]: active: a list or a table is neither true nor false (yes, no, on, off, 1, 0 will do as well)`}},
		{"api_key_a: {user: ''}", []string{"1: [api_key_a]: user: the user's login is empty"}},
		{"api_key_a: {user: 7}", []string{"1: [api_key_a]: user: text is wanted: put it in quotes"}},
		{"api_key_a: {groups: [1]}", []string{"1: [api_key_a]: groups: item 1 is no text: put it in quotes"}},
		{"api_key_a: {groups: {a: b}}", []string{"1: [api_key_a]: groups: a list is wanted, or text with commas"}},
		{"api_key_a: {groups: 'a,,b'}", []string{`1: [api_key_a]: groups: group "": a group is empty`}},
		{"api_key_a: {scopes: ['a b', 'c\"']}", []string{`1: [api_key_a]: scopes: scope "a b": a scope is visible ASCII without blanks, quotes and backslashes; scope "c\"": a scope is visible ASCII without blanks, quotes and backslashes`}},
		{"api_key_a: {not_before: tomorrow}", []string{`1: [api_key_a]: not_before: "tomorrow" is no time: ` + wantTime}},
		{"api_key_a: {expires_at: 90}", []string{"1: [api_key_a]: expires_at: " + wantTime}},
		{"api_key_a: {expires_at: 1970-01-01}", []string{"1: [api_key_a]: expires_at: a time before 1970 is no bound"}},
		{"api_key_a: {not_before: 2027-01-31, expires_at: 2027-01-31}", []string{"1: [api_key_a]: expires_at is not after not_before: the key would never be valid"}},
		{"api_key_a: {hosts: 'a:80'}", []string{`1: [api_key_a]: hosts: host "a:80": hosts are compared without port and without a final dot`}},
		{"api_key_a: {methods: 'G T'}", []string{`1: [api_key_a]: methods: method "G T": not an HTTP method`}},
		{"api_key_a: {cidrs: 10.0.0.0/33}", []string{`1: [api_key_a]: cidrs: "10.0.0.0/33" is no network: 10.0.0.0/8, 2001:db8::/32 or a single address are wanted`}},
		{"api_key_a: {rate: 100}", []string{"1: [api_key_a]: rate: text is wanted: put it in quotes"}},
		{"api_key_a: {rate: often}", []string{`1: [api_key_a]: rate: rate "often": a count, a slash and a period are wanted, as in 100/1m`}},
		{"api_key_a: {burst: 1.5}", []string{`1: [api_key_a]: burst: "1.5" is no whole number that a field has`}},
		{"api_key_a: {burst: -1}", []string{"1: [api_key_a]: burst: burst -1: a number from 1 to 1000000000 is wanted"}},
		{"api_key_a: {burst: 5, rate: ''}", []string{"1: [api_key_a]: burst is given, and the rate is none: give a rate, or leave burst out"}},
		{"api_key_a: {quota: 5/1w}", []string{`1: [api_key_a]: quota: quota "5/1w": 1h, 1d or 1mo is wanted behind the slash, as in 10000/1d`}},
		// the section
		{"api_key_a: {}", []string{"1: [api_key_a]: the section is empty, and overrides nothing: fill it, or remove it"}},
		{"api_key_a:", []string{"1: [api_key_a]: the section is empty, and overrides nothing: fill it, or remove it"}},
		{"'api_key_ a': {user: u}", []string{"1: [api_key_ a]: the record's name begins or ends with a blank: no record can have it"}},
		{`"api_key_a\nb": {user: u}`, []string{`1: "[api_key_a\nb]": the record's name holds a control character: no record can have it`}},
		{"api_key_" + strings.Repeat("x", auth.MaxName+1) + ": {user: u}", []string{"1: [api_key_" + strings.Repeat("x", auth.MaxName+1) + "]: the record's name is longer than 200 bytes: no record can have it"}},
		{"api_key_a: {standalone: true, key: " + here + "}", []string{"1: [api_key_a]: a standalone key has no record to name its user: give user"}},
		{"api_key_a: {standalone: true, user: u}", []string{"1: [api_key_a]: a standalone key needs a value that is not empty: give key, key_file, key_env, key_digest"}},
		{"api_key_a: {standalone: true, user: u, key: ''}", []string{"1: [api_key_a]: a standalone key needs a value that is not empty: give key, key_file, key_env, key_digest"}},
		{"api_key_My Key: {active: no}\napi_key_my_key: {active: no}", []string{"2: [api_key_my_key]: this is the slug of [api_key_My Key] (x.yaml:1), so both would mean one record: keep one of them"}},
		{"api_key_my_key: {active: no}\napi_key_My Key: {active: no}", []string{"1: [api_key_my_key]: this is the slug of [api_key_My Key] (x.yaml:2), so both would mean one record: keep one of them"}},
		// all at once
		{"api_key_a: {key: short, active: maybe, x: y}\napi_key_b: {}\napi_key_c: {key: " + here + "}\napi_key_d: {key: " + here + "}", []string{
			`1: [api_key_a]: active: "maybe" is neither true nor false (yes, no, on, off, 1, 0 will do as well)`,
			`1: [api_key_a]: unknown field "x": a section knows ` + strings.Join(fieldNames, ", "),
			"1: [api_key_a]: key: the value is shorter than 16 characters: too easy to guess",
			"2: [api_key_b]: the section is empty, and overrides nothing: fill it, or remove it",
			"4: [api_key_d]: " + strings.Replace(twice, "[api_key_a] (x.yaml:1)", "[api_key_c] (x.yaml:3)", 1),
		}},
	} {
		_, err := NewSet(mustRead(t, write(t, ".", "x.yaml", c.text)), env)
		want := make([]string, len(c.want))
		for i := range c.want {
			want[i] = "x.yaml:" + c.want[i]
		}
		if diff := cmp.Diff(want, lines(err)); diff != "" {
			t.Errorf("%s\n%s", c.text, diff)
		}
	}
}

// TestFaultsNameTheirFile: a fault of a section that merges lies where its field is.
func TestFaultsNameTheirFile(t *testing.T) {
	env, _ := faultyEnv(t)
	first := write(t, ".", "10.ini", "; comment\n[api_key_a]\nuser = u\nnot_before = 2027-01-31\n")
	second := write(t, ".", "20.yaml", "\n\napi_key_a: {key_file: nowhere, expires_at: 2026-01-31, burst: x}\n")
	_, err := NewSet(mustRead(t, first, second), env)
	want := []string{
		`20.yaml:3: [api_key_a]: burst: "x" is no whole number that a field has`,
		`20.yaml:3: [api_key_a]: key_file: "nowhere" can't be read: no such file or directory (a relative path begins at the folder of the configuration file)`,
		"20.yaml:3: [api_key_a]: expires_at is not after not_before: the key would never be valid",
	}
	if diff := cmp.Diff(want, lines(err)); diff != "" {
		t.Error(diff)
	}
	var faults Faults
	if !errors.As(err, &faults) || len(faults) != 3 || faults[0].At != (Origin{"20.yaml", 3}) || faults[0].Section != "a" {
		t.Errorf("%#v", faults)
	}
}

// anyKey draws what keys look like, here and elsewhere.
func anyKey() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.Map(rapid.Bool(), func(whole bool) string {
			if whole {
				return auth.NewSecret("ak").Reveal()
			}
			return cut()
		}),
		rapid.StringMatching(`[0-9A-Za-z]{16,64}`),
		rapid.StringMatching(`[0-9A-Za-z+/]{20,80}={0,2}`),
		rapid.StringMatching(`[0-9A-Za-z_-]{16,64}`),
		rapid.StringMatching(`[0-9a-f]{16,64}`),
		rapid.StringMatching(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{12}`),
		rapid.StringMatching(`[A-Z2-7]{16,32}`),
		rapid.StringMatching(`[0-9]{16,40}`),
		rapid.StringMatching(`SG\.[0-9A-Za-z]{10,20}\.[0-9A-Za-z_-]{20,40}`),
		rapid.StringMatching(`[!-+.-~]{16,200}`),
	)
}

// TestNoValueInFaults puts a key into every field, as people do by mistake. It
// is in no fault, nor in what the set prints as.
func TestNoValueInFaults(t *testing.T) {
	env, _ := faultyEnv(t)
	rapid.Check(t, func(r *rapid.T) {
		key := anyKey().Draw(r, "key")
		text := rapid.SampledFrom([]string{"%s", " %s ", "a,%s", "%s,%[1]s", "x %s", "key=%s", "%s/1m", "1/%s", "sha256:%s", "hmac-sha256:%s:00", "2027-%s", "%[1]s%[1]s"}).Draw(r, "around")
		text = fmt.Sprintf(text, key)
		format := rapid.SampledFrom([]string{"x.yaml", "x.toml", "x.json", "x.ini"}).Draw(r, "format")

		fields := []field{{rapid.SampledFrom(sources).Draw(r, "source"), text}}
		for _, name := range fieldNames[len(sources):] {
			fields = append(fields, field{name, text})
		}
		all := mustRead(t, write(t, ".", format, formats[format]("api_key_a", fields...)))
		for _, name := range fieldNames {
			for kind, v := range map[string]any{"text": text, "list": []any{text, "b"}, "table": map[string]any{text: text}} {
				all = append(all, conffile.Section{Name: name + " " + kind, File: format, Line: 1, Fields: map[string]any{name: v, text: v}})
			}
		}
		set, err := NewSet(all, env)
		printed := fmt.Sprintf("%v %+v %#v %s", set, set, set, *set)
		for _, line := range append(lines(err), printed) {
			// Hosts are brought to lower case, and methods to upper case.
			if strings.Contains(strings.ToLower(line), strings.ToLower(key)) {
				r.Fatalf("%q is in %q", key, line)
			}
		}
		var faults Faults
		if !errors.As(err, &faults) {
			r.Fatalf("%v", err)
		}
		for _, f := range faults {
			if f.At.File != format || f.At.Line != 1 || f.Section == "" || f.Text == "" || strings.Contains(f.Error(), "\n") {
				r.Fatalf("%#v", f)
			}
		}
	})
}
