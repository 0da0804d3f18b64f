//go:build unix

package harness

import (
	"time"

	"golang.org/x/sys/unix"
)

// process is the processor time this process has used, in user and system, and
// how often a thread of it went to sleep.
func process() (cpu time.Duration, switches int64) {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0, 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), int64(u.Nvcsw) //nolint:unconvert // it is an int32 on some platforms
}
