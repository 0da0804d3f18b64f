package deadletter

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lastcall-go/lastcall/journal"
)

// record is a letter in a file.
type record struct {
	ID        string    `json:"id"`
	Component string    `json:"component"`
	Key       string    `json:"key,omitempty"`
	Keyed     bool      `json:"keyed,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	Attempts  int       `json:"attempts,omitempty"`
	Accepted  time.Time `json:"accepted,omitzero"`
	Died      time.Time `json:"died,omitzero"`
	First     string    `json:"first_error,omitempty"`
	Last      string    `json:"last_error,omitempty"`
	Codec     string    `json:"codec"`
	Version   int       `json:"version,omitempty"`
	Encoding  string    `json:"encoding,omitempty"`
	Payload   string    `json:"payload"`

	absent absent
}

// columns are those of a CSV file, in their order.
var columns = []string{
	"id", "component", "key", "keyed", "reason", "attempts", "accepted", "died",
	"first_error", "last_error", "codec", "version", "encoding", "payload",
}

// needed are those that a file must have to be sent back.
var needed = []string{"id", "component", "payload"}

func recordOf(l *journal.DeadLetter) record {
	r := record{
		ID: encodeName(l.ID), Component: encodeName(l.Component), Key: encodeName(l.Key), Keyed: l.Keyed,
		Reason: string(l.Reason), Attempts: l.Attempts, Accepted: l.Accepted.UTC(), Died: l.Died.UTC(),
		First: l.First, Last: l.Last, Codec: l.Codec, Version: l.Version,
	}
	r.Encoding, r.Payload = encodePayload(l.Payload)
	return r
}

// check reports every field that a letter is not known without.
func (r *record) check() error {
	var errs []error
	for _, f := range []struct{ name, text string }{{"id", r.ID}, {"component", r.Component}} {
		if f.text == "" {
			errs = append(errs, fmt.Errorf("%s: is empty; it says which letter this is", f.name))
		}
	}
	for _, f := range []struct{ name, text string }{{"id", r.ID}, {"component", r.Component}, {"key", r.Key}, {"codec", r.Codec}} {
		if !utf8.ValidString(f.text) {
			errs = append(errs, fmt.Errorf("%s: %w", f.name, errNotUTF8))
		}
	}
	return errors.Join(errs...)
}

// letter is what the record says.
func (r *record) letter() (journal.DeadLetter, error) {
	l := journal.DeadLetter{
		Keyed: r.Keyed, Reason: journal.Reason(r.Reason), Attempts: r.Attempts,
		Accepted: r.Accepted, Died: r.Died, First: r.First, Last: r.Last, Codec: r.Codec, Version: r.Version,
	}
	var errs [4]error
	l.ID, errs[0] = decodeName("id", r.ID)
	l.Component, errs[1] = decodeName("component", r.Component)
	l.Key, errs[2] = decodeName("key", r.Key)
	l.Payload, errs[3] = decodePayload(r.Encoding, r.Payload)
	return l, errors.Join(errs[:]...)
}

// cells are the record as a row, in the order of columns.
func (r *record) cells() []string {
	return guarded(
		r.ID, r.Component, r.Key, yes(r.Keyed), r.Reason, strconv.Itoa(r.Attempts), formatTime(r.Accepted), formatTime(r.Died),
		r.First, r.Last, r.Codec, strconv.Itoa(r.Version), r.Encoding, r.Payload,
	)
}

// set puts a cell into the record. The columns that are only read may have
// become anything on the way through a spreadsheet: what is not understood
// there counts as not known.
func (r *record) set(column, text string) (err error) {
	text = unguard(text)
	switch column {
	case "id":
		r.ID = text
	case "component":
		r.Component = text
	case "key":
		r.Key = text
	case "keyed":
		if r.Keyed, err = isYes(text); err != nil {
			return fmt.Errorf("keyed: %w", err)
		}
	case "reason":
		r.Reason = text
	case "attempts":
		r.Attempts, _ = strconv.Atoi(text)
	case "accepted":
		r.Accepted, _ = time.Parse(time.RFC3339Nano, text)
	case "died":
		r.Died, _ = time.Parse(time.RFC3339Nano, text)
	case "first_error":
		r.First = text
	case "last_error":
		r.Last = text
	case "codec":
		r.Codec = text
	case "version":
		if text = strings.TrimSpace(text); text == "" {
			return nil
		}
		if r.Version, err = strconv.Atoi(text); err != nil {
			return fmt.Errorf("version: is %q; give the number that was there", text)
		}
		r.absent.version = false
	case "encoding":
		r.Encoding = strings.ToLower(strings.TrimSpace(text))
	case "payload":
		r.Payload = text
	}
	return nil
}

// yes is a truth as a cell. Spreadsheets translate true and false.
func yes(is bool) string {
	if is {
		return "yes"
	}
	return ""
}

func isYes(cell string) (bool, error) {
	switch strings.ToLower(strings.TrimSpace(cell)) {
	case "yes", "true", "1":
		return true, nil
	case "", "no", "false", "0":
		return false, nil
	}
	return false, fmt.Errorf("is %q; give yes, or nothing", cell)
}

// guarded keeps spreadsheets from running cells as formulas.
func guarded(cells ...string) []string {
	for i, c := range cells {
		if c != "" && strings.IndexByte("=+-@\t\r'", c[0]) >= 0 {
			cells[i] = "'" + c
		}
	}
	return cells
}

func unguard(cell string) string { return strings.TrimPrefix(cell, "'") }
