package auth

// The numbers of the change log are pairs (epoch, n) in one: what is above
// epochBits is the epoch. A store begins another where it can't vouch for
// having all that was committed before, as a standby that took its primary's place:
// numbers that were lost are never given out again, and no entry of an earlier
// epoch is served in a later one.
const epochBits = 40

// EpochOf is the epoch of a change's number, or of a stamp.
func EpochOf(seq int64) int64 { return seq >> epochBits }

// EpochStart is below every number of the epoch, and above all of those before.
func EpochStart(epoch int64) int64 { return epoch << epochBits }
