package journaltest

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"

	"github.com/lastcall-go/lastcall/journal"
)

// Memory is a store that keeps its journals in memory: as simple as the
// contract can be kept, for tests, and as the model that others are compared
// with. A journal outlives its Close, as on a disk. Make one with [NewMemory].
type Memory struct {
	limit int // payload bytes of one journal; 0: none

	mu     sync.Mutex
	shelf  map[string]*notebook
	nameID int
}

// notebook is what a name stands for, open or not.
type notebook struct {
	mu      sync.Mutex
	entries []journal.Entry // not acknowledged, by Seq
	last    uint64
	bytes   int
	open    *memoryJournal
}

// NewMemory returns an empty store. Journals whose payloads hold limit bytes
// are full; 0 is no bound.
func NewMemory(limit int) *Memory {
	return &Memory{limit: limit, shelf: map[string]*notebook{}}
}

// Open is [journal.Opener].
func (m *Memory) Open(_ context.Context, name string) (journal.Journal, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	book := m.shelf[name]
	if book == nil {
		book = &notebook{}
		m.shelf[name] = book
	}
	book.mu.Lock()
	defer book.mu.Unlock()
	if book.open != nil {
		return nil, &journal.Error{Journal: name, Op: "open", Err: journal.ErrLocked}
	}
	m.nameID++
	book.open = &memoryJournal{notebook: book, name: name, run: m.nameID, limit: m.limit}
	return book.open, nil
}

// Crash makes every journal as if the process had died: those that are open
// are closed to their holders, and their names can be opened again.
func (m *Memory) Crash() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, book := range m.shelf {
		book.mu.Lock()
		book.open = nil
		book.mu.Unlock()
	}
}

type memoryJournal struct {
	*notebook
	name  string
	run   int
	limit int
}

func (j *memoryJournal) failed(op string, err error) error {
	return &journal.Error{Journal: j.name, Op: op, Err: err}
}

func (j *memoryJournal) Append(_ context.Context, entries ...journal.Entry) (journal.Span, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.open != j {
		return journal.Span{}, j.failed("append", journal.ErrClosed)
	}
	if len(entries) == 0 {
		return journal.Span{}, nil
	}
	size := 0
	for i := range entries {
		size += len(entries[i].Payload)
	}
	switch {
	case j.limit > 0 && size > j.limit:
		return journal.Span{}, j.failed("append", journal.ErrTooLarge)
	case j.limit > 0 && j.bytes+size > j.limit:
		return journal.Span{}, j.failed("append", journal.ErrFull)
	}
	span := journal.Span{First: j.last + 1, Last: j.last + uint64(len(entries))}
	for _, e := range entries {
		j.last++
		e.Seq = j.last
		if e.ID == "" {
			e.ID = j.ID(e.Seq)
		}
		if !e.At.IsZero() {
			e.At = e.At.UTC().Round(0)
		}
		e.Payload = slices.Clone(e.Payload)
		j.entries = append(j.entries, e)
	}
	j.bytes += size
	return span, nil
}

func (j *memoryJournal) ID(seq uint64) string { return fmt.Sprintf("%d-%d", j.run, seq) }

func (j *memoryJournal) Ack(_ context.Context, spans ...journal.Span) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.open != j {
		return j.failed("ack", journal.ErrClosed)
	}
	j.entries = slices.DeleteFunc(j.entries, func(e journal.Entry) bool {
		gone := slices.ContainsFunc(spans, func(s journal.Span) bool { return s.Contains(e.Seq) })
		if gone {
			j.bytes -= len(e.Payload)
		}
		return gone
	})
	return nil
}

func (j *memoryJournal) Replay(ctx context.Context) iter.Seq2[journal.Entry, error] {
	return func(yield func(journal.Entry, error) bool) {
		j.mu.Lock()
		next, end := uint64(0), j.last
		j.mu.Unlock()
		for {
			e, more, err := j.after(ctx, next, end)
			if err != nil {
				yield(journal.Entry{}, j.failed("replay", err))
				return
			}
			if !more || !yield(e, nil) {
				return
			}
			next = e.Seq
		}
	}
}

// after finds the first entry behind seq, up to end.
func (j *memoryJournal) after(ctx context.Context, seq, end uint64) (journal.Entry, bool, error) {
	if ctx.Err() != nil {
		return journal.Entry{}, false, context.Cause(ctx)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.open != j {
		return journal.Entry{}, false, journal.ErrClosed
	}
	i, _ := slices.BinarySearchFunc(j.entries, seq+1, func(e journal.Entry, seq uint64) int {
		return int(int64(e.Seq) - int64(seq))
	})
	if i == len(j.entries) || j.entries[i].Seq > end {
		return journal.Entry{}, false, nil
	}
	e := j.entries[i]
	e.Payload = slices.Clone(e.Payload)
	return e, true, nil
}

func (j *memoryJournal) Len() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.entries)
}

func (j *memoryJournal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.open == j {
		j.open = nil
	}
	return nil
}
