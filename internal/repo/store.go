// Package repo is where keys are kept: the interface that the rest of authd
// works with, and the choice of the backend by its URL.
package repo

import (
	"context"
	"time"

	"authd/internal/auth"
)

// Store is the truth about keys. Every method answers auth.ErrUnavailable
// (wrapped) when the database could not be asked, and the other errors of
// package auth only when it has answered. Every context has a deadline.
//
// Whatever changes an answer of the Finder writes a Change in the same
// transaction, and returns it: what it returns is committed.
type Store interface {
	auth.Finder
	Keys
	Users
	Log
	Replicas
	Usage
	Audit
	Kept

	// Migrate brings the schema up to date; safe for several processes at once. A schema that is newer than this
	// program is left as it is, and worked on: migrations only add. One that an older program can't work on
	// writes the least version that a program must know into the table schema_needs (version), which the first such migration
	// makes; opening and migrating are refused then to those that don't know it.
	Migrate(ctx context.Context) error
	// Schema tells the version of the database, and the newest one that this program knows.
	Schema(ctx context.Context) (have, want int64, err error)
	Close() error
}

// Kept is how well the store keeps what it has confirmed.
type Kept interface {
	// Durability tells what a change outlives once it is committed, as the database is set to now.
	Durability(ctx context.Context) (auth.Durability, error)
}

// Keys are the records. A ref is a name, a slug or an id, tried in that order;
// "by name" is the order of the bytes. UpdatedAt is the At of a record's last change.
type Keys interface {
	// CreateKey stores a new record with its first secrets. Where there is no user of that
	// login, it makes one, active. Record.ID and Slug are set by the caller.
	// Errors: ErrNameTaken, ErrSlugTaken, ErrSecretTaken.
	CreateKey(ctx context.Context, r *auth.Record, secrets ...auth.SecretInfo) (auth.Change, error)
	// ImportKeys makes all writes of a batch, in their order, in one transaction, or none of them. New records are as for
	// CreateKey, others become what the batch says; then the users that it says are made inactive. It returns the last
	// change that it logged: who follows that one follows them all. One change may tell of many
	// keys, and then is of no KeyID. progress, which may be nil, is told how many writes were made so far.
	// Errors: those of CreateKey, and ErrStale where a record is not any more the one that was read.
	ImportKeys(ctx context.Context, b auth.Batch, progress func(made int)) (auth.Change, error)
	// Key answers a record with its secrets, oldest first.
	Key(ctx context.Context, ref string) (*auth.Record, error)
	// ListKeys answers the records that match, by name, with their secrets.
	ListKeys(ctx context.Context, f auth.KeyFilter) ([]auth.Record, error)
	// UpdateKey reads the record, lets edit change it, and stores it, in one transaction. An edit
	// may change everything but ID, Secrets and the times of creation and change. An edit that
	// fails changes nothing, and its error is returned as it is. An edit that changes nothing
	// writes no change, and returns the record's last one. One that would take a revocation back is ErrRevoked,
	// and one that sets RevokedAt revokes. A user who is not there is made, as CreateKey does.
	UpdateKey(ctx context.Context, ref string, edit func(*auth.Record) error) (auth.Change, error)
	// RotateKey adds a secret, and lets those that are there expire at retire, if not before. ErrRevoked where the key is.
	RotateKey(ctx context.Context, ref string, add auth.SecretInfo, retire time.Time) (auth.Change, error)
	// RevokeKey ends a key and all its secrets for good; their values can't be used again. A
	// second time, it changes nothing and returns the first one's change.
	RevokeKey(ctx context.Context, ref string, at time.Time) (auth.Change, error)
	// DeleteKey removes the record, its secrets, and what was counted of them.
	DeleteKey(ctx context.Context, ref string) (auth.Change, error)
	// CountKeys tells how many records are in each state of Record.State.
	CountKeys(ctx context.Context, now time.Time) (map[string]int, error)
	// CountExpiring tells how many records are active now and expire before a moment.
	CountExpiring(ctx context.Context, now, before time.Time) (int, error)
	// CountPeppers tells how many live secrets were made under each pepper id.
	CountPeppers(ctx context.Context) (map[string]int, error)
}

// Users are the identities that keys stand for.
type Users interface {
	// CreateUser answers ErrUserTaken where the login is there.
	CreateUser(ctx context.Context, login string) error
	ListUsers(ctx context.Context) ([]auth.User, error)
	// SetUserActive answers ErrUserNotFound. Where it changes nothing, it returns the last change there was of the user.
	SetUserActive(ctx context.Context, login string, active bool) (auth.Change, error)
	// SetUserLimits reads the limits that a user's keys share, lets edit change them, and stores them, in one
	// transaction. Otherwise it is as SetUserActive; an edit that fails changes nothing, and its error is returned as it is.
	SetUserLimits(ctx context.Context, login string, edit func(*auth.Limits) error) (auth.Change, error)
}

// Log is the change log that replicas follow. Seq order is commit order.
type Log interface {
	// Changes answers the changes after seq, in order, at most limit of them.
	Changes(ctx context.Context, after int64, limit int) ([]auth.Change, error)
	// LastChange answers the highest committed Seq, read from the rows; 0 for an empty log.
	LastChange(ctx context.Context) (int64, error)
	// Woken is sent on (without blocking) soon after another process has committed; how soon, and
	// whether at all, is the backend's. It is closed when the store is.
	Woken() <-chan struct{}
}

// Replicas are the processes that must acknowledge a change. Times are by the store's clock.
type Replicas interface {
	// Register commits the row of a new incarnation. It answers once the row can be read by others.
	Register(ctx context.Context, r auth.Replica) error
	// Acknowledge writes the row: applied, and that it was seen now. It reports false where the row is gone.
	Acknowledge(ctx context.Context, id string, applied int64) (bool, error)
	// Unregister removes the row: the last thing that a replica does.
	Unregister(ctx context.Context, id string) error
	// ListReplicas answers all rows, by name, after removing those whose process is proven dead or whose
	// time (Replica.StopsAfter) is over.
	ListReplicas(ctx context.Context) ([]auth.Replica, error)
}

// Usage is what keys were used for. None of it is part of a decision: it is
// neither in the change log nor in the order of its writers. The hours that are
// answered are those that have not ended at since.
type Usage interface {
	// AddUsage adds a batch to what is there. One that its writer has had written already changes
	// nothing: after an error, it is given again until it is answered.
	AddUsage(ctx context.Context, b auth.UsageBatch) error
	// UsageHours answers what a key was used for, hour by hour, those without any use left out.
	UsageHours(ctx context.Context, keyID string, since time.Time) ([]auth.UsageHour, error)
	// UsageTotals answers the sums by the keys' ids, whether there are records of these or not.
	UsageTotals(ctx context.Context, since time.Time) (map[string]auth.UsageCounts, error)
	// SecretUses answers the uses of a key's secrets, or of all where keyID is empty, by key and digest.
	SecretUses(ctx context.Context, keyID string) ([]auth.SecretUse, error)
	// PruneUsage removes hours that begin before, secrets not seen since, and what it needs no
	// longer itself; of each kind at most so many, and tells how many in all: 0 is the end.
	PruneUsage(ctx context.Context, before time.Time, most int) (int, error)
}

// Audit is who changed what, and when: a row for each change to a key or a user, in the transaction of
// the change. Nothing changes or removes a row; each holds the hash of the one before
// (auth.AuditEntry). Who acts is auth.ActorOf the context of the change.
type Audit interface {
	// AppendAudit writes a row of what is no change to the store. It sets N, At where that is zero, Actor and the hashes.
	AppendAudit(ctx context.Context, e auth.AuditEntry) error
	// AuditEntries answers the rows after a number, in order, at most limit of them, as they are stored: nothing is checked.
	AuditEntries(ctx context.Context, after int64, limit int) ([]auth.AuditEntry, error)
	// AuditHead answers where the last writer left the audit: also where its row is not there any more.
	AuditHead(ctx context.Context) (auth.AuditHead, error)
}
