package deadletter

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"iter"
	"strconv"
	"time"

	"github.com/lastcall-go/lastcall/journal"
)

// Export writes letters to a file, and says how many. An error of letters, or
// of w, ends it.
func Export(w io.Writer, format Format, letters iter.Seq2[journal.DeadLetter, error]) (n int, err error) {
	return write(w, format, columns, letters, func(l *journal.DeadLetter) row {
		r := recordOf(l)
		return &r
	})
}

// ExportEntries writes the entries of any journal, in the way that Export
// writes letters: their columns are seq, id, at, attempt, kind, key, codec,
// version, encoding and payload.
func ExportEntries(w io.Writer, format Format, entries iter.Seq2[journal.Entry, error]) (n int, err error) {
	return write(w, format, entryColumns, entries, func(e *journal.Entry) row {
		r := entryRecord{
			Seq: e.Seq, ID: encodeName(e.ID), At: e.At, Attempt: e.Attempt, Kind: e.Kind, Key: encodeName(e.Key),
			Codec: e.Codec, Version: e.Version,
		}
		r.Encoding, r.Payload = encodePayload(e.Payload)
		return &r
	})
}

// row is what can be a line of either format.
type row interface{ cells() []string }

func write[T any](w io.Writer, format Format, header []string, all iter.Seq2[T, error], form func(*T) row) (n int, err error) {
	if format, err = ParseFormat(string(format)); err != nil {
		return 0, err
	}
	c := csv.NewWriter(w)
	j := json.NewEncoder(w)
	j.SetEscapeHTML(false)
	if format == CSV {
		if err := c.Write(header); err != nil {
			return 0, err
		}
	}
	for v, err := range all {
		if err == nil && format == CSV {
			err = c.Write(form(&v).cells())
		} else if err == nil {
			err = j.Encode(form(&v))
		}
		if err != nil {
			c.Flush()
			return n, err
		}
		n++
	}
	c.Flush()
	return n, c.Error()
}

// entryRecord is an entry in a file.
type entryRecord struct {
	Seq      uint64    `json:"seq"`
	ID       string    `json:"id"`
	At       time.Time `json:"at,omitzero"`
	Attempt  int       `json:"attempt,omitempty"`
	Kind     string    `json:"kind,omitempty"`
	Key      string    `json:"key,omitempty"`
	Codec    string    `json:"codec,omitempty"`
	Version  int       `json:"version,omitempty"`
	Encoding string    `json:"encoding"`
	Payload  string    `json:"payload"`
}

var entryColumns = []string{"seq", "id", "at", "attempt", "kind", "key", "codec", "version", "encoding", "payload"}

func (r *entryRecord) cells() []string {
	return guarded(
		strconv.FormatUint(r.Seq, 10), r.ID, formatTime(r.At), strconv.Itoa(r.Attempt), r.Kind, r.Key,
		r.Codec, strconv.Itoa(r.Version), r.Encoding, r.Payload,
	)
}
