package journal

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
)

// Keeper keeps the work of one component in a journal: it is the journal with
// a type, acknowledgements that are gathered, and dead letters. Pools and
// batchers stand on it; so may any component of a program. Make one with
// [NewKeeper].
//
//	Open ─▶ Replay ─▶ Keep … Bury, Done ─▶ Save ─▶ Close
//
// Open comes first and Close last; all others may be called at the same time.
type Keeper[T any] struct {
	name   string
	opener Opener
	codec  Codec[T]
	dead   *DeadLetters
	run    uint64 // makes ids of this life unlike those of others

	journal    Journal // nil before Open, and where there is none
	acks       acks
	sheets     sync.Pool
	unreadable atomic.Int64
}

// NewKeeper returns the keeper of a component: "lane:sms", which is the name of
// its journal and of its dead letters. It opens nothing. Without an opener
// there is no journal: Open, Keep and Save are errors. Without a box Bury is
// one.
func NewKeeper[T any](name string, o Opener, codec Codec[T], dead *DeadLetters) (*Keeper[T], error) {
	if err := codec.Validate(); err != nil {
		return nil, fmt.Errorf("journal %s: codec: %w", name, err)
	}
	var p [8]byte
	_, _ = rand.Read(p[:]) // it never fails
	k := &Keeper[T]{name: name, opener: o, codec: codec, dead: dead, run: binary.LittleEndian.Uint64(p[:])}
	k.sheets.New = func() any { return new(sheet) }
	k.acks.ended.L = &k.acks.mu
	return k, nil
}

var errNoJournal = errors.New("there is no journal; give an Opener")

// Open opens the journal. What an earlier life has left is checked, which
// takes time in proportion; nothing is replayed yet.
func (k *Keeper[T]) Open(ctx context.Context) error {
	if k.opener == nil {
		return &Error{Journal: k.name, Op: "open", Err: errNoJournal}
	}
	if k.codec.loses != nil {
		return &Error{Journal: k.name, Op: "open", Err: k.codec.loses}
	}
	j, err := k.opener.Open(ctx, k.name)
	if err != nil {
		return err
	}
	k.journal = j
	return nil
}

// Len is how many entries are in the journal and not acknowledged.
func (k *Keeper[T]) Len() int {
	if k.journal == nil {
		return 0
	}
	return k.journal.Len()
}

// Keep writes items down, as neighbours, and sets their Seq. It returns nil
// when they are durable; on an error none was taken, and no Seq is set. It
// waits as [Journal.Append] does.
func (k *Keeper[T]) Keep(ctx context.Context, items []Item[T]) error {
	if k.journal == nil {
		return &Error{Journal: k.name, Op: "append", Err: errNoJournal}
	}
	s := k.sheets.Get().(*sheet)
	defer func() {
		s.clear()
		k.sheets.Put(s)
	}()
	if err := fill(s, &k.codec, items); err != nil {
		return &Error{Journal: k.name, Op: "append", Err: err}
	}
	span, err := k.journal.Append(ctx, s.list...)
	if err != nil {
		return err
	}
	for i := range items {
		items[i].Seq = span.First + uint64(i)
	}
	k.acks.expected.Add(uint64(len(items)))
	return nil
}

// ID is the id that an item bears which was given none: that of its journal,
// if it is written down as seq, else one made of serial, which tells the
// items of this keeper apart. It stays the same when it is saved with it.
func (k *Keeper[T]) ID(seq, serial uint64) string {
	if seq > 0 && k.journal != nil {
		return k.journal.ID(seq)
	}
	return fmt.Sprintf("%016x-s%d", k.run, serial)
}

// Done acknowledges entries: their work has come to an end. It may write those
// of others, too, and return before its own are written, which is soon: after a
// kill no more than seven come again that were left to another. That writing
// fails is the store's to report; it means no more than that work may come
// again. Fault says so as well.
func (k *Keeper[T]) Done(seqs ...uint64) {
	if k.journal != nil {
		k.acks.add(k.journal, seqs...)
	}
}

// DoneSoon is Done for one entry that comes alone, at a fraction of the cost:
// where more are to come it leaves the writing to them. It is written with the
// next three, or when no other entry is left that was kept and is not done, or
// 10 ms later, whichever comes first. What is said of a kill holds here, too.
func (k *Keeper[T]) DoneSoon(seq uint64) {
	if k.journal != nil {
		k.acks.leave(k.journal, seq)
	}
}

// Fault is why the last acknowledgement failed, or nil.
func (k *Keeper[T]) Fault() error {
	k.acks.mu.Lock()
	defer k.acks.mu.Unlock()
	return k.acks.fault
}

// Replay yields what an earlier life has left, in order, and is bounded in
// memory. An entry that cannot be decoded goes to the dead letters; without a
// box, or if it does not take it, it stays in the journal for the next life and
// is counted by [Keeper.Unreadable]. An error ends the replay.
func (k *Keeper[T]) Replay(ctx context.Context) iter.Seq2[Item[T], error] {
	return func(yield func(Item[T], error) bool) {
		if k.journal == nil {
			yield(Item[T]{}, &Error{Journal: k.name, Op: "replay", Err: errNoJournal})
			return
		}
		for e, err := range k.journal.Replay(ctx) {
			if err != nil {
				yield(Item[T]{}, err)
				return
			}
			v, err := k.codec.decode(e.Codec, e.Version, e.Payload)
			if err != nil {
				k.setAside(ctx, &e, err)
				continue
			}
			k.acks.expected.Add(1)
			if !yield(Item[T]{Value: v, ID: e.ID, Key: e.Key, Keyed: e.Kind == kindKeyed, At: e.At, Attempt: e.Attempt, Seq: e.Seq}, nil) {
				return
			}
		}
	}
}

// Unreadable is how many entries a replay could not decode.
func (k *Keeper[T]) Unreadable() int { return int(k.unreadable.Load()) }

// Close closes the journal. Entries that are not acknowledged stay.
func (k *Keeper[T]) Close() error {
	if k.journal == nil {
		return nil
	}
	k.acks.close(k.journal)
	return k.journal.Close()
}
