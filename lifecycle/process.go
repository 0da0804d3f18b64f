package lifecycle

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// isAlive reports whether the process of a marker lives. Where that cannot be
// known it counts as dead: a number that somebody else has by now is more
// likely than a second process with the same file.
func (l LastRun) isAlive() bool {
	// In containers every first process is number 1, and this one too.
	if l.PID <= 0 || l.PID == os.Getpid() || l.Host != host() {
		return false
	}
	process, err := os.FindProcess(l.PID)
	if err != nil {
		return false
	}
	err = process.Signal(syscall.Signal(0))
	_ = process.Release()
	return (err == nil || errors.Is(err, os.ErrPermission)) && isSameProgram(l.PID)
}

// isSameProgram compares the names of the two files. Their directories may
// differ: an update or a go run puts the new one elsewhere.
func isSameProgram(pid int) bool {
	own, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return true // not Linux: all that is known is that it lives
	}
	other, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	return err == nil && programName(other) == programName(own)
}

func programName(link string) string {
	return filepath.Base(strings.TrimSuffix(link, " (deleted)"))
}

// host tells apart machines, and containers, that share a file. Empty: not
// known, as is everybody's then.
func host() string {
	name, _ := os.Hostname()
	return name
}
