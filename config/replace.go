package config

import (
	"errors"
	"os"
	"path/filepath"
)

// replaceFile puts a new file in the place of an old one, in one step: whoever
// reads, or comes after a crash, finds the one or the other.
func replaceFile(name string, data []byte) (err error) {
	// A link stays one: it is the file behind it that is replaced.
	if target, linkErr := filepath.EvalSymlinks(name); linkErr == nil {
		name = target
	}
	dir := filepath.Dir(name)
	mode := os.FileMode(0o600)
	if old, statErr := os.Stat(name); statErr == nil {
		mode = old.Mode().Perm()
	}
	f, err := os.CreateTemp(dir, filepath.Base(name)+".*.tmp")
	if err != nil {
		return err
	}
	_, writeErr := f.Write(data)
	if err := errors.Join(writeErr, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDir(dir)
}

// syncDir makes the new name survive a power loss.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
