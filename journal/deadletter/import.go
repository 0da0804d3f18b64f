package deadletter

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/lastcall-go/lastcall/journal"
)

// Row is a letter of a file, and the line where it begins, from 1 upwards.
type Row struct {
	Line   int
	Letter journal.DeadLetter

	absent absent
}

// absent are the fields that a row does not have, not even empty: those of the
// letter in the box count. An empty codec, version or encoding is as good as none.
// Where the encoding is absent, the payload is as it stands in the file.
type absent struct{ key, version, encoding bool }

// RowError is what is wrong with one row of a file.
type RowError struct {
	Line int
	Err  error
}

func (e *RowError) Error() string {
	return fmt.Sprintf("line %d: %s", e.Line, strings.ReplaceAll(e.Err.Error(), "\n", "; "))
}

// Unwrap returns the reason.
func (e *RowError) Unwrap() error { return e.Err }

// maxLine bounds a line of JSONL.
const maxLine = 64 << 20

// Import reads the letters of a file. A [RowError] is of one row, and the next
// are read all the same; any other error ends it. Letters have no Seq.
func Import(r io.Reader, format Format) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		var err error
		switch format {
		case CSV:
			err = importCSV(r, yield)
		case JSONL:
			err = importJSONL(r, checkJSONL, yield)
		default:
			_, err = ParseFormat(string(format))
		}
		if err != nil && !errors.Is(err, errEnough) {
			yield(Row{}, err)
		}
	}
}

var errEnough = errors.New("the caller has had enough")

// give yields a row, or what is wrong with it.
func give(yield func(Row, error) bool, line int, r *record, wrong error) error {
	var row Row
	l, err := r.letter()
	if err = errors.Join(wrong, err); err == nil {
		row = Row{line, l, r.absent}
	} else {
		err = &RowError{Line: line, Err: err}
	}
	if !yield(row, err) {
		return errEnough
	}
	return nil
}

// checkJSONL reports what is wrong with a record, and notes which fields it has.
func checkJSONL(r *record, text []byte) error {
	var has struct{ Key, Version, Encoding, Payload json.RawMessage }
	if err := json.Unmarshal(text, &has); err != nil {
		return err
	}
	r.absent = absent{has.Key == nil, has.Version == nil, r.Encoding == ""}
	err := r.check()
	if has.Payload == nil {
		err = errors.Join(err, errors.New("payload: is missing"))
	}
	return err
}

func importJSONL(r io.Reader, check func(*record, []byte) error, yield func(Row, error) bool) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		text := bytes.TrimSpace(bytes.TrimPrefix(lines.Bytes(), []byte(mark)))
		if len(text) == 0 {
			continue
		}
		var rec record
		err := json.Unmarshal(text, &rec)
		if !utf8.Valid(text) { // or it is read as something else
			err = errors.New("is not UTF-8; save the file as UTF-8")
		}
		if err != nil {
			if !yield(Row{}, &RowError{Line: n, Err: err}) {
				return errEnough
			}
			continue
		}
		if err := give(yield, n, &rec, check(&rec, text)); err != nil {
			return err
		}
	}
	return lines.Err()
}

const mark = "\xef\xbb\xbf" // that editors put before UTF-8

func importCSV(r io.Reader, yield func(Row, error) bool) error {
	b := bufio.NewReader(r)
	start, _ := b.Peek(3) // an error is met again when it is read
	switch {
	case string(start) == mark:
		_, _ = b.Discard(len(mark))
	case bytes.HasPrefix(start, []byte{0xff, 0xfe}), bytes.HasPrefix(start, []byte{0xfe, 0xff}):
		return errors.New(`the file is UTF-16; save it as "CSV UTF-8"`)
	}
	c := csv.NewReader(b)
	c.Comma = separator(b)
	c.FieldsPerRecord = -1
	header, err := readHeader(c)
	if err != nil {
		return err
	}
	for {
		cells, err := c.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if parse := new(csv.ParseError); errors.As(err, &parse) {
			if !yield(Row{}, &RowError{Line: parse.StartLine, Err: fmt.Errorf("byte %d: %w", parse.Column, parse.Err)}) {
				return errEnough
			}
			continue
		}
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(cells, func(cell string) bool { return cell != "" }) {
			continue // spreadsheets add rows of nothing
		}
		line, _ := c.FieldPos(0)
		rec, wrong := fill(header, cells)
		if err := give(yield, line, rec, errors.Join(wrong, rec.check())); err != nil {
			return err
		}
	}
}

// separator is the one of , ; and tab that the header has most of.
func separator(b *bufio.Reader) rune {
	head, _ := b.Peek(b.Size())
	head, _, _ = bytes.Cut(head, []byte("\n"))
	best := ','
	for _, sep := range []rune{';', '\t'} {
		if bytes.Count(head, []byte(string(sep))) > bytes.Count(head, []byte(string(best))) {
			best = sep
		}
	}
	return best
}

// readHeader reads which column is where. Names that are not ours are a
// person's notes.
func readHeader(c *csv.Reader) ([]string, error) {
	header, err := c.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty; its first line is to name the columns")
	}
	if err != nil {
		return nil, err
	}
	var errs []error
	for i, name := range header {
		header[i] = strings.ToLower(strings.TrimSpace(name))
		if slices.Contains(columns, header[i]) && slices.Index(header, header[i]) < i {
			errs = append(errs, fmt.Errorf("the column %s is there twice", header[i]))
		}
	}
	for _, name := range needed {
		if !slices.Contains(header, name) {
			errs = append(errs, fmt.Errorf("the column %s is missing", name))
		}
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("line 1: %w; the columns are %s", errors.Join(errs...), strings.Join(columns, ", "))
	}
	return header, nil
}

func fill(header, cells []string) (*record, error) {
	rec := record{absent: absent{key: !slices.Contains(header, "key"), version: true}}
	var errs []error
	if len(cells) != len(header) {
		errs = append(errs, fmt.Errorf("it has %d cells, the header has %d; is there a quote missing?", len(cells), len(header)))
	}
	for i, cell := range cells[:min(len(cells), len(header))] {
		if err := rec.set(header[i], cell); err != nil {
			errs = append(errs, err)
		}
	}
	rec.absent.encoding = rec.Encoding == ""
	return &rec, errors.Join(errs...)
}
