package batch

import (
	"context"
	"errors"
	"time"

	"github.com/lastcall-go/lastcall/journal"
)

// keepGroup is the most that AddAll has written down with one call.
const keepGroup = 1000

// addKept is Add where items are written down before they are accepted. The
// room comes first, so that nothing is written down that must be refused:
//
//	reserve ──▶ write down, no lock held ──▶ put into its batch
//	   │              │
//	   ▼              ▼ it failed
//	refused       place given back, refused
//
// When the batcher is stopped while an item is written down, it is accepted and
// left over.
func (b *Batcher[T]) addKept(ctx context.Context, item T, t *tag, wait bool) error {
	var items [1]journal.Item[T]
	var places [1]place
	items[0], places[0] = b.arrival(item, time.Now())
	if t != nil { // sent again
		items[0].ID = t.id
	}
	_, err := b.addSome(ctx, items[:], places[:], wait)
	return err
}

// addAllKept is AddAll for addKept: what fits is written down together.
func (b *Batcher[T]) addAllKept(ctx context.Context, all []T, wait bool) (int, error) {
	g := b.groups.Get().(*group[T])
	defer func() {
		g.clear()
		b.groups.Put(g)
	}()
	n := 0
	for n < len(all) {
		g.clear()
		now := time.Now()
		for _, item := range all[n:min(len(all), n+keepGroup)] {
			it, p := b.arrival(item, now)
			g.items, g.places = append(g.items, it), append(g.places, p)
		}
		for at := 0; at < len(g.items); {
			some, err := b.addSome(ctx, g.items[at:], g.places[at:], wait)
			n, at = n+some, at+some
			if err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// group is what AddAll is writing down, for use again.
type group[T any] struct {
	items  []journal.Item[T]
	places []place
}

func (g *group[T]) clear() {
	clear(g.items)
	clear(g.places)
	g.items, g.places = g.items[:0], g.places[:0]
}

func (b *Batcher[T]) arrival(item T, now time.Time) (journal.Item[T], place) {
	p := b.measure(item)
	return journal.Item[T]{
		Value: item, ID: b.say(b.opts.id, item), Key: b.labelOf(item, p.key), Keyed: b.keyed(), At: now,
	}, p
}

// addSome takes as many of the items as there is room for, at least one, or
// none and says why.
func (b *Batcher[T]) addSome(ctx context.Context, items []journal.Item[T], places []place, wait bool) (kept int, err error) {
	n, err := b.reserve(ctx, places, wait)
	if err != nil {
		return 0, err
	}
	// Deferred, as a codec of the user's may end the goroutine.
	defer func() { b.redeem(items[:kept], places[:n], kept == 0) }()
	return b.keepSome(ctx, items[:n], wait)
}

// keepSome writes down as many of the items as the journal takes, from the
// front: one that it does not take must not keep out those before it.
func (b *Batcher[T]) keepSome(ctx context.Context, items []journal.Item[T], wait bool) (int, error) {
	room := ctx
	if !wait { // the context of an append ends the waiting for room, not the writing
		now, cancel := context.WithCancel(ctx)
		cancel()
		room = now
	}
	for n := len(items); ; n /= 2 {
		err := b.keeper.Keep(room, items[:n])
		switch {
		case err == nil:
			return n, nil
		case n == 1, ctx.Err() != nil, errors.Is(err, journal.ErrClosed):
			return 0, &Error{Batcher: b.name, Op: "add", Err: err}
		}
	}
}

// reserve sets places aside, from the front, for as many items as fit. If none
// does, it waits for the first.
func (b *Batcher[T]) reserve(ctx context.Context, places []place, wait bool) (int, error) {
	b.mu.Lock()
	if err := b.gate.Admit(ctx); err != nil {
		b.rejected++
		b.mu.Unlock()
		return 0, err
	}
	if n := b.reserveLocked(places, b.limitLocked(ctx)); n > 0 {
		b.mu.Unlock()
		return n, nil
	}
	if !wait || b.waitIsVainLocked(ctx) {
		return 0, b.refuse()
	}
	if err := b.addLater(&waiter[T]{ctx: ctx, to: places[0], reserves: true}); err != nil {
		return 0, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.gate.Admit(ctx) != nil {
		return 1, nil // what it has it keeps
	}
	return 1 + b.reserveLocked(places[1:], b.limitLocked(ctx)), nil
}

func (b *Batcher[T]) reserveLocked(places []place, limit int) int {
	for n := range places {
		if !b.fitsLocked(places[n].key, limit) {
			return n
		}
		b.reserveOneLocked(places[n].key)
	}
	return len(places)
}

func (b *Batcher[T]) reserveOneLocked(key string) {
	b.inside++
	b.reserved++
	b.lineLocked(key).reserved++
}

// redeem puts items, which are written down, into the places reserved for them
// and gives back the places that are left.
func (b *Batcher[T]) redeem(items []journal.Item[T], places []place, refused bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if refused {
		b.rejected++
	}
	b.inside -= len(places)
	b.reserved -= len(places)
	for i, p := range places {
		l := b.only
		if l == nil {
			l = b.lines[p.key] // nil: the stop has taken what there was
		}
		if l != nil {
			l.reserved--
		}
		switch {
		case i < len(items):
			it := &items[i]
			t := tagOf(it)
			b.enterLocked(it.Value, p, &t)
		case l != nil:
			b.forgetLocked(l)
		}
	}
	if len(items) < len(places) {
		b.grantLocked()
		b.tellQuietLocked()
	}
	b.tellGroundedLocked()
}

// enterLocked accepts an item that is written down, also when a stop has come
// in between.
func (b *Batcher[T]) enterLocked(item T, p place, t *tag) {
	switch {
	case !b.collected:
		b.placeLocked(item, p, t)
	case b.settled:
		b.accepted++
		b.saved++
	default:
		b.accepted++
		b.left = b.left.append(lot[T]{items: []T{item}, tags: []tag{*t}})
	}
}
