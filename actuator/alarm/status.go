package alarm

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"
)

// Status is what is known at one moment.
type Status struct {
	Service string `json:"service"`
	// Every is the time between two evaluations, At when the last one was; zero:
	// there was none.
	Every string    `json:"every"`
	At    time.Time `json:"at,omitzero"`
	// Muted: nobody is told at present.
	Muted bool `json:"muted"`
	// Raised are the alarms that are raised now, the latest first.
	Raised []AlarmStatus `json:"raised"`
	// Alarms are all that are watched, in the order in which their components
	// were seen.
	Alarms []AlarmStatus `json:"alarms"`
	// History are the last notices, the latest first.
	History   []Notice         `json:"history"`
	Receivers []ReceiverStatus `json:"receivers"`
}

// AlarmStatus is one alarm of one component, with what holds for it.
type AlarmStatus struct {
	Component string `json:"component"`
	Alarm     string `json:"alarm"`
	Help      string `json:"help,omitempty"`
	Unit      string `json:"unit,omitempty"`
	Enabled   bool   `json:"enabled"`
	// Value is what was measured at At; nil: nothing yet. Of what grows it is the
	// growth within the period.
	Value     *float64  `json:"value"`
	At        time.Time `json:"at,omitzero"`
	Grows     bool      `json:"grows,omitempty"`
	Threshold float64   `json:"threshold"`
	Count     int       `json:"count"`
	Period    string    `json:"period"`
	Silence   string    `json:"silence"`
	Receivers []string  `json:"receivers"`
	Raised    bool      `json:"raised"`
	Since     time.Time `json:"since,omitzero"` // when it was raised
}

// ReceiverStatus is what a receiver has got.
type ReceiverStatus struct {
	Name string `json:"name"`
	// Target says where it goes, without its secrets.
	Target string `json:"target,omitempty"`
	// Pending are the notices that wait or are on their way; Delivered arrived;
	// Failed were tried in vain; Dropped were never tried, as the queue was full
	// or the process at its end.
	Pending   int    `json:"pending"`
	Delivered uint64 `json:"delivered"`
	Failed    uint64 `json:"failed"`
	Dropped   uint64 `json:"dropped"`
	// LastError is why the last one was not delivered; empty: it was.
	LastError string `json:"last_error,omitempty"`
}

// Status is what is known now. With a component only its alarms and notices are
// in it.
func (w *Watch) Status(component string) Status {
	s := Status{Service: w.cfg.Service, Every: w.cfg.Every.String(), Raised: []AlarmStatus{}, Alarms: []AlarmStatus{}, History: []Notice{}, Receivers: w.Receivers()}
	wanted := func(name string) bool { return component == "" || component == name }
	w.mu.Lock()
	defer w.mu.Unlock()
	s.At, s.Muted = w.evaluated, w.muted
	for _, t := range w.order {
		if !wanted(t.name) {
			continue
		}
		for _, e := range t.all() {
			a := e.status(t.name)
			s.Alarms = append(s.Alarms, a)
			if a.Raised {
				s.Raised = append(s.Raised, a)
			}
		}
	}
	slices.SortStableFunc(s.Raised, func(a, b AlarmStatus) int { return b.Since.Compare(a.Since) })
	for _, n := range slices.Backward(w.history) {
		if wanted(n.Component) {
			s.History = append(s.History, n)
		}
	}
	return s
}

// Counts are how many alarms are watched, and raised.
func (w *Watch) Counts() (watched, raised int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range w.order {
		for _, e := range t.all() {
			if e.enabled {
				watched++
			}
			if e.raised {
				raised++
			}
		}
	}
	return watched, raised
}

// Raised are the names of the alarms that are raised now, by component: cheaper
// than [Watch.Status] for who asks every second.
func (w *Watch) Raised() map[string][]string {
	raised := map[string][]string{}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range w.order {
		for _, e := range t.all() {
			if e.raised {
				raised[t.name] = append(raised[t.name], e.Name)
			}
		}
	}
	return raised
}

func (t *thing) all() []*entry {
	all := slices.Concat(t.entries, t.others)
	if t.health != nil {
		all = append(all, t.health)
	}
	return all
}

func (e *entry) status(component string) AlarmStatus {
	a := AlarmStatus{
		Component: component, Alarm: e.Name, Help: e.Help, Unit: e.Unit, Enabled: e.enabled, At: e.at, Grows: e.Grows,
		Threshold: e.threshold, Count: e.count, Period: e.period.String(), Silence: e.silence.String(),
		Receivers: slices.Concat([]string{}, e.receivers), Raised: e.raised,
	}
	if !math.IsNaN(e.value) {
		value := e.value
		a.Value = &value
	}
	if e.raised {
		a.Since = e.since
	}
	return a
}

// Receivers are what the receivers have got, by name.
func (w *Watch) Receivers() []ReceiverStatus {
	list := []ReceiverStatus{}
	for _, r := range w.receivers {
		list = append(list, r.status())
	}
	slices.SortFunc(list, func(a, b ReceiverStatus) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

func (r *receiver) status() ReceiverStatus {
	r.mu.Lock()
	s := r.counts
	s.Pending = r.pending
	r.mu.Unlock()
	s.Name = r.name
	if named, ok := r.Sink.(fmt.Stringer); ok {
		s.Target = named.String()
	}
	return s
}

// Trial is what came of a test of a receiver.
type Trial struct {
	Receiver string `json:"receiver"`
	Target   string `json:"target,omitempty"`
	Took     string `json:"took"`
}

// The errors of [Watch.Test] for which the receiver was not asked.
var (
	ErrNoReceiver = fmt.Errorf("alarm: there is no such receiver")
	ErrTesting    = fmt.Errorf("alarm: the receiver is being tested")
	ErrNotOpen    = fmt.Errorf("alarm: the receivers are not open: nothing is watched before Start and after Stop")
)

// Test sends a notice to one receiver, past its queue and without a second
// attempt, and returns when it has arrived. by is who asks.
func (w *Watch) Test(ctx context.Context, name, by string) (Trial, error) {
	i := slices.IndexFunc(w.receivers, func(r *receiver) bool { return r.name == name })
	if i < 0 {
		return Trial{}, fmt.Errorf("%w as %q; %s", ErrNoReceiver, name, known(w.names()))
	}
	w.mu.Lock()
	ready := w.opened && !w.stopped
	w.mu.Unlock()
	if !ready {
		return Trial{}, ErrNotOpen
	}
	r := w.receivers[i]
	select {
	case r.testing <- struct{}{}:
		defer func() { <-r.testing }()
	default:
		return Trial{}, fmt.Errorf("%w: wait until that has ended", ErrTesting)
	}
	// The end of the watch ends it too.
	ctx, cancel := context.WithCancelCause(ctx)
	defer context.AfterFunc(w.life, func() { cancel(context.Cause(w.life)) })()
	defer cancel(nil)
	now := time.Now()
	err := r.attempt(ctx, w.message([]Notice{{
		State: Noted, Component: Application, Alarm: "test", At: now, Since: now, Receivers: []string{name},
		Text: "This is a test of the receiver " + name + ", asked for by " + cmp.Or(by, "somebody") + ". Nothing is wrong.",
	}}))
	if err != nil {
		return Trial{}, fmt.Errorf("alarm: test of %s: %w", name, err)
	}
	return Trial{Receiver: name, Target: r.status().Target, Took: time.Since(now).Round(time.Millisecond).String()}, nil
}

func (w *Watch) names() (names []string) {
	for _, r := range w.receivers {
		names = append(names, r.name)
	}
	return names
}
