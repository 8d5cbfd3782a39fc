package proc

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// CPU is the processor time, user and system, that the process has used so
// far: all of its threads, those that have ended included. It is the kernel's
// own clock of the process, exact where /proc/<pid>/stat rounds to 10 ms.
func CPU(pid int) (time.Duration, error) {
	const whole = 2 // CPUCLOCK_SCHED, of the process and not of a thread: see clock_getcpuclockid(3)
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|whole), &ts); err != nil {
		return 0, fmt.Errorf("processor time of process %d: %w", pid, err)
	}
	return time.Duration(ts.Nano()), nil
}
