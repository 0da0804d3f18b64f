package filejournal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/lastcall-go/lastcall/journal"
)

const lockName = "LOCK"

// lockDir takes the directory for this process. The lock dies with the
// process, however it dies; the file stays.
func lockDir(dir string) (*os.File, error) {
	name := filepath.Join(dir, lockName)
	f, err := os.OpenFile(filepath.Clean(name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		holder, _ := os.ReadFile(filepath.Clean(name))
		err = errors.Join(err, f.Close())
		if errors.Is(err, errHeld) {
			err = heldBy(strings.TrimSpace(string(holder)))
		}
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	program, _ := os.Executable() // its name is help for a reader, no more
	text := fmt.Sprintf("process %d (%s)\n", os.Getpid(), filepath.Base(program))
	if err := errors.Join(f.Truncate(0), writeAll(f, text)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// unlockDir lets go of the directory at once: a child that was just being
// started would hold on to a lock that is only closed.
func unlockDir(f *os.File) error { return errors.Join(unlockFile(f), f.Close()) }

func writeAll(f *os.File, text string) error {
	_, err := f.WriteAt([]byte(text), 0)
	return err
}

var errHeld = errors.New("another holds it")

func heldBy(holder string) error {
	if holder == "" {
		holder = "another process"
	}
	return fmt.Errorf("%w: %s uses the directory; stop it, or give each a directory of its own", journal.ErrLocked, holder)
}
