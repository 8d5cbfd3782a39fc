package main

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Set by the linker: -ldflags "-X main.version=... -X main.commit=... -X main.date=...".
// Where they are not, what the Go toolchain noted is told.
var version, commit, date string

type buildInfo struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Date    string `json:"date"`
	Go      string `json:"go"`
}

func build() buildInfo {
	b := buildInfo{Version: version, Commit: commit, Date: date, Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if ok && b.Version == "" && info.Main.Version != "(devel)" {
		b.Version = info.Main.Version
	}
	modified := false
	if ok && b.Commit == "" {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				b.Commit = s.Value
			case "vcs.time":
				b.Date = s.Value
			case "vcs.modified":
				modified = s.Value == "true"
			}
		}
	}
	if modified {
		b.Commit += "+changes"
	}
	if b.Version == "" {
		b.Version = "devel"
	}
	for _, s := range []*string{&b.Commit, &b.Date} {
		if *s == "" {
			*s = "unknown"
		}
	}
	return b
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Tell which authd this is",
		Example: "  authd version\n  authd version -o json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			a.working = true
			b := build()
			switch {
			case a.format == formatJSON:
				return a.printJSON(b)
			case a.quiet:
				return a.print(b.Version + "\n")
			}
			return a.print("authd " + b.Version + "\ncommit " + b.Commit + "\ndate " + b.Date + "\n" + b.Go + "\n")
		},
	}
}
