package alarm

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/internal/secret"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// EventAlarm is the kind of the event that tells of a [Notice], which is its
// Data.
const EventAlarm = "alarm"

// thing is what is watched of one component.
type thing struct {
	name, kind string
	entries    []*entry // those of its panel, in their order
	health     *entry   // nil: it says nothing of its health
	others     []*entry // those of what happens to it
	checking   bool     // a health check has not returned
}

// thing is that of a component, made when it is first seen.
func (w *Watch) thing(c lifecycle.Component) *thing {
	if t := w.things[c.Name]; t != nil {
		return t
	}
	t := &thing{name: c.Name}
	if c.Panel != nil {
		t.kind = cmp.Or(c.Panel.Kind, "component")
		for _, a := range c.Panel.Alarms {
			t.entries = append(t.entries, newEntry(w.cfg, c.Name, a))
		}
		if c.Panel.Health != nil {
			t.health = newEntry(w.cfg, c.Name, lifecycle.Alarm{Name: Health, Threshold: unhealthy, Help: "It says itself that it cannot do its work."})
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.things[t.name] = t
	w.order = append(w.order, t)
	return t
}

// other is the alarm of that name about what happens to a component.
func (w *Watch) other(component, alarm string) (*thing, *entry) {
	c, ok := w.conductor.Component(component)
	if !ok {
		c = lifecycle.Component{Name: component}
	}
	t := w.thing(c)
	if i := slices.IndexFunc(t.others, func(e *entry) bool { return e.Name == alarm }); i >= 0 {
		return t, t.others[i]
	}
	e := newEntry(w.cfg, component, lifecycle.Alarm{Name: alarm})
	w.mu.Lock()
	defer w.mu.Unlock()
	t.others = append(t.others, e)
	return t, e
}

// look is what was seen of a component at one moment.
type look struct {
	at     time.Time
	stats  any // nil: none, or not needed
	ledger *intake.Ledger
}

// evaluate looks at all components.
func (w *Watch) evaluate() {
	for _, c := range w.conductor.Components() {
		t := w.thing(c)
		if slices.ContainsFunc(t.entries, func(e *entry) bool { return e.enabled }) {
			w.evaluateOne(c, t)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.evaluated = time.Now()
}

// evaluateOne reads everything first and judges then, so that what is told fits
// together.
func (w *Watch) evaluateOne(c lifecycle.Component, t *thing) {
	seen := look{at: time.Now()}
	readings := make([]reading, len(t.entries))
	worth := false
	for i, e := range t.entries {
		if !e.enabled {
			continue
		}
		readings[i] = seen.read(c, e)
		worth = worth || readings[i].over || e.raised
	}
	if worth {
		seen.complete(c)
	}
	for i, e := range t.entries {
		if e.enabled {
			w.judge(t, e, seen, readings[i])
		}
	}
}

// reading is one value at one moment.
type reading struct {
	value, measured float64
	over            bool
}

// read asks for the value; what several alarms are read off is asked for once.
func (l *look) read(c lifecycle.Component, e *entry) (r reading) {
	if e.Of != nil {
		if l.stats == nil {
			l.stats = c.Panel.Stats()
		}
		r.value = e.Of(l.stats)
	} else {
		r.value = e.Value()
	}
	r.measured, r.over = e.measure(l.at, r.value)
	return r
}

// complete adds what goes with an alarm.
func (l *look) complete(c lifecycle.Component) {
	if l.stats == nil && c.Panel != nil && c.Panel.Stats != nil {
		l.stats = c.Panel.Stats()
	}
	if c.Gate != nil {
		if ledger, err := c.Ledger(); err == nil {
			l.ledger = &ledger
		}
	}
}

// judge takes a reading in, and tells what comes of it.
func (w *Watch) judge(t *thing, e *entry, seen look, r reading) {
	w.mu.Lock()
	v := e.judge(seen.at, r.value, r.measured, r.over)
	told := e.tell(v, seen.at, w.muted)
	if v == unchanged || v == repeats && !told {
		w.mu.Unlock()
		return
	}
	n := e.notice(t, v, seen.at)
	w.mu.Unlock()
	n.describe()
	w.tell(n, seen, told, e.receivers)
}

// notice is what is to be said of an alarm now, but for its text. What was
// silenced is said once.
func (e *entry) notice(t *thing, v verdict, at time.Time) Notice {
	n := Notice{
		State: Raised, Component: t.name, Kind: t.kind,
		Alarm: e.Name, Help: e.Help, Unit: e.Unit,
		Value: e.value, Threshold: e.threshold, At: at, Since: e.since,
		Repeats: max(0, e.told-1),
	}
	if v == resolves {
		n.State, n.Repeats = Resolved, 0
	}
	if e.told > 0 && v != resolves {
		n.Silenced, e.silenced = e.silenced, 0
	}
	return n
}

// tell gives a notice its number and its picture, and gives it to everybody.
func (w *Watch) tell(n Notice, seen look, told bool, receivers []string) {
	n.Ledger, n.Stats = seen.ledger, w.encode(seen.stats)
	n.Text, n.Help = secret.Text(n.Text), secret.Text(n.Help) // it leaves the process
	n.Receivers = []string{}
	if told {
		n.Receivers = receivers
	}
	w.mu.Lock()
	w.lastID++
	n.ID = w.lastID
	if len(w.history) == w.cfg.History {
		w.history = w.history[1:]
	}
	w.history = append(w.history, n)
	w.mu.Unlock()
	if n.Repeats == 0 {
		w.conductor.Events().Add(lifecycle.Event{At: n.At, Kind: EventAlarm, Component: n.Component, Text: string(n.State) + ": " + n.Text, Data: n})
	}
	for _, r := range w.receivers {
		if slices.Contains(n.Receivers, r.name) {
			r.add(&n)
		}
	}
}

// encode writes statistics down at once: they may lead to what lives on.
func (w *Watch) encode(stats any) (raw json.RawMessage) {
	if stats == nil {
		return nil
	}
	defer func() {
		if p := recover(); p != nil {
			raw = unreadable(fmt.Errorf("panic: %v", p))
		}
	}()
	raw, err := w.options.encode(stats)
	if err != nil {
		return unreadable(err)
	}
	return raw
}

func unreadable(err error) json.RawMessage {
	raw, _ := json.Marshal(map[string]string{"error": "the statistics cannot be written as JSON: " + err.Error()})
	return raw
}

func compare(a, b string) int { return cmp.Compare(a, b) }

// The values of the alarm "health".
const (
	impaired  = 1 // WARNING, UNKNOWN
	unhealthy = 2 // DOWN
)

// checkTimeout bounds one health check.
const checkTimeout = 5 * time.Second

// checked is what came of a health check.
type checked struct {
	thing  *thing
	seen   look
	health lifecycle.Health
}

// checkHealth asks every component that has started how it is, each in a
// goroutine of its own: a check may take its time. One that has not returned is
// not asked again.
func (w *Watch) checkHealth() {
	for _, c := range w.conductor.Components() {
		t := w.thing(c)
		if t.health == nil || !t.health.enabled || t.checking || c.State != lifecycle.ComponentStarted {
			continue
		}
		t.checking = true
		w.checks.Go(func() { w.checkOne(c, t) })
	}
}

func (w *Watch) checkOne(c lifecycle.Component, t *thing) {
	ctx, cancel := context.WithTimeout(w.life, checkTimeout)
	defer cancel()
	said := checked{thing: t, health: c.Panel.Health(ctx), seen: look{at: time.Now()}}
	if _, over := t.health.measure(said.seen.at, healthValue(said.health)); over {
		said.seen.complete(c)
	}
	select {
	case w.checked <- said:
	case <-w.over:
	}
}

func healthValue(h lifecycle.Health) float64 {
	switch h.Status {
	case lifecycle.Up, lifecycle.OutOfService:
		return 0
	case lifecycle.Down:
		return unhealthy
	default:
		return impaired
	}
}

func (w *Watch) hearHealth(c checked) {
	c.thing.checking = false
	e := c.thing.health
	value := healthValue(c.health)
	measured, over := e.measure(c.seen.at, value)
	if over {
		w.mu.Lock()
		e.Help = fmt.Sprintf("%s: %s", c.health.Status, c.health.Reason)
		w.mu.Unlock()
	}
	w.judge(c.thing, e, c.seen, reading{value, measured, over})
}
