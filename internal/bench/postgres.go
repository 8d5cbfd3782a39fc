package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"

	"authd/internal/bench/proc"
)

// postgres is a server with its settings as they come, but for those that its starter gives.
type postgres struct {
	*proc.Process
	at string
}

// url names a database of the server.
func (p *postgres) url(database string) string {
	return fmt.Sprintf("postgres://postgres@%s/%s?sslmode=disable", p.at, database)
}

// postgresTool finds a program: Debian keeps those of Postgres in a folder per version.
func postgresTool(name string) (string, error) {
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name); len(found) > 0 {
		return slices.Max(found), nil
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%w: this installs it: apt-get install -y --no-install-recommends postgresql", err)
	}
	return path, nil
}

// startPostgres makes a server in a folder of this run, and starts it.
func (b *bench) startPostgres(ctx context.Context, settings ...string) (p *postgres, err error) {
	initdb, err := postgresTool("initdb")
	if err != nil {
		return nil, err
	}
	server, err := postgresTool("postgres")
	if err != nil {
		return nil, err
	}
	free, err := freeAddresses()
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(free.verify)
	if err != nil {
		return nil, err
	}
	data, err := b.postgresFolder()
	if err != nil {
		return nil, err
	}
	make := asPostgres(initdb, "-D", data, "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8", "--locale=C.UTF-8")
	cmd := exec.CommandContext(ctx, make[0], make[1:]...)
	cmd.Dir = "/"
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	line := asPostgres(server, "-D", data, "-p", port)
	for _, set := range append([]string{"listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=300"}, settings...) {
		line = append(line, "-c", set)
	}
	p = &postgres{at: free.verify}
	if p.Process, err = proc.Start(b.path("postgres.log"), environment(), line[0], line[1:]...); err != nil {
		return nil, err
	}
	// It listens before it answers.
	answers := func(ctx context.Context) error { return p.exec(ctx, "postgres", "SELECT 1") }
	if err := await(ctx, p.Process, answers); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return p, nil
}

// asPostgres is a command line of the user that the server wants: it refuses to be root.
func asPostgres(program string, args ...string) []string {
	line := append([]string{program}, args...)
	if os.Getuid() != 0 {
		return line
	}
	return append([]string{"setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"}, line...)
}

// postgresFolder makes an empty folder that belongs to the server's user.
func (b *bench) postgresFolder() (string, error) {
	data, err := os.MkdirTemp(b.dir, "postgres-")
	if err != nil || os.Getuid() != 0 {
		return data, err
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return "", err
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return "", err
	}
	// On the way to its own, it may pass, and read nothing.
	return data, errors.Join(os.Chmod(b.dir, 0o711), os.Chown(data, uid, -1))
}
