package odoo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"authd/internal/auth"
)

// Record is a key as Odoo has it.
type Record struct {
	ID       int64
	Name     string
	TechName string // "" before 16.0
	Active   bool
	Secret   auth.Secret // zero: there is none that could be used
	Why      string      // there is none
	Login    string      // "": the user is not there

	UserActive bool
	// UserCounts says that the user's company has the option by which an archived user's keys don't pass.
	UserCounts bool
	Groups     []string // by code, or by name where one has none
}

// connectTime bounds how long the server is waited for.
const connectTime = 10 * time.Second

// ReadDatabase reads the records of the database of Odoo that a URL names, in one
// state of it, the lowest id first, and writes nothing into it. The value of a record is
// each's alone, who keeps it no longer than it takes to digest it.
func ReadDatabase(ctx context.Context, url string, each func(*Record) error) error {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return errors.New("the URL of Odoo's database is postgres://USER:PASSWORD@HOST:PORT/DATABASE; a password may come from PGPASSWORD as well")
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = connectTime
	}
	cfg.DefaultQueryExecMode = pgx.QueryExecModeExec // also through a pooler
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return told(cfg, err)
	}
	defer closeConn(conn)
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		d := database{tx: tx}
		return d.read(ctx, each)
	})
	return told(cfg, err)
}

func closeConn(c *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = c.Close(ctx)
}

// told says which database an error is of. Errors of the driver hold no value.
func told(cfg *pgx.ConnConfig, err error) error {
	if err == nil {
		return nil
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		err = connect.Unwrap()
	}
	var refusal *pgconn.PgError
	if errors.As(err, &refusal) {
		err = fmt.Errorf("%s (SQLSTATE %s)", refusal.Message, refusal.Code)
	}
	return fmt.Errorf("database %s on %s: %w", cfg.Database, cfg.Host, err)
}

type database struct {
	tx        pgx.Tx
	columns   columns
	groups    map[int64][]string // of each record
	encrypted map[string]bool    // the names of encrypted values
}

func (d *database) read(ctx context.Context, each func(*Record) error) (err error) {
	if d.columns, err = probe(ctx, d.tx); err != nil {
		return err
	}
	if err := d.columns.expect(); err != nil {
		return err
	}
	if err := d.readGroups(ctx); err != nil {
		return err
	}
	if err := d.readEncrypted(ctx); err != nil {
		return err
	}
	rows, err := d.tx.Query(ctx, d.columns.query())
	if err != nil {
		return err
	}
	var (
		r                    Record
		key, defaults, login *string
	)
	_, err = pgx.ForEachRow(rows, []any{&r.ID, &r.Name, &key, &r.Active, &r.TechName, &defaults, &login, &r.UserActive, &r.UserCounts}, func() error {
		record := r
		if login != nil {
			record.Login = *login
		}
		record.Groups = d.groups[r.ID]
		record.Secret, record.Why = d.value(&record, key, defaults)
		return each(&record)
	})
	return err
}

func (d *database) readGroups(ctx context.Context) error {
	d.groups = map[int64][]string{}
	if !d.columns.has(groupTable, "id", "name") || !d.columns.has(groupRelTable, "key_id", "group_id") {
		return nil
	}
	name := "g.name"
	if d.columns.has(groupTable, "code") {
		name = "coalesce(nullif(trim(g.code), ''), g.name)"
	}
	rows, err := d.tx.Query(ctx, fmt.Sprintf(`SELECT r.key_id, %s FROM %s r JOIN %s g ON g.id = r.group_id ORDER BY 1, 2`, name, groupRelTable, groupTable))
	if err != nil {
		return err
	}
	var id int64
	var group string
	_, err = pgx.ForEachRow(rows, []any{&id, &group}, func() error {
		d.groups[id] = append(d.groups[id], group)
		return nil
	})
	return err
}

// readEncrypted reads the names of encrypted values, and none of these.
func (d *database) readEncrypted(ctx context.Context) error {
	d.encrypted = map[string]bool{}
	if !d.columns.has(encryptedTable, "name") {
		return nil
	}
	rows, err := d.tx.Query(ctx, `SELECT name FROM `+encryptedTable+` WHERE name IS NOT NULL`)
	if err != nil {
		return err
	}
	var name string
	_, err = pgx.ForEachRow(rows, []any{&name}, func() error {
		d.encrypted[strings.ToLower(name)] = true
		return nil
	})
	return err
}
