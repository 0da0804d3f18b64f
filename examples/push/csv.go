package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// columns are the first ones of every input; those that follow are the
// parameters of the template, by their headings.
var columns = []string{"receiver", "channel", "type", "template"}

// read is one row of an input, or what is wrong with it.
type read struct {
	Row
	// Err is what is wrong with this row alone; the next one is read.
	Err error
	// End is why nothing can be read after this row, which is none then.
	End error
}

// nameOf tells an input from another that has taken its file name: a digest of
// what is in it stands behind its own name. An input that was changed is a new
// one; the filter knows who has had the same text. The file is read from its
// beginning, and stays where it is.
func nameOf(f *os.File) (string, error) {
	sum := sha256.New()
	_, err := io.Copy(sum, io.NewSectionReader(f, 0, 1<<62))
	return fmt.Sprintf("%s-%x", filepath.Base(f.Name()), sum.Sum(nil)[:4]), err
}

// readCSV reads the rows below the heading and numbers them from 1, those that
// cannot be understood included. name goes into their IDs. Commas, semicolons
// or tabs may stand between the fields.
func readCSV(name string, in io.Reader) iter.Seq[read] {
	return func(yield func(read) bool) {
		text := bufio.NewReader(in)
		heading, err := []string(nil), skipMark(text)
		r := csv.NewReader(text)
		r.Comma, r.ReuseRecord = separator(text), true
		if err == nil {
			heading, err = r.Read()
			heading = slices.Clone(heading)
		}
		if err == nil && (len(heading) < len(columns) || !slices.Equal(heading[:len(columns)], columns)) {
			err = fmt.Errorf("the heading must begin with %s", strings.Join(columns, ","))
		}
		if err != nil {
			yield(read{End: fmt.Errorf("%s: %w", name, err)})
			return
		}
		for n := uint64(1); ; n++ {
			fields, err := r.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			row := rowOf(heading, fields, err)
			row.Number, row.ID = n, fmt.Sprintf("%s:%d", name, n)
			if !yield(row) || row.End != nil {
				return
			}
		}
	}
}

// skipMark passes over what spreadsheets write before the text.
func skipMark(text *bufio.Reader) error {
	mark, _ := text.Peek(3) // an error is met again when it is read
	switch {
	case string(mark) == "\ufeff":
		_, _ = text.Discard(3)
	case bytes.HasPrefix(mark, []byte{0xff, 0xfe}), bytes.HasPrefix(mark, []byte{0xfe, 0xff}):
		return errors.New(`the file is UTF-16; save it as "CSV UTF-8"`)
	}
	return nil
}

// separator is the first of them in the heading.
func separator(text *bufio.Reader) rune {
	heading, _ := text.Peek(text.Size())
	if i := bytes.IndexAny(heading, ",;\t"); i >= 0 {
		return rune(heading[i])
	}
	return ','
}

func rowOf(heading, fields []string, err error) read {
	var broken *csv.ParseError
	switch {
	case errors.As(err, &broken):
		return read{Err: err}
	case err != nil:
		return read{End: err}
	}
	row := Row{Receiver: fields[0], Channel: fields[1], Type: fields[2], Template: fields[3], Params: map[string]string{}}
	for i := len(columns); i < len(fields); i++ {
		if fields[i] != "" {
			row.Params[heading[i]] = fields[i]
		}
	}
	return read{Row: row, Err: row.validate()}
}
