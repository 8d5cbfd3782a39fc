package odoo

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// The tables that keys are read from. Only the first two must be there.
const (
	keyTable       = "auth_api_key"
	userTable      = "res_users"
	companyTable   = "res_company"
	groupTable     = "auth_api_key_group"
	groupRelTable  = "auth_api_key_group_rel"
	encryptedTable = "encrypted_data"
)

// Columns that not every version has.
const (
	columnKey      = "key"
	columnActive   = "active"
	columnTechName = "tech_name"
	columnDefaults = "server_env_defaults"
	columnArchived = "archived_user_disable_auth_api_key"
)

// columns are those of each table that is there.
type columns map[string][]string

// probe reads which tables and columns the database has, as its catalogue
// tells them, whatever the version of Odoo.
func probe(ctx context.Context, tx pgx.Tx) (columns, error) {
	rows, err := tx.Query(ctx, `SELECT t.name, a.attname::text FROM unnest($1::text[]) AS t (name)
		JOIN pg_attribute a ON a.attrelid = to_regclass(quote_ident(t.name)) AND a.attnum > 0 AND NOT a.attisdropped
		ORDER BY 1, a.attnum`, []string{keyTable, userTable, companyTable, groupTable, groupRelTable, encryptedTable})
	if err != nil {
		return nil, err
	}
	found := columns{}
	var table, column string
	_, err = pgx.ForEachRow(rows, []any{&table, &column}, func() error {
		found[table] = append(found[table], column)
		return nil
	})
	return found, err
}

func (c columns) has(table string, names ...string) bool {
	return !slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(c[table], name) })
}

// expect finds out whether this is a database of Odoo with the module.
func (c columns) expect() error {
	for table, names := range map[string][]string{keyTable: {"id", "name", "user_id"}, userTable: {"id", "login", "active"}} {
		if !c.has(table, names...) {
			return fmt.Errorf("there is no table %s with columns %v: name the database of an Odoo that has the module auth_api_key", table, names)
		}
	}
	if !c.has(keyTable, columnKey) && !c.has(keyTable, columnDefaults) {
		return fmt.Errorf("the table %s has neither a column %s nor %s: no value is in it", keyTable, columnKey, columnDefaults)
	}
	return nil
}

// query reads every record, the lowest id first. What a version does not have is as if it were not set.
func (c columns) query() string {
	optional := func(column, or string) string {
		if c.has(keyTable, column) {
			return "k." + column
		}
		return or
	}
	company := ""
	archived := "false"
	if c.has(userTable, "company_id") && c.has(companyTable, "id", columnArchived) {
		company = " LEFT JOIN " + companyTable + " c ON c.id = u.company_id"
		archived = "coalesce(c." + columnArchived + ", false)"
	}
	return fmt.Sprintf(`SELECT k.id, coalesce(k.name, ''), %s, coalesce(%s, true), coalesce(%s, ''), %s::text, u.login, coalesce(u.active, false), %s
		FROM %s k LEFT JOIN %s u ON u.id = k.user_id%s ORDER BY k.id`,
		optional(columnKey, "NULL::text"), optional(columnActive, "true"),
		optional(columnTechName, "''"), optional(columnDefaults, "NULL"),
		archived, keyTable, userTable, company)
}
