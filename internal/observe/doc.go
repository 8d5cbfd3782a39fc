// Package observe tells the operator what was decided: counters, and a line in
// the log for each denial. Every transport tells by it, so that all of them
// are counted and logged alike.
package observe
