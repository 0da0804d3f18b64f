package journal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
)

// Bury puts an item into the dead letters. The ID must be set. An item that no
// codec can write is described in words: a person can read of it, but nobody can
// send it again. On an error nothing has changed.
//
// Its entry, if it has one, stays until [Keeper.Done]: whoever buries knows
// whether the item is still its own to end, and whom to tell before.
func (k *Keeper[T]) Bury(ctx context.Context, it Item[T], reason Reason, first, last error) error {
	if k.dead == nil {
		return &Error{Journal: k.name, Op: "bury", Err: errors.New("there are no dead letters; give a DeadLetters")}
	}
	l := DeadLetter{
		ID: it.ID, Component: k.name, Key: it.Key, Keyed: it.Keyed, Reason: reason, Attempts: it.Attempt,
		Accepted: it.At, Died: time.Now(), First: text(first), Last: text(last),
		Codec: k.codec.Name, Version: k.codec.Version,
	}
	err := k.codec.loses
	if err == nil {
		l.Payload, err = k.codec.encode(nil, it.Value)
	}
	if err != nil {
		l.Codec, l.Version, l.Payload = CodecNone, 0, fmt.Appendf(nil, "%+v", it.Value)
		l.Last += fmt.Sprintf(" (and %v)", err)
	}
	return k.dead.Put(ctx, l)
}

// Receive takes the letters of this component back: each is decoded and given
// to take as new work under its old ID. Without a box it does nothing.
func (k *Keeper[T]) Receive(take func(context.Context, Item[T]) error) (leave func()) {
	if k.dead == nil {
		return func() {}
	}
	read := func(l DeadLetter) (T, error) {
		v, err := k.codec.decode(l.Codec, l.Version, l.Payload)
		if err != nil {
			err = fmt.Errorf("its payload cannot be read: %w", err)
		}
		return v, err
	}
	return k.dead.Receive(k.name, func(ctx context.Context, l DeadLetter) error {
		v, err := read(l)
		if err != nil {
			return err
		}
		return take(ctx, Item[T]{Value: v, ID: l.ID, Key: l.Key, Keyed: l.Keyed, At: l.Accepted})
	}, func(l DeadLetter) error {
		_, err := read(l)
		return err
	})
}

func (k *Keeper[T]) setAside(ctx context.Context, e *Entry, reason error) {
	k.unreadable.Add(1)
	if k.dead == nil {
		return
	}
	l := LetterOf(k.name, e)
	l.Reason, l.Died, l.Last = ReasonUndecodable, time.Now(), reason.Error()
	err := k.dead.Put(ctx, l)
	if err == nil {
		k.acks.expected.Add(1)
		k.Done(e.Seq)
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return cmp.Or(err.Error(), fmt.Sprintf("%T", err))
}
