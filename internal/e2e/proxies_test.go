package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// startProxy starts a proxy in front of upstream, that asks authd.
type startProxy func(t *testing.T, authd, upstream string) (addr string)

// proxy is one that authd is made for, and what is different about it.
type proxy struct {
	name  string
	start startProxy

	http2 startProxy // one that speaks HTTP/2 without TLS; nil: there is none
	calls startProxy // one in front of a service that speaks gRPC; nil: there is none
	grpc  bool       // it asks authd over gRPC

	away         []int // what a client gets when authd can't be reached
	slow         []int // when it does not answer
	dropsAliases bool  // X_Auth_User and the like go no further than the proxy, which is no denial
	noProblems   bool  // a 401 has the proxy's body, not authd's
	ownOutage    bool  // a 503 of authd's is an error to it, and it has an answer of its own
	stripsNamed  bool  // headers that "Connection" names are taken away, a key as well
	awaitsBody   bool  // a denial waits for a body that the client has announced: so does every server in Go
}

// realProxies are Debian's, with the files of deploy/.
func realProxies() []proxy {
	return []proxy{
		{name: "nginx", start: startNginx, http2: startNginxHTTP2, calls: startNginxCalls, away: []int{503}, slow: []int{503}, dropsAliases: true, noProblems: true},
		{name: "caddy", start: startCaddy, http2: startCaddy, calls: startCaddyCalls, away: []int{502}, slow: []int{502, 504}, stripsNamed: true, awaitsBody: true},
		{name: "haproxy", start: startHAProxy, http2: startHAProxy, calls: startHAProxyCalls, away: []int{503}, slow: []int{503, 504}},
	}
}

// standIns are played by this test program, with the settings of deploy/.
func standIns() []proxy {
	return []proxy{
		{name: "traefik", start: startTraefik, away: []int{500}, slow: []int{500}, stripsNamed: true, awaitsBody: true},
		{name: "envoy", start: startEnvoy, away: []int{503}, slow: []int{503}, ownOutage: true, awaitsBody: true},
		{name: "envoy-grpc", start: startEnvoyGRPC, grpc: true, away: []int{503}, slow: []int{503}, awaitsBody: true},
		{name: "apisix", start: startAPISIX, away: []int{503}, slow: []int{503}, dropsAliases: true, awaitsBody: true},
	}
}

// nginxConf is what is around /etc/nginx/conf.d.
const nginxConf = `
daemon off;
master_process off; # so that one process is all that there is to end
pid %[1]s/pid;
error_log stderr info;
events { worker_connections 512; }
http {
    access_log off;
    client_body_temp_path %[1]s/body;
    proxy_temp_path %[1]s/proxy;
    fastcgi_temp_path %[1]s/fastcgi;
    uwsgi_temp_path %[1]s/uwsgi;
    scgi_temp_path %[1]s/scgi;
    include %[2]s;
}
`

func startNginx(t *testing.T, authd, upstream string) string {
	t.Helper()
	return launchNginx(t, authd, upstream, "", asShipped)
}

func startNginxHTTP2(t *testing.T, authd, upstream string) string {
	t.Helper()
	return launchNginx(t, authd, upstream, " http2", asShipped)
}

// startNginxCalls has the location pass its requests on as gRPC, as docs/nginx.md says.
func startNginxCalls(t *testing.T, authd, upstream string) string {
	t.Helper()
	return launchNginx(t, authd, upstream, " http2", func(site string) string {
		at := strings.Index(site, "location = /_authd")
		location := strings.NewReplacer("proxy_set_header Upgrade ", "# ", "proxy_set_header Connection ", "# ", "proxy_http_version ", "# ",
			"proxy_set_header ", "grpc_set_header ", "proxy_pass http://", "grpc_pass grpc://").Replace(site[:at])
		return location + site[at:]
	})
}

func asShipped(site string) string { return site }

func launchNginx(t *testing.T, authd, upstream, option string, edit func(string) string) string {
	t.Helper()
	addr, _ := onFreePort(t, func(addr string) (string, []string) {
		site := write(t, "authd.conf", edit(adapted(t, "nginx/authd.conf", "server authd:8080;", "server "+authd+";",
			"server upstream:3000;", "server "+upstream+";", "listen 8000;", "listen "+addr+option+";")))
		conf := write(t, "nginx.conf", fmt.Sprintf(nginxConf, t.TempDir(), site))
		return tool(t, "nginx", "nginx-light"), []string{"-e", "stderr", "-c", conf}
	})
	return addr
}

func startCaddy(t *testing.T, authd, upstream string) string {
	t.Helper()
	addr, _ := onFreePort(t, func(addr string) (string, []string) {
		text := "{\n\tadmin off\n\tauto_https off\n\tservers {\n\t\tprotocols h1 h2c\n\t}\n}\n" + adapted(t, "caddy/Caddyfile", "http://:8000 {", "http://:"+port(addr)+" {\n\tbind 127.0.0.1",
			"authd:8080", authd, "upstream:3000", upstream)
		return tool(t, "caddy", "caddy"), []string{"run", "--adapter", "caddyfile", "--config", write(t, "Caddyfile", text)}
	})
	return addr
}

func startCaddyCalls(t *testing.T, authd, upstream string) string {
	t.Helper()
	return startCaddy(t, authd, "h2c://"+upstream)
}

func startHAProxy(t *testing.T, authd, upstream string) string {
	t.Helper()
	return launchHAProxy(t, authd, upstream, "")
}

func startHAProxyCalls(t *testing.T, authd, upstream string) string {
	t.Helper()
	return launchHAProxy(t, authd, upstream, " proto h2")
}

func launchHAProxy(t *testing.T, authd, upstream, option string) string {
	t.Helper()
	own := "abns@authd-" + port(upstream) // a name of the machine's, not of the process's
	addr, _ := onFreePort(t, func(addr string) (string, []string) {
		own := own + "-" + port(addr)
		lua := write(t, "authd.lua", adapted(t, "haproxy/authd.lua", "abns@authd", own))
		text := adapted(t, "haproxy/haproxy.cfg", "/etc/haproxy/authd.lua", lua, "bind :8000", "bind "+addr, "bind abns@authd", "bind "+own,
			"server authd authd:8080", "server authd "+authd, "server orders upstream:3000", "server orders "+upstream+option)
		return tool(t, "haproxy", "haproxy"), []string{"-db", "-f", write(t, "haproxy.cfg", text)}
	})
	return addr
}

func port(addr string) string { return addr[len("127.0.0.1:"):] }
