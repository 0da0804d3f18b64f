//go:build unix

package drill

import "syscall"

// killGroup kills the process and all that it started.
func killGroup(pid int) error { return syscall.Kill(-pid, syscall.SIGKILL) }
