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
// Every entry that is appended sets a slot aside, so that there is room to
// acknowledge when there is room for nothing else.
const (
	headerSize = 4096
	headerCopy = 2048
	headerLen  = 72

	slotSize = 12

	maxFile = 1 << 32
)

const magic = "lastcall journal segment 1\n\x00\x00\x00\x00\x00" // 32 bytes

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
	base uint64 // the sequence number of the first entry
	size int64  // of the file
}

func (h header) put(p []byte) {
	copy(p, magic)
	le.PutUint64(p[32:], h.number)
	le.PutUint64(p[40:], h.epoch)
	le.PutUint64(p[48:], h.base)
	le.PutUint64(p[56:], uint64(h.size))
	le.PutUint32(p[64:], 0)
	le.PutUint32(p[68:], crc32.Checksum(p[:68], castagnoli))
	copy(p[headerCopy:], p[:headerLen])
}

// readHeader takes the copy that is whole and of this key. foreign says that
// there is one of another key, which an earlier user of the file has left.
func readHeader(data []byte, k key) (h header, copies int, foreign bool) {
	for _, at := range []int{0, headerCopy} {
		if at+headerLen > len(data) {
			break
		}
		p := data[at : at+headerLen]
		found := header{
			key:  key{number: le.Uint64(p[32:]), epoch: le.Uint64(p[40:])},
			base: le.Uint64(p[48:]), size: int64(le.Uint64(p[56:])),
		}
		whole := string(p[:32]) == magic && le.Uint32(p[68:]) == crc32.Checksum(p[:68], castagnoli) &&
			found.base > 0 && found.size > 0 && found.size <= maxFile
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
