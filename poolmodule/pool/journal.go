package pool

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/lastcall-go/lastcall/journal"
)

// books are what a lane writes down, and how.
type books[T any] struct {
	opener journal.Opener
	box    *journal.DeadLetters
	codec  journal.Codec[T]
	giveID func(T) string
	label  func(T) string
	keeper *journal.Keeper[T] // nil: nothing is written down, and nothing has an ID

	onReplay func(Replay)
	onBurial func(Burial)
}

// WithJournal gives the lane a journal, which it opens by the name
// "lane:NAME". LaneConfig.Journal says when items are written down; see
// "Journal" in the package documentation. Such a lane takes work after
// [Lane.Start] only. nil: none.
func WithJournal[T any](o journal.Opener) LaneOption[T] {
	return func(l *Lane[T]) {
		if o != nil {
			l.opener = o
		}
	}
}

// WithDeadLetters gives the lane the box for what failed for good; see
// LaneConfig.DeadLetters. From [Lane.Start] until it stops, the lane takes
// letters back that are sent again ([journal.DeadLetters.Redrive]): each waits
// for room whatever the policy, and where the lane has a journal, onstop
// included, it is written down before it is accepted. Without a journal, or
// with it off, it is then in memory alone, as all the lane has: a kill loses
// it. nil: none.
func WithDeadLetters[T any](box *journal.DeadLetters) LaneOption[T] {
	return func(l *Lane[T]) {
		if box != nil {
			l.box = box
		}
	}
}

// WithCodec says how items are written down, in the journal and in dead letters.
// Without it, and for the zero Codec: [journal.JSON].
func WithCodec[T any](c journal.Codec[T]) LaneOption[T] {
	return func(l *Lane[T]) {
		if !isZero(c) {
			l.codec = c
		}
	}
}

func isZero[T any](c journal.Codec[T]) bool {
	return c.Name == "" && c.Encode == nil && c.Decode == nil
}

// WithID gives each item its ID, by which a repetition is told from a new piece
// of work; see [ItemOf]. Without it, or where id returns "", one is made. It is
// called in Submit, on the goroutine of the submitter. nil: none.
func WithID[T any](id func(T) string) LaneOption[T] {
	return func(l *Lane[T]) {
		if id != nil {
			l.giveID = id
		}
	}
}

// WithLabel says by which key a person finds an item again, in its journal
// entry and its dead letter: a receiver's id. It counts for items that are
// submitted without a key, which is their label otherwise. It may be called
// while the handler has the item. A panic counts as "". nil: none.
func WithLabel[T any](label func(T) string) LaneOption[T] {
	return func(l *Lane[T]) {
		if label != nil {
			l.label = label
		}
	}
}

// openBooks makes the lane's keeper, if it needs one. It opens nothing.
func (l *Lane[T]) openBooks() error {
	mode, errMode := l.chooseMode()
	box, errBox := l.chooseBox()
	if err := errors.Join(errMode, errBox); err != nil {
		return err
	}
	l.mode, l.buries = mode, box != nil
	l.remembers = l.cfg.MaxAge > 0
	if l.opener == nil && box == nil && l.giveID == nil {
		return nil
	}
	if isZero(l.codec) {
		l.codec = journal.JSON[T]()
	}
	keeper, err := journal.NewKeeper("lane:"+l.name, l.opener, l.codec, box)
	if err != nil {
		return err
	}
	l.keeper, l.book, l.remembers = keeper, keeper, true
	if mode != journal.Off {
		l.door = doorUnstarted
	}
	return nil
}

func (l *Lane[T]) chooseMode() (journal.Mode, error) {
	mode := l.cfg.Journal
	switch {
	case mode == journal.Off || mode == "" && (l.opener == nil || l.saver != nil):
		return journal.Off, nil
	case l.opener == nil:
		return "", fmt.Errorf("journal: is %s, but the lane has no journal; give WithJournal, or set it to %s", mode, journal.Off)
	case l.saver != nil:
		return "", fmt.Errorf("journal: is %s, but there is a saver too, and only one can have the leftovers; give no WithSave, or set it to %s", mode, journal.Off)
	}
	return cmp.Or(mode, journal.OnStop), nil
}

func (l *Lane[T]) chooseBox() (*journal.DeadLetters, error) {
	switch {
	case l.cfg.DeadLetters == NoLetters:
		return nil, nil
	case l.cfg.DeadLetters == KeepLetters && l.box == nil:
		return nil, fmt.Errorf("dead_letters: is %s, but the lane has no box; give WithDeadLetters, or set it to %s", KeepLetters, NoLetters)
	}
	return l.box, nil
}
