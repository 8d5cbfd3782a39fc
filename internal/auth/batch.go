package auth

import (
	"fmt"
	"iter"
	"time"
)

// Batch is many records that are stored together, or not at all.
type Batch struct {
	Writes []KeyWrite
	// Inactive are the logins of users who are made inactive with it.
	Inactive []string
}

// KeyWrite is one record of a Batch, as it is to be.
type KeyWrite struct {
	Record  Record
	Secrets []SecretInfo // that are added
	// Replaces is the ChangedSeq of the record of this ID, as it was read; 0 where it is new.
	Replaces int64
	// Retire ends the secrets that are there, if not before, where others are added.
	Retire time.Time
}

// Empty reports whether there is nothing to store.
func (b *Batch) Empty() bool { return len(b.Writes)+len(b.Inactive) == 0 }

// Check finds a name, a slug or a digest that two records of the batch have.
// Which of them is the right one is for others to say.
func (b *Batch) Check() error {
	names, slugs := make(map[string]bool, len(b.Writes)), make(map[string]bool, len(b.Writes))
	digests := make(map[Digest]bool, len(b.Writes))
	for i := range b.Writes {
		w := &b.Writes[i]
		switch {
		case names[w.Record.Name]:
			return w.fault(ErrNameTaken)
		case slugs[w.Record.Slug]:
			return w.fault(ErrSlugTaken)
		}
		names[w.Record.Name], slugs[w.Record.Slug] = true, true
		for _, s := range w.Secrets {
			if digests[s.Digest] {
				return w.fault(ErrSecretTaken)
			}
			digests[s.Digest] = true
		}
	}
	return nil
}

func (w *KeyWrite) fault(err error) error { return fmt.Errorf("key %q: %w", w.Record.Name, err) }

// Chunks parts the writes, in their order, into runs of new records, of most at most, and
// single ones that replace another. One change in the log tells of a run.
func (b *Batch) Chunks(most int) iter.Seq[[]KeyWrite] {
	return func(yield func([]KeyWrite) bool) {
		for rest := b.Writes; len(rest) > 0; {
			n := 1
			for rest[0].Replaces == 0 && n < min(most, len(rest)) && rest[n].Replaces == 0 {
				n++
			}
			if !yield(rest[:n:n]) {
				return
			}
			rest = rest[n:]
		}
	}
}
