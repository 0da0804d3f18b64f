package journal

// sheet is what entries are written on before they go to the journal.
type sheet struct {
	list     []Entry
	payloads []byte
	ends     []int
}

func write[T any](s *sheet, codec Codec[T], it *Item[T]) (err error) {
	if s.payloads, err = codec.encode(s.payloads, it.Value); err != nil {
		return err
	}
	s.ends = append(s.ends, len(s.payloads))
	s.list = append(s.list, Entry{
		ID: it.ID, At: it.At, Attempt: it.Attempt, Kind: kindOf(it.Keyed), Key: it.Key,
		Codec: codec.Name, Version: codec.Version,
	})
	return nil
}

// entries are those written, now that their payloads will not move any more.
func (s *sheet) entries() []Entry {
	begin := 0
	for i, end := range s.ends {
		s.list[i].Payload = s.payloads[begin:end]
		begin = end
	}
	return s.list
}

const maxSheet = 1 << 20 // bytes that a sheet keeps for the next use

func (s *sheet) clear() {
	clear(s.list)
	s.list, s.ends, s.payloads = s.list[:0], s.ends[:0], s.payloads[:0]
	if cap(s.payloads) > maxSheet {
		s.payloads = nil
	}
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
