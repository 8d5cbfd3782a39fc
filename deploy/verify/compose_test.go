package verify

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

func project(t *testing.T) *types.Project {
	t.Helper()
	o, err := cli.NewProjectOptions([]string{"../../docker-compose.yml"}, cli.WithoutEnvironmentResolution, cli.WithConsistency(true))
	if err != nil {
		t.Fatal(err)
	}
	p, err := o.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The compose file is what a modern docker compose takes, and keeps what it promises.
func TestCompose(t *testing.T) {
	p := project(t)
	want := []string{"authd", "grafana", "postgres", "prometheus", "redis", "setup", "traefik", "whoami"}
	if names := p.ServiceNames(); !slices.Equal(names, want) {
		t.Fatalf("services %q", names)
	}
	for name, s := range p.Services {
		for _, port := range s.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s: port %s is open to others", name, port.Published)
			}
		}
		if s.Image == "" || strings.HasSuffix(s.Image, ":latest") || !strings.Contains(s.Image, ":") {
			t.Errorf("%s: image %q is of no version", name, s.Image)
		}
		if once := name == "setup"; !once && name != "whoami" && s.HealthCheck == nil {
			t.Errorf("%s has no health check", name)
		}
		for needed, d := range s.DependsOn {
			if d.Condition == types.ServiceConditionStarted && needed != "whoami" {
				t.Errorf("%s does not wait until %s is ready", name, needed)
			}
		}
		for variable, value := range s.Environment {
			secret := strings.Contains(variable, "PASSWORD") || strings.Contains(variable, "PEPPER") || strings.Contains(variable, "SECRET")
			if secret && (value == nil || !strings.HasPrefix(*value, "/secrets/")) {
				t.Errorf("%s: %s is no file of the volume", name, variable)
			}
		}
		for _, v := range s.Volumes {
			if v.Type == types.VolumeTypeBind {
				if _, err := os.Stat(v.Source); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
	if r := p.Services["authd"].Deploy.Replicas; r == nil || *r != 2 {
		t.Error("authd has not two replicas")
	}
	if _, reached := p.Services["whoami"].Networks["edge"]; reached {
		t.Error("whoami is reached past Traefik")
	}
}

// The secrets are made once, each for its reader alone.
func TestComposeSetup(t *testing.T) {
	dir := t.TempDir()
	setup := func() map[string]string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "/bin/sh", "../compose/setup.sh")
		cmd.Env = append(os.Environ(), "SECRETS="+dir)
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Fatalf("%v: %s", err, out)
		}
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		made := map[string]string{}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(file)
			if err != nil || info.Mode().Perm() != 0o400 {
				t.Errorf("%s: %v, %v", file, info.Mode(), err)
			}
			made[filepath.Base(file)] = string(text)
		}
		return made
	}
	first := setup()
	for _, name := range []string{"postgres", "pgpass", "peppers", "grafana"} {
		if len(first[name]) < 64 {
			t.Errorf("%s is %d bytes long", name, len(first[name]))
		}
	}
	if len(first) != 4 || first["peppers"] == first["grafana"] || !strings.HasSuffix(first["pgpass"], ":"+first["postgres"]) {
		t.Error("what is made is not what is wanted")
	}
	for name, text := range setup() {
		if text != first[name] {
			t.Errorf("%s was made anew", name)
		}
	}
}
