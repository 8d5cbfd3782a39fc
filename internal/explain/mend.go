package explain

import (
	"fmt"
	"slices"
	"strings"

	"authd/internal/auth"
)

// mend tells what would have to change for a reason to be none.
func (c *Case) mend(r auth.Reason) string {
	k := c.key()
	switch r {
	case auth.UnknownKey:
		return c.mendUnknown()
	case auth.Unavailable, auth.LeaseLost, auth.Undecided:
		return "the database has to answer: see its error"
	case auth.Overridden:
		return c.mendOverridden()
	case auth.Revoked:
		return "nothing: that is final. Another key is wanted: authd keys create NAME --user " + word(k.User)
	case auth.Disabled:
		return c.set("active", "authd keys enable "+c.ref())
	case auth.UserInactive:
		return "authd users enable " + word(k.User) + ", or users.inactive: allow"
	case auth.NotYetValid:
		return "wait until " + instant(k.NotBefore) + ", or " + c.set("not_before", c.update("--not-before never"))
	case auth.Expired:
		return c.set("expires_at", c.update("--expires 90d"))
	case auth.SecretExpired:
		return "the client has to send the key's newer value; if nobody has it: authd keys rotate " + c.ref()
	case auth.ForbiddenGroup:
		return c.mendGroups()
	case auth.ForbiddenScope:
		return c.mendScopes(k)
	}
	return c.mendRequest(r)
}

// mendRequest is about what the request is held against.
func (c *Case) mendRequest(r auth.Reason) string {
	host, method, client := orUnknown(c.Request.Host), orUnknown(c.Request.Method), orUnknown(c.client())
	switch r {
	case auth.ForbiddenHost:
		return "the key's hosts would have to hold " + quote(host) + ": " + c.set("hosts", c.update("--host ..."))
	case auth.ForbiddenMethod:
		if c.unruled() == auth.ForbiddenMethod {
			return "the method would have to be one in upper case: the policy has rules about methods"
		}
		return "the key's methods would have to hold " + quote(method) + ": " + c.set("methods", c.update("--method ..."))
	case auth.ForbiddenPath:
		return "the key's paths would have to cover " + quote(orUnknown(c.Request.Path)) + ": " + c.set("paths", c.update("--path ..."))
	case auth.ForbiddenNetwork:
		if client == unknown {
			return "the client's address has to be known: it lies in no network"
		}
		return "the key's networks would have to hold " + client + ": " + c.set("cidrs", c.update("--cidr ..."))
	case auth.AmbiguousPath:
		return "the path would have to be one that every upstream reads alike: no dot segments, \"//\", encoded slashes and the like"
	case auth.Unvouched:
		return "a trusted proxy has to vouch for the request: " + c.Doubt
	}
	return "see " + r.String()
}

func (c *Case) mendOverridden() string {
	if c.Section == nil {
		return "the client has to send the value that the key's override section gives"
	}
	return fmt.Sprintf("the client has to send the value that %s gives, or the section give none: %s", c.Section.Header, c.Section.At)
}

func (c *Case) mendUnknown() string {
	switch {
	case c.Record == nil && c.Section != nil && !c.Section.Standalone:
		return fmt.Sprintf("no key has the name that %s (%s) overrides: create it, mend the name, or give the section standalone = true", c.Section.Header, c.Section.At)
	case c.Section != nil && c.Section.Gives:
		return fmt.Sprintf("the client has to send the value that %s (%s) gives: where it does, no other is known", c.Section.Header, c.Section.At)
	}
	return "nobody can present this value: it was made under a pepper that is not tried here. Put it back into credentials.pepper_file, or: authd keys rotate " + c.ref()
}

func (c *Case) mendGroups() string {
	need := c.Explanation.Need.Groups
	if len(need) == 0 {
		return "nobody passes: " + c.policySetting("groups") + " is an empty list"
	}
	return "the key would have to be in one of " + strings.Join(need, ", ") + ": " + c.set("groups", c.update("--group ...")) +
		"; or " + c.policySetting("groups") + " hold one of the key's"
}

// mendScopes names what is missing.
func (c *Case) mendScopes(k *auth.Key) string {
	_, has := grants(k)
	var missing []string
	for _, s := range c.Explanation.Need.Scopes {
		if !slices.Contains(has, s) {
			missing = append(missing, s)
		}
	}
	return "the key lacks " + strings.Join(missing, ", ") + ": " + c.set("scopes", c.update("--scope ...")) +
		"; or " + c.policySetting("scopes") + " ask for less"
}

// policySetting is where the policy asks.
func (c *Case) policySetting(field string) string {
	path := "policies." + c.Request.Policy.Name
	if rule := c.Explanation.Rule; rule > 0 {
		return fmt.Sprintf("rule %d of %s (its own %s, or the policy's)", rule, path, field)
	}
	return path + "." + field
}

// set is how a field is changed: in the section that gives it, or else by a command.
func (c *Case) set(field, command string) string {
	if c.Section != nil {
		if at, ok := c.Section.Fields[field]; ok {
			return fmt.Sprintf("change %s of %s at %s", field, c.Section.Header, at)
		}
		if c.Section.Standalone {
			return fmt.Sprintf("give %s in %s (%s)", field, c.Section.Header, c.Section.At)
		}
	}
	return command
}

func (c *Case) update(flag string) string { return "authd keys update " + c.ref() + " " + flag }

// ref is what commands call the key.
func (c *Case) ref() string { return word(c.key().Name) }

// word is a text as one word of a shell, which does nothing with it.
func word(s string) string {
	const safe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,:@/+_-"
	if strings.Trim(s, safe) == "" {
		return `"` + s + `"`
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func quote(s string) string { return fmt.Sprintf("%q", s) }
