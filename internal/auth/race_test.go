//go:build race

package auth_test

// The race detector makes pools forget on purpose, so that allocations can't be counted under it.
func init() { raceEnabled = true }
