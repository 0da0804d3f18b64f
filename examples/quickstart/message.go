package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"
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
	return errors.Join(errs...)
}

// Row is one message of an input, or what is wrong with it.
type Row struct {
	Line    int // where it begins; of a JSON array, the place in it
	Message Message
	Err     error
}

// readCSV reads rows of receiver, channel, type, text. A bad row is handed on
// with its error, and the next one is read; only when the input itself cannot
// be read is that the last. A heading is skipped.
func readCSV(in io.Reader) iter.Seq[Row] {
	r := csv.NewReader(in)
	r.FieldsPerRecord = len(columns)
	return func(yield func(Row) bool) {
		for first := true; ; first = false {
			fields, err := r.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			if first && err == nil {
				fields[0] = strings.TrimPrefix(fields[0], "\ufeff") // as spreadsheets write it
				if slices.Equal(fields, columns) {
					continue
				}
			}
			row := rowOf(r, fields, err)
			var broken *csv.ParseError
			if !yield(row) || err != nil && !errors.As(err, &broken) {
				return
			}
		}
	}
}

func rowOf(r *csv.Reader, fields []string, err error) Row {
	var broken *csv.ParseError
	switch {
	case errors.As(err, &broken) && errors.Is(err, csv.ErrFieldCount):
		return Row{Line: broken.StartLine, Err: fmt.Errorf("%d fields where %s are expected", len(fields), strings.Join(columns, ", "))}
	case errors.As(err, &broken):
		return Row{Line: broken.StartLine, Err: broken.Err}
	case err != nil:
		return Row{Err: err}
	}
	line, _ := r.FieldPos(0)
	m := Message{fields[0], fields[1], fields[2], fields[3]}
	return Row{Line: line, Message: m, Err: m.validate()}
}

// readJSON reads one message or an array of them.
func readJSON(in io.Reader) iter.Seq[Row] {
	return func(yield func(Row) bool) {
		var raw json.RawMessage
		if err := json.NewDecoder(in).Decode(&raw); err != nil {
			yield(Row{Line: 1, Err: err})
			return
		}
		var messages []Message
		if err := json.Unmarshal(raw, &messages); err != nil {
			messages = make([]Message, 1)
			if err := json.Unmarshal(raw, &messages[0]); err != nil {
				yield(Row{Line: 1, Err: err})
				return
			}
		}
		for i, m := range messages {
			if !yield(Row{Line: i + 1, Message: m, Err: m.validate()}) {
				return
			}
		}
	}
}

// readBody reads what the request says it carries.
func readBody(r *http.Request) iter.Seq[Row] {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "text/csv") {
		return readCSV(r.Body)
	}
	return readJSON(r.Body)
}
