package main

import (
	"context"
	"fmt"
	"io"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"authd/internal/config"
)

const (
	// workTime bounds a command, beside the time that it waits for replicas.
	workTime = time.Minute
	// importTime bounds an import instead.
	importTime = 15 * time.Minute
)

// app is one run of the program: where it reads and writes, and the flags that all commands share.
type app struct {
	in       io.Reader
	out, err io.Writer

	files  []string // -c
	format format   // -o
	quiet  bool     // -q
	wait   span     // --wait, of commands that change something

	work    time.Duration // bounds the command, beside the wait
	endless bool          // -f: the command goes on until it is interrupted

	working bool // the command line was understood, and the work has begun
}

func execute(args []string, in io.Reader, out, errOut io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	a := &app{in: in, out: out, err: errOut, format: formatText, work: workTime}
	root := a.root()
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	return a.exit(cmd, err)
}

const rootHelp = `authd answers one question for any ingress: may this request, carrying this API
key, pass, and as whom?

Exit codes: 0 done; 1 failed; 2 wrong use; 3 done, but not confirmed by all
replicas. What is for people goes to stderr, what is for pipes to stdout.`

func (a *app) root() *cobra.Command {
	root := a.group(&cobra.Command{
		Use:   "authd",
		Short: "Decide on API keys, for any ingress",
		Long:  rootHelp,
		Example: `  authd serve
  SECRET=$(authd keys create "Partner sync" --user partner@example.com)
  curl -i -H "API-KEY: $SECRET" localhost:8080/verify`,
	})
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	flags := root.PersistentFlags()
	flags.StringArrayVarP(&a.files, "config", "c", nil, "a configuration `file`, or a folder of them; may be given several times, later ones win")
	flags.VarP(&a.format, "output", "o", "`text` or json")
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "print the bare essential")
	config.AddFlags(flags)
	root.AddCommand(a.serveCommand(), a.keysCommand(), a.usersCommand(), a.configCommand(), a.migrateCommand(),
		a.replicasCommand(), a.explainCommand(), a.auditCommand(), a.leaksCommand(), a.healthCommand(), a.versionCommand(), a.completionCommand())
	return root
}

// group makes a command that only holds others: alone, it is wrong use.
func (a *app) group(cmd *cobra.Command) *cobra.Command {
	cmd.SuggestionsMinimumDistance = 2
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		msg := fmt.Sprintf("there is no command %q in %q", args[0], cmd.CommandPath())
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			msg += "; did you mean " + strings.Join(near, " or ") + "?"
		}
		return usageError(msg)
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cmd.SetOut(a.err)
		_ = cmd.Help()
		return errShown
	}
	return cmd
}

// act makes the RunE of a command that works within a bounded time, unless it is to go on.
func (a *app) act(work func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		a.working = true
		ctx, cancel := context.WithCancel(cmd.Context())
		if !a.endless {
			ctx, cancel = context.WithTimeout(cmd.Context(), a.work+time.Duration(a.wait))
		}
		defer cancel()
		return work(ctx, args)
	}
}

func (a *app) serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Answer the ingress, until SIGTERM or SIGINT",
		Long: `Answer the ingress, until SIGTERM or SIGINT. With no configuration: SQLite in
./authd.db, a cache in process, and :8080 for /verify.`,
		Example: `  authd serve
  authd serve -c /etc/authd`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a.working = true
			p, err := a.prepare(cmd)
			if err != nil {
				return err
			}
			return serve(cmd.Context(), p, a.source(cmd), a.err)
		},
	}
}
