package proc

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
)

// RSS is the process's resident memory in bytes.
func RSS(pid int) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	return parseRSS(b)
}

// parseRSS reads VmRSS out of /proc/<pid>/status.
func parseRSS(status []byte) (int64, error) {
	for line := range bytes.Lines(status) {
		if value, ok := bytes.CutPrefix(line, []byte("VmRSS:")); ok {
			number, ok := bytes.CutSuffix(bytes.TrimSpace(value), []byte(" kB"))
			kib, err := strconv.ParseInt(string(bytes.TrimSpace(number)), 10, 64)
			if !ok || err != nil {
				return 0, fmt.Errorf("not a size: %q", line)
			}
			return kib << 10, nil
		}
	}
	return 0, fmt.Errorf("no VmRSS in %d bytes of status: the process has ended", len(status))
}
