package modules

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/lastcall-go/lastcall/actuator"
	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/deadletter"
)

// cutShort is the error of work with letters that did not come to its end.
type cutShort struct {
	deadletter.Summary
	err error
}

func (e *cutShort) Error() string {
	return fmt.Sprintf("cut short after %d of the letters that were looked at (%d failed); the others are as they were: %v", e.Done, e.Failed, e.err)
}

func (e *cutShort) Unwrap() error { return e.err }

// letter is a dead letter as it is shown. What is not for everybody, the work
// itself, is there only if it was asked for.
type letter struct {
	Seq        uint64         `json:"seq"`
	ID         string         `json:"id"`
	Component  string         `json:"component"`
	Key        string         `json:"key,omitempty"`
	Reason     journal.Reason `json:"reason"`
	Attempts   int            `json:"attempts"`
	Accepted   time.Time      `json:"accepted,omitzero"`
	Died       time.Time      `json:"died"`
	FirstError string         `json:"first_error,omitempty"`
	LastError  string         `json:"last_error,omitempty"`
	Codec      string         `json:"codec,omitempty"`
	// Payload is text where the work is that, else PayloadBase64 is the work.
	Payload       *string `json:"payload,omitempty"`
	PayloadBase64 []byte  `json:"payload_base64,omitempty"`
}

func shownLetter(l *journal.DeadLetter, payload bool) letter {
	shown := letter{
		Seq: l.Seq, ID: l.ID, Component: l.Component, Key: l.Key, Reason: l.Reason, Attempts: l.Attempts,
		Accepted: l.Accepted, Died: l.Died, FirstError: l.First, LastError: l.Last, Codec: l.Codec,
	}
	switch text := string(l.Payload); {
	case !payload:
	case utf8.ValidString(text):
		shown.Payload = &text
	default:
		shown.PayloadBase64 = l.Payload
	}
	return shown
}

// letters are those that were asked for, the oldest first.
type letters struct {
	Box string `json:"box"`
	// Total is how many there are in the box, whatever was asked for.
	Total   int      `json:"total"`
	Letters []letter `json:"letters"`
	// More: others were chosen too, and left out for the limit.
	More bool `json:"more,omitempty"`
}

const (
	lettersListed     = 100
	mostLettersListed = 1000
	// mostPayload bounds the payloads of one answer, in bytes.
	mostPayload = 4 << 20
)

// lettersEndpoint lists the letters of a box.
func (v *journalView) lettersEndpoint() actuator.Custom {
	return actuator.Custom{
		Endpoint: actuator.Endpoint{
			ID: "deadletters", Method: http.MethodGet, Path: "/deadletters/{name}/letters", Answer: letters{},
			Query: map[string]string{
				"component": "whose work it was", "key": "its key", "id": "its id; may be repeated",
				"reason":  "why it was given up: retries, permanent, panic, poison, expired, undecodable, buried",
				"since":   "a time: it died then or later",
				"until":   "a time: it died before",
				"limit":   "1 to 1000: how many at most (100)",
				"payload": "`true` shows the work itself",
			},
			Summary: "The work that failed for good, the oldest first; the actions of the box send it again, or drop it.",
		},
		Serve: func(r *http.Request) (any, error) { return v.listLetters(r) },
	}
}

func (v *journalView) listLetters(r *http.Request) (any, error) {
	b := v.box.Load()
	if name := r.PathValue("name"); b == nil || name != boxName {
		return nil, actuator.Refusal(http.StatusNotFound, "there is no box %q", short(name))
	}
	chosen, payload, err := lettersQuery(r.URL.Query())
	if err != nil {
		return nil, actuator.Refusal(http.StatusBadRequest, "%v", err)
	}
	list := letters{Box: boxName, Total: b.stats().Letters, Letters: []letter{}}
	if list.Total == 0 {
		return list, nil // a look must not make a box
	}
	limit, bytes := chosen.Limit, 0
	chosen.Limit++ // whether there are more
	for l, err := range chosen.Of(b.box.All(r.Context())) {
		switch {
		case errors.Is(err, journal.ErrClosed):
			return nil, actuator.Refusal(http.StatusConflict, "the box is closed, as the application has stopped; ask the next one, or the lastcall command")
		case err != nil:
			return nil, err
		}
		if payload {
			bytes += len(l.Payload)
		}
		if len(list.Letters) == limit || bytes > mostPayload && len(list.Letters) > 0 {
			list.More = true
			break
		}
		list.Letters = append(list.Letters, shownLetter(&l, payload))
	}
	return list, nil
}

// lettersQuery reads what is asked for, and says everything that is wrong.
func lettersQuery(q url.Values) (chosen deadletter.Filter, payload bool, err error) {
	chosen, err = deadletter.ParseQuery(q)
	if q.Get("limit") == "" {
		chosen.Limit = lettersListed
	}
	if err == nil && (chosen.Limit < 1 || chosen.Limit > mostLettersListed) {
		err = fmt.Errorf("limit: is %q; give a number from 1 to %d", short(q.Get("limit")), mostLettersListed)
	}
	if chosen.Reason != "" && !slices.Contains(journal.Reasons(), chosen.Reason) {
		err = errors.Join(err, fmt.Errorf("reason: is %q; give one of %v", short(string(chosen.Reason)), journal.Reasons()))
	}
	if q.Has("payload") && q.Get("payload") != "" {
		var wrong error
		if payload, wrong = strconv.ParseBool(q.Get("payload")); wrong != nil {
			err = errors.Join(err, fmt.Errorf("payload: is %q; give true or false", short(q.Get("payload"))))
		}
	} else {
		payload = q.Has("payload")
	}
	return chosen, payload, err
}

// short bounds what is said back to a client.
func short(s string) string {
	const most = 100
	if len(s) <= most {
		return s
	}
	return s[:most] + "..."
}
