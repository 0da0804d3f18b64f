//go:build (!unix && !windows) || solaris || aix

package filejournal

import (
	"errors"
	"os"
)

func lockFile(*os.File) error {
	return errors.New("this platform has no lock that dies with its process; keep the journal elsewhere")
}

func lockShared(*os.File) error { return nil }

func unlockFile(*os.File) error { return nil }

func noRoom(error) bool { return false }

// openDirectory: a directory cannot be locked here; the lock of the file must do.
func openDirectory(string) *os.File { return nil }
