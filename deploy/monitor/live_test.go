package monitor

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"authd/internal/logtest"
	"authd/internal/pgtest"
	"authd/internal/redistest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Around(m).Run()) }

// patience is how long what is bound to come is awaited: machines are busy.
const patience = 2 * time.Minute

// A Prometheus with the rules and the scrape configuration that are shipped scrapes an authd under traffic, and
// answers everything that rules and dashboards ask.
func TestEveryExpressionAnswers(t *testing.T) {
	prometheus := tool(t, "prometheus")
	d := newDeployment(t)
	d.traffic(t)
	at := scraping(t, prometheus, d.metrics)

	waiting := map[string]string{} // what has not answered yet, by the expression
	for name, expr := range expressions(t) {
		parts := operands(t, expr)
		if len(parts) == 0 {
			t.Errorf("%s: nothing of %s can be asked", name, expr)
		}
		for _, part := range parts {
			waiting[part] = name
		}
	}
	t.Logf("%d expressions", len(waiting))
	for end := time.Now().Add(patience); len(waiting) > 0; time.Sleep(time.Second) {
		maps.DeleteFunc(waiting, func(expr, _ string) bool { return answers(t, at, expr) })
		if time.Now().After(end) {
			break
		}
	}
	for expr, name := range waiting {
		t.Errorf("%s: nothing answers %s", name, expr)
	}
	if answers(t, at, `authd_no_such_metric`) || answers(t, at, `0 * authd_build_info / 0`) {
		t.Error("the test takes nothing for an answer")
	}
	for _, alert := range firing(t, at) {
		t.Errorf("%s fires on a sound system", alert)
	}
}

// deployment is an authd with all that makes it have series.
type deployment struct {
	program, dir    string
	env             []string
	verify, metrics string // addresses
}

func newDeployment(t *testing.T) *deployment {
	t.Helper()
	d := &deployment{dir: t.TempDir()}
	d.program = filepath.Join(d.dir, "authd")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", d.program, "./cmd/authd")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	config := "policies: {trial: {groups: [nobody-has-it], shadow: true}}\napi_key_Here only: {standalone: true, key: " + strings.Repeat("k", 40) + ", user: here@example.com}\n"
	if err := os.WriteFile(filepath.Join(d.dir, "authd.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	d.env = append(os.Environ(),
		"AUTHD_STORE_URL="+pgtest.Database(t), "AUTHD_REDIS_URL="+redistest.Start(t).URL,
		"AUTHD_LISTEN_VERIFY=127.0.0.1:0", "AUTHD_LISTEN_METRICS=127.0.0.1:0")
	log := start(t, d.command("serve", "-c", "authd.yaml"))
	d.verify = told(t, log, `answers on (http://[^/]+)/verify`)
	d.metrics = strings.TrimPrefix(told(t, log, `metrics: (http://[^/]+)/metrics`), "http://")
	await(t, "authd", log, func() bool { return get(d.verify+"/readyz", "") == http.StatusOK })
	return d
}

func (d *deployment) command(args ...string) *exec.Cmd {
	cmd := exec.Command(d.program, args...)
	cmd.Dir, cmd.Env = d.dir, d.env
	return cmd
}

// must runs a command, and returns what it prints.
func (d *deployment) must(t *testing.T, args ...string) string {
	t.Helper()
	cmd := d.command(args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("authd %q: %v\n%s", args, err, &stderr)
	}
	return strings.TrimSpace(string(out))
}

// traffic goes on until the test ends: good keys, a limited and a disabled one, unknown ones, a route that shadows, and changes.
func (d *deployment) traffic(t *testing.T) {
	t.Helper()
	create := func(name string, more ...string) string {
		return d.must(t, append([]string{"keys", "create", name, "--user", "partner@example.com", "-q"}, more...)...)
	}
	good, limited, off := create("Good", "--expires", "90d"), create("Limited", "--rate", "1/1h"), create("Off")
	d.must(t, "keys", "disable", "Off", "-q")
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			for _, key := range []string{good, good, limited, off, "", strings.Repeat("u", 40)} {
				get(d.verify+"/verify", key)
			}
			get(d.verify+"/verify/traefik/trial", good)
			time.Sleep(50 * time.Millisecond)
		}
	})
	wg.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			if out, err := d.command("keys", "update", "Off", "--note", strconv.Itoa(i), "-q").CombinedOutput(); err != nil {
				t.Errorf("a change: %v\n%s", err, out)
				return
			}
			time.Sleep(time.Second)
		}
	})
	t.Cleanup(func() { stop(); wg.Wait() })
}

// get is the status of an answer, 0 where there is none.
func get(url, key string) int {
	req, err := http.NewRequest(http.MethodGet, url, http.NoBody)
	if err != nil {
		panic(err) // a mistake of the test
	}
	if key != "" {
		req.Header.Set("API-KEY", key)
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return resp.StatusCode
}

var client = &http.Client{Timeout: 30 * time.Second}

// scraping starts a Prometheus with the configuration that is shipped, but that it finds its target by its address
// and looks at it every second.
func scraping(t *testing.T, program, target string) (url string) {
	t.Helper()
	dir := t.TempDir()
	var config map[string]any
	if err := yaml.Unmarshal(read(t, "../prometheus/prometheus.yml"), &config); err != nil {
		t.Fatal(err)
	}
	config["global"] = map[string]any{"scrape_interval": "1s", "evaluation_interval": "1s"}
	rules, err := filepath.Abs("../prometheus/rules")
	if err != nil {
		t.Fatal(err)
	}
	config["rule_files"] = []string{rules + "/*.yml"}
	job := config["scrape_configs"].([]any)[0].(map[string]any)
	delete(job, "dns_sd_configs")
	job["static_configs"] = []any{map[string]any{"targets": []string{target}}}
	text, err := yaml.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	address := free(t)
	log := start(t, exec.Command(program, "--config.file", file, "--storage.tsdb.path", filepath.Join(dir, "data"), "--web.listen-address", address))
	await(t, "Prometheus", log, func() bool { return get("http://"+address+"/-/ready", "") == http.StatusOK })
	return "http://" + address
}

// answers reports whether a query brings a number at the least. No number is what nothing divided by nothing is.
func answers(t *testing.T, at, expr string) bool {
	t.Helper()
	var data struct {
		Result []struct{ Value [2]any }
	}
	ask(t, at+"/api/v1/query?query="+url.QueryEscape(expr), &data)
	return slices.ContainsFunc(data.Result, func(r struct{ Value [2]any }) bool {
		v, err := strconv.ParseFloat(fmt.Sprint(r.Value[1]), 64)
		return err == nil && !math.IsNaN(v)
	})
}

// firing are the alerts that fire, but for those that the test's own traffic is the reason of.
func firing(t *testing.T, at string) (names []string) {
	t.Helper()
	var data struct {
		Alerts []struct {
			State  string
			Labels map[string]string
		}
	}
	ask(t, at+"/api/v1/alerts", &data)
	for _, a := range data.Alerts {
		if name := a.Labels["alertname"]; a.State == "firing" && name != "AuthdKeyRefused" {
			names = append(names, name)
		}
	}
	return names
}

func ask(t *testing.T, url string, data any) {
	t.Helper()
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	whole := struct {
		Status, Error string
		Data          any
	}{Data: data}
	if err := json.NewDecoder(resp.Body).Decode(&whole); err != nil || whole.Status != "success" {
		t.Fatalf("%s: %v, %s", url, err, whole.Error)
	}
}

// start starts a process that ends with the test, and with the test program.
func start(t *testing.T, cmd *exec.Cmd) *logtest.Log {
	t.Helper()
	log := &logtest.Log{}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started, ended := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread() // the thread that started it must live as long
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
		close(ended)
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	return log
}

func await(t *testing.T, what string, log *logtest.Log, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s does not come\n%s", what, log)
		}
	}
}

// told is what a process writes of itself.
func told(t *testing.T, log *logtest.Log, pattern string) (found string) {
	t.Helper()
	p := regexp.MustCompile(pattern)
	await(t, pattern, log, func() bool {
		m := p.FindStringSubmatch(log.String())
		if m != nil {
			found = m[1]
		}
		return m != nil
	})
	return found
}

func free(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
