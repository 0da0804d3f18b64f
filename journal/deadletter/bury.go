package deadletter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/journal"
)

// Bury moves entries out of the journal of a component and into the box, by
// their ids: it is the way out for work that ends the process whenever it is
// replayed. The component must not run. It returns how many were moved; the
// error names the ids of which there was none. Dying in between leaves an entry
// in both places.
func Bury(ctx context.Context, o journal.Opener, component string, ids ...string) (moved int, err error) {
	j, err := o.Open(ctx, component)
	if err != nil {
		return 0, err
	}
	box := journal.NewDeadLetters(o)
	defer func() { err = errors.Join(err, box.Close(), j.Close()) }()
	missing := slices.Clone(ids)
	for e, err := range j.Replay(ctx) {
		if err != nil {
			return moved, err
		}
		if !slices.Contains(ids, e.ID) {
			continue
		}
		if err := box.Put(ctx, letterOf(component, &e)); err != nil {
			return moved, err
		}
		if err := j.Ack(ctx, e.Span()); err != nil {
			return moved, err
		}
		moved++
		missing = slices.DeleteFunc(missing, func(id string) bool { return id == e.ID })
	}
	if len(missing) > 0 {
		return moved, fmt.Errorf("deadletter: there is no entry in %s with the id %s", component, strings.Join(missing, ", "))
	}
	return moved, nil
}

func letterOf(component string, e *journal.Entry) journal.DeadLetter {
	l := journal.LetterOf(component, e)
	l.Reason, l.Died, l.Last = journal.ReasonBuried, time.Now(), "a person has taken it out of the journal"
	return l
}
