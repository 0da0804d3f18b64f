package filejournal

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"math/bits"
	"time"

	"github.com/lastcall-go/lastcall/journal"
)

// A frame, little-endian, its beginning and length multiples of 8:
//
//	0   crc     uint32  CRC-32C, seeded by the segment, of all that follows
//	4   length  uint32  of the body
//	8   word    uint64  kind in the highest byte, sequence number in the rest
//	16  body    length bytes, then zeros
//
// crc and length are written last, in one store, so that a process that dies
// while it copies leaves no frame at all.
//
// The body of an entry:
//
//	0   seconds, nanoseconds of At: int64, uint32
//	12  Attempt, Version: varint
//	    ID, Kind, Key, Codec: uvarint length, bytes
//	    Payload: the rest
//
// The body of an entry that was moved to a compacted segment:
//
//	0   entry   uint64  the sequence number it was appended under
//	8   epoch   uint64  of the life that has appended it: its made id
//	16  the body of the entry
//
// The frames of a compacted segment are numbered without gaps, as those of any
// other: so a missing one is noticed.
const (
	frameHead = 16
	timeSize  = 12
	movedHead = 16
	maxBody   = math.MaxInt32

	// minFrame is the smallest entry: a body of the time and six zeros.
	minFrame = (frameHead + timeSize + 6 + 7) &^ 7

	kindEntry = 1
	kindSeal  = 2 // the end of a segment; its sequence number is the next one
	kindMoved = 3 // an entry of a compacted segment
	seqBits   = 56
	seqMask   = 1<<seqBits - 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var le = binary.LittleEndian

// frame is one that was read.
type frame struct {
	off, size int
	kind      byte
	seq       uint64
	entry     uint64 // the sequence number of the entry: seq, unless it was moved
	epoch     uint64 // of an entry that was moved
	body      []byte
}

// aligned rounds up to a multiple of 8.
func aligned(n int) int { return (n + 7) &^ 7 }

// entrySize is how many bytes the frame of an entry takes.
func entrySize(e *journal.Entry) int {
	n := frameHead + timeSize + len(e.ID) + len(e.Kind) + len(e.Key) + len(e.Codec) + len(e.Payload)
	n += uvarintLen(zigzag(e.Attempt)) + uvarintLen(zigzag(e.Version))
	n += uvarintLen(uint64(len(e.ID))) + uvarintLen(uint64(len(e.Kind))) +
		uvarintLen(uint64(len(e.Key))) + uvarintLen(uint64(len(e.Codec)))
	return aligned(n)
}

// mostSize is as much as entrySize or a little more, and quicker to say.
func mostSize(e *journal.Entry) int {
	return aligned(frameHead + timeSize + 6*binary.MaxVarintLen64 +
		len(e.ID) + len(e.Kind) + len(e.Key) + len(e.Codec) + len(e.Payload))
}

func uvarintLen(v uint64) int { return (bits.Len64(v|1) + 6) / 7 }

func zigzag(v int) uint64 { return uint64(int64(v))<<1 ^ uint64(int64(v)>>63) }

// putEntry writes the frame of an entry to the beginning of p, and returns the
// size, which is that of entrySize.
func putEntry(p []byte, seed uint32, seq uint64, e *journal.Entry) int {
	le.PutUint64(p[frameHead:], uint64(e.At.Unix()))
	le.PutUint32(p[frameHead+8:], uint32(e.At.Nanosecond()))
	n := frameHead + timeSize
	n = putNumber(p, n, zigzag(e.Attempt))
	n = putNumber(p, n, zigzag(e.Version))
	n = putString(p, n, e.ID)
	n = putString(p, n, e.Kind)
	n = putString(p, n, e.Key)
	n = putString(p, n, e.Codec)
	n += copy(p[n:], e.Payload)
	size := aligned(n)
	clear(p[n:size])
	// In mapped memory: the end must be there before the frame is.
	le.PutUint64(p[size:], 0)
	finish(p, seed, kindEntry, seq, n-frameHead)
	return size
}

func putNumber(p []byte, n int, v uint64) int {
	if v < 0x80 { // as it nearly always is
		p[n] = byte(v)
		return n + 1
	}
	return n + binary.PutUvarint(p[n:], v)
}

func putString(p []byte, n int, s string) int {
	n = putNumber(p, n, uint64(len(s)))
	return n + copy(p[n:], s)
}

// putSeal writes the frame that ends a segment.
func putSeal(p []byte, seed uint32, next uint64) { finish(p, seed, kindSeal, next, 0) }

// putMoved writes the frame of an entry that is moved to p, and returns the
// size.
func putMoved(p []byte, seed uint32, seq, entry, epoch uint64, body []byte) int {
	le.PutUint64(p[frameHead:], entry)
	le.PutUint64(p[frameHead+8:], epoch)
	copy(p[frameHead+movedHead:], body)
	finish(p, seed, kindMoved, seq, movedHead+len(body))
	return movedSize(len(body))
}

func movedSize(body int) int { return aligned(frameHead + movedHead + body) }

// finish makes what was put into p a frame.
func finish(p []byte, seed uint32, kind byte, seq uint64, length int) {
	le.PutUint64(p[8:], uint64(kind)<<seqBits|seq)
	le.PutUint64(p, sum(p, seed, length))
}

// sum is the first eight bytes of a frame: crc and length. The length is part
// of what is summed; it goes through the seed, since it is not written yet.
func sum(p []byte, seed uint32, length int) uint64 {
	crc := crc32.Update(seed^uint32(length), castagnoli, p[8:frameHead+length])
	return uint64(crc) | uint64(length)<<32
}

// reseal makes a frame of one segment one of another.
func reseal(p []byte, seed uint32) { le.PutUint64(p, sum(p, seed, int(le.Uint32(p[4:])))) }

// parse reads the frame at off. next is the least sequence number that it may
// have, last the greatest. It never reads beyond data.
func parse(data []byte, off int, seed uint32, next, last uint64) (frame, bool) {
	if off+frameHead > len(data) {
		return frame{}, false
	}
	p := data[off:]
	length, word := int(le.Uint32(p[4:])), le.Uint64(p[8:])
	f := frame{off: off, kind: byte(word >> seqBits), seq: word & seqMask}
	switch {
	case f.seq < next || f.seq > last:
		return frame{}, false
	case length > maxBody || frameHead+length > len(p):
		return frame{}, false
	case f.kind != kindEntry && (f.kind != kindSeal || length != 0) && (f.kind != kindMoved || length < movedHead):
		return frame{}, false
	case le.Uint64(p) != sum(p, seed, length):
		return frame{}, false
	}
	f.body, f.entry = p[frameHead:frameHead+length], f.seq
	if f.kind == kindMoved {
		f.entry, f.epoch, f.body = le.Uint64(f.body), le.Uint64(f.body[8:]), f.body[movedHead:]
	}
	f.size = min(aligned(frameHead+length), len(p))
	return f, true
}

var errBody = errors.New("the body of the entry is not as this version of the program writes it")

// decode reads the body of an entry. The entry owns all of its bytes.
func decode(body []byte) (journal.Entry, error) {
	v, err := view(body)
	if err != nil {
		return journal.Entry{}, err
	}
	e := journal.Entry{
		At:      time.Unix(v.seconds, v.nanos).UTC(),
		Attempt: v.attempt, Version: v.version,
		ID: string(v.id), Kind: string(v.kind), Key: string(v.key), Codec: string(v.codec),
	}
	if len(v.payload) > 0 {
		e.Payload = append([]byte(nil), v.payload...)
	}
	return e, nil
}

// bodyView is an entry whose bytes are lent.
type bodyView struct {
	seconds, nanos       int64
	attempt, version     int
	id, kind, key, codec []byte
	payload              []byte
}

func view(body []byte) (v bodyView, err error) {
	if len(body) < timeSize {
		return v, errBody
	}
	v.seconds, v.nanos = int64(le.Uint64(body)), int64(le.Uint32(body[8:]))
	rest, ok := body[timeSize:], v.nanos < int64(time.Second)
	number := func() int {
		u, n := binary.Uvarint(rest)
		if n <= 0 {
			ok = false
			return 0
		}
		rest = rest[n:]
		return int(int64(u>>1) ^ -int64(u&1))
	}
	text := func() []byte {
		u, n := binary.Uvarint(rest)
		if n <= 0 || u > uint64(len(rest)-n) {
			ok = false
			return nil
		}
		t := rest[n : n+int(u)]
		rest = rest[n+int(u):]
		return t
	}
	v.attempt, v.version = number(), number()
	v.id, v.kind, v.key, v.codec = text(), text(), text(), text()
	v.payload = rest
	if !ok {
		return v, errBody
	}
	return v, nil
}
