package pool

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/lastcall-go/lastcall/journal"
)

// record is what a lane remembers of an item for its journal, its dead letters
// and its age. It is written before the item is accepted, and only read after,
// save where it says so.
type record struct {
	id       string        // as given; empty: made of seq or serial when somebody asks
	serial   atomic.Uint64 // in this life; zero: nobody has asked
	seq      uint64        // in the journal; zero: it is not in it
	at       time.Time     // of acceptance; zero: not known
	before   int32         // tries in earlier lives
	replayed bool          // it comes from an earlier life

	failure *failure // nil: none so far; of whoever runs the item
}

// failure is what is remembered of tries that failed.
type failure struct {
	first error  // of the first one in this life, in words
	death *death // it has failed for good, and is to be buried
}

// doomed is nil unless it is to be buried.
func (r *record) doomed() *death {
	if r.failure == nil {
		return nil
	}
	return r.failure.death
}

func (r *record) failing() *failure {
	if r.failure == nil {
		r.failure = &failure{}
	}
	return r.failure
}

// recordedItem is an item and its record in one allocation.
type recordedItem[T any] struct {
	laneItem[T]
	rec record
}

func (l *Lane[T]) newItem(value T) *laneItem[T] {
	if !l.remembers {
		it := &laneItem[T]{owner: l, value: value}
		it.job.lane, it.job.work = l.laneCore, it
		return it
	}
	both := &recordedItem[T]{laneItem: laneItem[T]{owner: l, value: value}}
	it := &both.laneItem
	it.job.lane, it.job.work, it.job.rec = l.laneCore, it, &both.rec
	return it
}

// offered is an item that somebody brings in.
func (l *Lane[T]) offered(value T) *laneItem[T] {
	it := l.newItem(value)
	if it.rec == nil {
		return it
	}
	if l.giveID != nil {
		it.rec.id = l.giveID(value)
	}
	if l.mode == journal.Always {
		it.way = intoQueue
	}
	switch {
	case l.cfg.MaxAge > 0:
		it.rec.at = time.Now()
	case l.mode == journal.Always:
		it.rec.at = l.stamp.now()
	}
	return it
}

// again is an item of an earlier life. The clock of one whose age is not known
// begins now.
func (l *Lane[T]) again(old journal.Item[T]) *laneItem[T] {
	it := l.newItem(old.Value)
	it.key, it.keyed = old.Key, old.Keyed
	r := it.rec
	r.id, r.seq, r.at, r.before, r.replayed = old.ID, old.Seq, old.At, int32(old.Attempt), true
	if r.at.IsZero() && l.cfg.MaxAge > 0 {
		r.at = time.Now()
	}
	return it
}

// written is the item as a journal keeps it. The handler may still have it in
// its hands.
func (it *laneItem[T]) written() journal.Item[T] {
	key := it.key
	if !it.keyed && it.owner.label != nil {
		it.owner.pool.shield(func() { key = it.owner.label(it.value) })
	}
	r := it.rec
	return journal.Item[T]{Value: it.value, ID: r.id, Key: key, Keyed: it.keyed, At: r.at, Attempt: it.tries(), Seq: r.seq}
}

// identity is the ID of an item, made if none was given.
func (l *laneCore) identity(r *record) string {
	if r.id != "" || l.book == nil {
		return r.id
	}
	if r.seq == 0 && r.serial.Load() == 0 {
		r.serial.CompareAndSwap(0, l.serials.Add(1)) // of two who ask at a time one is right
	}
	return l.book.ID(r.seq, r.serial.Load())
}

// inJournal is the place of an item in the journal, or zero.
func (j *job) inJournal() uint64 {
	if j.rec == nil {
		return 0
	}
	return j.rec.seq
}

// tries is how often an item was tried, in all lives.
func (it *laneItem[T]) tries() int {
	if it.rec == nil {
		return int(it.attempts.Load())
	}
	return int(it.rec.before) + int(it.attempts.Load())
}

func (it *laneItem[T]) isExpired() bool {
	most := it.owner.cfg.MaxAge
	return most > 0 && time.Since(it.rec.at) > most
}

// inWords keeps of an error what a dead letter needs: what a handler returns
// need not bear to be asked for its text a second time.
func inWords(err error) error { return errors.New(fmt.Sprint(err)) }
