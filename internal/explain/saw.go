package explain

import (
	"fmt"
	"strings"

	"authd/internal/auth"
)

// saw tells what a step looked at.
func (c *Case) saw(s auth.Step) string {
	k := c.key()
	switch s {
	case auth.StepPolicy:
		return c.sawPolicy()
	case auth.StepCredential:
		return "it is taken for sent: " + c.Value.text()
	case auth.StepLookup:
		return c.sawLookup()
	case auth.StepKey:
		return c.sawKey(k)
	case auth.StepGrants:
		groups, scopes := grants(k)
		return "groups: " + listed(groups) + "; scopes: " + listed(scopes)
	case auth.StepRestrictions:
		return c.sawRestrictions(k)
	}
	if k.Limits == nil {
		return "none"
	}
	return fmt.Sprintf("rate: %s; quota: %s", orNone(k.Limits.Rate.String()), orNone(k.Limits.Quota.String()))
}

func (v Value) text() string {
	if v.Hint == "" {
		return "the value of " + v.Origin
	}
	return "the value " + v.Hint + " of the " + v.Origin
}

func (c *Case) sawPolicy() string {
	e, p := &c.Explanation, c.Request.Policy
	if p == nil {
		return "default: asks for a key and nothing more"
	}
	name := fmt.Sprintf("policy %q", p.Name)
	switch {
	case c.unruled() != auth.Allowed:
		name += ": what it asks can't be told"
	case e.Rule > 0:
		name = fmt.Sprintf("rule %d of %s: asks for %s", e.Rule, name, asked(&e.Need))
	default:
		name += ": asks for " + asked(&e.Need)
	}
	if p.Shadows() {
		name += "; it only shadows, and decides nothing"
	}
	return name
}

// unruled is why no requirement was found, where that shows in the step that tells of it.
func (c *Case) unruled() auth.Reason {
	switch r := c.Explanation.Steps[auth.StepGrants].Reason; r {
	case auth.Unvouched, auth.AmbiguousPath, auth.ForbiddenMethod:
		return r
	}
	return auth.Allowed
}

func asked(q *auth.Requirement) string {
	var parts []string
	switch {
	case q.Groups != nil && len(q.Groups) == 0:
		parts = append(parts, "a group that there is not: nobody passes")
	case len(q.Groups) > 0:
		parts = append(parts, "any of the groups "+strings.Join(q.Groups, ", "))
	}
	if len(q.Scopes) > 0 {
		parts = append(parts, "all of the scopes "+strings.Join(q.Scopes, ", "))
	}
	if len(parts) == 0 {
		parts = append(parts, "a key and nothing more")
	}
	if q.Anonymous {
		parts = append(parts, "lets pass who sends none")
	}
	return strings.Join(parts, "; ")
}

func (c *Case) sawLookup() string {
	e := &c.Explanation
	switch {
	case e.Err != nil:
		return e.Err.Error()
	case e.Key == nil:
		return "no key has this value"
	case c.Section == nil:
		return fmt.Sprintf("key %q of the database", e.Key.Name)
	case c.Section.Standalone:
		return fmt.Sprintf("key %q of %s (%s), which needs no record", e.Key.Name, c.Section.Header, c.Section.At)
	}
	return fmt.Sprintf("key %q of the database, under %s (%s)", e.Key.Name, c.Section.Header, c.Section.At)
}

func (c *Case) sawKey(k *auth.Key) string {
	parts := []string{"active"}
	if !k.Active {
		parts[0] = "disabled"
	}
	if k.Revoked {
		parts = append(parts, "revoked")
	}
	if k.Overridden {
		parts = append(parts, "its values in the database are dead")
	}
	standing := "active"
	if !k.UserActive {
		standing = "inactive"
	}
	parts = append(parts, fmt.Sprintf("user %q is %s", k.User, standing))
	for _, bound := range []struct {
		what string
		ms   int64
	}{{"good from", k.NotBefore}, {"good until", k.ExpiresAt}, {"this value until", k.SecretExpiresAt}} {
		if bound.ms != 0 {
			parts = append(parts, bound.what+" "+instant(bound.ms))
		}
	}
	return strings.Join(parts, "; ")
}

func (c *Case) sawRestrictions(k *auth.Key) string {
	if k.Restrictions == nil {
		return "none"
	}
	var parts []string
	for _, r := range []struct{ what, list, request string }{
		{"hosts", listed(k.Restrictions.Hosts), c.Request.Host},
		{"methods", listed(k.Restrictions.Methods), c.Request.Method},
		{"paths", listed(k.Restrictions.Paths), c.Request.Path},
		{"networks", networks(k.Restrictions.CIDRs), c.client()},
	} {
		if r.list != none {
			parts = append(parts, fmt.Sprintf("%s: %s (the request: %s)", r.what, r.list, orUnknown(r.request)))
		}
	}
	return strings.Join(parts, "; ")
}

func (c *Case) client() string {
	if !c.Request.Client.IsValid() {
		return ""
	}
	return c.Request.Client.String()
}

// unknown stands for what the request does not tell.
const unknown = "unknown"

func orUnknown(s string) string {
	if s == "" {
		return unknown
	}
	return s
}
