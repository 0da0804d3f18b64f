//go:build !unix

package drill

import (
	"os"
	"syscall"
)

// ownGroup has no groups here.
func ownGroup() *syscall.SysProcAttr { return nil }

// killGroup kills the process alone.
func killGroup(pid int) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return p.Kill()
}
