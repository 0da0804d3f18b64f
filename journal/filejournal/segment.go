package filejournal

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/lastcall-go/lastcall/journal"
)

// segment is one file of a journal. Everything in it is guarded by the
// journal's mutex, except what is set once: key, seed, path, size, f and mem.
//
//	made ─▶ spare ─▶ active ─▶ sealed ─▶ free ─▶ made again, under a new key
//	                   │ a write or a sync failed
//	                   ▼
//	                 failed: read, acknowledged in memory, never written again
type segment struct {
	key
	seed uint32
	path string
	size int64
	f    file
	mem  []byte // nil: it is written with WriteAt

	base  uint64 // the sequence number of entry 0
	count int    // entries, those that cannot be read any more included
	tail  int64  // where the next frame goes

	written mark // SyncAlways: up to here a replay may read
	synced  mark // up to here it is forced to the disk

	acked bitset
	live  int            // entries that are not acknowledged
	slots int            // used
	holes []int          // among them those that a crash has left empty
	slip  [slotSize]byte // what putSlot writes; here, it costs no allocation

	sealed bool
	failed bool
	keep   bool // something in it could not be brought to safety
	ours   bool // made in this life, so fit to be made again
	asked  bool // a spare was asked for
	// touched: its memory was found ahead of the first append.
	touched bool
	// partial: it is a refuge that never counted; it stays without an end, by
	// which the next life knows it.
	partial bool
	holds   int  // entries that a refuge must have to count, as found by a later life
	spoilt  bool // damage was found in it
	pins    int  // whoever works with it unlocked
	// readers are those pins that are replays': they last as long as their
	// callers like.
	readers int

	// Of a compacted one:
	seqs []uint64 // the sequence numbers of its entries, else nil
	past uint64   // the one behind those that it stands for, else 0

	// What compaction knows of it:
	weight  int64 // bytes of the frames of weighed entries, by the last count
	weighed int   // 0: nobody has counted
	tried   int   // entries that were alive when it was not worth it; 0: never tried
}

// mark is a place between two frames.
type mark struct {
	tail  int64
	count int
}

func (s *segment) here() mark { return mark{s.tail, s.count} }

// end is the sequence number behind the last entry.
func (s *segment) end() uint64 { return max(s.base+uint64(s.count), s.past) }

// compacted reports whether it has taken the place of others.
func (s *segment) compacted() bool { return s.past > 0 }

// fits reports whether an entry of n bytes has room, with its slot, and the
// seal behind it.
func (s *segment) fits(n int) bool { return fits(s.size, s.tail, s.count, n) }

func fits(size, tail int64, count, n int) bool {
	return tail+int64(n)+frameHead <= slotAt(size, count)
}

// sizeFor is the size of a segment for an entry of n bytes.
func sizeFor(standard int64, n int) int64 {
	if fits(standard, headerSize, 0, n) {
		return standard
	}
	need := int64(headerSize + n + frameHead + slotSize)
	return need + -need&(headerSize-1)
}

// begin makes a segment that was made or recycled the place for entries from
// base on; a refuge for those that it holds.
func (s *segment) begin(base uint64, holds int) error {
	s.base, s.count, s.tail, s.live, s.slots = base, 0, headerSize, 0, 0
	s.holes = nil
	s.sealed, s.asked, s.spoilt, s.acked = false, false, false, s.acked[:0]
	s.tried = 0
	s.written, s.synced = s.here(), s.here()
	page := make([]byte, headerSize+frameHead) // with nothing where the first frame will be
	header{key: s.key, base: base, size: s.size, holds: uint32(holds)}.put(page)
	if s.mem == nil {
		return s.put(page, 0)
	}
	// A process that dies while it copies leaves a blank header, not a broken
	// one: the beginnings come last.
	clear(page[:8])
	clear(page[headerCopy : headerCopy+8])
	start := []byte(magic[:8])
	return errors.Join(s.put(page, 0), s.put(start, 0), s.put(start, headerCopy))
}

// room is memory for n bytes of frames at the tail, and for the zeros behind
// them, where a reader stops: what an earlier user has left there is out of
// sight.
func (s *segment) room(scratch []byte, n int) []byte {
	if s.mem != nil {
		return s.mem[s.tail : s.tail+int64(n)+8]
	}
	if cap(scratch) < n+8 {
		scratch = make([]byte, n+8, 2*(n+8))
	}
	return scratch[:n+8]
}

// put writes p at off, whichever way the segment is written.
func (s *segment) put(p []byte, off int64) error {
	if s.mem == nil {
		_, err := s.f.WriteAt(p, off)
		return err
	}
	return guardedCopy(s.mem[off:], p)
}

// faultError is a fault of mapped memory: the disk failed, or was full after
// all.
type faultError struct{ fault error }

func (e *faultError) Error() string { return "writing to mapped memory: " + e.fault.Error() }
func (e *faultError) Unwrap() error { return e.fault }

// guardedCopy copies to mapped memory. A fault becomes an error.
func guardedCopy(to, from []byte) (err error) {
	defer unguard(debug.SetPanicOnFault(true), &err)
	copy(to, from)
	return nil
}

// unguard is deferred by what writes to mapped memory, with what
// SetPanicOnFault returned: a fault becomes an error.
func unguard(before bool, err *error) {
	debug.SetPanicOnFault(before)
	if v := recover(); v != nil {
		*err = asFault(v)
	}
}

// asFault goes on panicking with what is no fault of memory.
func asFault(v any) error {
	fault, ok := v.(interface {
		error
		Addr() uintptr
	})
	if !ok {
		panic(v)
	}
	return &faultError{fault}
}

// seal ends the segment.
func (s *segment) seal() error {
	if s.sealed || s.failed {
		return nil
	}
	var p [frameHead]byte
	putSeal(p[:], s.seed, s.base+uint64(s.count))
	var err error
	if s.mem == nil {
		err = s.put(p[:], s.tail)
	} else if err = s.put(p[8:], s.tail+8); err == nil {
		// The beginning comes last, as in any frame: a process that dies
		// between the two has not sealed.
		err = s.put(p[:8], s.tail)
	}
	if err != nil {
		return err
	}
	s.sealed = true
	return nil
}

// grow counts n entries of size bytes in all that were put at the tail.
func (s *segment) grow(n, size int) {
	s.count += n
	s.live += n
	s.tail += int64(size)
	if s.count > len(s.acked)*64 {
		s.acked = s.acked.grow(s.count)
	}
}

// ack marks the entries of the span that are here. It returns how many were
// not marked before.
func (s *segment) ack(span journal.Span) (fresh int, err error) {
	i, n := s.find(span)
	fresh = s.strike(i, n)
	if fresh == 0 || s.failed {
		return fresh, nil
	}
	if err := s.putSlot(s.base+uint64(i), n); err != nil {
		s.failed = true
		return fresh, err
	}
	return fresh, nil
}

// find is where the entries of the span are: n of them, the first in place i.
func (s *segment) find(span journal.Span) (i, n int) {
	if s.compacted() {
		i, _ = slices.BinarySearch(s.seqs, span.First)
		end, _ := slices.BinarySearch(s.seqs, min(span.Last, s.past-1)+1)
		return i, max(0, end-i)
	}
	first, last := max(span.First, s.base), min(span.Last, s.end()-1)
	if s.count == 0 || first > last {
		return 0, 0
	}
	return int(first - s.base), int(last-first) + 1
}

// strike marks n entries from place i on, in memory.
func (s *segment) strike(i, n int) (fresh int) {
	fresh = s.acked.set(i, n)
	s.live -= fresh
	return fresh
}

// putSlot writes an acknowledgement down. There is a slot for each entry, and
// each acknowledgement is of an entry at least, so there is always one left.
func (s *segment) putSlot(seq uint64, n int) error {
	slot := s.slots
	if last := len(s.holes) - 1; last >= 0 {
		slot, s.holes = s.holes[last], s.holes[:last]
	} else {
		s.slots++
	}
	at := slotAt(s.size, slot)
	if at < s.tail+frameHead {
		return errNoSlot
	}
	putSlot(s.slip[:], s.seed, slot, seq, n)
	return s.put(s.slip[:], at)
}

var errNoSlot = errors.New("the segment has no room for the acknowledgement")

// forget takes entries off the count of the living without a word on the
// disk.
func (s *segment) forget(first, last uint64) {
	s.strike(s.find(journal.Span{First: first, Last: last}))
}

// close lets go of the file.
func (s *segment) close() error {
	var err error
	if s.mem != nil {
		err = s.f.Unmap(s.mem)
		s.mem = nil
	}
	if err = errors.Join(err, s.f.Close()); err != nil {
		return fmt.Errorf("%s: %w", s.name(), err)
	}
	return nil
}

// bitset is a set of small numbers.
type bitset []uint64

func (b bitset) grow(n int) bitset {
	for len(b)*64 < n {
		b = append(b, 0)
	}
	return b
}

func (b bitset) has(i int) bool { return b[i/64]&(1<<(i%64)) != 0 }

// set puts n numbers from i on into the set and returns how many were not in
// it.
func (b bitset) set(i, n int) (fresh int) {
	for ; n > 0; i, n = i+1, n-1 {
		if word, bit := &b[i/64], uint64(1)<<(i%64); *word&bit == 0 {
			*word |= bit
			fresh++
		}
	}
	return fresh
}
