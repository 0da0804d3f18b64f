package journal

import (
	"context"
	"fmt"
	"strconv"
	"sync"
)

// Checkpoint remembers how far a source has been worked off, for a source
// that can be read again from a position: a file by its rows, a topic by its
// offsets. Positions are 1, 2, 3 … and come to an end in any order; the mark is
// the last one before which none is unfinished.
//
//	finished   1 2 3 . 5 . 7
//	mark           ▲           the next life begins at 4, and does 5 and 7 again
//
// It lives in a journal of its own ([CheckpointName]). Make one with
// [OpenCheckpoint]; it is safe for concurrent use.
type Checkpoint struct {
	journal Journal

	saving sync.Mutex // held while the mark is written down, taken before mu
	span   Span       // of the mark that is written down
	saved  uint64

	mu    sync.Mutex
	mark  uint64
	ahead map[uint64]struct{} // finished, beyond the mark
}

const checkpointKind = "checkpoint"

// OpenCheckpoint reads the mark that an earlier life has left in j. Nothing
// else may be in that journal, and nobody else may use it; closing it is the
// caller's affair.
func OpenCheckpoint(ctx context.Context, j Journal) (*Checkpoint, error) {
	c := &Checkpoint{journal: j, ahead: map[uint64]struct{}{}}
	var old []Span
	for e, err := range j.Replay(ctx) {
		if err != nil {
			return nil, err
		}
		mark, err := strconv.ParseUint(string(e.Payload), 10, 64)
		if err != nil || e.Kind != checkpointKind {
			return nil, fmt.Errorf("journal: entry %d is no checkpoint; give a checkpoint a journal of its own", e.Seq)
		}
		// Of several the last counts, as marks only grow: a crash came between
		// writing one and crossing out the one before.
		if c.span.Len() > 0 {
			old = append(old, c.span)
		}
		c.span, c.saved, c.mark = e.Span(), mark, mark
	}
	return c, j.Ack(ctx, old...)
}

// Mark is the position up to which all are finished. Zero: none is.
func (c *Checkpoint) Mark() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mark
}

// Done says that the work of a position has come to an end. Nothing is
// written down. To say it twice does nothing. A position of which it is never
// said holds the mark up: say it of those, too, that the source leaves out.
func (c *Checkpoint) Done(position uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if position <= c.mark {
		return
	}
	c.ahead[position] = struct{}{}
	for {
		if _, ok := c.ahead[c.mark+1]; !ok {
			return
		}
		c.mark++
		delete(c.ahead, c.mark)
	}
}

// Save writes the mark down, if it has moved: it is durable, as the journal
// promises, when Save returns nil. Call it from time to time, and at the end:
// what is between the mark that was saved last and a crash is done again.
func (c *Checkpoint) Save(ctx context.Context) error {
	c.saving.Lock()
	defer c.saving.Unlock()
	mark := c.Mark()
	if mark == c.saved {
		return nil
	}
	span, err := c.journal.Append(ctx, Entry{Kind: checkpointKind, Payload: strconv.AppendUint(nil, mark, 10)})
	if err != nil {
		return err
	}
	old := c.span
	c.span, c.saved = span, mark
	// It is saved all the same if the old one cannot be crossed out.
	return c.journal.Ack(ctx, old)
}
