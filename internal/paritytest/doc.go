// Package paritytest holds the one table of requests that every transport has
// to judge alike. A transport's test runs it through what its proxy would make
// of each request: what comes out must not depend on who asks.
package paritytest
