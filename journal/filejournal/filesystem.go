package filejournal

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// fileSystem is what a journal asks of the disk. Tests put one between that
// fails, or loses its power.
type fileSystem interface {
	MkdirAll(dir string) error
	List(dir string) ([]string, error)
	Create(name string) (file, error) // an empty one, whatever was there
	Open(name string) (file, error)
	Rename(from, to string) error
	Remove(name string) error
	SyncDir(dir string) error
}

type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Size() (int64, error)
	// Allocate reserves the disk for size bytes and makes the file as long.
	// errors.ErrUnsupported where that cannot be done.
	Allocate(size int64) error
	// Sync forces data, and what is needed to read it again.
	Sync() error
	// Map gives the bytes of the file as memory. errors.ErrUnsupported where
	// that cannot be done.
	Map(size int64) ([]byte, error)
	Unmap(mem []byte) error
}

// disk is the file system of the machine.
type disk struct{}

func (disk) MkdirAll(dir string) error { return os.MkdirAll(dir, 0o700) }

func (disk) List(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, err
}

func (disk) Create(name string) (file, error) {
	return wrap(os.OpenFile(filepath.Clean(name), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600))
}

func (disk) Open(name string) (file, error) {
	return wrap(os.OpenFile(filepath.Clean(name), os.O_RDWR, 0))
}

func wrap(f *os.File, err error) (file, error) {
	if err != nil {
		return nil, err
	}
	return diskFile{f}, nil
}

func (disk) Rename(from, to string) error { return os.Rename(from, to) }

func (disk) Remove(name string) error { return os.Remove(name) }

func (disk) SyncDir(dir string) error {
	d, err := os.Open(filepath.Clean(dir))
	if err != nil {
		return err
	}
	return errors.Join(syncDir(d), d.Close())
}

type diskFile struct{ *os.File }

func (f diskFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
