package auth

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// The actions that are audited.
const (
	ActionKeyCreate      = "keys.create"
	ActionKeyUpdate      = "keys.update"
	ActionKeyRename      = "keys.rename"
	ActionKeyRotate      = "keys.rotate"
	ActionKeyEnable      = "keys.enable"
	ActionKeyDisable     = "keys.disable"
	ActionKeyRevoke      = "keys.revoke"
	ActionKeyDelete      = "keys.delete"
	ActionUserCreate     = "users.create"
	ActionUserUpdate     = "users.update"
	ActionUserEnable     = "users.enable"
	ActionUserDisable    = "users.disable"
	ActionOverrideReload = "overrides.reload"
)

// AuditEntry is a row of the audit: who changed what, and when. It holds no
// secret and no digest. It is written in the transaction of the change, under
// the lock of all writers, and never again.
type AuditEntry struct {
	N      int64 // from 1 on; no number is left out
	At     time.Time
	Actor  string
	Action string
	KeyID  string // empty where no key was changed
	Key    string // the key's name after the change; where it was deleted, before
	User   string // the login that was changed, or that the key stands for
	Fields string // JSON of a list of FieldChange, to the letter: the hash is over it
	Prev   ChainHash
	Hash   ChainHash
}

// FieldChange is a field before and after, as JSON; nothing where there was, or is, none.
type FieldChange struct {
	Field  string          `json:"field"`
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}

// SetFields sets what was changed.
func (e *AuditEntry) SetFields(list []FieldChange) error {
	if list == nil {
		list = []FieldChange{}
	}
	text, err := json.Marshal(list)
	e.Fields = string(text)
	return err
}

// Changes reads what was changed. It fails where the row was tampered with.
func (e *AuditEntry) Changes() (list []FieldChange, err error) {
	err = json.Unmarshal([]byte(e.Fields), &list)
	return list, err
}

// ChainHash is the hash of a row of the audit. It is over the row before as
// well, so that one hash stands for all that was audited up to it.
type ChainHash [sha256.Size]byte

// String is lower-case hex.
func (h ChainHash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText writes String.
func (h ChainHash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// ParseChainHash reads 64 hex digits.
func ParseChainHash(s string) (ChainHash, error) {
	var h ChainHash
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(h) {
		return h, errors.New("not a hash of the audit: 64 hex digits are wanted, as authd audit verify prints them")
	}
	copy(h[:], b)
	return h, nil
}

// AuditHead is where the audit ends: the last row's number and hash, as the last writer left it
// beside the rows. The zero value is that of an audit without rows.
type AuditHead struct {
	N    int64     `json:"n"`
	Hash ChainHash `json:"hash"`
}

// Follow makes the entry the next one after the head, and returns the head then.
func (e *AuditEntry) Follow(head AuditHead) AuditHead {
	e.N, e.Prev = head.N+1, head.Hash
	e.Hash = e.sum()
	return AuditHead{e.N, e.Hash}
}

// sum hashes the row with the hash of the one before it. Each text has its
// length before it, so that no two rows are written alike.
func (e *AuditEntry) sum() ChainHash {
	b := []byte("authd audit 1\x00")
	b = append(b, e.Prev[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(e.N))
	b = binary.BigEndian.AppendUint64(b, uint64(Millis(e.At)))
	for _, s := range []string{e.Actor, e.Action, e.KeyID, e.Key, e.User, e.Fields} {
		b = binary.BigEndian.AppendUint64(b, uint64(len(s)))
		b = append(b, s...)
	}
	return sha256.Sum256(b)
}

// AuditCheck goes through the rows of the audit in their order, and finds what does not fit.
type AuditCheck struct {
	Faults []string // what was found, each with its row
	Rows   int64
	Last   AuditHead
	sound  bool // the last row is as its own hash says
	seen   map[ChainHash]int64
	want   map[ChainHash]bool
}

// maxAuditFaults bounds how many faults are told; one is enough to know that somebody was there.
const maxAuditFaults = 100

// NewAuditCheck begins a check that also looks for these hashes, which somebody has noted before.
func NewAuditCheck(noted ...ChainHash) *AuditCheck {
	c := &AuditCheck{sound: true, seen: map[ChainHash]int64{}, want: map[ChainHash]bool{}}
	for _, h := range noted {
		c.want[h] = true
	}
	return c
}

func (c *AuditCheck) fault(format string, args ...any) {
	if len(c.Faults) < maxAuditFaults {
		c.Faults = append(c.Faults, fmt.Sprintf(format, args...))
	}
}

// Next takes the next row, by its number.
func (c *AuditCheck) Next(e *AuditEntry) {
	follows := e.N == c.Last.N+1
	switch {
	case e.N < 1:
		c.fault("row %d was inserted: rows are numbered from 1 on", e.N)
		return
	case e.N == c.Last.N+2:
		c.fault("row %d was removed", c.Last.N+1)
	case !follows:
		c.fault("rows %d to %d were removed", c.Last.N+1, e.N-1)
	}
	sum := e.sum()
	if sum != e.Hash {
		c.fault("row %d was altered: %s, by %s, at %s", e.N, e.Action, e.Actor, e.At.UTC().Format(time.RFC3339))
	}
	if follows && c.sound && sum == e.Hash && e.Prev != c.Last.Hash {
		c.fault("row %d was replaced: row %d was written after another one", c.Last.N, e.N)
	}
	c.Rows++
	c.sound = sum == e.Hash
	c.Last = AuditHead{e.N, e.Hash}
	if c.want[e.Hash] {
		c.seen[e.Hash] = e.N
	}
}

// End compares the last row with the head that the last writer left.
func (c *AuditCheck) End(head AuditHead) {
	switch last := c.Last; {
	case last.N < head.N-1:
		c.fault("rows %d to %d, the newest, were removed", last.N+1, head.N)
	case last.N < head.N:
		c.fault("row %d, the newest, was removed", head.N)
	case last.N == head.N+1:
		c.fault("row %d was inserted: the last one that was written is %d", last.N, head.N)
	case last.N > head.N:
		c.fault("rows %d to %d were inserted: the last one that was written is %d", head.N+1, last.N, head.N)
	case last.Hash != head.Hash:
		c.fault("row %d was replaced: another one was written last", last.N)
	}
}

// At tells which row has a hash that was noted; false where none has: rows
// were removed or written anew since.
func (c *AuditCheck) At(noted ChainHash) (int64, bool) {
	if noted == (ChainHash{}) {
		return 0, true // of an audit without rows
	}
	n, ok := c.seen[noted]
	return n, ok
}
