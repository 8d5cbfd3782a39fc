package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever the files and the environment hold, nothing panics, nothing of the
// pepper is told, and a configuration without faults is whole.
func FuzzLoad(f *testing.F) {
	for _, name := range []string{"sample.yaml", "sample.toml", "sample.json", "sample.ini"} {
		sample, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(0), string(sample), "AUTHD_CACHE_TTL=1m", "", "\n")
		f.Add(uint8(1), string(sample), "AUTHD_CREDENTIALS_PREFIX=", "0123", "")
		f.Add(uint8(2), string(sample), "AUTHD_LISTEN_VERIFY", "\xff", "\r\nx")
		f.Add(uint8(3), string(sample), "AUTHD_=\x00", strings.Repeat("x", 4096), "")
	}
	f.Add(uint8(0), "policies: {\"\": {}, \"a.b\": {rules: [[], 1, {paths: \"\"}]}}", "AUTHD_PORT=://", "", "")
	f.Add(uint8(2), `{"credentials": {"pepper_file": "pepper"}, "a\u0000.b": {"\u0000": 1}}`, "AUTHD_LOG_LEVEL=-4", "a\n", "\nb")
	f.Add(uint8(2), `{"policies": {"p": {"groups": ["\u0000"], "scopes": "a,,b", "rules": [{"paths": ["/%2f"]}]}}}`, "", "", "")
	const secret = "Kai7ohXaechu8eeth4Oo"
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, format uint8, text, variable, before, after string) {
		name := filepath.Join(dir, "authd."+[]string{"yaml", "toml", "json", "ini"}[format%4])
		pepper := filepath.Join(dir, "pepper")
		for file, text := range map[string]string{name: text, pepper: before + secret + after} {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if strings.Contains(text+variable, secret) {
			return // it was told what it is to find
		}
		l, err := Load(Source{Files: []string{name}, Environ: []string{variable, "AUTHD_CREDENTIALS_PEPPER_FILE=" + pepper}})
		told := fmt.Sprint(l.Settings(), l.Warnings, err)
		if strings.Contains(told, secret) || strings.Contains(fmt.Sprintf("%+v", l.Digester), secret) {
			t.Errorf("the pepper is told: %s", told)
		}
		if err == nil && (l.Digester == nil || len(l.Policies) != len(l.Config.Policies)) {
			t.Error("no fault, and yet something is missing")
		}
	})
}
