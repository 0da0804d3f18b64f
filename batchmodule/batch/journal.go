package batch

import (
	"cmp"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/lastcall-go/lastcall/journal"
)

// WithJournal keeps what is inside in a journal of this opener, under the name
// "batch:<name>", as Config.Journal says. The batcher must then be started
// before it takes anything. The opener is asked by Start. nil: none.
func WithJournal[T any](o journal.Opener) Option[T] {
	return when(o != nil, func(opts *options[T]) { opts.opener = o })
}

// WithDeadLetters puts items that failed for good into the box, unless
// Config.DeadLetters is off or a [WithDeadLetter] function takes them. While
// the batcher is started, letters can be sent to it again
// ([journal.DeadLetters.Redrive]): they come as new items with their old IDs,
// and are written down before they are accepted where the batcher has a journal,
// also with Config.Journal onstop. With off such an item is in memory alone once
// it was accepted, like any other, and its letter is gone.
func WithDeadLetters[T any](box *journal.DeadLetters) Option[T] {
	return when(box != nil, func(opts *options[T]) { opts.box = box })
}

// WithCodec says how items are written down, in the journal and in dead letters.
// Without it, and for the zero Codec: [journal.JSON].
func WithCodec[T any](c journal.Codec[T]) Option[T] {
	return when(!isZero(c), func(opts *options[T]) { opts.codec = c })
}

func isZero[T any](c journal.Codec[T]) bool {
	return c.Name == "" && c.Encode == nil && c.Decode == nil
}

// WithID gives each item its ID, by which a repetition is told from a new item;
// see [ItemsOf]. Without it, or where id returns "", one is made. Unlike a pool's
// lane a batcher asks only when it has to know, so that Add need not keep an ID
// for each item: on the goroutine of Add with Config.Journal always, else on
// that of the sink, of a flush or of Save, with no lock held. So it must say the
// same of an item whenever it is asked, and a panic counts as "", as nobody may
// be there to hear of it. nil: none.
func WithID[T any](id func(T) string) Option[T] {
	return when(id != nil, func(opts *options[T]) { opts.id = id })
}

// WithLabel says by which key a person finds an item again, in its journal
// entry and its dead letter: a receiver's id. Without it that is what [WithKey]
// says; it does not change the batches. It is called as [WithID] is. A panic
// counts as "". nil: none.
func WithLabel[T any](label func(T) string) Option[T] {
	return when(label != nil, func(opts *options[T]) { opts.label = label })
}

// keeping is what a batcher with a journal or dead letters has beside the
// others.
type keeping[T any] struct {
	keeper *journal.Keeper[T] // nil: neither, nor a MaxAge: nothing is known of an item
	mode   journal.Mode       // off, onstop or always
	always bool
	buries bool // items that failed for good go to the box

	groups     sync.Pool     // of *group[T]
	starting   chan struct{} // one token: whoever starts the batcher has it
	notStarted error         // these are made once, as Batcher.full is
	replaying  error
}

// checkJournal reports what cannot go together.
func (b *Batcher[T]) checkJournal() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	o := &b.opts
	if m := b.cfg.Journal; m == journal.OnStop || m == journal.Always {
		if o.opener == nil {
			wrong("journal: is %q, but there is nothing to keep it in; give WithJournal, or set %q", string(m), string(journal.Off))
		}
		if o.save != nil {
			wrong("journal: is %q, and WithSave is to have the leftovers too; leave one of them out", string(m))
		}
	}
	if b.cfg.DeadLetters == KeepLetters {
		if o.box == nil {
			wrong("dead_letters: is %q, but there is no box; give WithDeadLetters, or leave it out", string(KeepLetters))
		}
		if o.dead != nil {
			wrong("dead_letters: is %q, and WithDeadLetter is to have them too; leave one of them out", string(KeepLetters))
		}
	}
	return errors.Join(errs...)
}

// hire gives the batcher a keeper, if it needs one.
func (b *Batcher[T]) hire() (err error) {
	o, k := &b.opts, &b.keeping
	k.starting = make(chan struct{}, 1)
	switch {
	case o.opener == nil, o.save != nil:
		k.mode = journal.Off
	default:
		k.mode = cmp.Or(b.cfg.Journal, journal.OnStop)
	}
	k.always = k.mode == journal.Always
	k.buries = o.box != nil && o.dead == nil && b.cfg.DeadLetters != NoLetters
	if k.mode == journal.Off && !k.buries && b.cfg.MaxAge == 0 {
		return nil
	}
	var opener journal.Opener
	if k.mode != journal.Off {
		opener = o.opener
		k.groups.New = func() any { return new(group[T]) }
		k.notStarted = &Error{Batcher: b.name, Op: "add", Err: ErrNotStarted}
		k.replaying = &Error{Batcher: b.name, Op: "add", Err: ErrReplaying}
		b.barLocked(k.notStarted)
	}
	var box *journal.DeadLetters
	if k.buries {
		box = o.box
	}
	codec := o.codec
	if isZero(codec) {
		codec = journal.JSON[T]()
	}
	k.keeper, err = journal.NewKeeper("batch:"+b.name, opener, codec, box)
	return err
}

// barLocked keeps new items out though the gate is open.
func (b *Batcher[T]) barLocked(why error) { b.limit, b.barred = 0, why }

func (b *Batcher[T]) letInLocked() { b.limit, b.barred = b.cfg.Buffer, nil }

// idOf is what an item is told apart by: the ID it had in an earlier life, or
// its own, or one that is made. Where there is no keeper t is nil, and nothing
// is made.
func (b *Batcher[T]) idOf(item T, t *tag) string {
	if t != nil && t.id != "" {
		return t.id
	}
	id := b.say(b.opts.id, item)
	if id == "" && t != nil {
		id = b.keeper.ID(t.seq, t.serial)
	}
	return id
}

func (b *Batcher[T]) labelOf(item T, key string) string {
	if b.opts.label == nil {
		return key
	}
	return b.say(b.opts.label, item)
}

// keyed says that what labelOf says is also what items are ordered by.
func (b *Batcher[T]) keyed() bool { return b.opts.key != nil && b.opts.label == nil }

// say asks a function of the user about an item where its panic must do no
// harm.
func (b *Batcher[T]) say(fn func(T) string, item T) (s string) {
	if fn != nil {
		_ = b.guard(func() error { s = fn(item); return nil })
	}
	return s
}

// record is an item as it is written down.
func (b *Batcher[T]) record(item T, t *tag, key string, began time.Time) journal.Item[T] {
	at := began
	if t.at != 0 {
		at = time.Unix(0, t.at)
	}
	return journal.Item[T]{
		Value: item, ID: b.idOf(item, t), Key: b.labelOf(item, key), Keyed: b.keyed(),
		At: at, Attempt: int(t.tried), Seq: t.seq,
	}
}
