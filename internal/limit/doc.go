// Package limit counts requests against the rate limits and quotas of keys and users.
//
// [Local] counts in this process only: where several processes answer for one
// key, each counts by itself, so that the key gets up to its limit from each.
// [Shared] counts in Redis, for all of them. Both do the same, but for where
// the time comes from; take.lua is the one, entry.go the other.
//
// A rate is a bucket (GCRA): as many requests at once as its burst, which is
// the rate's count where none is given, and from then on one each time that
// the rate's period divided by its count has passed, in whole nanoseconds. A
// quota is a number of requests in an hour, a day or a month of the calendar,
// in UTC. A request has to pass both, of its key and of its user; one that is
// refused is counted nowhere.
//
// A limit that is changed holds from the next request on. What was counted
// stays counted, up to the new burst: no change gives more at once than the
// new limit does. A limit that is taken away is forgotten.
package limit
