package lifecycle

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// write replaces the file in one step, so that a reader never sees half of
// it.
func (r *Receipt) write(file string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(append(text, '\n'))
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
	refuse := func(err error) error {
		return fmt.Errorf("lifecycle: receipt_file: the receipt could not be written to %s, make its directory writable or choose another: %w", file, err)
	}
	if info, err := os.Stat(file); err == nil && info.IsDir() {
		return refuse(errors.New("it is a directory"))
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return refuse(err)
	}
	if err := errors.Join(tmp.Close(), os.Remove(tmp.Name())); err != nil {
		return refuse(err)
	}
	return nil
}
