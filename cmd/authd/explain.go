package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"authd/internal/api"
	"authd/internal/auth"
	"authd/internal/config"
	"authd/internal/explain"
	"authd/internal/extauthz"
	"authd/internal/override"
)

// explainFlags are the request that is imagined.
type explainFlags struct {
	name                       string
	proxy, policy, method, url string
	client                     string
}

func (a *app) explainCommand() *cobra.Command {
	var f explainFlags
	cmd := &cobra.Command{
		Use:   "explain --key-name NAME",
		Short: "Tell why a request with this key would pass, or not",
		Long: `Tell why a request with this key would pass, or not: what each step of the decision
sees, where each field of the key comes from, and what would have to change.

The steps are those of authd serve, run here, on what the database and the
configuration hold now. Nothing is taken off a rate limit or a quota. Without --url,
the request's method, host and path are not known, and what depends on them is denied.`,
		Example: `  authd explain --key-name "Partner sync"
  authd explain --key-name partner_sync --proxy traefik --policy shop \
    --method POST --url https://shop.example.com/orders/1 --client 192.0.2.7`,
		Args: cobra.NoArgs,
		RunE: a.withStore(func(ctx context.Context, s *session, _ []string) error { return a.explain(ctx, s, &f) }),
	}
	flags := cmd.Flags()
	flags.StringVar(&f.name, "key-name", "", "the key: its `name`, slug or id, or the name of a standalone section")
	flags.StringVar(&f.proxy, "proxy", "", "the `proxy` that asks; verify.proxy where it is not given")
	flags.StringVar(&f.policy, "policy", auth.DefaultPolicy, "the `policy` of the route")
	flags.StringVar(&f.method, "method", "GET", "the `method` of the request")
	flags.StringVar(&f.url, "url", "", "the `URL` of the request: https://host/path")
	flags.StringVar(&f.client, "client", "", "the `address` of the client")
	_ = cmd.MarkFlagRequired("key-name")
	return cmd
}

func (a *app) explain(ctx context.Context, s *session, f *explainFlags) error {
	p, err := prepare(s.loaded)
	if err != nil {
		return err
	}
	req, doubt, err := f.request(p)
	if err != nil {
		return err
	}
	record, err := s.store.Key(ctx, f.name)
	if err != nil && !errors.Is(err, auth.ErrKeyNotFound) {
		return err
	}
	section, ok := sectionFor(p.overrides, f.name, record)
	if record == nil && !ok {
		return s.nearKey(ctx, f.name, fmt.Errorf("key %q: %w, and no override section has this name", f.name, err))
	}
	checker := auth.NewChecker(p.Digester, override.NewFinder(s.store, p.overrides), nil,
		auth.Options{AllowInactiveUsers: p.Config.Users.Inactive == config.InactiveAllow})
	c := explain.Case{Request: req, Doubt: doubt, Record: record, Section: section.told(ok)}
	values, infos := valuesOf(&section, record)
	for i := range values {
		values[i].Reason = checker.Explain(ctx, req, &infos[i]).Reason.String()
	}
	c.Value, c.Explanation = values[0], checker.Explain(ctx, req, &infos[0])
	report := explain.Of(&c)
	report.Others = values[1:]
	if a.format == formatJSON {
		return a.printJSON(report)
	}
	if a.quiet {
		return a.print(report.Reason + "\n")
	}
	return a.print(plain(explainText(f, &report)))
}

// request is the request that the flags imagine, and why nothing of it would be believed.
func (f *explainFlags) request(p *prepared) (*auth.Request, string, error) {
	proxy := f.proxy
	if proxy == "" {
		proxy = p.Config.Verify.Proxy
	}
	if proxy == extauthz.ProxyName { // tells of a request what envoy does
		proxy = "envoy"
	}
	var client netip.Addr
	if f.client != "" {
		var err error
		if client, err = netip.ParseAddr(f.client); err != nil || client.Zone() != "" {
			return nil, "", usageError(fmt.Sprintf("--client: %q is no address", f.client))
		}
	}
	policy := p.Policies[f.policy]
	switch {
	case f.policy == auth.DefaultPolicy:
	case policy == nil:
		return nil, "", usageError(fmt.Sprintf("--policy: there is no policy %q, and a proxy that asks for it is refused; known: %s",
			f.policy, strings.Join(slices.Sorted(maps.Keys(p.Policies)), ", ")))
	case proxy == api.NoProxy:
		return nil, "", usageError("--policy: plain /verify has none: say as which --proxy it is asked for")
	}
	req, doubt, err := api.Imagined{Proxy: proxy, Method: f.method, URL: f.url, Client: client}.Request()
	if err != nil {
		return nil, "", usageError(err.Error())
	}
	req.Policy, req.At = policy, time.Now()
	return &req, doubt, nil
}

// section is an override section, as explain is told of it.
type section struct{ override.Section }

// sectionFor finds the section of a record, or that of this very name where there is none.
func sectionFor(set *override.Set, name string, r *auth.Record) (section, bool) {
	slug := name
	if r != nil {
		name, slug = r.Name, r.Slug
	}
	found, ok := set.Section(name, slug)
	return section{found}, ok
}

func (s *section) told(ok bool) *explain.Section {
	if !ok {
		return nil
	}
	fields := make(map[string]string, len(s.Fields))
	for name, at := range s.Fields {
		fields[name] = at.String()
	}
	return &explain.Section{Header: override.Header(s.Name), At: s.At.String(), Standalone: s.Standalone, Gives: s.Gives, Fields: fields}
}

// valuesOf are the values that the key may be asked with, the one that counts
// first: the section's where it gives one, or else the newest. There is always
// one, if only one that nobody can present.
func valuesOf(s *section, r *auth.Record) (values []explain.Value, infos []auth.SecretInfo) {
	if s.Value != nil {
		source, at := s.Source()
		values = append(values, explain.Value{Origin: fmt.Sprintf("%s (%s: %s)", override.Header(s.Name), at, source)})
		infos = append(infos, *s.Value)
	}
	if r != nil {
		for _, secret := range slices.Backward(r.Secrets) {
			values = append(values, explain.Value{Hint: secret.Hint, Origin: "database"})
			infos = append(infos, secret)
		}
	}
	if len(values) == 0 {
		values, infos = append(values, explain.Value{Origin: "nobody: there is none"}), append(infos, auth.SecretInfo{})
	}
	return values, infos
}

// explainText is a report for people.
func explainText(f *explainFlags, r *explain.Report) string {
	var b strings.Builder
	verdict := "would be DENIED"
	if r.Passes {
		verdict = "would pass"
	}
	fmt.Fprintf(&b, "A request with key %q %s: %s", f.name, verdict, r.Reason)
	if r.Note != "" {
		b.WriteString(", " + r.Note)
	}
	b.WriteString("\n")
	if r.Would != "" {
		fmt.Fprintf(&b, "The policy only shadows: without that, it would be denied: %s\n", r.Would)
	}
	b.WriteString("\nWhat each step sees\n")
	for _, s := range r.Steps {
		result := s.Result
		if s.Shadow {
			result = "would be " + result
		}
		fmt.Fprintf(&b, "  %-18s %-24s %s\n", s.Step, result, s.Saw)
	}
	b.WriteString("\nWhat the key has, and where that comes from\n")
	for _, field := range r.Fields {
		fmt.Fprintf(&b, "  %-18s %-30s %s\n", field.Field, field.Value, field.Origin)
	}
	for _, v := range r.Others {
		fmt.Fprintf(&b, "  %-18s %-30s %s\n", "another value", v.Hint+": "+v.Reason, v.Origin)
	}
	if len(r.Changes) > 0 {
		b.WriteString("\nWhat would have to change\n")
	}
	for _, change := range r.Changes {
		fmt.Fprintf(&b, "  - %s\n", change)
	}
	return trimLines(b.String())
}

// trimLines takes the blanks off the ends of lines.
func trimLines(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		b.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return b.String()
}
