package journal

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// receiver is who takes letters back.
type receiver struct {
	take  func(context.Context, DeadLetter) error
	check func(DeadLetter) error
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
