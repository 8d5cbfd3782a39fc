package odoo

import (
	"fmt"

	"authd/internal/auth"
	"authd/internal/conffile"
)

// ConfigKey is what the sections of one name say of a key.
type ConfigKey struct {
	Name     string // what stands behind api_key_
	At       string // file:line of the first of them
	HasValue bool   // one gives a value, be it an empty one
	Secret   auth.Secret
	Why      string // there is none that could be used
	Login    string // "": none is given
}

// Keys are the keys that sections name, in their order. Only what Odoo's module
// itself reads counts: key, and user as in 10.0.
func Keys(sections []conffile.Section) []ConfigKey {
	var keys []ConfigKey
	at := map[string]int{}
	for _, s := range sections {
		if s.Global || s.Name == "" {
			continue
		}
		i, ok := at[s.Name]
		if !ok {
			i = len(keys)
			at[s.Name] = i
			keys = append(keys, ConfigKey{Name: s.Name, At: fmt.Sprintf("%s:%d", s.File, s.Line), Why: whyNone})
		}
		keys[i].take(s.Fields)
	}
	return keys
}

func (k *ConfigKey) take(fields map[string]any) {
	if user, ok := fields["user"].(string); ok {
		k.Login = user
	}
	for _, field := range []string{"key_file", "key_env", "key_digest"} {
		if _, ok := fields[field]; ok {
			k.HasValue, k.Secret = true, auth.Secret{}
			k.Why = "its value is given by " + field + ", which Odoo does not know: read the section by overrides.odoo instead"
		}
	}
	if text, ok := fields["key"].(string); ok {
		k.HasValue, k.Secret, k.Why = true, auth.Secret{}, NoCredential(text)
		if k.Why == "" {
			k.Secret = auth.RawSecret(text)
		}
	}
}

// Of finds what sections say of a record: by its name, or else by its tech name, to the letter.
func Of(keys []ConfigKey, r *Record) *ConfigKey {
	for _, name := range []string{r.Name, r.TechName, auth.Slug(r.Name)} {
		for i := range keys {
			if name != "" && keys[i].Name == name {
				return &keys[i]
			}
		}
	}
	return nil
}
