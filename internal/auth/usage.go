package auth

import (
	"net/netip"
	"time"
)

// Observer is told of every decision about a key that is known, after it was
// made, whichever transport asked. It is called on the way of the request: it
// takes no lock that another core wants, and never waits.
type Observer interface {
	// Observe tells of the key, as found by the secret of its Digest. The client is
	// the zero Addr where nobody vouches for one.
	Observe(k *Key, r Reason, at time.Time, client netip.Addr)
}

// Use is what came of a request that carried a known key: the classes in
// which usage is counted. They are those of the answers: 200, 429, 401, 403, 503.
type Use uint8

// The classes of use.
const (
	UseAllowed     Use = iota
	UseLimited         // its rate or its quota was used up
	UseInvalid         // the key, its secret or its user is not good now
	UseForbidden       // a good key, and not for this request
	UseUnavailable     // it could not be decided

	Uses // how many there are
)

// Use is the class of a reason that was given of a known key.
func (r Reason) Use() Use {
	switch r {
	case Allowed, AllowedAnonymous, AllowedPreflight:
		return UseAllowed
	case RateLimited, QuotaExceeded:
		return UseLimited
	case ForbiddenGroup, ForbiddenScope, ForbiddenHost, ForbiddenMethod, ForbiddenPath, ForbiddenNetwork,
		AmbiguousPath, Unvouched, UnknownPolicy, UnknownProxy, AliasedHeader:
		return UseForbidden
	case Unavailable, LeaseLost, Undecided:
		return UseUnavailable
	}
	return UseInvalid
}

// UsageCounts are requests, by what came of them.
type UsageCounts struct {
	Allowed     int64 `json:"allowed"`
	Limited     int64 `json:"limited"`
	Invalid     int64 `json:"invalid"`
	Forbidden   int64 `json:"forbidden"`
	Unavailable int64 `json:"unavailable"`
}

// Add adds n requests of a class.
func (c *UsageCounts) Add(u Use, n int64) {
	switch u {
	case UseAllowed:
		c.Allowed += n
	case UseLimited:
		c.Limited += n
	case UseInvalid:
		c.Invalid += n
	case UseForbidden:
		c.Forbidden += n
	default:
		c.Unavailable += n
	}
}

// Sum adds up two counts.
func (c UsageCounts) Sum(o UsageCounts) UsageCounts {
	return UsageCounts{
		c.Allowed + o.Allowed, c.Limited + o.Limited, c.Invalid + o.Invalid, c.Forbidden + o.Forbidden, c.Unavailable + o.Unavailable,
	}
}

// Denied is how many did not pass, but for those that were limited.
func (c UsageCounts) Denied() int64 { return c.Invalid + c.Forbidden + c.Unavailable }

// Total is how many there were.
func (c UsageCounts) Total() int64 { return c.Allowed + c.Limited + c.Denied() }

// UsageHour is what a key was used for in an hour.
type UsageHour struct {
	KeyID string    `json:"-"`
	Hour  time.Time `json:"hour"` // its beginning
	UsageCounts
}

// SecretUse is when and from where a secret was last used. A value that an
// override section gives is one as well.
type SecretUse struct {
	Digest     Digest    `json:"-"`
	KeyID      string    `json:"-"`
	FirstUsed  time.Time `json:"first_used,omitzero"`  // the key was good
	LastUsed   time.Time `json:"last_used,omitzero"`   // the key was good: allowed or limited
	LastDenied time.Time `json:"last_denied,omitzero"` // somebody still sends it
	Client     string    `json:"client,omitempty"`     // the network of the last client that was vouched for
}

// UsageBatch is what a process counted since its last batch. Its writer
// numbers its batches from 1, and never begins one before the last was written.
type UsageBatch struct {
	Writer  string
	Number  int64
	Hours   []UsageHour // by key and hour, each once
	Secrets []SecretUse // by digest, each once
}

// UsageBatchKept is how long a store remembers the last batch of a writer at
// least: one that comes later a second time would be counted a second time.
const UsageBatchKept = 30 * 24 * time.Hour
