// Package cache keeps answers close, and keeps them true.
//
// [Feed] follows the store's change log and holds the lease: the promise that
// this replica knows every change that anybody was told is confirmed. [Local]
// answers from memory under that lease. What both keep to is written down in
// docs/revocation.md; the numbers of its rules stand in the code beside what
// fulfils them.
package cache
