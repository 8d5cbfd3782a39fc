package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"authd/internal/auth"
)

// mends tell what to do about a failure, by Postgres's code for it, or by the class of the code.
var mends = map[string]string{
	"08":    "the connection broke: see that the server runs and can be reached",
	"08P01": "it, or a pooler before it, does not serve this connection: see its log",
	"25006": "it is read-only: name the primary in store.url, or all hosts of the cluster",
	"26000": preparedMend,
	"28":    "it does not let authd in: see user and password in store.url, and the server's pg_hba.conf",
	"3D000": "there is no such database: create it, as in createdb authd, or name another in store.url",
	"40":    "another writer was in the way: try again",
	"42501": "the user of store.url may not do this: make it the owner of the database or of its schema",
	"42703": schemaMend,
	"42P01": schemaMend,
	"42P05": preparedMend,
	"53100": "its disk is full: make room; nothing of this change was stored",
	"53300": "it has no connection left: raise its max_connections, or lower pool_max_conns in store.url",
	"53":    "it is short of resources: see its log",
	"55P03": "another writer holds its lock: end what holds it, or try again",
	"57014": "it took too long: see what keeps the server busy, or try again",
	"57P":   "it is starting or stopping: try again",
	"XX":    "it is damaged, or has a fault of its own: see its log",
}

const (
	schemaMend   = "its schema is not up to date: run authd migrate"
	preparedMend = "a pooler stands between: set store.listen to off"
)

// The codes that are decided on.
const (
	codeText        = "22021" // not a character that a text can hold
	codeReadOnly    = "25006"
	codeUnsupported = "0A000" // as are writers on a standby
)

// fault translates an error of the driver, so that none leaves this package.
// Whatever it is, the database has not answered. Where ctx has ended, that is why.
func (s *Store) fault(ctx context.Context, err error) error {
	if err == nil || errors.Is(err, auth.ErrUnavailable) {
		return err
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %s: %w", auth.ErrUnavailable, s.place, ctx.Err())
	}
	var refusal *pgconn.PgError
	if errors.As(err, &refusal) {
		return s.refusal(refusal)
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		err = connect.Unwrap() // it begins with what the place says better
	}
	return s.unavailable(strings.Join(strings.Fields(err.Error()), " "))
}

func (s *Store) refusal(r *pgconn.PgError) error {
	switch {
	case r.Code == codeText:
		return &textError{s.place + " can't store a text that is not UTF-8, or holds the NUL character: " + r.Message}
	case (r.Code == codeReadOnly || r.Code == codeUnsupported) && s.pool != nil:
		// A pooler has gone over to another server, which is not the primary: rule 15, the
		// next connection looks for the one that is.
		s.pool.Reset()
	}
	return s.unavailable(mend(r.Code) + r.Message + " (SQLSTATE " + r.Code + ")")
}

// mend is what to do about a code, as far as that is known.
func mend(code string) string {
	for _, known := range []string{code, code[:min(3, len(code))], code[:min(2, len(code))]} {
		if text, ok := mends[known]; ok {
			return text + ": "
		}
	}
	return ""
}

func (s *Store) unavailable(why string) error {
	return fmt.Errorf("%w: %s: %s", auth.ErrUnavailable, s.place, why)
}

// textError says that a text was given that no text in the database can be.
// The database has answered.
type textError struct{ text string }

func (e *textError) Error() string { return e.text }

// impossible reports whether what was asked for can't be in the database.
func impossible(err error) bool {
	var e *textError
	return errors.As(err, &e)
}
