package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"authd/internal/auth"
)

func (a *app) leaksCommand() *cobra.Command {
	cmd := a.group(&cobra.Command{
		Use:     "leaks",
		Short:   "Find keys where they should not be",
		Example: "  authd leaks serve-rules --format gitleaks > .gitleaks.toml\n  authd keys revoke --secret-stdin < found",
	})
	cmd.AddCommand(a.leaksRules())
	return cmd
}

// ruleFormat is who looks for keys.
type ruleFormat string

const (
	rulesGitleaks ruleFormat = "gitleaks"
	rulesGitHub   ruleFormat = "github"
)

// Set reads the format from a flag.
func (f *ruleFormat) Set(v string) error {
	switch ruleFormat(v) {
	case rulesGitleaks, rulesGitHub:
		*f = ruleFormat(v)
		return nil
	}
	return errors.New("gitleaks or github is wanted")
}

// String writes what Set reads.
func (f *ruleFormat) String() string { return string(*f) }

// Type names the value in the help.
func (f *ruleFormat) Type() string { return "format" }

func (a *app) leaksRules() *cobra.Command {
	format := rulesGitleaks
	cmd := &cobra.Command{
		Use:   "serve-rules",
		Short: "Print a rule by which secret scanners find keys",
		Long: `Print a rule by which secret scanners find keys that authd has made under
credentials.prefix: a configuration of gitleaks, or the fields of a custom pattern of
GitHub's secret scanning. Values that were brought along have no form to be found by.

A scanner can't compute the checksum. What it finds is a key if this says so, and
revoked then: authd keys revoke --secret-stdin`,
		Example: "  authd leaks serve-rules > .gitleaks.toml\n  authd leaks serve-rules --format github",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.act(func(context.Context, []string) error {
				loaded, err := a.load(cmd)
				if err != nil {
					return err
				}
				return a.printRule(scanRule(loaded.Digester.Prefix()), format)
			})(cmd, args)
		},
	}
	cmd.Flags().Var(&format, "format", "whose rule: `gitleaks` or github")
	return cmd
}

// leakRule is what scanners are told. Neither side of a key is a letter or a
// digit: a longer run of them is something else.
type leakRule struct {
	Name    string `json:"name"`
	Prefix  string `json:"prefix"`
	Pattern string `json:"secret_format"`
	Before  string `json:"before_secret"`
	After   string `json:"after_secret"`
}

func scanRule(prefix string) leakRule {
	return leakRule{
		Name: "authd API key", Prefix: prefix, Pattern: auth.Pattern(prefix),
		Before: `\A|[^0-9A-Za-z]`, After: `\z|[^0-9A-Za-z]`,
	}
}

// regex is the rule as one expression; its first group is the key.
func (r leakRule) regex() string {
	return fmt.Sprintf("(?:%s)(%s)(?:%s)", r.Before, r.Pattern, r.After)
}

func (a *app) printRule(r leakRule, format ruleFormat) error {
	if format == rulesGitHub {
		if a.format == formatJSON {
			return a.printJSON(r)
		}
		return a.print(fmt.Sprintf("Pattern name: %s\nSecret format: %s\nBefore secret: %s\nAfter secret: %s\n", r.Name, r.Pattern, r.Before, r.After))
	}
	if a.format == formatJSON {
		return usageError("a rule of gitleaks is TOML: leave -o json out")
	}
	lines := []string{
		"[[rules]]",
		`id = "authd-api-key"`,
		fmt.Sprintf("description = %q", r.Name),
		fmt.Sprintf("regex = '''%s'''", r.regex()),
		"secretGroup = 1",
		fmt.Sprintf("keywords = [%q]", strings.ToLower(r.Prefix)+"_"),
		"",
	}
	return a.print(strings.Join(lines, "\n"))
}
