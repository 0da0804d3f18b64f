package filejournal

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Allocate goes to the disk really: a hole would turn a full disk into a
// fault of the memory that is mapped over it.
func (f diskFile) Allocate(size int64) error {
	for {
		err := unix.Fallocate(int(f.Fd()), 0, 0, size)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOSYS):
			return errors.ErrUnsupported
		case err != nil:
			return &os.PathError{Op: "fallocate", Path: f.Name(), Err: err}
		default:
			return nil
		}
	}
}

func (f diskFile) Sync() error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return &os.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
		default:
			return nil
		}
	}
}

func (f diskFile) Map(size int64) ([]byte, error) {
	mem, err := unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("%w: mmap %s: %w", errors.ErrUnsupported, f.Name(), err)
	}
	return mem, nil
}

// touch brings the pages of mapped memory in, as a write to each would. Where
// the system knows no such call, the writes do.
func touch(mem []byte) { _ = unix.Madvise(mem, unix.MADV_POPULATE_WRITE) }

func (diskFile) Unmap(mem []byte) error { return unix.Munmap(mem) }

func syncDir(d *os.File) error { return d.Sync() }
