// Package proc runs the servers that are measured, and tells what they use.
package proc

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// stopTime is how long a process may take to end after SIGTERM.
const stopTime = 15 * time.Second

// Process is a server under measurement.
type Process struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{} // closed when the process has ended
	err  error         // how; readable once done is closed
}

// Start runs bin. What it writes goes to the file log. Its environment is env alone.
func Start(log string, env []string, bin string, args ...string) (*Process, error) {
	out, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Close() }()
	p := &Process{cmd: exec.Command(bin, args...), log: log, done: make(chan struct{})}
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = env, out, out
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// PID is the process's number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Ended is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.done }

// Stop asks the process to end, and kills it if it does not. An exit code
// other than 0 is an error, and so is having ended before.
func (p *Process) Stop() error {
	select {
	case <-p.done:
		return fmt.Errorf("%s ended early (%s): %s", p.cmd.Path, p.cmd.ProcessState, p.LogTail())
	default:
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.done:
	case <-time.After(stopTime):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
	if p.err != nil {
		return fmt.Errorf("%s did not end well (%w): %s", p.cmd.Path, p.err, p.LogTail())
	}
	return nil
}

// LogTail is the end of what the process wrote.
func (p *Process) LogTail() string {
	const most = 2000
	b, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(b[max(0, len(b)-most):]))
}
