package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"authd/internal/logtest"
)

// patience is how long a test awaits what should come at once: machines are busy.
const patience = 30 * time.Second

// place is a folder with a configuration of its own, in which commands run.
type place struct {
	t   *testing.T
	dir string
	env []string
	all *logtest.Log // what every process in it has written, but the secrets that it was asked for
}

func newPlace(t *testing.T) *place {
	t.Helper()
	return &place{
		t: t, dir: t.TempDir(), all: &logtest.Log{},
		env: []string{swiftEnd, "PATH=" + os.Getenv("PATH"), "AUTHD_LISTEN_VERIFY=127.0.0.1:0", "AUTHD_LISTEN_METRICS=127.0.0.1:0", "AUTHD_LOG_LEVEL=debug"},
	}
}

func (p *place) write(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// command is this very program, as a process of its own.
func (p *place) command(ctx context.Context, args ...string) *exec.Cmd {
	p.t.Helper()
	program, err := os.Executable()
	if err != nil {
		p.t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Args[0] = "authd" // see TestMain
	cmd.Dir, cmd.Env = p.dir, p.env
	return cmd
}

// authd runs a command to its end, and returns its stdout and its exit code.
func (p *place) authd(args ...string) (stdout string, code int) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 2*patience)
	defer cancel()
	cmd := p.command(ctx, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, p.all
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		p.t.Fatal(err)
	}
	return strings.TrimSuffix(out.String(), "\n"), cmd.ProcessState.ExitCode()
}

// must runs a command that is to succeed.
func (p *place) must(args ...string) string {
	p.t.Helper()
	out, code := p.authd(args...)
	if code != 0 {
		p.t.Fatalf("authd %s: exit code %d\n%s", strings.Join(args, " "), code, p.all)
	}
	return out
}

// daemon is a running authd serve.
type daemon struct {
	p       *place
	cmd     *exec.Cmd
	log     *logtest.Log
	verify  string // http://127.0.0.1:PORT
	metrics string
	ended   chan struct{}
	code    int
}

var (
	answersOn = regexp.MustCompile(`answers on (http://[^/]+)/verify`)
	metricsOn = regexp.MustCompile(`metrics: (http://[^/]+)/metrics`)
)

// serve starts a server and waits until it is ready. It is killed with the test, if not before.
func (p *place) serve(args ...string) *daemon {
	p.t.Helper()
	d := p.start(append([]string{"serve"}, args...)...)
	p.await("the server's greeting", func() bool {
		d.stillRuns()
		return metricsOn.MatchString(d.log.String())
	})
	d.verify = answersOn.FindStringSubmatch(d.log.String())[1]
	d.metrics = metricsOn.FindStringSubmatch(d.log.String())[1]
	p.await("/readyz", func() bool {
		d.stillRuns()
		resp := d.try("GET", "/readyz")
		return resp != nil && resp.status == http.StatusOK
	})
	return d
}

func (p *place) start(args ...string) *daemon {
	p.t.Helper()
	d := &daemon{p: p, cmd: p.command(context.Background(), args...), log: &logtest.Log{}, ended: make(chan struct{})}
	out := io.MultiWriter(d.log, p.all)
	d.cmd.Stdout, d.cmd.Stderr = out, out
	if err := d.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() {
		defer close(d.ended)
		_ = d.cmd.Wait()
		d.code = d.cmd.ProcessState.ExitCode()
	}()
	p.t.Cleanup(func() {
		_ = d.cmd.Process.Kill()
		<-d.ended
	})
	return d
}

func (d *daemon) stillRuns() {
	d.p.t.Helper()
	select {
	case <-d.ended:
		d.p.t.Fatalf("the server ended with exit code %d\n%s", d.code, d.log)
	default:
	}
}

func (d *daemon) signal(s syscall.Signal) {
	d.p.t.Helper()
	if err := d.cmd.Process.Signal(s); err != nil {
		d.p.t.Fatal(err)
	}
}

// wait returns the exit code.
func (d *daemon) wait() int {
	d.p.t.Helper()
	select {
	case <-d.ended:
	case <-time.After(patience):
		d.p.t.Fatalf("the server did not end\n%s", d.log)
	}
	return d.code
}

// await waits for a condition that is bound to come.
func (p *place) await(what string, done func() bool) {
	p.t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			p.t.Fatalf("%s did not come\n%s", what, p.all)
		}
	}
}

// answer is a response, read whole.
type answer struct {
	status int
	header http.Header
	body   string
}

// client makes a connection for each request: servers come and go.
var client = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true},
	Timeout:       patience,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// try asks, and answers nil where nobody does. Headers are "Name: value".
func (d *daemon) try(method, path string, headers ...string) *answer {
	d.p.t.Helper()
	return d.fetch(method, d.verify+path, headers...)
}

func (d *daemon) fetch(method, url string, headers ...string) *answer {
	req, err := http.NewRequest(method, url, http.NoBody)
	if err != nil {
		panic(err) // a mistake of the test
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Add(name, value)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil
	}
	a := &answer{resp.StatusCode, resp.Header, string(body)}
	_ = a.header.Write(d.p.all)
	_, _ = io.WriteString(d.p.all, a.body)
	return a
}

// ask asks as somebody who has this key.
func (d *daemon) ask(path, key string, headers ...string) *answer {
	d.p.t.Helper()
	a := d.try("GET", path, append(headers, "API-KEY: "+key)...)
	if a == nil {
		d.p.t.Fatalf("no answer\n%s", d.log)
	}
	return a
}

// want is ask for a status.
func (d *daemon) want(status int, path, key string, headers ...string) *answer {
	d.p.t.Helper()
	a := d.ask(path, key, headers...)
	if a.status != status {
		d.p.t.Fatalf("%s: status %d, want %d: %s", path, a.status, status, a.body)
	}
	return a
}

// nowhere fails where anything that was written in this place holds a key, or a good part of it.
func (p *place) nowhere(keys ...string) {
	p.t.Helper()
	texts := map[string]string{"what the processes wrote": p.all.String()}
	err := filepath.WalkDir(p.dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		texts[entry.Name()] = string(b)
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	for where, text := range texts {
		for _, key := range keys {
			// Behind the prefix and the four characters that a hint shows.
			if part := key[8:24]; strings.Contains(text, part) {
				p.t.Errorf("%s: a part of a key is in it", where)
			}
		}
	}
}
