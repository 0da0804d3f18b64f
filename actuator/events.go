package actuator

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/lastcall-go/lastcall/lifecycle"
)

const eventStream = "text/event-stream"

func (a *Actuator) eventEndpoints() []endpoint {
	return []endpoint{{Endpoint{
		ID: "events", Method: http.MethodGet, Path: "/events", Answer: events{}, Media: []string{eventStream},
		Query: map[string]string{
			"since": "the id of an event: only what came after it; the header Last-Event-ID is the same",
			"limit": "1 to 1000: how many at most, the newest (1000); not for a stream",
		},
		Summary: "What happens: states, components, stages of the stop, knobs. A list as JSON, a stream as text/event-stream.",
	}, a.events}}
}

// events is the list of them.
type events struct {
	Events []lifecycle.Event `json:"events"`
	// Last is what to ask with (?since=) for what comes after them.
	Last string `json:"last"`
	// Missed: there were others before them that are not kept any more, or the
	// id asked with is of another process, all of whose events are gone.
	Missed bool `json:"missed"`
}

func (a *Actuator) events(w http.ResponseWriter, r *http.Request) error {
	seq, foreign, err := a.since(r)
	if err != nil {
		return err
	}
	// Who does not name the stream gets what ends.
	if negotiate(r.Header.Values("Accept"), append(slices.Clone(mediaTypes), eventStream)) == eventStream {
		return a.stream(w, r, seq, foreign)
	}
	limit, err := countOf(r, "limit", mostListed, 1, mostListed)
	if err != nil {
		return err
	}
	list, missed := a.conductor.Events().Since(seq)
	if n := len(list); n > int(limit) {
		list, missed = list[n-int(limit):], true
	}
	answer := events{Events: list, Last: a.eventID(seq), Missed: missed || foreign}
	if n := len(list); n > 0 {
		answer.Last = a.eventID(list[n-1].Seq)
	} else {
		answer.Events = []lifecycle.Event{}
	}
	return a.replyMasked(w, r, http.StatusOK, answer)
}

// eventID names an event among those of all processes: a dashboard that comes
// back after a restart must not take number 57 of the last process for number
// 57 of this one.
func (a *Actuator) eventID(seq uint64) string {
	return a.process() + "." + strconv.FormatUint(seq, 10)
}

// process tells this process from the one before it.
func (a *Actuator) process() string {
	return strconv.FormatInt(a.began.UnixNano(), 36) + "-" + strconv.Itoa(os.Getpid())
}

// since is the number of the last event that a client has; 0: none. It is
// foreign when the client had it from another process.
func (a *Actuator) since(r *http.Request) (seq uint64, foreign bool, err error) {
	id := r.Header.Get("Last-Event-ID")
	if id == "" {
		id = r.URL.Query().Get("since")
	}
	if id == "" {
		return 0, false, nil
	}
	process, digits, named := strings.Cut(id, ".")
	if !named {
		process, digits = a.process(), id
	}
	seq, err = strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return 0, false, problemf(http.StatusBadRequest, "%q is no id of an event; send one as it came, or leave it out", clip(id))
	}
	if process != a.process() {
		return 0, true, nil
	}
	return seq, false, nil
}

// missedEvent is the data of the stream's event of that name.
type missedEvent struct {
	After string `json:"after"`
	Next  string `json:"next"`
	Text  string `json:"text"`
}

func (a *Actuator) missed(after, next uint64, foreign bool) missedEvent {
	m := missedEvent{After: a.eventID(after), Next: a.eventID(next)}
	switch {
	case foreign:
		m.Text = "this is another process than the one whose events came before"
	case next <= after:
		m.Text = "there was no event of that id; these are all that are kept"
	default:
		m.Text = fmt.Sprintf("%d events are not kept any more", next-after-1)
	}
	return m
}
