package filejournal

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/lastcall-go/lastcall/journal"
)

// Holder is the process that uses a directory, as it has written itself down.
type Holder struct {
	// PID is its process id, as it sees it itself: in a container another
	// than outside. 0: it is not known.
	PID int `json:"pid"`
	// Program is the name of its file; it may be empty.
	Program string `json:"program,omitempty"`
}

// String is "process 4711 (shop)".
func (h Holder) String() string {
	switch {
	case h.PID == 0:
		return "another process"
	case h.Program == "":
		return fmt.Sprintf("process %d", h.PID)
	default:
		return fmt.Sprintf("process %d (%s)", h.PID, h.Program)
	}
}

// parseHolder reads what String has written.
func parseHolder(text string) (h Holder) {
	text = strings.TrimSpace(text)
	if n, _ := fmt.Sscanf(text, "process %d", &h.PID); n == 1 {
		if _, program, ok := strings.Cut(text, " ("); ok {
			h.Program = strings.TrimSuffix(program, ")")
		}
	}
	return h
}

func readHolder(dir string) Holder {
	text, _ := os.ReadFile(lockPath(dir)) // where it cannot be read nobody is named
	return parseHolder(string(text))
}

// HeldError says who uses a directory. It matches [journal.ErrLocked].
type HeldError struct {
	Dir    string
	Holder Holder
}

func (e *HeldError) Error() string {
	return fmt.Sprintf("%s: %v: %s uses the directory; stop it, or give each a directory of its own", e.Dir, journal.ErrLocked, e.Holder)
}

// Unwrap is [journal.ErrLocked].
func (e *HeldError) Unwrap() error { return journal.ErrLocked }

// HeldBy returns a [HeldError] if a process uses the directory, nil if none
// does, or why that cannot be found out. The file is never written. The answer
// is of the moment: a process may come while it is read.
func HeldBy(dir string) error {
	err := heldFile(openDirectory(dir))
	if err == nil {
		f, open := os.Open(lockPath(dir))
		if errors.Is(open, os.ErrNotExist) {
			return nil
		}
		if err = open; err == nil {
			err = heldFile(f)
		}
	}
	if errors.Is(err, errHeld) {
		err = &HeldError{Dir: dir, Holder: readHolder(dir)}
	}
	if err != nil {
		return fmt.Errorf("filejournal: %w", err)
	}
	return nil
}

// heldFile asks whether somebody has locked f for himself, and closes it.
func heldFile(f *os.File) error {
	if f == nil {
		return nil
	}
	err := lockShared(f)
	if err == nil {
		err = unlockFile(f)
	}
	return errors.Join(err, f.Close())
}
