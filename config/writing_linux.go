package config

import (
	"os"

	"golang.org/x/sys/unix"
)

// beingWritten reports whether somebody has the file open for writing: then the
// kernel gives nobody a lease to read it. A lease is given back at once; who
// opens the file for writing in between waits so long. It is given for files of
// one's own, on most local file systems; where it is refused for such a reason,
// nothing is known and nobody writes.
func beingWritten(f *os.File) bool {
	conn, err := f.SyscallConn()
	if err != nil {
		return false
	}
	writing := false
	_ = conn.Control(func(fd uintptr) { // the file is open
		_, err := unix.FcntlInt(fd, unix.F_SETLEASE, unix.F_RDLCK)
		if err == nil {
			_, _ = unix.FcntlInt(fd, unix.F_SETLEASE, unix.F_UNLCK)
		}
		writing = err == unix.EAGAIN
	})
	return writing
}
