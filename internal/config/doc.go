// Package config reads authd's configuration: defaults, then files in their
// order, then the environment, then flags; what comes later wins, setting by
// setting. [Config] is every setting, and the comments of its fields are the
// manual: docs/configuration.md is made from them.
//
// Each value is read strictly, by the type of its field, where it was written;
// koanf merges what was read. Every fault is reported at once, with its place.
package config
