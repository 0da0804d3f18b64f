package drill

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
)

// Source yields ids in the order in which they arrived, an id as often as it
// arrived, and leaves out the first ones: after is how many it has yielded in
// its earlier calls.
//
//	slices:  for _, id := range arrived[after:]
//	SQL:     SELECT id FROM sent ORDER BY n OFFSET $1
//	a file:  Lines(name)
//
// It is called when the program is dead, and every 20 ms while it settles; a
// sink that is a process of its own should note an id when it arrives, so that
// it is put down to the right life. Ids that are not the drill's are counted
// and left alone.
type Source func(ctx context.Context, after int) iter.Seq2[string, error]

// Outcome is where the work arrives. Delivered must be given.
type Outcome struct {
	// Delivered are the ids that the sink has seen.
	Delivered Source
	// Failed are those that the program has recorded as failed for good: its
	// dead letters. nil: it keeps no record.
	Failed Source
	// Saved are those that the program has put where it will not come back to
	// them by itself. nil: there is no such place.
	Saved Source
}

// Lines is a source of ids that stand in a file, one a line. A file that does
// not exist is empty, and a last line without an end is not there yet. The
// file may grow, but not be written anew. Each call reads on where the last
// one ended, so a source is for one drill.
func Lines(file string) Source {
	l := &lines{file: file}
	return l.since
}

type lines struct {
	file string
	read int   // how many lines
	at   int64 // where they end
}

func (l *lines) since(_ context.Context, after int) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if after < l.read {
			l.read, l.at = 0, 0
		}
		err := eachLine(l.file, l.at, func(line string, end int64) bool {
			l.read, l.at = l.read+1, end
			return l.read <= after || yield(line, nil)
		})
		if err != nil {
			yield("", err)
		}
	}
}

// eachLine calls use with each whole line behind at, and with where it ends.
func eachLine(file string, at int64, use func(line string, end int64) bool) error {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if _, err := f.Seek(at, io.SeekStart); err != nil {
		return err
	}
	r := bufio.NewReader(f)
	for {
		line, err := r.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		at += int64(len(line))
		if !use(line[:len(line)-1], at) {
			return nil
		}
	}
}
