//go:build !linux

package proc

import (
	"errors"
	"fmt"
	"time"
)

// CPU needs Linux.
func CPU(pid int) (time.Duration, error) {
	return 0, fmt.Errorf("processor time of process %d: %w", pid, errors.ErrUnsupported)
}
