// Package override lays the [api_key_<Record Name>] sections of the
// configuration over the records of the store, for this deployment only.
//
// A [Set] is what the sections of all files amount to: read-only, built whole
// or not at all. A [Finder] is the outermost layer of look-ups, and keeps the
// promise that an override is final: where a section gives a record a value,
// no value that the store has for that record passes. A [Watcher] reads the
// sections again when a file changes.
package override
