package alarm

import (
	"fmt"
	"maps"
	"time"

	"github.com/lastcall-go/lastcall/internal/secret"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// hear looks at what has happened since it was last called.
func (w *Watch) hear() {
	events, _ := w.conductor.Events().Since(w.seq)
	for _, e := range events {
		w.seq = e.Seq
		switch data := e.Data.(type) {
		case lifecycle.Turned:
			w.hearChange(e, data)
		case lifecycle.ComponentChange:
			w.hearComponent(e, data)
		case lifecycle.StateChange:
			w.hearState(data)
		}
	}
}

// hearChange tells of what was turned or done. What was refused is in the
// audit.
func (w *Watch) hearChange(event lifecycle.Event, t lifecycle.Turned) {
	if t.Error != "" {
		return
	}
	w.happened(Noted, event.Component, Change, "", event.At, func(n *Notice) {
		n.Text = fmt.Sprintf("%s: %s", event.Component, event.Text)
		n.Help = "Somebody has changed it while it runs."
		t.Before, t.After = withoutSecrets(t.Before), withoutSecrets(t.After)
		n.Change = &t
	})
}

// withoutSecrets is a copy of the values of knobs that may leave the process.
func withoutSecrets(knobs map[string]any) map[string]any {
	clean := maps.Clone(knobs)
	for name, value := range clean {
		if text, ok := value.(string); ok {
			clean[name] = secret.Text(text)
		}
		if secret.Key(name) {
			clean[name] = secret.Hidden
		}
	}
	return clean
}

// hearComponent looks at how long the hooks of a component took.
func (w *Watch) hearComponent(event lifecycle.Event, change lifecycle.ComponentChange) {
	if change.State != lifecycle.ComponentStopped && change.State != lifecycle.ComponentFailed {
		return
	}
	c, ok := w.conductor.Component(event.Component)
	if !ok {
		return
	}
	for _, hook := range []struct {
		name   string
		report *lifecycle.HookReport
	}{{"OnStart", c.Start}, {"OnStop", c.Stop}, {"PreDestroy", c.PreDestroy}} {
		r := hook.report
		if r == nil || hook.name == "OnStart" && change.State != lifecycle.ComponentFailed {
			continue
		}
		if r.Outcome != lifecycle.Hung && (r.Budget == 0 || r.Took <= r.Budget) {
			continue
		}
		w.happened(Raised, event.Component, StopOverBudget, "s", event.At, func(n *Notice) {
			n.Value, n.Threshold = r.Took.Seconds(), r.Budget.Seconds()
			n.Help = "A hook took longer than it had: see the receipt for where it was, and give it a larger budget or make it look at its context."
			n.Text = fmt.Sprintf("%s: %s took %s of %s: %s", event.Component, hook.name, amount(n.Value, "s"), amount(n.Threshold, "s"), r.Outcome)
			if r.Error != "" {
				n.Text += ": " + r.Error
			}
		})
	}
}

// hearState sets the clock for the soft deadline when the stop begins.
func (w *Watch) hearState(change lifecycle.StateChange) {
	switch change.State {
	case lifecycle.Stopping:
		if soft := w.conductor.Progress().SoftDeadline; !soft.IsZero() {
			w.overdue = time.After(time.Until(soft))
		}
	case lifecycle.Stopped:
		w.hearStop()
	}
}

// hearStop tells that the stop has not come to its end in time, once.
func (w *Watch) hearStop() {
	p := w.conductor.Progress()
	why := p.Cut
	if why == "" && p.State == lifecycle.Stopping && !p.SoftDeadline.IsZero() && !time.Now().Before(p.SoftDeadline) {
		why = "the soft deadline passed"
	}
	if why == "" {
		return
	}
	if _, e := w.other(Application, StopOverBudget); e.raised {
		return
	}
	w.happened(Raised, Application, StopOverBudget, "s", time.Now(), func(n *Notice) {
		n.Value = n.At.Sub(p.Began).Seconds()
		if !p.SoftDeadline.IsZero() {
			n.Threshold = p.SoftDeadline.Sub(p.Began).Seconds()
		}
		n.Help = "Nothing is waited for any more: what is still to be stopped is called once and cut. See the receipt for who took so long."
		n.Text = fmt.Sprintf("%s: the stop is cut after %s: %s", Application, amount(n.Value, "s"), why)
		if len(p.Left) > 0 {
			n.Text += fmt.Sprintf("; %d components are still to be stopped, %s first", len(p.Left), p.Left[0])
		}
	})
}

// happened tells of something that has happened, as fill says it.
func (w *Watch) happened(state State, component, alarm, unit string, at time.Time, fill func(*Notice)) {
	t, e := w.other(component, alarm)
	if !e.enabled {
		return
	}
	seen := look{at: at}
	if c, ok := w.conductor.Component(component); ok && state == Raised {
		seen.complete(c)
	}
	n := Notice{State: state, Component: component, Kind: t.kind, Alarm: alarm, Unit: unit, At: at, Since: at}
	fill(&n)
	w.mu.Lock()
	told := e.tell(raises, at, w.muted)
	e.raised, e.since, e.at = state == Raised, at, at
	e.value, e.threshold, e.Unit, e.Help = n.Value, n.Threshold, unit, n.Help
	if told {
		n.Silenced, e.silenced = e.silenced, 0
	}
	if n.Silenced > 0 {
		n.Text += fmt.Sprintf(" (%d times more in the silence before)", n.Silenced)
	}
	w.mu.Unlock()
	w.tell(n, seen, told, e.receivers)
}
