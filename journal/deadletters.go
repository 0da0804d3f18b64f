package journal

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
)

// DeadLetters is the box of a service: the work that could not be done, kept
// until a person has looked at it. It is a journal of its own, which is opened
// when it is first needed. Make one with [NewDeadLetters]; all methods are
// safe for concurrent use.
type DeadLetters struct {
	opener Opener
	turn   chan struct{} // one token: whoever has it opens or closes the journal

	mu        sync.Mutex
	journal   Journal // nil: not opened yet
	closed    bool
	receivers map[string]*receiver // by component
	underway  map[uint64]bool      // letters that are being sent again
	gone      map[uint64]bool      // letters thrown away in this life
	put       uint64               // letters put in in this life
}

// NewDeadLetters returns the box that is kept with o. It opens nothing.
func NewDeadLetters(o Opener) *DeadLetters {
	d := &DeadLetters{opener: o, turn: make(chan struct{}, 1), receivers: map[string]*receiver{}, underway: map[uint64]bool{}, gone: map[uint64]bool{}}
	d.turn <- struct{}{}
	return d
}

// open is the journal, opened by whoever comes first. The others wait for it
// no longer than they like.
func (d *DeadLetters) open(ctx context.Context) (Journal, error) {
	if j, err := d.opened(); j != nil || err != nil {
		return j, err
	}
	select {
	case <-d.turn:
		defer func() { d.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, &Error{Journal: DeadLettersName, Op: "open", Err: context.Cause(ctx)}
	}
	if j, err := d.opened(); j != nil || err != nil {
		return j, err
	}
	j, err := d.opener.Open(ctx, DeadLettersName)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.journal = j
	return j, nil
}

// opened is the journal if it is open, and the error if it is closed.
func (d *DeadLetters) opened() (Journal, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, &Error{Journal: DeadLettersName, Op: "open", Err: ErrClosed}
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
	if _, err = j.Append(ctx, entries...); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.put += uint64(len(letters))
	return nil
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
	if err := j.Ack(ctx, joinSpans(nil, slices.Clone(seqs))...); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, seq := range seqs {
		d.gone[seq] = true
	}
	return nil
}

// Close closes the journal of the box, if it was opened. It waits for one that
// is being opened. Called again it does nothing.
func (d *DeadLetters) Close() error {
	<-d.turn
	defer func() { d.turn <- struct{}{} }()
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
