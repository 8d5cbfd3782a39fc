package postgres

import (
	"context"

	"authd/internal/auth"
)

const (
	selectHead  = `SELECT n, hash FROM audit_head`
	insertAudit = `INSERT INTO audit (n, at, actor, action, key_id, key, login, fields, prev, hash)
		SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bytea[], $10::bytea[])`
	selectAudit = `SELECT n, at, actor, action, key_id, key, login, fields, prev, hash FROM audit WHERE n > $1 ORDER BY n LIMIT $2`
)

// audit appends a row, within the transaction of what it tells of. Who acts is told by ctx.
func (t *tx) audit(ctx context.Context, e auth.AuditEntry, err error) error {
	if err != nil {
		return err
	}
	if e.At.IsZero() {
		var at int64
		if _, err := t.row(ctx, `SELECT `+dbNow, nil, &at); err != nil {
			return err
		}
		e.At = auth.FromMillis(at)
	}
	return t.auditAll(ctx, []auth.AuditEntry{e})
}

// auditAll appends rows that tell when they were.
func (t *tx) auditAll(ctx context.Context, list []auth.AuditEntry) error {
	head, err := t.auditHead(ctx)
	if err != nil {
		return err
	}
	var numbers, times []int64
	var texts [6][]string
	var hashes [2][][]byte
	for i := range list {
		e := &list[i]
		e.Actor = auth.ActorOf(ctx)
		head = e.Follow(head)
		numbers, times = append(numbers, e.N), append(times, auth.Millis(e.At))
		for j, text := range []string{e.Actor, e.Action, e.KeyID, e.Key, e.User, e.Fields} {
			texts[j] = append(texts[j], text)
		}
		hashes[0], hashes[1] = append(hashes[0], e.Prev[:]), append(hashes[1], e.Hash[:])
	}
	if err := t.run(ctx, insertAudit, numbers, times, texts[0], texts[1], texts[2], texts[3], texts[4], texts[5], hashes[0], hashes[1]); err != nil {
		return err
	}
	return t.run(ctx, `UPDATE audit_head SET n = $1, hash = $2`, head.N, head.Hash[:])
}

// auditKey appends what became of a key: before is nil where it was created,
// and the key is not there any more where it was deleted.
func (t *tx) auditKey(ctx context.Context, action string, before *auth.Record, c auth.Change) error {
	var after *auth.Record
	err := t.records(ctx, `WHERE k.id = $1 ORDER BY s.place`, []any{c.KeyID}, func(r *stored) { after = &r.Record })
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
	err = s.reader().rows(ctx, selectAudit, []any{after, limit}, func(scan func(...any) error) error {
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
	return s.reader().auditHead(ctx)
}
