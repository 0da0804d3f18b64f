package filejournal

// scanner finds the frames of a segment, and steps over what is none.
type scanner struct {
	data []byte
	seed uint32
	off  int
	next uint64 // what the next frame must be
	last uint64 // what no frame can be beyond
}

// gap is a stretch without a frame. It is between frames: something was
// there.
type gap struct {
	from, to    int
	first, last uint64 // the sequence numbers that are missing; none if last < first
}

func newScanner(data []byte, k key, base uint64) *scanner {
	s := &scanner{data: data, seed: k.seed(), off: headerSize, next: base, last: seqMask}
	if base > 0 {
		s.bound(base)
	}
	return s
}

// bound says that seq is in the segment: this keeps a search through bytes of
// chance from taking many for a frame worth a checksum.
func (s *scanner) bound(seq uint64) { s.last = seq + uint64(len(s.data)/minFrame) + 1 }

// scan finds the next frame. If it is not where it should be, the gap before
// it is returned as well. With none left off is where the last one ended.
func (s *scanner) scan() (f frame, g gap, bad, ok bool) {
	f, ok = parse(s.data, s.off, s.seed, s.next, s.next)
	if ok && s.next > 0 {
		s.step(f)
		return f, gap{}, false, true
	}
	for off := s.off; off+frameHead <= len(s.data); off += 8 {
		if f, ok = parse(s.data, off, s.seed, max(s.next, 1), s.last); !ok {
			continue
		}
		g = gap{from: s.off, to: off, first: s.next, last: f.seq - 1}
		if s.next == 0 {
			g.first = f.seq // nobody knows what came before
		}
		bad = g.from < g.to || g.first <= g.last
		s.step(f)
		return f, g, bad, true
	}
	return frame{}, gap{}, false, false
}

func (s *scanner) step(f frame) {
	if s.next == 0 {
		s.bound(f.seq)
	}
	s.off, s.next = f.off+f.size, f.seq+1
	if f.kind == kindSeal {
		s.next = f.seq
	}
}

// remains is how many bytes of a frame that is none are at the end: 0 where
// the writer has put zeros.
func (s *scanner) remains() int {
	rest := s.data[min(s.off, len(s.data)):]
	if len(rest) < frameHead || le.Uint64(rest) == 0 {
		return 0
	}
	return min(len(rest), frameHead+int(min(le.Uint32(rest[4:]), maxBody)))
}
