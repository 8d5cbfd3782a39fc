package main

import (
	"errors"

	"authd/internal/api"
	"authd/internal/auth"
	"authd/internal/config"
	"authd/internal/inbound"
	"authd/internal/override"
	"authd/internal/redisconn"
	"authd/internal/repo"
)

// prepared is a configuration, and what is made of it before anything is opened.
type prepared struct {
	*config.Loaded
	verify    api.Options // but for what lives while it serves
	env       override.Env
	overrides *override.Set
}

// settings are where an operator chooses the options of api.
var settings = map[string]string{
	"sources": "credentials.sources", "proxy": "verify.proxy", "realm": "verify.realm",
	"headers.user": "identity.headers.user", "headers.key": "identity.headers.key", "headers.key_id": "identity.headers.key_id",
	"headers.groups": "identity.headers.groups", "headers.scopes": "identity.headers.scopes",
}

// prepare checks what the configuration means to those who work with it. The
// error holds every fault that shows there, beside those that config.Load has
// found in the settings themselves.
func prepare(loaded *config.Loaded) (*prepared, error) {
	p := &prepared{Loaded: loaded, verify: verifyOptions(loaded)}
	errs := []error{loaded.Fault("store.url", repo.Check(loaded.Config.Store.URL))}
	if url := loaded.Config.Redis.URL; url != "" {
		errs = append(errs, loaded.Fault("redis.url", redisconn.Check(url)))
	}
	sources, err := inbound.ParseSources(loaded.Config.Credentials.Sources)
	p.verify.Sources = sources
	errs = append(errs, loaded.Fault("credentials.sources", err))
	for _, f := range p.verify.Faults() {
		if f.Option != "sources" || err == nil { // that none is left was said above
			errs = append(errs, loaded.Fault(settings[f.Option], f))
		}
	}
	p.env = override.NewEnv(loaded.Digester)
	p.overrides, err = override.NewSet(loaded.Sections, p.env)
	errs = append(errs, err)
	return p, errors.Join(errs...)
}

func verifyOptions(loaded *config.Loaded) api.Options {
	c := &loaded.Config
	return api.Options{
		Policies: loaded.Policies,
		Proxy:    c.Verify.Proxy,
		Trusted:  loaded.Trusted,
		Realm:    c.Verify.Realm,
		Headers: [auth.IdentityFields]string{
			auth.IdentityUser:   c.Identity.Headers.User,
			auth.IdentityKey:    c.Identity.Headers.Key,
			auth.IdentityKeyID:  c.Identity.Headers.KeyID,
			auth.IdentityGroups: c.Identity.Headers.Groups,
			auth.IdentityScopes: c.Identity.Headers.Scopes,
		},
		ReturnAuthorization: c.Identity.ReturnAuthorization,
	}
}
