package filejournal

import (
	"errors"
	"os"
)

// HoldShared holds the lock of a directory as HeldBy does for an instant.
func HoldShared(dir string) (release func(), err error) {
	f, err := os.OpenFile(lockPath(dir), os.O_RDONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockShared(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { _ = errors.Join(unlockFile(f), f.Close()) }, nil
}

// Crash ends the directory as the death of the process would: nothing is
// sealed, forced or removed.
func (d *Directory) Crash() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	for _, j := range d.opened() {
		j.crash()
	}
	_ = unlockDir(d.lock)
}
