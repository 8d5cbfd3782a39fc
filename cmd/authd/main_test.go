package main

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"authd/internal/auth"
	"authd/internal/pgtest"
	"authd/internal/repo"
)

// swiftEnd is in the environment of every authd that is run: under the race detector a process
// sleeps for a second before it ends, unless told otherwise, and here hundreds are run.
const swiftEnd = "GORACE=atexit_sleep_ms=20"

func TestMain(m *testing.M) {
	testscript.Main(pgtest.Around(m), map[string]func(){"authd": main})
}

// TestScripts runs the transcripts: each is a file of commands and what they
// answer, on a fresh folder with no configuration.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Vars = append(env.Vars, swiftEnd)
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("NOTE", "a\x1b[31mb") // what no file of text can hold
			env.Setenv("SECTION", "[api_key_my_key]\nkey = a-value-of-a-variable\n")
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits":   exits,
			"keep":    keep,
			"nowhere": nowhere,
			"replica": replica,
			"used":    used,
			"tamper":  tamper,
		},
	})
}

// exits CODE COMMAND ARG...: the command ends with exactly this code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// keep NAME: the only line of stdout, into the environment.
func keep(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: keep NAME")
	}
	line, rest, ok := strings.Cut(ts.ReadFile("stdout"), "\n")
	if !ok || rest != "" || line == "" {
		ts.Fatalf("stdout is not one line")
	}
	ts.Setenv(args[0], line)
}

// nowhere NAME: what is in this variable stands neither in stderr nor in any file of the folder.
func nowhere(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 || ts.Getenv(args[0]) == "" {
		ts.Fatalf("usage: nowhere NAME, a variable that is set")
	}
	secret := ts.Getenv(args[0])
	if strings.Contains(ts.ReadFile("stderr"), secret) {
		ts.Fatalf("stderr holds it")
	}
	files, err := filepath.Glob(ts.MkAbs("*"))
	ts.Check(err)
	if len(files) == 0 {
		ts.Fatalf("there are no files to look into")
	}
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
			continue
		}
		b, err := os.ReadFile(file)
		ts.Check(err)
		if strings.Contains(string(b), secret) {
			ts.Fatalf("%s holds it", filepath.Base(file))
		}
	}
}

// replica NAME APPLIED MODE: the row of a replica in authd.db that follows no
// further, as one that is cut off.
func replica(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: replica NAME APPLIED serve|deny")
	}
	applied, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	store, err := repo.Open(ctx, "sqlite:"+ts.MkAbs("authd.db"), repo.Options{})
	ts.Check(err)
	ts.Defer(func() { ts.Check(store.Close()) }) // until then, it is plain that its process lives
	ts.Check(store.Register(ctx, auth.Replica{
		ID: "id-of-" + args[0], Name: args[0], Version: "v1", Applied: applied,
		Lease: 30 * time.Second, Outage: args[2], MaxStale: time.Hour,
	}))
}

// used NAME SECRET AGO ALLOWED DENIED CLIENT: the secret of that number of a key in authd.db was used so
// long ago, so many times, and denied as often, as a server would have written it.
func used(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 6 {
		ts.Fatalf("usage: used NAME SECRET AGO ALLOWED DENIED CLIENT")
	}
	numbers := map[int]int64{}
	for _, i := range []int{1, 3, 4} {
		n, err := strconv.ParseInt(args[i], 10, 64)
		ts.Check(err)
		numbers[i] = n
	}
	ago, err := parseSpan(args[2])
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	store, err := repo.Open(ctx, "sqlite:"+ts.MkAbs("authd.db"), repo.Options{MustExist: true})
	ts.Check(err)
	defer func() { ts.Check(store.Close()) }()
	k, err := store.Key(ctx, args[0])
	ts.Check(err)
	at := time.Now().UTC().Add(-ago)
	use := auth.SecretUse{Digest: k.Secrets[numbers[1]].Digest, KeyID: k.ID, Client: args[5]}
	if numbers[3] > 0 {
		use.FirstUsed, use.LastUsed = at, at
	}
	if numbers[4] > 0 {
		use.LastDenied = at
	}
	ts.Check(store.AddUsage(ctx, auth.UsageBatch{
		Writer: strings.Join(args, " "), Number: 1, Secrets: []auth.SecretUse{use},
		Hours: []auth.UsageHour{{KeyID: k.ID, Hour: at.Truncate(time.Hour), UsageCounts: auth.UsageCounts{Allowed: numbers[3], Invalid: numbers[4]}}},
	}))
}

// tamper refused|done SQL: what somebody does to authd.db by other means than authd.
func tamper(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: tamper refused|done SQL")
	}
	db, err := sql.Open("sqlite", ts.MkAbs("authd.db"))
	ts.Check(err)
	defer func() { _ = db.Close() }()
	if _, err = db.Exec(args[1]); (err == nil) != (args[0] == "done") {
		ts.Fatalf("%s: %v", args[1], err)
	}
}
