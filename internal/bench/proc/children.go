package proc

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
)

// Children are the processes that the first thread of a process has started, and that run. It needs Linux.
func Children(pid int) ([]int, error) {
	list, err := os.ReadFile(fmt.Sprintf("/proc/%[1]d/task/%[1]d/children", pid))
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, field := range bytes.Fields(list) {
		child, err := strconv.Atoi(string(field))
		if err != nil {
			return nil, fmt.Errorf("not a process: %q", field)
		}
		pids = append(pids, child)
	}
	return pids, nil
}
