package soak

import (
	"context"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// The policy that asks for a group, and where replicas have it from.
const (
	configuration = "authd.yaml"
	memberOf      = "members"
	policies      = "policies: {members: {groups: [" + memberOf + "]}}"
	membersPath   = "/verify/traefik/members"
)

// replica is one authd serve after another, each with the same settings.
type replica struct {
	name    string
	program string
	dir     string
	env     []string
	store   *proxy // its way to Postgres
	cache   *proxy // its way to Redis
	journal *journal
	log     *logbook

	mu       sync.Mutex
	wanted   bool // it is to run
	cmd      *exec.Cmd
	verify   string // where it answers; empty while it does not
	metrics  string
	restarts int           // because it could not start: the store was away
	ended    chan struct{} // closed when nothing of it runs any more
}

func newReplica(j *journal, name, program, dir string) *replica {
	r := &replica{name: name, program: program, dir: dir, journal: j}
	r.log = &logbook{
		leaks: j.leaks, greet: r.greeted,
		wrong: func(format string, args ...any) { j.violate(name+": "+format, args...) },
	}
	return r
}

func (r *replica) greeted(verify, metrics string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.verify, r.metrics = verify, metrics
}

// addresses are where it answers, empty while it does not.
func (r *replica) addresses() (verify, metrics string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.verify, r.metrics
}

// start starts it.
func (r *replica) start() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wanted, r.ended = true, make(chan struct{})
	go r.supervise(r.ended)
}

// restartPause is how long a supervisor waits before it starts what could not start.
const restartPause = 200 * time.Millisecond

// supervise runs it until it is no longer wanted. One that has not begun to
// answer may end by itself, because the store is away, and is started again;
// any other may not.
func (r *replica) supervise(ended chan<- struct{}) {
	defer close(ended)
	// The signal at the parent's death comes when the thread ends that has started the process: so it stays.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for {
		cmd, err := r.launch()
		if err != nil {
			r.journal.violate("%s can't be started: %v", r.name, err)
			return
		}
		if cmd == nil {
			return
		}
		_ = cmd.Wait()
		if !r.over(cmd) {
			return
		}
		time.Sleep(restartPause)
	}
}

// launch starts a process, unless that is not wanted any more.
func (r *replica) launch() (*exec.Cmd, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.wanted {
		return nil, nil
	}
	cmd := exec.CommandContext(context.Background(), r.program, "serve", "-c", configuration)
	cmd.Dir, cmd.Env = r.dir, r.env
	cmd.Stdout, cmd.Stderr = r.log, r.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	r.cmd = cmd
	return cmd, cmd.Start()
}

// over judges the end of a process, and reports whether it is to be started again.
func (r *replica) over(cmd *exec.Cmd) bool {
	r.mu.Lock()
	answered := r.verify != ""
	wanted := r.wanted
	r.verify, r.metrics = "", ""
	if wanted {
		r.restarts++
	}
	r.mu.Unlock()
	killed := cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
	switch {
	case wanted && answered:
		r.journal.violate("%s has ended by itself: %s\n%s", r.name, cmd.ProcessState, r.log.tail())
	case !wanted && answered && !killed && cmd.ProcessState.ExitCode() != 0:
		r.journal.violate("%s was told to stop, and failed: %s\n%s", r.name, cmd.ProcessState, r.log.tail())
	}
	return wanted && !answered
}

// end sends the signal by which it is to end.
func (r *replica) end(s syscall.Signal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wanted = false
	r.sendLocked(s)
}

// signal sends one that it is to live on with.
func (r *replica) signal(s syscall.Signal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sendLocked(s)
}

func (r *replica) sendLocked(s syscall.Signal) {
	if r.cmd != nil && r.cmd.Process != nil {
		_ = r.cmd.Process.Signal(s)
	}
}

// await waits until it has ended, for a while, and then kills it.
func (r *replica) await() {
	select {
	case <-r.ended:
		return
	case <-time.After(patience):
		r.journal.violate("%s does not end\n%s", r.name, r.log.tail())
	}
	r.end(syscall.SIGKILL)
	<-r.ended
}
