package main

import (
	"errors"
	"os"

	"authd/internal/api"
	"authd/internal/auth"
	"authd/internal/conffile"
	"authd/internal/config"
	"authd/internal/inbound"
	"authd/internal/odoo"
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
	theirs, err := readOdoo(loaded)
	errs = append(errs, err)
	p.Warnings = append(p.Warnings, theirs.Warnings...)
	p.overrides, err = override.NewSet(append(theirs.Sections, loaded.Sections...), p.env)
	errs = append(errs, err)
	return p, errors.Join(errs...)
}

// readOdoo reads the sections in Odoo's files and variables, as far as they are asked for.
func readOdoo(loaded *config.Loaded) (odoo.Found, error) {
	return odoo.Read(odoo.Source{
		Paths: loaded.Odoo, Variables: loaded.Config.Overrides.OdooEnv,
		LookupEnv: os.LookupEnv, Known: override.IsField,
	})
}

// readSections reads all override sections again, in the order in which they
// count: Odoo's, then those of authd's own files. The settings stay as they were loaded.
func readSections(loaded *config.Loaded, source config.Source) ([]conffile.Section, []string, error) {
	theirs, err := readOdoo(loaded)
	own, files, ownErr := config.Sections(source)
	return append(theirs.Sections, own...), append(theirs.Files, files...), errors.Join(err, ownErr)
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
