package api

import (
	"testing"

	"authd/internal/auth"
)

func TestAliasesOfIdentityHeadersAreRefused(t *testing.T) {
	byDefault := start(t, func(o *Options) { o.Policies = testPolicies(t) })
	renamed := start(t, func(o *Options) {
		o.Headers = [auth.IdentityFields]string{auth.IdentityUser: "X-Remote-User", auth.IdentityGroups: "Remote_Groups"}
	})
	for _, c := range []struct {
		f      *fixture
		header string
		status int
	}{
		{byDefault, "X_Auth_User: root", 403},
		{byDefault, "x_auth_user: root", 403},
		{byDefault, "X.Auth.User: root", 403},
		{byDefault, "X-Auth_User: root", 403},
		{byDefault, "X_AUTH-USER: root", 403},
		{byDefault, "X~Auth!User: root", 403},
		{byDefault, "X_Auth_User:", 403}, // even empty, it would be there
		{byDefault, "X_Auth_Key: a", 403},
		{byDefault, "X_Auth_Key_Id: a", 403},
		{byDefault, "X-Auth-Key_Id: a", 403},
		{byDefault, "X_Auth_Groups: a", 403},
		{byDefault, "X_Auth_Scopes: a", 403},
		{byDefault, "X-Auth-User: root", 200}, // the proxy replaces that one
		{byDefault, "x-auth-user: root", 200},
		{byDefault, "X_Auth_Users: root", 200},
		{byDefault, "XX_Auth_User: root", 200},
		{byDefault, "X_Remote_User: root", 200}, // nothing to this deployment
		{renamed, "X_Remote_User: root", 403},
		{renamed, "Remote-Groups: root", 403}, // the alias of a name with an underscore
		{renamed, "Remote.Groups: root", 403},
		{renamed, "Remote_groups: root", 200}, // the name itself
		{renamed, "X_Auth_Key: a", 403},       // not renamed
		{renamed, "X_Auth_User: root", 200},
	} {
		key := c.f.keys.add("Partner sync", nil)
		for _, path := range []string{"/verify", "/verify/traefik"} {
			w := c.f.send(head("GET "+path+" HTTP/1.1", append(traefik("GET", "a.test", "/", "192.0.2.7"), "API-KEY: "+key, c.header)...))
			if w.status != c.status || c.status == 403 && c.f.logged()["reason"] != auth.AliasedHeader.String() {
				t.Errorf("%s at %s: answered %d, want %d", c.header, path, w.status, c.status)
			}
		}
	}
	for _, path := range []string{"/verify/traefik/open", "/verify/traefik/cors"} { // nobody's key is needed, and still
		if w := byDefault.send(head("GET "+path+" HTTP/1.1", append(traefik("OPTIONS", "a.test", "/", "192.0.2.7"),
			"Origin: https://b.test", "Access-Control-Request-Method: PUT", "X_Auth_User: root")...)); w.status != 403 {
			t.Errorf("%s: answered %d", path, w.status)
		}
	}
}
