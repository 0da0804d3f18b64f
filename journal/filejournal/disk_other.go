//go:build !linux

package filejournal

import (
	"errors"
	"os"
	"runtime"
)

// Elsewhere segments are filled with zeros and written with WriteAt: a mapped
// file whose room is not reserved is a fault waiting for the disk to be full.

func (diskFile) Allocate(int64) error { return errors.ErrUnsupported }

func (diskFile) Map(int64) ([]byte, error) { return nil, errors.ErrUnsupported }

func touch([]byte) {}

func (diskFile) Unmap([]byte) error { return errors.ErrUnsupported }

func syncDir(d *os.File) error {
	if runtime.GOOS == "windows" {
		return nil // its directories cannot be forced, nor need they be
	}
	return d.Sync()
}
