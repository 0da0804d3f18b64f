//go:build unix && !solaris && !aix

package filejournal

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

func lockFile(f *os.File) error { return flock(f, unix.LOCK_EX) }

// lockShared is granted unless somebody has locked the file for itself.
func lockShared(f *os.File) error { return flock(f, unix.LOCK_SH) }

func flock(f *os.File, how int) error {
	err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return errHeld
	}
	return err
}

// openDirectory opens a directory to be locked; nil where that is not possible,
// as over NFS, where the lock of the file must do.
func openDirectory(path string) *os.File {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	if err := lockShared(f); err != nil && !errors.Is(err, errHeld) {
		_ = f.Close()
		return nil
	}
	return f
}

// noRoom reports whether an error says that the disk is full.
func noRoom(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }

func unlockFile(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_UN) }
