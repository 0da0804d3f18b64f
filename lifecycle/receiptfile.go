package lifecycle

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// diskPatience is how long a disk may take to write the receipt.
const diskPatience = 5 * time.Second

// writeJSON writes v, a receipt or a marker, as it is now. It waits for a disk
// that is slow, not for one that is stuck: that one gets a text of its own, so
// that a receipt can still be added to.
func writeJSON(file string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	written := make(chan error, 1)
	if !patiently(diskPatience, func() { written <- replaceFile(file, append(text, '\n')) }) {
		return errSlowDisk
	}
	return <-written
}

// replaceFile does so in one step: a reader never sees half of it.
func replaceFile(file string, text []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(text)
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}

// checkReceiptFile finds out before the start what would else be noticed when
// it is too late: that the receipt has no place to go to.
func checkReceiptFile(file string) error {
	if file == "" {
		return nil
	}
	if info, err := os.Stat(file); err == nil && info.IsDir() {
		return refusedFile(file, errors.New("it is a directory"))
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return refusedFile(file, err)
	}
	if err := errors.Join(tmp.Close(), os.Remove(tmp.Name())); err != nil {
		return refusedFile(file, err)
	}
	return nil
}

func refusedFile(file string, err error) error {
	return fmt.Errorf("lifecycle: receipt_file: the receipt could not be written to %s, make its directory writable or choose another: %w", file, err)
}

// maxReceiptFile is far beyond what a receipt takes, stacks and all.
const maxReceiptFile = 64 << 20

func readReceiptFile(file string) ([]byte, error) { return readSmallFile(file, maxReceiptFile) }

// readSmallFile reads plain files alone: a pipe would keep us waiting for
// somebody to write to it.
func readSmallFile(file string, most int64) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > most {
		return nil, fmt.Errorf("%s is no receipt, and nothing else of ours (%s, %d bytes)", file, info.Mode(), info.Size())
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, most))
	return text, errors.Join(err, f.Close())
}
