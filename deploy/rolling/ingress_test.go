package rolling

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// ingress is an nginx that asks the replicas for each request. It asks one replica once (proxy_next_upstream off):
// what a replica loses is seen.
type ingress struct {
	url, dir string
	cmd      *exec.Cmd
}

const nginxConf = `
daemon off; master_process on; worker_processes 2; pid nginx.pid; error_log error.log; user root;
events { worker_connections 1024; }
http {
  access_log off; client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;
  upstream authd { %s keepalive 16; }
  server {
    listen %s;
    location = /verify {
      internal;
      proxy_pass http://authd; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_pass_request_body off; proxy_set_header Content-Length ""; proxy_next_upstream off;
    }
    location = /generation { return 200 "%d"; }
    location / {
      auth_request /verify;
      auth_request_set $who $upstream_http_x_auth_user;
      auth_request_set $replica $upstream_addr;
      add_header X-Replica $replica always;
      try_files /nothing @upstream;
    }
    location @upstream { add_header X-Who $who; add_header X-Replica $replica; return 200 "passed"; }
  }
}
`

func newIngress(t *testing.T, replicas []*replica) *ingress {
	t.Helper()
	nginx, err := exec.LookPath("/usr/sbin/nginx")
	if err != nil {
		t.Fatal("nginx is missing: apt-get install nginx-light")
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	in := &ingress{url: "http://" + l.Addr().String(), dir: t.TempDir()}
	_ = l.Close()
	in.write(t, replicas, 0)
	in.cmd = exec.Command(nginx, "-p", in.dir, "-c", "nginx.conf", "-e", "error.log")
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		in.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
		started <- in.cmd.Start()
		_ = in.cmd.Wait()
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.cmd.Process.Signal(syscall.SIGTERM) })
	await(t, "nginx", func() bool { return in.generation() == "0" })
	return in
}

func (in *ingress) write(t *testing.T, replicas []*replica, generation int) {
	t.Helper()
	var servers strings.Builder
	for _, r := range replicas {
		fmt.Fprintf(&servers, "server %s max_fails=0; ", r.address)
	}
	text := fmt.Sprintf(nginxConf, servers.String(), strings.TrimPrefix(in.url, "http://"), generation)
	if err := os.WriteFile(filepath.Join(in.dir, "nginx.conf"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// use makes the ingress send requests to these replicas from now on, and returns once it does.
func (in *ingress) use(t *testing.T, replicas []*replica, generation int) {
	t.Helper()
	in.write(t, replicas, generation)
	if err := in.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprint(generation)
	await(t, "the ingress's new configuration", func() bool {
		for range 20 { // of all its workers
			if in.generation() != want {
				return false
			}
		}
		return true
	})
}

func (in *ingress) generation() string {
	a := get(in.url+"/generation", "")
	if a.status != 200 {
		return ""
	}
	return a.body
}
