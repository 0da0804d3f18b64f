package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// Message is one row of the input, one element of a JSON body.
type Message struct {
	Receiver string `json:"receiver"`
	Channel  string `json:"channel"`
	Type     string `json:"type"`
	Text     string `json:"text"`
}

// SMS and Email are messages by their channel: the type of a lane is its name
// in the graph.
type (
	SMS   Message
	Email Message
)

var columns = []string{"receiver", "channel", "type", "text"}

func (m Message) row() []string { return []string{m.Receiver, m.Channel, m.Type, m.Text} }

func (m Message) validate() error {
	var errs []error
	if m.Receiver == "" {
		errs = append(errs, errors.New("the receiver is missing"))
	}
	if m.Channel != "sms" && m.Channel != "email" {
		errs = append(errs, fmt.Errorf("channel %q is unknown; it is sms or email", m.Channel))
	}
	if m.Text == "" {
		errs = append(errs, errors.New("the text is empty"))
	}
	if !utf8.ValidString(m.Receiver + m.Text) {
		errs = append(errs, errors.New("it is not UTF-8"))
	}
	return errors.Join(errs...)
}

// Row is one message of an input, or what is wrong with it.
type Row struct {
	Line    int // where it begins; of JSON, the number of the message
	Message Message
	Err     error // of this row alone; the next one is read
	// End is why nothing can be read after this row, which is none then.
	End error
}

// readCSV reads rows of receiver, channel, type, text, with or without a
// heading and the mark that spreadsheets begin a file with.
func readCSV(in io.Reader) iter.Seq[Row] {
	return func(yield func(Row) bool) {
		source := &breaking{Reader: in}
		text := bufio.NewReader(source)
		if mark, _ := text.Peek(3); string(mark) == "\ufeff" {
			_, _ = text.Discard(3) // they are there
		}
		r := csv.NewReader(text)
		r.FieldsPerRecord = len(columns)
		for first := true; ; first = false {
			fields, err := r.Read()
			if errors.Is(err, io.EOF) || first && slices.Equal(fields, columns) {
				if err == nil {
					continue
				}
				return
			}
			row := rowOf(r, fields, err)
			if row.Err != nil && source.err != nil {
				row = Row{End: source.err} // the row is not bad, it broke off
			}
			if !yield(row) || row.End != nil {
				return
			}
		}
	}
}

// breaking remembers why reading broke off.
type breaking struct {
	io.Reader
	err error
}

func (b *breaking) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return n, err
}

func rowOf(r *csv.Reader, fields []string, err error) Row {
	var broken *csv.ParseError
	switch {
	case errors.As(err, &broken) && errors.Is(err, csv.ErrFieldCount):
		return Row{Line: broken.StartLine, Err: fmt.Errorf("%d fields where %s are expected", len(fields), strings.Join(columns, ", "))}
	case errors.As(err, &broken) && broken.StartLine < broken.Line:
		return Row{Line: broken.StartLine, Err: fmt.Errorf("%w; lines %d to %d were taken for one row", broken.Err, broken.StartLine, broken.Line)}
	case errors.As(err, &broken):
		return Row{Line: broken.StartLine, Err: broken.Err}
	case err != nil:
		return Row{End: err}
	}
	line, _ := r.FieldPos(0)
	m := Message{fields[0], fields[1], fields[2], fields[3]}
	return Row{Line: line, Message: m, Err: m.validate()}
}

// readJSON reads messages one after another, or arrays of them.
func readJSON(in io.Reader) iter.Seq[Row] {
	return func(yield func(Row) bool) {
		decoder := json.NewDecoder(in)
		for n := 1; ; {
			var raw json.RawMessage
			if err := decoder.Decode(&raw); errors.Is(err, io.EOF) {
				return
			} else if err != nil {
				yield(Row{Line: n, End: err})
				return
			}
			messages := []json.RawMessage{raw}
			if raw[0] == '[' {
				if err := json.Unmarshal(raw, &messages); err != nil {
					yield(Row{Line: n, End: err})
					return
				}
			}
			for _, text := range messages {
				if !yield(jsonRow(n, text)) {
					return
				}
				n++
			}
		}
	}
}

func jsonRow(n int, text []byte) Row {
	row := Row{Line: n}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if row.Err = decoder.Decode(&row.Message); row.Err == nil {
		row.Err = row.Message.validate()
	}
	return row
}

// readBody reads what the request says it carries.
func readBody(r *http.Request) iter.Seq[Row] {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "text/csv") {
		return readCSV(r.Body)
	}
	return readJSON(r.Body)
}
