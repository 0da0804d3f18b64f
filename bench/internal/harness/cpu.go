//go:build unix

package harness

import (
	"time"

	"golang.org/x/sys/unix"
)

// processTime is the processor time this process has used, in user and system.
func processTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
