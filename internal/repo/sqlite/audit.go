package sqlite

import (
	"context"
	"time"

	"authd/internal/auth"
)

const (
	selectHead  = `SELECT n, hash FROM audit_head`
	insertAudit = `INSERT INTO audit (n, at, actor, action, key_id, key, login, fields, prev, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	selectAudit = `SELECT n, at, actor, action, key_id, key, login, fields, prev, hash FROM audit WHERE n > ? ORDER BY n LIMIT ?`
)

// audit appends a row, within the transaction of what it tells of. Who acts is told by ctx.
func (t *tx) audit(ctx context.Context, e auth.AuditEntry, err error) error {
	if err != nil {
		return err
	}
	if e.At.IsZero() {
		e.At = time.Now().UTC().Truncate(time.Millisecond)
	}
	return t.auditAll(ctx, []auth.AuditEntry{e})
}

// auditAll appends rows that tell when they were.
func (t *tx) auditAll(ctx context.Context, list []auth.AuditEntry) error {
	head, err := t.auditHead(ctx)
	if err != nil {
		return err
	}
	for i := range list {
		e := &list[i]
		e.Actor = auth.ActorOf(ctx)
		head = e.Follow(head)
		if err := t.run(ctx, insertAudit, e.N, auth.Millis(e.At), e.Actor, e.Action, e.KeyID, e.Key, e.User, e.Fields, e.Prev[:], e.Hash[:]); err != nil {
			return err
		}
	}
	return t.run(ctx, `UPDATE audit_head SET n = ?, hash = ?`, head.N, head.Hash[:])
}

// auditKey appends what became of a key: before is nil where it was created,
// and the key is not there any more where it was deleted.
func (t *tx) auditKey(ctx context.Context, action string, before *auth.Record, c auth.Change) error {
	var after *auth.Record
	err := t.records(ctx, `WHERE k.id = ? ORDER BY s.place`, []any{c.KeyID}, func(r *stored) { after = &r.Record })
	if err != nil {
		return err
	}
	if action == auth.ActionKeyUpdate {
		action = auth.EditAction(before, after)
	}
	e, err := auth.KeyAudit(action, before, after)
	e.At = c.At
	return t.audit(ctx, e, err)
}

// auditNew appends what became of new keys, and of the users that were made for them.
func (t *tx) auditNew(ctx context.Context, logins []string, writes []auth.KeyWrite, c auth.Change) error {
	list, err := auth.BatchAudit(logins, writes, c.At)
	if err != nil {
		return err
	}
	return t.auditAll(ctx, list)
}

func (c conn) auditHead(ctx context.Context) (head auth.AuditHead, err error) {
	var hash []byte
	found, err := c.row(ctx, selectHead, nil, &head.N, &hash)
	if err == nil && (!found || len(hash) != len(head.Hash)) {
		err = c.s.unavailable("the end of its audit is lost: restore a backup")
	}
	copy(head.Hash[:], hash)
	return head, err
}

// AppendAudit implements repo.Audit.
func (s *Store) AppendAudit(ctx context.Context, e auth.AuditEntry) error {
	return s.write(ctx, func(t *tx) error { return t.audit(ctx, e, nil) })
}

// AuditEntries implements repo.Audit.
func (s *Store) AuditEntries(ctx context.Context, after int64, limit int) (list []auth.AuditEntry, err error) {
	err = conn{s, s.readers}.rows(ctx, selectAudit, []any{after, limit}, func(scan func(...any) error) error {
		var e auth.AuditEntry
		var at int64
		var prev, hash []byte
		err := scan(&e.N, &at, &e.Actor, &e.Action, &e.KeyID, &e.Key, &e.User, &e.Fields, &prev, &hash)
		e.At = auth.FromMillis(at)
		copy(e.Prev[:], prev)
		copy(e.Hash[:], hash)
		list = append(list, e)
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// AuditHead implements repo.Audit.
func (s *Store) AuditHead(ctx context.Context) (auth.AuditHead, error) {
	return conn{s, s.readers}.auditHead(ctx)
}
