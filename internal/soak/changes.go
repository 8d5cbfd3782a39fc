package soak

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"authd/internal/admin"
	"authd/internal/auth"
	"authd/internal/repo"
)

// worker changes keys and users of its own, one after the other, as somebody
// at a command line would.
type worker struct {
	number  int
	rng     *rand.Rand
	service *admin.Service
	store   repo.Store
	journal *journal
	pool    *pool
	quota   int
	users   []*user
	keys    []*key
	made    int
}

type user struct {
	login string
	gate  *gate
	off   bool
}

type key struct {
	name    string
	user    *user
	gate    *gate
	group   *gate
	secrets []*credential // that are there
	off     bool
	out     bool // of the group
}

const (
	usersEach = 2
	// callTime is how long a call to the store may take.
	callTime = 10 * time.Second
	// confirmTime is how long a confirmation is waited for, but for impatience.
	confirmTime = 20 * time.Second
	impatience  = 200 * time.Millisecond
)

func newWorker(seed uint64, number, quota int, store repo.Store, j *journal, p *pool) *worker {
	w := &worker{
		number: number, rng: rand.New(rand.NewPCG(seed, uint64(100+number))), quota: quota,
		service: admin.New(store, auth.NewDigester("ak")), store: store, journal: j, pool: p,
	}
	for i := range usersEach {
		login := fmt.Sprintf("user-%d-%d", number, i)
		w.users = append(w.users, &user{login: login, gate: &gate{name: login, born: true}})
	}
	return w
}

// fill makes the users, and the keys that there are from the beginning.
func (w *worker) fill(ctx context.Context) {
	for _, u := range w.users {
		asking, cancel := context.WithTimeout(ctx, callTime)
		if err := w.service.CreateUser(asking, u.login); err != nil {
			w.journal.violate("before anything was broken: %v", err)
		}
		cancel()
	}
	for len(w.keys) < w.quota && ctx.Err() == nil {
		w.create(ctx)
	}
}

// run changes things until ctx ends; what was begun is ended first.
func (w *worker) run(ctx context.Context) {
	for ctx.Err() == nil {
		w.step(ctx)
		rest(ctx, time.Duration(50+w.rng.IntN(400))*time.Millisecond)
	}
}

func (w *worker) step(ctx context.Context) {
	if len(w.keys) < w.quota {
		w.create(ctx)
		return
	}
	// A user that is off does not stay so for long: what is good is asked for as well.
	if u := w.users[w.rng.IntN(len(w.users))]; u.off && w.rng.IntN(2) == 0 {
		w.toggleUser(ctx, u)
		return
	}
	at := w.rng.IntN(len(w.keys))
	k := w.keys[at]
	if k.out && w.rng.IntN(3) == 0 {
		w.regroup(ctx, k)
		return
	}
	switch draw := w.rng.IntN(20); {
	case draw < 5:
		w.revoke(ctx, k)
		w.drop(at)
	case draw < 6:
		w.delete(ctx, k)
		w.drop(at)
	case draw < 11 && !k.off:
		w.rotate(ctx, k)
	case draw < 15:
		w.toggle(ctx, k)
	case draw < 18:
		w.regroup(ctx, k)
	default:
		w.toggleUser(ctx, w.users[w.rng.IntN(len(w.users))])
	}
}

// drop leaves a key alone that is no more.
func (w *worker) drop(at int) {
	over(w.keys[at].secrets...)
	w.keys = append(w.keys[:at], w.keys[at+1:]...)
}

// over lets the pool forget credentials, in time.
func over(all ...*credential) {
	for _, c := range all {
		c.over.Store(true)
	}
}

// create makes a key whose secret was asked for before there was one: that it
// is unknown is remembered, and must be forgotten.
func (w *worker) create(ctx context.Context) {
	w.made++
	k := &key{name: fmt.Sprintf("key-%d-%d", w.number, w.made), user: w.users[w.rng.IntN(len(w.users))]}
	k.gate, k.group = &gate{name: k.name, born: true}, &gate{name: k.name + " in the group", born: true}
	c := w.secret(k)
	if w.once(ctx, "create", k.name, func(ctx context.Context) (admin.Done, error) {
		return w.service.Create(ctx, auth.Record{Name: k.name, User: k.user.login, Groups: []string{memberOf}}, c.secret)
	}, effect{gate: c.own, open: true}) {
		k.secrets = []*credential{c}
		w.keys = append(w.keys, k)
		return
	}
	over(c)
}

// secret makes a credential of a key that is not stored yet, and has it asked for.
func (w *worker) secret(k *key) *credential {
	w.made++
	c := &credential{name: fmt.Sprintf("%s/%d", k.name, w.made), secret: auth.NewSecret("ak")}
	c.own = &gate{name: c.name}
	c.gates, c.group = []*gate{c.own, k.gate, k.user.gate}, k.group
	w.journal.leaks.add(c.secret)
	w.pool.add(c)
	return c
}

// rotate gives a key a new secret, until that is known to be stored. The old
// ones end at once, or some time later.
func (w *worker) rotate(ctx context.Context, k *key) {
	overlap := time.Duration(max(0, w.rng.IntN(3)-1)) * time.Second
	for done := false; !done && ctx.Err() == nil; {
		c := w.secret(k)
		effects := []effect{{gate: c.own, open: true}}
		for _, old := range k.secrets {
			effects = append(effects, effect{gate: old.own, after: overlap})
			w.pool.touch(old)
		}
		done = w.once(ctx, "rotate", k.name, func(ctx context.Context) (admin.Done, error) {
			return w.service.Rotate(ctx, k.name, overlap, c.secret)
		}, effects...)
		if done && overlap == 0 {
			over(k.secrets...)
			k.secrets = nil
		}
		k.secrets = append(k.secrets, c)
		if !done {
			rest(ctx, impatience)
		}
	}
}

func (w *worker) revoke(ctx context.Context, k *key) {
	w.touch(k)
	revoke := func(ctx context.Context) (admin.Done, error) { return w.service.Revoke(ctx, k.name) }
	w.known(ctx, "revoke", k.name, revoke, effect{gate: k.gate})
	if w.rng.IntN(3) == 0 { // a second one waits for the first one's change
		w.known(ctx, "revoke again", k.name, revoke, effect{gate: k.gate})
	}
}

func (w *worker) delete(ctx context.Context, k *key) {
	w.touch(k)
	w.once(ctx, "delete", k.name, func(ctx context.Context) (admin.Done, error) {
		return w.service.Delete(ctx, k.name)
	}, effect{gate: k.gate})
}

func (w *worker) toggle(ctx context.Context, k *key) {
	w.touch(k)
	kind, call := "disable", w.service.Disable
	if k.off {
		kind, call = "enable", w.service.Enable
	}
	w.known(ctx, kind, k.name, func(ctx context.Context) (admin.Done, error) { return call(ctx, k.name) }, effect{gate: k.gate, open: k.off})
	k.off = !k.off
}

// regroup takes a key out of the group, or puts it back.
func (w *worker) regroup(ctx context.Context, k *key) {
	w.touch(k)
	kind, groups := "take group", []string{}
	if k.out {
		kind, groups = "give group", []string{memberOf}
	}
	w.known(ctx, kind, k.name, func(ctx context.Context) (admin.Done, error) {
		return w.service.Update(ctx, k.name, func(r *auth.Record) { r.Groups = groups })
	}, effect{gate: k.group, open: k.out})
	k.out = !k.out
}

func (w *worker) toggleUser(ctx context.Context, u *user) {
	for _, k := range w.keys {
		if k.user == u {
			w.touch(k)
		}
	}
	kind := map[bool]string{false: "disable user", true: "enable user"}[u.off]
	w.known(ctx, kind, u.login, func(ctx context.Context) (admin.Done, error) {
		return w.service.SetUserActive(ctx, u.login, u.off)
	}, effect{gate: u.gate, open: u.off})
	u.off = !u.off
}

// touch has the key's secrets asked for more often.
func (w *worker) touch(k *key) {
	for _, c := range k.secrets {
		w.pool.touch(c)
	}
}

// known asks for a change until it is known to be made. It goes on after ctx
// has ended, for nothing is broken then.
func (w *worker) known(ctx context.Context, kind, of string, call func(context.Context) (admin.Done, error), effects ...effect) {
	ctx = context.WithoutCancel(ctx)
	for end := time.Now().Add(patience); time.Now().Before(end); rest(ctx, impatience) {
		if w.once(ctx, kind, of, call, effects...) {
			return
		}
	}
	w.journal.violate("%s of %s: the store has been away for %s", kind, of, patience)
}

// once asks for a change, and has it confirmed. It reports whether it is known to be made.
func (w *worker) once(ctx context.Context, kind, of string, call func(context.Context) (admin.Done, error), effects ...effect) bool {
	ctx = context.WithoutCancel(ctx)
	wait := confirmTime
	if w.rng.IntN(8) == 0 {
		wait = impatience
	}
	asking, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	c := w.journal.begin(kind, of, effects...)
	done, err := call(asking)
	if err != nil {
		w.journal.failed(c, err)
		return false
	}
	w.journal.answered(c, effects...)
	// An error says that the rows could not be read: then it is not confirmed.
	waiting, stop := context.WithTimeout(ctx, wait+callTime)
	defer stop()
	got, _ := admin.Confirm(waiting, w.store, done.Change, wait)
	w.journal.confirmed(c, got)
	return true
}

// rest waits, or less where ctx ends.
func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
