package journal

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
)

// DeadLettersName is the name of the journal that a box is kept in.
const DeadLettersName = "deadletters"

// DeadLetters is the box of a service: the work that could not be done, kept
// until a person has looked at it. It is a journal of its own, which is opened
// when it is first needed. Make one with [NewDeadLetters]; all methods are
// safe for concurrent use.
type DeadLetters struct {
	opener Opener

	mu      sync.Mutex // also held while the journal is opened
	journal Journal    // nil: not opened yet
	closed  bool

	receivers map[string]*receiver // by component
}

// receiver is who takes letters back.
type receiver struct {
	take func(context.Context, DeadLetter) error
}

// NewDeadLetters returns the box that is kept with o. It opens nothing.
func NewDeadLetters(o Opener) *DeadLetters {
	return &DeadLetters{opener: o, receivers: map[string]*receiver{}}
}

func (d *DeadLetters) open(ctx context.Context) (Journal, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, &Error{Journal: DeadLettersName, Op: "open", Err: ErrClosed}
	}
	if d.journal == nil {
		j, err := d.opener.Open(ctx, DeadLettersName)
		if err != nil {
			return nil, err
		}
		d.journal = j
	}
	return d.journal, nil
}

// Put puts letters into the box. They are durable, as the store promises, when
// it returns nil; on an error none of them was taken.
func (d *DeadLetters) Put(ctx context.Context, letters ...DeadLetter) error {
	if len(letters) == 0 {
		return nil
	}
	entries := make([]Entry, len(letters))
	for i := range letters {
		e, err := letters[i].entry()
		if err != nil {
			return fmt.Errorf("journal: dead letter %s of %s: %w", letters[i].ID, letters[i].Component, err)
		}
		entries[i] = e
	}
	j, err := d.open(ctx)
	if err != nil {
		return err
	}
	_, err = j.Append(ctx, entries...)
	return err
}

// All yields the letters in the box, the oldest first. An error ends it, with a
// zero DeadLetter. Put, Drop and Redrive may be called meanwhile.
func (d *DeadLetters) All(ctx context.Context) iter.Seq2[DeadLetter, error] {
	return func(yield func(DeadLetter, error) bool) {
		j, err := d.open(ctx)
		if err != nil {
			yield(DeadLetter{}, err)
			return
		}
		for e, err := range j.Replay(ctx) {
			if err != nil {
				yield(DeadLetter{}, err)
				return
			}
			if !yield(letterOf(e), nil) {
				return
			}
		}
	}
}

// Len is how many letters are in the box.
func (d *DeadLetters) Len(ctx context.Context) (int, error) {
	j, err := d.open(ctx)
	if err != nil {
		return 0, err
	}
	return j.Len(), nil
}

// Drop throws letters away, by their Seq. One that is not there does nothing.
func (d *DeadLetters) Drop(ctx context.Context, seqs ...uint64) error {
	j, err := d.open(ctx)
	if err != nil {
		return err
	}
	return j.Ack(ctx, joinSpans(nil, slices.Clone(seqs))...)
}

// Receive makes take the one who gets the letters of a component back; it is
// to accept the work anew, or say why not. What it returns takes that back; a
// later call for the same component takes the place of the former.
func (d *DeadLetters) Receive(component string, take func(context.Context, DeadLetter) error) (leave func()) {
	r := &receiver{take}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.receivers[component] = r
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.receivers[component] == r {
			delete(d.receivers, component)
		}
	}
}

// Redrive gives a letter back to its component in this process, as new work
// with the old ID, and throws it away once it is accepted. It waits as the
// component's Submit or Add does. On an error the letter stays; when the
// process dies in between, the work comes again.
func (d *DeadLetters) Redrive(ctx context.Context, l DeadLetter) error {
	d.mu.Lock()
	r := d.receivers[l.Component]
	d.mu.Unlock()
	if r == nil {
		return fmt.Errorf("journal: redrive: nobody takes letters of %q back; %s", l.Component, d.known())
	}
	if err := r.take(ctx, l); err != nil {
		return fmt.Errorf("journal: redrive %s to %s: %w", l.ID, l.Component, err)
	}
	if l.Seq == 0 {
		return nil // it was never in the box
	}
	return d.Drop(ctx, l.Seq)
}

func (d *DeadLetters) known() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.receivers) == 0 {
		return "no component runs that does"
	}
	return "those that do: " + strings.Join(slices.Sorted(maps.Keys(d.receivers)), ", ")
}

// Close closes the journal of the box, if it was opened. Called again it does
// nothing.
func (d *DeadLetters) Close() error {
	d.mu.Lock()
	j := d.journal
	d.journal, d.closed = nil, true
	d.mu.Unlock()
	if j == nil {
		return nil
	}
	if err := j.Close(); err != nil && !errors.Is(err, ErrClosed) {
		return err
	}
	return nil
}
