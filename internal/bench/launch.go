package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path"
	"strings"
	"time"

	"authd/internal/bench/proc"
)

// A launch is how a server is started: its program, and what it is told.
type launch struct {
	program string // the path of its package
	args    func(at addresses) []string
	env     func(at addresses) []string
}

// addresses are free ones for a server to listen on.
type addresses struct{ verify, metrics, extauthz string }

// with adds settings.
func (l launch) with(settings ...string) launch {
	plain := l.env
	l.env = func(at addresses) []string { return append(plain(at), settings...) }
	return l
}

// authd starts the product as it is shipped, on the SQLite database of this path.
func authd(database string) launch { return authdOn("sqlite:" + database) }

// authdOn starts it on any database: metrics on, allows not logged.
func authdOn(url string) launch {
	return launch{
		program: "authd/cmd/authd",
		args:    func(addresses) []string { return []string{"serve"} },
		env: func(at addresses) []string {
			return []string{
				"AUTHD_STORE_URL=" + url,
				"AUTHD_LISTEN_VERIFY=" + at.verify,
				"AUTHD_LISTEN_METRICS=" + at.metrics,
			}
		},
	}
}

// reference starts a gin server that does nothing but answer.
func reference(args ...string) launch {
	return referenceArgs(func() []string { return args })
}

// referenceArgs is reference with arguments that are known when it starts.
func referenceArgs(args func() []string) launch {
	return launch{
		program: "authd/internal/bench/reference",
		args:    func(at addresses) []string { return append([]string{"-addr", at.verify}, args()...) },
		env:     func(addresses) []string { return nil },
	}
}

// build makes the program once, in the same way for all.
func (b *bench) build(ctx context.Context, program string) (string, error) {
	if bin, ok := b.programs[program]; ok {
		return bin, nil
	}
	bin := b.path(path.Base(program))
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", bin, program)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", program, err, out)
	}
	b.programs[program] = bin
	return bin, nil
}

// environment is this process's own, without settings of authd.
func environment(extra ...string) []string {
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "AUTHD_") {
			env = append(env, e)
		}
	}
	return append(env, extra...)
}

// running is a server that has said it is ready.
type running struct {
	*proc.Process
	at    addresses
	ready time.Duration // from its start to its first 200 on /readyz
}

const readyTimeout = 30 * time.Second

// start builds and starts a server, and waits until it is ready.
func (b *bench) start(ctx context.Context, l launch) (*running, error) {
	bin, err := b.build(ctx, l.program)
	if err != nil {
		return nil, err
	}
	at, err := freeAddresses()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	begin := time.Now()
	p, err := proc.Start(b.path("server.log"), environment(l.env(at)...), bin, l.args(at)...)
	if err != nil {
		return nil, err
	}
	if err := awaitReady(ctx, p, at.verify); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return &running{Process: p, at: at, ready: time.Since(begin)}, nil
}

// awaitReady asks every half of a millisecond.
func awaitReady(ctx context.Context, p *proc.Process, addr string) error {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/readyz", http.NoBody)
		if err != nil {
			return err
		}
		if res, err := client.Do(req); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-p.Ended():
			return errors.New("the server ended before it was ready")
		case <-ctx.Done():
			return fmt.Errorf("the server did not get ready: %w: %s", ctx.Err(), p.LogTail())
		case <-time.After(500 * time.Microsecond):
		}
	}
}

// freeAddresses takes ports of the system's choice, and lets them go for the server.
func freeAddresses() (addresses, error) {
	var at addresses
	for _, to := range []*string{&at.verify, &at.metrics, &at.extauthz} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return at, err
		}
		defer func() { _ = l.Close() }()
		*to = l.Addr().String()
	}
	return at, nil
}
