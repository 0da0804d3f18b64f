package filejournal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// LockName is the file by which a process holds a directory: who finds one knows
// that journals are kept there, and by whom.
const LockName = "LOCK"

// lock is what a process holds that uses a directory. It dies with the process,
// however it dies; the file stays.
type lock struct {
	file *os.File
	// dir is the directory itself: the file may be removed by somebody who
	// tidies up. nil where directories cannot be locked.
	dir *os.File
}

// lockDir takes the directory for this process.
func lockDir(dir string) (*lock, error) {
	l := &lock{dir: openDirectory(dir)}
	err := lockPatiently(l.dir)
	if err == nil {
		if l.file, err = openLock(lockPath(dir)); err == nil {
			err = lockPatiently(l.file)
		}
	}
	if err != nil {
		if errors.Is(err, errHeld) {
			err = &HeldError{Dir: dir, Holder: readHolder(dir)}
		}
		return nil, errors.Join(err, l.close())
	}
	f := l.file
	// Who holds it is help for a reader, no more: a full disk must not keep a
	// service from starting.
	program, _ := os.Executable()
	text := Holder{PID: os.Getpid(), Program: filepath.Base(program)}.String() + "\n"
	_ = errors.Join(f.Truncate(0), writeAll(f, text))
	return l, nil
}

func (l *lock) close() (err error) {
	for _, f := range []*os.File{l.file, l.dir} {
		if f != nil {
			err = errors.Join(err, f.Close())
		}
	}
	return err
}

// openLock opens the file that is written into, and nothing else that somebody
// has put a link to in its place. It is looked at again when it is open: a link
// may come in between.
func openLock(path string) (*os.File, error) {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file; take it away", path)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	opened, err := f.Stat()
	there, wrong := os.Lstat(path)
	if err = errors.Join(err, wrong); err == nil && !os.SameFile(opened, there) {
		err = fmt.Errorf("%s was replaced while it was opened; is somebody at work there?", path)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func lockPath(dir string) string { return filepath.Clean(filepath.Join(dir, LockName)) }

// lockPatiently looks a second time, and a few more. Who asks whether somebody
// holds the directory ([HeldBy]) has it for an instant, and a service must not
// fail to start because of that.
func lockPatiently(f *os.File) (err error) {
	if f == nil {
		return nil
	}
	for range 10 {
		if err = lockFile(f); !errors.Is(err, errHeld) {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
	return err
}

// unlockDir lets go of the directory at once: a child that was just being
// started would hold on to a lock that is only closed.
func unlockDir(l *lock) error {
	err := unlockFile(l.file)
	if l.dir != nil {
		err = errors.Join(err, unlockFile(l.dir))
	}
	return errors.Join(err, l.close())
}

func writeAll(f *os.File, text string) error {
	_, err := f.WriteAt([]byte(text), 0)
	return err
}

var errHeld = errors.New("another holds it")
