package filejournal

import (
	"fmt"
	"hash/crc32"

	"github.com/lastcall-go/lastcall/journal"
)

// A segment file, of a size that never changes:
//
//	0      header       a page; the same twice, at 0 and 2048
//	4096   frames       growing upwards, then a seal
//	       …
//	size   acks         slots of 12 bytes, growing downwards
//
// A compacted segment (see compact.go) is like any other, but that it is as
// large as it must be, and that its header says which sequence numbers it stands
// for, those included that are in it no more.
//
// Every entry that is appended sets a slot aside, so that there is room to
// acknowledge when there is room for nothing else.
const (
	headerSize = 4096
	headerCopy = 2048
	headerLen  = 72
	headerMore = 80 // of a compacted one

	slotSize = 12

	maxFile = 1 << 32
)

// 32 bytes each.
const (
	magic        = "lastcall journal segment 1\n\x00\x00\x00\x00\x00"
	magicCompact = "lastcall journal compact 1\n\x00\x00\x00\x00\x00"
)

// key tells a segment from every other, of any life. It is in the file's
// name, and it seeds the checksum of everything in the file: what an earlier
// user of the same file has left there does not fit.
//
// Seeds of one epoch always differ: a CRC tells any two numbers of up to 32
// bits apart, and two CRCs that started differently and were fed the same
// never meet again.
type key struct {
	number uint64 // counts the segments of a journal
	epoch  uint64 // drawn at random by every life
}

const (
	segmentSuffix = ".segment"
	tempSuffix    = ".new"
)

func (k key) name() string { return fmt.Sprintf("%012d-%016x%s", k.number, k.epoch, segmentSuffix) }

func parseName(name string) (k key, ok bool) {
	n, err := fmt.Sscanf(name, "%d-%x"+segmentSuffix, &k.number, &k.epoch)
	return k, err == nil && n == 2 && k.name() == name
}

func (k key) seed() uint32 {
	var p [16]byte
	le.PutUint64(p[:], k.epoch)
	le.PutUint64(p[8:], k.number)
	return crc32.Checksum(p[:], castagnoli)
}

// header says of a segment what its frames do not.
type header struct {
	key
	base uint64 // the sequence number of the first entry, or frame
	size int64  // of the file

	// past is the sequence number behind those that a compacted segment
	// stands for; 0: it is none.
	past uint64

	// holds is how many entries a refuge is made for. Until it has them it
	// counts for nothing, and those that it was to replace do. 0: it is none, or
	// was written by an early version.
	holds uint32
}

// replaces reports whether a segment is compacted and has taken the place of
// another: one that is older and began among the numbers it stands for.
func (h header) replaces(o header) bool {
	return h.number > o.number && h.base <= o.base && o.base < h.past
}

// put writes both copies to the page p.
func (h header) put(p []byte) {
	n := headerLen
	copy(p, magic)
	if h.past > 0 {
		copy(p, magicCompact)
		le.PutUint64(p[headerLen:], h.past)
		n = headerMore
	}
	le.PutUint64(p[32:], h.number)
	le.PutUint64(p[40:], h.epoch)
	le.PutUint64(p[48:], h.base)
	le.PutUint64(p[56:], uint64(h.size))
	le.PutUint32(p[64:], h.holds)
	le.PutUint32(p[68:], headerSum(p[:n]))
	copy(p[headerCopy:], p[:n])
}

// headerSum is the checksum of all of a header but the checksum.
func headerSum(p []byte) uint32 {
	return crc32.Update(crc32.Checksum(p[:68], castagnoli), castagnoli, p[headerLen:])
}

// parseHeader reads one copy.
func parseHeader(p []byte) (h header, ok bool) {
	if len(p) < headerMore {
		return h, false
	}
	h = header{
		key:  key{number: le.Uint64(p[32:]), epoch: le.Uint64(p[40:])},
		base: le.Uint64(p[48:]), size: int64(le.Uint64(p[56:])),
		holds: le.Uint32(p[64:]),
	}
	n := headerLen
	switch string(p[:32]) {
	case magic:
	case magicCompact:
		n, h.past = headerMore, le.Uint64(p[headerLen:])
	default:
		return h, false
	}
	return h, le.Uint32(p[68:]) == headerSum(p[:n]) && h.base > 0 && h.size > 0 && h.size <= maxFile
}

// readHeader takes the copy that is whole and of this key. foreign says that
// there is one of another key, which an earlier user of the file has left.
func readHeader(data []byte, k key) (h header, copies int, foreign bool) {
	for _, at := range []int{0, headerCopy} {
		found, whole := parseHeader(data[min(at, len(data)):])
		switch {
		case whole && found.key == k:
			h = found
			copies++
		case whole:
			foreign = true
		}
	}
	return h, copies, foreign
}

// putSlot writes that n entries from seq on are acknowledged. Of the sequence
// number the lower half is kept; the segment knows the rest.
func putSlot(p []byte, seed uint32, slot int, seq uint64, n int) {
	le.PutUint32(p, uint32(seq))
	le.PutUint32(p[4:], uint32(n))
	le.PutUint32(p[8:], crc32.Update(seed^uint32(slot), castagnoli, p[:8]))
}

// readSlot reads a slot of a segment with an entry that has the sequence
// number near.
func readSlot(p []byte, seed uint32, slot int, near uint64) (span journal.Span, ok bool) {
	n := le.Uint32(p[4:])
	if n == 0 || le.Uint32(p[8:]) != crc32.Update(seed^uint32(slot), castagnoli, p[:8]) {
		return span, false
	}
	first := near + uint64(int64(int32(le.Uint32(p)-uint32(near))))
	return journal.Span{First: first, Last: first + uint64(n) - 1}, true
}

// slotAt is where a slot is in a file of this size.
func slotAt(size int64, slot int) int64 { return size - int64(slot+1)*slotSize }
