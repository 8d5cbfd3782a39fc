package auth

import "time"

// Change is a row of the log that every replica follows. It is written in the
// same transaction as what it tells of; Seq order is commit order.
type Change struct {
	Seq     int64
	At      time.Time
	KeyID   string   // empty where the change touches a user, or many keys
	Digests []Digest // every digest whose answer changed, of secrets that came or went as well
	Names   []string // every name and slug whose answer changed, old and new
}

// Later is the one of two changes that came last: what changes nothing answers an older one.
func (c Change) Later(other Change) Change {
	if other.Seq > c.Seq {
		return other
	}
	return c
}
