package batch

import (
	"context"
	"sync/atomic"
)

// Item is what the batcher knows of an item in a sink's batch.
type Item struct {
	// ID tells a repetition from a new item: it is the same at every attempt,
	// in every life of the program, and after it was sent again from the dead
	// letters. It is empty where there is neither [WithID], nor a journal, nor
	// dead letters, nor a Config.MaxAge.
	ID string
	// Key is what [WithLabel] says, or [WithKey].
	Key string
	// Attempt counts the calls of the sink that have had the item, this one
	// counted, and those of earlier lives as far as they were written down.
	Attempt int
	// Replayed says that an earlier life had accepted it.
	Replayed bool
}

type itemsKey struct{}

// ItemsOf is for a [Sink]: it returns what is known of the items that it was
// given, in their order. The context is the sink's, or made from it. They are
// made at every call. It returns nil when the sink has returned, and where
// there is no sink.
func ItemsOf(ctx context.Context) []Item {
	if l, ok := ctx.Value(itemsKey{}).(interface{ describe() []Item }); ok {
		return l.describe()
	}
	return nil
}

// lent is a lot while a sink has it.
type lent[T any] struct {
	b     *Batcher[T]
	lot   lot[T]
	key   string
	calls int
	over  atomic.Bool
}

func (l *lent[T]) describe() []Item {
	if l.over.Load() {
		return nil // the slices may be in use again
	}
	items := make([]Item, l.lot.len())
	for i, item := range l.lot.items {
		it := Item{Key: l.b.labelOf(item, l.key), Attempt: l.calls}
		var t *tag
		if l.lot.tags != nil {
			t = &l.lot.tags[i]
			it.Attempt, it.Replayed = int(t.tried), t.replayed
		}
		it.ID = l.b.idOf(item, t)
		items[i] = it
	}
	return items
}
