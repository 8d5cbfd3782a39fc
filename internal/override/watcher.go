package override

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/prometheus/client_golang/prometheus"

	"authd/internal/auth"
	"authd/internal/conffile"
)

const (
	// settle is how long files must have stayed the same to be read: who
	// writes a file may have emptied it before.
	settle = 100 * time.Millisecond
	// compareEvery is how often files are compared where no event tells of a change.
	compareEvery = 5 * time.Second
	// matchEvery is how often sections are matched anew: records come, go and are renamed.
	matchEvery = time.Minute
	// matchTimeout bounds what that asks of the store.
	matchTimeout = 10 * time.Second
	// rereads is how often files that change while they are read are read again at once.
	rereads = 5
)

// WatcherOptions are what a Watcher works with.
type WatcherOptions struct {
	Finder *Finder
	Env    Env
	// Read reads the sections of all files again. It returns the files, and
	// the folders that stand for their files, also when it fails, as far as it knows them.
	Read func() ([]conffile.Section, []string, error)

	Log        *slog.Logger
	Registerer prometheus.Registerer
	Reloaded   func(error) // told of each finished reload; may be nil
	// Changed is told of each reload that changed something: which fields, and no value. It may be nil, and must not wait.
	Changed func([]auth.FieldChange)
}

// Watcher keeps the Finder's set as the files have it.
type Watcher struct {
	WatcherOptions
	metrics *metrics
	asked   chan struct{}

	compareEvery, matchEvery time.Duration

	// Of Run alone.
	notifier     *fsnotify.Watcher // nil where the system gives none
	timer        *time.Timer       // runs while a change has not settled
	armed        bool              // the timer does run
	files        []string
	loaded, seen footprint       // of the last reload; of the last look
	warned       map[string]bool // unmatched sections that were told
	matched      bool            // the last matching came to its end
}

// NewWatcher registers its metrics; Run does the rest.
func NewWatcher(o WatcherOptions) (*Watcher, error) {
	m, err := newMetrics(o.Registerer)
	if err != nil {
		return nil, err
	}
	if o.Reloaded == nil {
		o.Reloaded = func(error) {}
	}
	if o.Changed == nil {
		o.Changed = func([]auth.FieldChange) {}
	}
	return &Watcher{
		WatcherOptions: o, metrics: m, asked: make(chan struct{}, 1),
		compareEvery: compareEvery, matchEvery: matchEvery,
		warned: map[string]bool{}, matched: true,
	}, nil
}

// Reload asks for a reload, also where no file has changed. It does not wait for it.
func (w *Watcher) Reload() {
	select {
	case w.asked <- struct{}{}:
	default: // asked already
	}
}

// Run matches the sections, reloads for what has changed since the start, and then
// reloads whenever the files change or Reload asks, until ctx ends. It returns nil.
func (w *Watcher) Run(ctx context.Context) error {
	var events chan fsnotify.Event
	var failures chan error
	notifier, err := fsnotify.NewWatcher()
	if err != nil {
		w.Log.Warn("no events of file changes are to be had: files are compared only", "every", w.compareEvery, "error", err)
	} else {
		defer notifier.Close()
		w.notifier, events, failures = notifier, notifier.Events, notifier.Errors
	}
	compare, match := time.NewTicker(w.compareEvery), time.NewTicker(w.matchEvery)
	defer compare.Stop()
	defer match.Stop()
	w.timer, w.armed = time.NewTimer(settle), true
	defer w.timer.Stop()

	w.match(ctx)
	w.reload(ctx)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-events:
			w.arm()
		case err := <-failures:
			w.Log.Debug("events of file changes were lost: the files are compared", "error", err)
			w.arm()
		case <-w.timer.C:
			w.armed = false
			w.look(ctx)
		case <-compare.C:
			w.follow()
			w.look(ctx)
			if !w.matched {
				w.match(ctx)
			}
		case <-w.asked:
			w.reload(ctx)
		case <-match.C:
			w.match(ctx)
		}
	}
}

// arm lets the files be looked at when they may have settled. Events that go
// on, such as those of a database in the same folder, do not put it off.
func (w *Watcher) arm() {
	if !w.armed {
		w.armed = true
		w.timer.Reset(settle)
	}
}

func (w *Watcher) follow() {
	if w.notifier != nil {
		follow(w.notifier, folders(w.files))
	}
}

// look reloads if the files have changed since the last reload, and not since the last look.
func (w *Watcher) look(ctx context.Context) {
	now := footprintOf(w.files)
	switch {
	case now.equal(w.loaded):
		w.seen = now
	case now.equal(w.seen):
		w.reload(ctx)
	default:
		w.seen = now
		w.arm()
	}
}

// reload puts a new set in force, or says why the old one stays.
func (w *Watcher) reload(ctx context.Context) {
	set, err := w.read()
	w.metrics.reloaded(err)
	if err != nil {
		w.Log.Error("the override sections have faults: the old ones stay in force",
			"faults", strings.Split(err.Error(), "\n"))
	} else {
		w.swap(ctx, set)
	}
	w.Reloaded(err)
}

var errMoving = errors.New("the files change while they are read; they will be read again")

// read reads the sections, from files that stay the same meanwhile.
func (w *Watcher) read() (*Set, error) {
	for range rereads {
		before := footprintOf(w.files)
		w.loaded, w.seen = before, before
		var set *Set
		sections, files, err := w.Read()
		files = append(files[:len(files):len(files)], keyFiles(sections)...)
		if err != nil {
			files = append(files, w.files...) // it may not know them all
		} else {
			set, err = NewSet(sections, w.Env)
		}
		slices.Sort(files)
		if files = slices.Compact(files); !slices.Equal(files, w.files) {
			w.files = files
			w.follow()
			continue
		}
		if before.equal(footprintOf(files)) {
			return set, err
		}
	}
	w.arm()
	return nil, errMoving
}

// swap puts a set in force, and tells what it changes.
func (w *Watcher) swap(ctx context.Context, set *Set) {
	old := w.Finder.Set()
	added, removed, changed := diff(old, set)
	w.Finder.Swap(set)
	if len(added)+len(removed)+len(changed) == 0 {
		w.Log.Debug("the override sections were read again, and are the same", "sections", set.Len())
		return
	}
	w.Log.Info("override sections reloaded", "sections", set.Len(), "added", added, "removed", removed, "changed", changed)
	w.Changed(fieldChanges(old, set))
	clear(w.warned)
	w.match(ctx)
}

// match tells which sections have no record, each once as long as that lasts.
func (w *Watcher) match(ctx context.Context) {
	within, cancel := context.WithTimeout(ctx, matchTimeout)
	defer cancel()
	all, err := w.Finder.Check(within)
	if ctx.Err() != nil {
		return
	}
	w.metrics.show(all)
	if err != nil && w.matched {
		w.Log.Warn("it can't be told which override sections match a record; it is tried again", "error", err)
	}
	w.matched = err == nil
	for _, s := range all {
		if s.State == Unmatched && !w.warned[s.Section] {
			w.Log.Warn("an override section matches no record, and does nothing: mend its name, create the record, or set standalone = true",
				"section", Header(s.Section), "at", s.At.String())
		}
		if s.State != Unchecked {
			w.warned[s.Section] = s.State == Unmatched
		}
	}
}
