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

func write[T any](s *sheet, codec Codec[T], it *Item[T]) error {
	used := len(s.payloads)
	if cap(s.payloads)-used < lowSheet {
		s.payloads, used = make([]byte, 0, min(max(2*cap(s.payloads), minSheet), maxSheet)), 0
	}
	free := s.payloads[used:]
	payload, err := codec.encode(free, it.Value)
	if err != nil {
		return err
	}
	// A codec may give back memory of its own, as json.Marshal does.
	if len(payload) > 0 && len(payload) <= cap(free) && &payload[0] == &free[:1][0] {
		s.payloads = s.payloads[:used+len(payload)]
	}
	s.list = append(s.list, Entry{
		ID: it.ID, At: it.At, Attempt: it.Attempt, Kind: kindOf(it.Keyed), Key: it.Key,
		Codec: codec.Name, Version: codec.Version, Payload: payload,
	})
	return nil
}

func (s *sheet) clear() {
	clear(s.list)
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
