package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"authd/internal/auth"
)

// Odoo's own files override as authd's do, and are followed as they are.
func TestOdooFilesReload(t *testing.T) {
	p := newPlace(t)
	for _, dir := range []string{"etc", "etc/conf.d", "etc/conf.d/prod"} {
		if err := os.Mkdir(filepath.Join(p.dir, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	inFolder, inFile, inOwn := auth.NewSecret("ak").Reveal(), auth.NewSecret("ak").Reveal(), auth.NewSecret("ak").Reveal()
	p.write("etc/authd.yaml", "overrides: {odoo: [odoo.conf, conf.d]}\n")
	p.write("etc/conf.d/prod/keys.conf", "[api_key_My Key]\nkey = "+inFolder+"\n")
	p.write("etc/odoo.conf", "[options]\nrunning_env = prod\nadmin_passwd = $x%\n")
	stored := p.must("keys", "create", "My Key", "--user", "u", "-q")
	d := p.serve("-c", "etc/authd.yaml")
	d.want(200, "/verify", inFolder)
	d.want(401, "/verify", stored)

	p.write("etc/odoo.conf", "[options]\nrunning_env = prod\n[api_key_My Key]\nkey = "+inFile+"\n")
	p.await("the value of Odoo's file", func() bool { return d.ask("/verify", inFile).status == 200 })
	d.want(401, "/verify", inFolder)
	p.write("etc/authd.yaml", "overrides: {odoo: [odoo.conf, conf.d]}\napi_key_My Key: {key: "+inOwn+"}\n")
	p.await("the value of authd's own file", func() bool { return d.ask("/verify", inOwn).status == 200 })
	d.want(401, "/verify", inFile)

	// A file that Odoo would refuse changes nothing, and is told.
	p.write("etc/odoo.conf", "[options]\nrunning_env = prod\n[options]\n")
	p.await("the fault", func() bool {
		return strings.Contains(d.log.String(), "etc/odoo.conf:3: [options] is there twice, first on line 1")
	})
	d.want(200, "/verify", inOwn)

	p.write("etc/odoo.conf", "[options]\nrunning_env = prod\n")
	p.write("etc/authd.yaml", "")
	p.write("etc/conf.d/prod/keys.conf", "")
	p.await("the database's value", func() bool { return d.ask("/verify", stored).status == 200 })
	d.want(401, "/verify", inOwn)
	p.nowhere(stored, inFolder, inFile, inOwn)
}
