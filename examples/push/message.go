package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/template"
)

// The channels and the types of messages. Each pair has a lane of its own, so
// that a provider which is down for one holds up no other.
var (
	channels = []string{"sms", "email", "voice", "inapp", "webpush", "apns", "fcm", "whatsapp", "telegram", "wechat", "dingtalk", "feishu"}
	types    = []string{"marketing", "notice", "code"}
)

// laneName is the lane of a channel and a type.
func laneName(channel, kind string) string { return channel + "-" + kind }

// templates are the texts that may be sent.
var templates = map[string]*template.Template{
	"sale":   newTemplate("sale", "{{.shop}}: {{.percent}} % off until {{.day}}"),
	"parcel": newTemplate("parcel", "Your parcel from {{.shop}} comes on {{.day}}"),
	"login":  newTemplate("login", "Your code is {{.code}}"),
}

func newTemplate(name, text string) *template.Template {
	return template.Must(template.New(name).Option("missingkey=error").Parse(text))
}

// Row is one row of the input: a message to one receiver, by a template and
// its parameters.
type Row struct {
	// ID is the name of the input and the number of the row, as in
	// "rows.csv-5e0b2f41:17": the same whenever the row is read again.
	ID       string            `json:"id"`
	Number   uint64            `json:"number"` // 1 is the first below the heading
	Receiver string            `json:"receiver"`
	Channel  string            `json:"channel"`
	Type     string            `json:"type"`
	Template string            `json:"template"`
	Params   map[string]string `json:"params"`
}

// key is the same for rows that may share a task.
func (r Row) key() string {
	text, _ := json.Marshal([]any{r.Channel, r.Type, r.Template, r.Params}) // a map of strings is written in order
	return string(text)
}

func (r Row) id() string       { return r.ID }
func (r Row) receiver() string { return r.Receiver }
func (r Row) lane() string     { return laneName(r.Channel, r.Type) }

func (r Row) text() (string, error) {
	t := templates[r.Template]
	if t == nil {
		return "", fmt.Errorf("template %q is unknown", r.Template)
	}
	var text strings.Builder
	err := t.Execute(&text, r.Params)
	return text.String(), err
}

func (r Row) validate() error {
	var errs []error
	if r.Receiver == "" {
		errs = append(errs, errors.New("the receiver is missing"))
	}
	if !slices.Contains(channels, r.Channel) {
		errs = append(errs, fmt.Errorf("channel %q is unknown", r.Channel))
	}
	if !slices.Contains(types, r.Type) {
		errs = append(errs, fmt.Errorf("type %q is unknown", r.Type))
	}
	if _, err := r.text(); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Task is one text for up to a hundred receivers, on its way through a lane.
type Task struct {
	ID      string     `json:"id"`
	Channel string     `json:"channel"`
	Type    string     `json:"type"`
	Text    string     `json:"text"`
	To      []Receiver `json:"to"`
}

// Receiver is one receiver of a task, with the row that named him.
type Receiver struct {
	Row string `json:"row"` // its ID
	To  string `json:"to"`
}

// newTask makes a task of rows with the same key. The same rows make the same
// ID; it is the Idempotency-Key of the call.
func newTask(text string, rows []Row) Task {
	t := Task{Channel: rows[0].Channel, Type: rows[0].Type, Text: text, To: receivers(rows)}
	sum := sha256.New()
	for _, row := range rows {
		fmt.Fprintln(sum, row.ID)
	}
	t.ID = hex.EncodeToString(sum.Sum(nil)[:8])
	return t
}

func receivers(rows []Row) []Receiver {
	to := make([]Receiver, len(rows))
	for i, row := range rows {
		to[i] = Receiver{row.ID, row.Receiver}
	}
	return to
}

func (t Task) id() string { return t.ID }

// receiver is the only one, or none of many.
func (t Task) receiver() string {
	if len(t.To) != 1 {
		return ""
	}
	return t.To[0].To
}

func (t Task) lane() string { return laneName(t.Channel, t.Type) }
