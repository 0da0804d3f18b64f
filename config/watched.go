package config

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"
)

// watched is one file of a Watcher. It belongs to the watcher's goroutine.
type watched struct {
	name string
	path string                            // name, on the disk
	read func(name string) ([]byte, error) // nil: from the disk

	there bool   // it counts
	data  []byte // what counts
	sum   [sha256.Size]byte

	// next is what was found last and is not taken yet, since when.
	next  [sha256.Size]byte
	since time.Time // zero: there is none
}

// verdict is what came of one look.
type verdict struct {
	taken     bool   // it holds something else from now on
	unsettled bool   // it should be looked at again
	wrong     string // why it is not taken as it is
}

func (f *watched) look(now time.Time, cfg WatchConfig) verdict {
	data, writing, err := f.now()
	switch {
	case errors.Is(err, errNoFile) || errors.Is(err, fs.ErrNotExist) && !f.there:
		return f.settled("")
	case errors.Is(err, fs.ErrNotExist):
		return f.settled("the file has gone; what it last held stays in force")
	case err != nil:
		return f.settled("the file cannot be read, and what it last held stays in force: " + err.Error())
	}
	sum := sha256.Sum256(data)
	switch {
	case sum == f.sum:
		return f.settled("")
	case len(bytes.TrimSpace(data)) == 0:
		return f.settled("the file is empty; what it last held stays in force ({} is a file without keys)")
	case f.since.IsZero() || sum != f.next:
		f.next, f.since = sum, now
		return verdict{unsettled: true}
	}
	// Whoever has it open for writing may have written half of it. One who never
	// closes it does not keep it from us for ever.
	if age := now.Sub(f.since); age < cfg.Debounce || writing && age < cfg.Poll {
		return verdict{unsettled: true}
	}
	f.settled("")
	f.there, f.data, f.sum = true, data, sum
	return verdict{taken: true}
}

func (f *watched) settled(wrong string) verdict {
	f.since = time.Time{}
	return verdict{wrong: wrong}
}

// errNoFile: it is a pipe or a device. Whoever has read it once has read it.
var errNoFile = errors.New("not a file")

// now is what the file holds, and whether somebody has it open for writing. The
// latter is asked before it is read: A writes half of it, we read, A ends, we
// ask, and take half of it for the whole.
func (f *watched) now() (data []byte, writing bool, err error) {
	if f.read != nil {
		data, err = f.read(f.name)
		return data, false, err
	}
	info, err := os.Stat(f.path)
	if err != nil {
		return nil, false, err
	}
	if !info.Mode().IsRegular() && !info.IsDir() {
		return nil, false, errNoFile
	}
	file, err := os.Open(f.path)
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = file.Close() }() // it was only read
	writing = beingWritten(file)
	data, err = io.ReadAll(file)
	return data, writing, err
}
