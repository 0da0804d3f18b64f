package deadletter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/lastcall-go/lastcall/journal"
)

// Offline is the box of a service that does not run: what is sent back is
// appended to the journal of its component, under its old id and with no
// attempt counted, and replayed when the service starts. Make one with
// [NewOffline]; all methods are safe for concurrent use.
type Offline struct {
	box    *journal.DeadLetters
	opener journal.Opener
	names  []string

	mu   sync.Mutex // also held while a journal is opened
	open map[string]journal.Journal
}

var _ Box = (*Offline)(nil)

// NewOffline returns the box that is kept with o, a directory that no service
// holds. It opens nothing. names are the journals that there are: work is sent
// to no other, since no service would look for it there. nil: to any.
func NewOffline(o journal.Opener, names []string) *Offline {
	return &Offline{box: journal.NewDeadLetters(o), opener: o, names: names, open: map[string]journal.Journal{}}
}

// All yields the letters that are in the box, the oldest first.
func (b *Offline) All(ctx context.Context) iter.Seq2[journal.DeadLetter, error] {
	return b.box.All(ctx)
}

// Drop throws letters away.
func (b *Offline) Drop(ctx context.Context, seqs ...uint64) error { return b.box.Drop(ctx, seqs...) }

// Redrive appends the work of a letter to the journal of its component, and
// throws the letter away when that has succeeded.
func (b *Offline) Redrive(ctx context.Context, l journal.DeadLetter) error {
	if err := b.Check(l); err != nil {
		return err
	}
	j, err := b.journal(ctx, l.Component)
	if err != nil {
		return err
	}
	_, err = j.Append(ctx, l.Work())
	if err != nil || l.Seq == 0 {
		return err
	}
	return b.box.Drop(ctx, l.Seq)
}

// Check says of a letter that there is no journal to append it to, or that its
// payload is not the JSON that it says it is: at the next start nobody could
// read it. Payloads of other codecs are not looked at. A dry run asks that alone.
func (b *Offline) Check(l journal.DeadLetter) error {
	if b.names != nil && !slices.Contains(b.names, l.Component) || !journal.IsWork(l.Component) {
		return fmt.Errorf("there is no journal %q to append it to; %s", l.Component, b.others())
	}
	if l.Codec != jsonCodec {
		return nil
	}
	var payload json.RawMessage
	if err := json.Unmarshal(l.Payload, &payload); err != nil {
		return fmt.Errorf("the payload is not JSON (%w); mend it", err)
	}
	return nil
}

const jsonCodec = "json" // the name of [journal.JSON]

func (b *Offline) journal(ctx context.Context, name string) (journal.Journal, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if j := b.open[name]; j != nil {
		return j, nil
	}
	j, err := b.opener.Open(ctx, name)
	if err == nil {
		b.open[name] = j
	}
	return j, err
}

func (b *Offline) others() string {
	var names []string
	for _, name := range b.names {
		if journal.IsWork(name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "a service that keeps one must have run once"
	}
	return "there are: " + strings.Join(names, ", ")
}

// Close closes the box, and the journals that were appended to.
func (b *Offline) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	errs := []error{b.box.Close()}
	for _, j := range b.open {
		errs = append(errs, j.Close())
	}
	clear(b.open)
	return errors.Join(errs...)
}
