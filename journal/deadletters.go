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
}

// receiver is who takes letters back.
type receiver struct {
	take  func(context.Context, DeadLetter) error
	check func(DeadLetter) error
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

// Receive makes take the one who gets the letters of a component back; it is
// to accept the work anew, or say why not. check says of a letter that take could
// not even read it, and changes nothing; nil: it could. What Receive returns takes
// that back; a later call for the same component takes the place of the former.
func (d *DeadLetters) Receive(component string, take func(context.Context, DeadLetter) error, check func(DeadLetter) error) (leave func()) {
	r := &receiver{take, check}
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

// Check says of a letter that Redrive would fail: nobody takes letters of its
// component back, or it cannot be read. Whether there is room for it is not asked.
func (d *DeadLetters) Check(l DeadLetter) error {
	d.mu.Lock()
	r, err := d.receiverLocked(&l)
	d.mu.Unlock()
	if err != nil || r.check == nil {
		return err
	}
	if err := r.check(l); err != nil {
		return fmt.Errorf("journal: redrive %s to %s: %w", l.ID, l.Component, err)
	}
	return nil
}

func (d *DeadLetters) receiverLocked(l *DeadLetter) (*receiver, error) {
	r := d.receivers[l.Component]
	if r == nil {
		return nil, fmt.Errorf("journal: redrive: nobody takes letters of %q back; %s", l.Component, d.knownLocked())
	}
	return r, nil
}

// Redrive gives a letter back to its component in this process, as new work
// with the old ID, and throws it away once it is accepted. It waits as the
// component's Submit or Add does. On an error the letter stays, and it was not
// accepted, unless the error says so; when the process dies in between, the work
// comes again. A letter that is being sent again already is refused.
//
// A component with a journal, in any mode but off, writes the work down before
// it accepts it. One without has it in memory alone from then on.
func (d *DeadLetters) Redrive(ctx context.Context, l DeadLetter) error {
	r, err := d.send(l)
	if err != nil {
		return err
	}
	defer d.sent(l)
	if err := r.take(ctx, l); err != nil {
		return fmt.Errorf("journal: redrive %s to %s: %w", l.ID, l.Component, err)
	}
	if l.Seq == 0 {
		return nil // it was never in the box
	}
	// It is accepted: who asked for it may have gone.
	if err := d.Drop(context.WithoutCancel(ctx), l.Seq); err != nil {
		return fmt.Errorf("journal: redrive %s to %s: it was accepted, but stays in the box: %w", l.ID, l.Component, err)
	}
	return nil
}

// send begins a redrive: of one letter there is one at a time.
func (d *DeadLetters) send(l DeadLetter) (*receiver, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r, err := d.receiverLocked(&l)
	switch {
	case err != nil:
		return nil, err
	case d.underway[l.Seq]:
		return nil, fmt.Errorf("journal: redrive %s to %s: it is being sent again already", l.ID, l.Component)
	case d.gone[l.Seq]: // the list of who sends it is old
		return nil, fmt.Errorf("journal: redrive %s to %s: it is not in the box any more", l.ID, l.Component)
	case l.Seq > 0:
		d.underway[l.Seq] = true
	}
	return r, nil
}

func (d *DeadLetters) sent(l DeadLetter) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.underway, l.Seq)
}

func (d *DeadLetters) knownLocked() string {
	if len(d.receivers) == 0 {
		return "no component runs that does"
	}
	return "those that do: " + strings.Join(slices.Sorted(maps.Keys(d.receivers)), ", ")
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
