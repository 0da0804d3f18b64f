package journal

// sheet is what entries are written on before they go to the journal.
type sheet struct {
	list     []Entry
	payloads []byte // what is used of the memory for payloads
}

const (
	minSheet = 4 << 10 // bytes; the memory for payloads, when there is too little
	maxSheet = 1 << 20 // bytes that a sheet keeps for the next use
	lowSheet = 256     // bytes; less is too little to begin a payload in
)

// fill writes items onto the sheet. A codec that panics has failed.
func fill[T any](s *sheet, codec *Codec[T], items []Item[T]) (err error) {
	defer codec.caught(&err)
	for i := range items {
		if err := write(s, codec, &items[i]); err != nil {
			return err
		}
	}
	return nil
}

func write[T any](s *sheet, codec *Codec[T], it *Item[T]) error {
	used := len(s.payloads)
	if cap(s.payloads)-used < lowSheet {
		s.payloads, used = make([]byte, 0, min(max(2*cap(s.payloads), minSheet), maxSheet)), 0
	}
	free := s.payloads[used:]
	payload, err := codec.Encode(free, it.Value)
	if err != nil {
		return codec.failed(err)
	}
	// A codec may give back memory of its own, as json.Marshal does.
	if len(payload) > 0 && len(payload) <= cap(free) && &payload[0] == &free[:1][0] {
		s.payloads = s.payloads[:used+len(payload)]
	}
	e := s.next()
	e.ID, e.At, e.Attempt, e.Kind, e.Key = it.ID, it.At, it.Attempt, kindOf(it.Keyed), it.Key
	e.Codec, e.Version, e.Payload = codec.Name, codec.Version, payload
	return nil
}

// next is one more entry, to be written over.
func (s *sheet) next() *Entry {
	n := len(s.list)
	if n == cap(s.list) {
		s.list = append(s.list, Entry{})
	} else {
		s.list = s.list[:n+1]
	}
	return &s.list[n]
}

// clear holds on to nothing, but to what one entry had: to forget it, only to
// write the next one there, would be a good part of the work on it.
func (s *sheet) clear() {
	if len(s.list) > 1 {
		clear(s.list)
	}
	s.list, s.payloads = s.list[:0], s.payloads[:0]
}

// kindKeyed is the Kind of an entry whose key is one within which order
// matters.
const kindKeyed = "keyed"

func kindOf(keyed bool) string {
	if keyed {
		return kindKeyed
	}
	return ""
}
