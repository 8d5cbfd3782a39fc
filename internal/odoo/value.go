package odoo

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"authd/internal/auth"
)

// placeholders are what stands for a value that is not there, or is not for this database.
var placeholders = []string{"neutralized", "<set from server environment>", "dummy"}

// Why a record has no value.
const (
	whyNone      = "it has no value"
	whyEncrypted = "its value is encrypted in Odoo (%s): read it there, and give it by authd keys rotate --secret-stdin"
	whyStale     = "with server_environment its value would be in " + columnDefaults + ", and is not: what is left in the column " + columnKey + " is dead in Odoo too"
	whyDamaged   = "its " + columnDefaults + " is no JSON object"
)

// value is the one that Odoo would compare with. Where the records have defaults of
// server_environment, these count, and the column is what was left behind.
func (d *database) value(r *Record, key, defaults *string) (auth.Secret, string) {
	if name := d.encryptedAs(r); name != "" {
		return auth.Secret{}, fmt.Sprintf(whyEncrypted, encryptedTable+" "+name)
	}
	if d.columns.has(keyTable, columnDefaults) {
		given, why := fromDefaults(defaults)
		if why == whyNone && key != nil && NoCredential(*key) == "" {
			why = whyStale
		}
		if why != "" {
			return auth.Secret{}, why
		}
		key = &given
	}
	if key == nil {
		return auth.Secret{}, whyNone
	}
	if why := NoCredential(*key); why != "" {
		return auth.Secret{}, why
	}
	return auth.RawSecret(*key), ""
}

// fromDefaults reads what server_environment keeps, under the name of the version.
func fromDefaults(defaults *string) (value, why string) {
	if defaults == nil || strings.TrimSpace(*defaults) == "" {
		return "", whyNone
	}
	var all map[string]any
	if json.Unmarshal([]byte(*defaults), &all) != nil {
		return "", whyDamaged
	}
	for _, name := range []string{"x_key_env_default", "key_env_default"} { // from 17.0 on; before
		if text, ok := all[name].(string); ok {
			return text, ""
		}
	}
	return "", whyNone
}

// NoCredential says why what stands in the place of a value is none, or "".
func NoCredential(text string) string {
	switch trimmed := strings.TrimSpace(text); {
	case trimmed == "":
		return whyNone
	case slices.Contains(placeholders, strings.ToLower(trimmed)):
		return fmt.Sprintf("%q stands in the place of its value", trimmed)
	case fernet(trimmed):
		return fmt.Sprintf(whyEncrypted, "a Fernet token")
	}
	return ""
}

// fernet reports whether a text has the form of a Fernet token: version 0x80
// and the first bytes of a time, in base64, and at least one block.
func fernet(text string) bool {
	return len(text) >= 100 && strings.HasPrefix(text, "gAAAA") && strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=") == ""
}

// encryptedAs is the name under which the value of a record is encrypted, or "".
func (d *database) encryptedAs(r *Record) string {
	for _, name := range []string{
		fmt.Sprintf("auth.api.key,%d", r.ID), fmt.Sprintf("auth_api_key,%d", r.ID), "api_key_" + r.Name, "api_key_" + r.TechName, r.Name, r.TechName,
	} {
		if name != "" && d.encrypted[strings.ToLower(name)] {
			return name
		}
	}
	return ""
}
