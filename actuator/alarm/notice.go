package alarm

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// State is what a [Notice] says of its alarm.
type State string

// The states of a notice.
const (
	Raised   State = "raised"
	Resolved State = "resolved"
	// Noted: something has happened, and there is nothing to be resolved.
	Noted State = "noted"
)

// Notice is what is told of one alarm: what was seen at the moment at which it
// was judged. It is not changed afterwards.
type Notice struct {
	// ID numbers the notices of one process from 1.
	ID    uint64 `json:"id"`
	State State  `json:"state"`
	// Component is whose alarm it is, or "application"; Kind is the sort of
	// component.
	Component string `json:"component"`
	Kind      string `json:"kind,omitempty"`
	Alarm     string `json:"alarm"`
	// Text says it to a person in one line.
	Text string `json:"text"`
	Help string `json:"help,omitempty"`
	Unit string `json:"unit,omitempty"`
	// Value is what was measured, of what grows the growth within the period.
	Value     float64 `json:"value"`
	Threshold float64 `json:"threshold"`
	// At is when Value was read, Since when the alarm was raised.
	At    time.Time `json:"at"`
	Since time.Time `json:"since"`
	// Repeats is how often this raised alarm had been told before, Silenced how
	// often the alarm was raised and not told since it was told last.
	Repeats  int `json:"repeats,omitempty"`
	Silenced int `json:"silenced,omitempty"`
	// Change is what was turned or done, for the alarm of that name.
	Change *lifecycle.Turned `json:"change,omitempty"`
	// Ledger and Stats are those of the component, read with Value. nil: it has
	// none.
	Ledger *intake.Ledger  `json:"ledger,omitempty"`
	Stats  json.RawMessage `json:"stats,omitempty"`
	// Receivers are who is told. Empty: nobody, as no rule names one, as it is
	// silent, or as alarms are muted.
	Receivers []string `json:"receivers"`
}

// Message is what a receiver gets at once, and the data of its template.
type Message struct {
	// Service, Host and PID say which process it comes from.
	Service string `json:"service"`
	Host    string `json:"host"`
	PID     int    `json:"pid"`
	// Notices are at least one, in their order.
	Notices []Notice `json:"notices"`
}

// Title says in a few words what the message is about.
func (m Message) Title() string {
	if len(m.Notices) == 1 {
		n := m.Notices[0]
		return fmt.Sprintf("[%s] %s: %s of %s", m.Service, n.State, n.Alarm, n.Component)
	}
	var parts []string
	for _, s := range []State{Raised, Resolved, Noted} {
		if n := m.count(s); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	return fmt.Sprintf("[%s] %s", m.Service, strings.Join(parts, ", "))
}

// Origin says which process it comes from.
func (m Message) Origin() string {
	return fmt.Sprintf("%s on %s, process %d", m.Service, m.Host, m.PID)
}

// Text says all of it to a person, a line for each notice.
func (m Message) Text() string {
	lines := []string{m.Title()}
	for _, n := range m.Notices {
		lines = append(lines, fmt.Sprintf("%s: %s", n.State, n.Text))
	}
	return strings.Join(append(lines, m.Origin()), "\n")
}

// State is that of all notices together: the worst.
func (m Message) State() State {
	switch {
	case m.count(Raised) > 0:
		return Raised
	case m.count(Noted) > 0:
		return Noted
	default:
		return Resolved
	}
}

func (m Message) count(s State) (n int) {
	for _, notice := range m.Notices {
		if notice.State == s {
			n++
		}
	}
	return n
}

// describe fills in Text.
func (n *Notice) describe() {
	measured := fmt.Sprintf("%s: %s %s, threshold %s", n.Component, n.Alarm, amount(n.Value, n.Unit), amount(n.Threshold, n.Unit))
	switch {
	case n.State == Resolved:
		n.Text = fmt.Sprintf("%s: resolved after %s", measured, n.At.Sub(n.Since).Round(time.Second))
	case n.Repeats > 0:
		n.Text = fmt.Sprintf("%s, for %s now: %s", measured, n.At.Sub(n.Since).Round(time.Second), n.Help)
	default:
		n.Text = fmt.Sprintf("%s: %s", measured, n.Help)
	}
	if n.Silenced > 0 {
		n.Text += fmt.Sprintf(" (raised %d times more in the silence before)", n.Silenced)
	}
}

// amount writes a value with its unit, and no more digits than a person reads.
func amount(v float64, unit string) string {
	text := strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
	switch unit {
	case "", "%":
		return text + unit
	default:
		return text + " " + unit
	}
}
