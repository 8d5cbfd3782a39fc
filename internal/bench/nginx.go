package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"

	"authd/internal/bench/proc"
)

// The files of deploy/ that the chain is made with. The benchmark is run where go.mod is.
const (
	nginxSite  = "deploy/nginx/authd.conf"
	nginxAuthd = "deploy/nginx/authd.yaml"
)

// nginxMain is what is around the site: one process, so that its time is all there is.
const nginxMain = `
daemon off;
master_process off;
pid %[1]s.pid;
events { worker_connections 1024; }
http {
    access_log off;
    keepalive_requests 100000000;
    client_body_temp_path %[1]s-body;
    proxy_temp_path %[1]s-proxy;
    fastcgi_temp_path %[1]s-fastcgi;
    uwsgi_temp_path %[1]s-uwsgi;
    scgi_temp_path %[1]s-scgi;
    include %[2]s;
}
`

// measureNginx compares a whole chain: nginx with the site that is shipped, who is asked, and
// the service behind, which is an empty handler. The processor time is that of all three.
func measureNginx(ctx context.Context, b *bench) error {
	f, err := b.warmKey(ctx, "GET /verify/orders HTTP/1.1\r\nHost: api.example.com")
	if err != nil {
		return err
	}
	configured := f.authd
	configured.args = func(addresses) []string { return []string{"serve", "-c", nginxAuthd} }
	asked := []rival{{title: "authd", launch: configured}, {title: "empty gin", launch: emptyGin, atMost: 1.15}}
	turns := make([][]turn, len(asked))
	for round := range b.rounds {
		for i, s := range asked {
			t, err := b.chain(ctx, s.launch, f)
			if err != nil {
				return fmt.Errorf("round %d, %s: %w", round+1, s.title, err)
			}
			turns[i] = append(turns[i], t)
		}
	}
	r := newResult(contest{name: "nginx", title: "nginx, who it asks, and the service: all three, with"}, asked, turns)
	r.print(b)
	b.report.Contests = append(b.report.Contests, r)
	return nil
}

// chain measures nginx between the load and an empty service, with l to ask.
func (b *bench) chain(ctx context.Context, l launch, f *field) (t turn, err error) {
	asked, err := b.start(ctx, l)
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, asked.Stop()) }()
	service, err := b.start(ctx, emptyGin)
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, service.Stop()) }()
	nginx, addr, err := b.startNginx(ctx, asked.at.verify, service.at.verify)
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, nginx.Stop()) }()
	load, done, err := b.loader(ctx, addr, f.source, false)
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, done()) }()
	return b.measure(load, (&field{}).besides, nginx.PID(), asked.PID(), service.PID())
}

// startNginx starts nginx with the site of deploy/, at other addresses.
func (b *bench) startNginx(ctx context.Context, asked, service string) (p *proc.Process, addr string, err error) {
	bin, err := exec.LookPath("nginx")
	if err != nil {
		return nil, "", fmt.Errorf("%w: apt-get install -y --no-install-recommends nginx-light", err)
	}
	site, err := os.ReadFile(nginxSite)
	if err != nil {
		return nil, "", err
	}
	at, err := freeAddresses()
	if err != nil {
		return nil, "", err
	}
	addr = at.verify
	text := strings.NewReplacer("server authd:8080;", "server "+asked+";", "server upstream:3000;", "server "+service+";",
		"listen 8000;", "listen "+addr+";").Replace(string(site))
	main := fmt.Sprintf(nginxMain, b.path("nginx"), b.path("site.conf"))
	if err := errors.Join(os.WriteFile(b.path("site.conf"), []byte(text), 0o600), os.WriteFile(b.path("nginx.conf"), []byte(main), 0o600)); err != nil {
		return nil, "", err
	}
	if p, err = proc.Start(b.path("nginx.log"), environment(), bin, "-e", "stderr", "-c", b.path("nginx.conf")); err != nil {
		return nil, "", err
	}
	if err := await(ctx, p, listens(addr)); err != nil {
		return nil, "", errors.Join(err, p.Stop())
	}
	return p, addr, nil
}

// listens tries whether somebody listens there.
func listens(addr string) func(context.Context) error {
	return func(ctx context.Context) error {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		if err != nil {
			return err
		}
		return c.Close()
	}
}

// await tries again until a server is ready, or has ended.
func await(ctx context.Context, p *proc.Process, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.Ended():
			return fmt.Errorf("it ended before it was ready: %s", p.LogTail())
		case <-ctx.Done():
			return fmt.Errorf("it did not get ready: %w: %w: %s", ctx.Err(), err, p.LogTail())
		case <-time.After(5 * time.Millisecond):
		}
	}
}
