package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"authd/internal/auth"
)

// origin is where something was written. The zero value is nowhere: a default.
type origin struct {
	rank int    // of its source, in the order in which sources count
	name string // the file, the variable or the flag
	file bool
	line int // in the file; 0 where the format does not tell
}

func (o origin) String() string {
	switch {
	case o.name == "":
		return "default"
	case o.line > 0:
		return o.name + ":" + strconv.Itoa(o.line)
	}
	return o.name
}

// Fault is one thing that is wrong with the configuration, and how to mend it.
type Fault struct {
	at      origin
	setting string // its path; empty where the fault is that of a whole file
	text    string
	err     error
}

// Error is one line: the place, and what is wrong there.
func (f *Fault) Error() string {
	switch {
	case f.setting == "":
		return f.text
	case f.at.name == "":
		return fmt.Sprintf("%s (default): %s", f.setting, f.text)
	case f.at.file:
		return fmt.Sprintf("%s: %s: %s", f.at, f.setting, f.text)
	}
	return fmt.Sprintf("%s: %s", f.at, f.text)
}

// Unwrap gives the cause.
func (f *Fault) Unwrap() error { return f.err }

// Faults are everything that is wrong.
type Faults []*Fault

// maxFaults bounds the message: a file may be anything.
const maxFaults = 100

// Error is a line for each fault.
func (fs Faults) Error() string {
	lines := make([]string, 0, min(len(fs), maxFaults+1))
	for i, f := range fs {
		if i == maxFaults {
			lines = append(lines, fmt.Sprintf("and %d more", len(fs)-i))
			break
		}
		lines = append(lines, f.Error())
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives each fault.
func (fs Faults) Unwrap() []error {
	errs := make([]error, len(fs))
	for i, f := range fs {
		errs[i] = f
	}
	return errs
}

// err is the faults in the order of the places, or nil.
func (fs Faults) err() error {
	if len(fs) == 0 {
		return nil
	}
	slices.SortStableFunc(fs, func(a, b *Fault) int {
		return cmp.Or(cmp.Compare(a.at.rank, b.at.rank), cmp.Compare(a.at.line, b.at.line))
	})
	return fs
}

// maxText bounds a fault, in bytes.
const maxText = 500

// add notes an error at its place; each of its lines is a fault.
func (fs *Faults) add(at origin, setting string, err error) {
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if len(line) > maxText {
			line = strings.ToValidUTF8(line[:maxText], "") + "…"
		}
		*fs = append(*fs, &Fault{at: at, setting: setting, text: line, err: err})
	}
}

// Fault words what only others could find wrong with a setting, with its
// place: "authd.yaml:3: store.url: ...". It is nil where err is.
func (l *Loaded) Fault(setting string, err error) error {
	if err == nil {
		return nil
	}
	var fs Faults
	fs.add(l.origin(setting), setting, err)
	return fs
}

// shown quotes what was given. What is as long as a key might be one, put into the wrong place.
func shown(s string) string {
	if len(s) >= auth.MinForeign {
		return "the value (too long to be shown)"
	}
	return strconv.Quote(s)
}

var errNothing = errors.New("nothing is given: write a value, or leave the setting out for its default")
