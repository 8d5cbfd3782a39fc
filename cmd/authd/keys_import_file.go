package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"authd/internal/admin"
	"authd/internal/auth"
	"authd/internal/keyfile"
)

func (a *app) importCSV() *cobra.Command {
	var dryRun bool
	return a.waitFlag(importFlags(&cobra.Command{
		Use:   "csv FILE",
		Short: "Import keys from a CSV file; - is stdin",
		Long: `Import keys from a CSV file. Its first line names the columns: name and user, and of key,
digest, active, groups, scopes, not_before, expires_at, hosts, methods, paths, cidrs,
rate, burst, quota and note those that there are. A list has commas, and so stands in
quotes. One line is one key, of 64 KiB at most.

The value is given raw, as key, or as digest: sha256:DIGEST, or
hmac-sha256:PEPPER-ID:DIGEST under a pepper of credentials.pepper_file, in hex or base64.`,
		Example: `  authd keys import csv keys.csv --dry-run
  authd keys import csv - < keys.csv`,
		Args: cobra.ExactArgs(1),
		RunE: a.importing("csv", &dryRun, a.readFile(keyfile.ReadCSV)),
	}, &dryRun))
}

func (a *app) importJSONL() *cobra.Command {
	var dryRun bool
	return a.waitFlag(importFlags(&cobra.Command{
		Use:   "jsonl FILE",
		Short: "Import keys from JSON Lines; - is stdin",
		Long: `Import keys from JSON Lines: each line is an object with name and user, and of key, digest,
active, groups, scopes, not_before, expires_at, hosts, methods, paths, cidrs, rate,
burst, quota, metadata and note those that there are. authd keys export writes such
lines, without key and digest. A line has 64 KiB at most.

The value is given raw, as key, or as digest: sha256:DIGEST, or
hmac-sha256:PEPPER-ID:DIGEST under a pepper of credentials.pepper_file, in hex or base64.`,
		Example: `  authd keys import jsonl keys.jsonl --dry-run
  authd keys import jsonl - < keys.jsonl`,
		Args: cobra.ExactArgs(1),
		RunE: a.importing("jsonl", &dryRun, a.readFile(keyfile.ReadJSONL)),
	}, &dryRun))
}

// readFile reads the entries of the file that the argument names.
func (a *app) readFile(read func(io.Reader, func(*keyfile.Line) error) error) func(context.Context, *session, []string) ([]admin.Entry, error) {
	return func(ctx context.Context, s *session, args []string) ([]admin.Entry, error) {
		in := a.in
		if args[0] != "-" {
			f, err := os.Open(args[0])
			if err != nil {
				return nil, err
			}
			defer func() { _ = f.Close() }()
			in = f
		}
		var entries []admin.Entry
		err := read(in, func(l *keyfile.Line) error {
			if len(entries) == mostEntries {
				return errTooMany
			}
			entries = append(entries, fromLine(s.admin, l))
			return ctx.Err()
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", args[0], err)
		}
		return entries, nil
	}
}

func fromLine(s *admin.Service, l *keyfile.Line) admin.Entry {
	e := admin.Entry{Place: fmt.Sprintf("line %d", l.Number), Name: l.Key.Name}
	apply, err := l.Key.Apply()
	if err = errors.Join(l.Fault, err); l.Fault != nil {
		err = l.Fault
	}
	switch k := &l.Key; {
	case err != nil:
	case k.Revoked != nil && *k.Revoked:
		e.Skip = "it is revoked there"
	case k.Key != nil:
		e.Value, err = s.Digest(auth.RawSecret(*k.Key))
	case k.Digest != nil:
		e.Value, err = s.Digested(*k.Digest)
	}
	l.Key.Key, l.Key.Digest = nil, nil // what Apply keeps of the line holds no value
	if err != nil {
		e.Fault = err.Error()
	}
	e.Apply = apply
	return e
}

// exportFormat is the one that keys are exported in.
const exportFormat = "jsonl"

func (a *app) keysExport() *cobra.Command {
	filter := auth.KeyFilter{}
	format := exportFormat
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write all keys as JSON Lines, without their secrets",
		Long: `Write all keys as JSON Lines, by name, without their secrets: to keep them in Git, or to
compare environments. There are no ids, no hints and no times of change in it. What is
written can be imported: authd keys import jsonl.`,
		Example: `  authd keys export -o jsonl > keys.jsonl
  diff <(authd keys export -c staging.yaml) <(authd keys export -c production.yaml)`,
		Args: cobra.NoArgs,
		RunE: a.withStore(func(ctx context.Context, s *session, _ []string) error {
			if format != exportFormat {
				return usageError("-o: keys are exported as " + exportFormat)
			}
			keys, err := s.store.ListKeys(ctx, filter)
			if err != nil {
				return err
			}
			var b bytes.Buffer
			if err := keyfile.Write(&b, keys); err != nil {
				return err
			}
			return a.print(plainJSON(b.String()))
		}),
	}
	// The flag of all commands, which is text or json, is hidden by this one's.
	cmd.Flags().StringVarP(&format, "output", "o", exportFormat, "`jsonl`, which is all there is")
	cmd.Flags().StringVar(&filter.User, "user", "", "only those of this `login`")
	cmd.Flags().StringVar(&filter.Group, "group", "", "only those in this `group`")
	return cmd
}
