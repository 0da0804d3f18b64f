package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
)

// Reader reads records that may still grow.
type Reader struct {
	path string
	read int64 // whole lines
}

// News yields the events that were not yielded before. A file that is not
// there has none.
func (r *Reader) News() iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		f, err := os.Open(r.path)
		if errors.Is(err, fs.ErrNotExist) {
			return
		}
		if err != nil {
			yield(Event{}, err)
			return
		}
		defer func() { _ = f.Close() }() // it was only read
		lines := bufio.NewReader(io.NewSectionReader(f, r.read, 1<<62))
		for {
			line, err := lines.ReadBytes('\n')
			if err != nil {
				if !errors.Is(err, io.EOF) {
					yield(Event{}, err)
				}
				return // the rest of a line is read when it has an end
			}
			var e Event
			if err := json.Unmarshal(line, &e); err != nil {
				err = fmt.Errorf("%s at %d: %w", r.path, r.read, err)
				yield(Event{}, err)
				return
			}
			r.read += int64(len(line))
			if !yield(e, nil) {
				return
			}
		}
	}
}
