package lifecycle

import (
	"context"
	"time"
)

// Panel is what a component shows of itself while it lives, and what of it may
// be changed. The receipt says how it ended; the panel says how it is. Whatever
// reads panels knows components by their Panel alone, so that one of your own
// appears beside ours. Every field may be left at zero.
//
// The functions are called by anybody at any time, from the first OnStart until
// the receipt is there, by several goroutines at once. They must not block, nor
// call the [Conductor]. A panic of one is its answer, and changes nothing else.
type Panel struct {
	// Kind is the sort of component, in the singular: "pool", "batcher".
	// Components of one kind are listed together. Zero: "component".
	Kind string

	// Stats is a picture of one moment, cheap enough to be taken every second.
	// What it returns is encoded as JSON. Zero: none.
	Stats func() any
	// Metrics are the numbers of such a picture, for a time series. The ledger
	// of the Gate need not be among them. Zero: none.
	Metrics func() []Metric
	// Health says whether the component can do its work. It may take until ctx
	// ends: to ask a database, say. Zero: it is up from its OnStart to its
	// OnStop.
	Health func(ctx context.Context) Health
	// Inspect looks closer than Stats and may cost more: the tasks that run,
	// with their stacks. What it returns is encoded as JSON. Zero: none.
	Inspect func(ctx context.Context) any

	// Knobs are what can be changed while it runs, as they are now. Names do not
	// change; each is that of a configuration key. Zero: none.
	Knobs func() []Knob
	// Turn changes the knobs that it is given, all or none, and returns when the
	// change is in force. The values have the types of their knobs (an
	// [IntKnob] is an int64, see [KnobType], whatever type Value has) and are
	// within their bounds; what does not fit together is its own to refuse. It
	// is not called twice at a time. Ask for changes by [Conductor.Turn], which
	// does the rest: a caller of Turn itself is in nobody's audit. Zero: there
	// are no knobs.
	Turn func(ctx context.Context, values map[string]any) error

	// Actions are what it can be told to do: to flush now, say. Names do not
	// change. Zero: nothing.
	Actions []Action
	// Alarms are what about it a person may want to be woken for. Names do not
	// change. Zero: nothing.
	Alarms []Alarm
}

// Action is something that a component does when it is told to.
type Action struct {
	// Name is a verb: "flush".
	Name string
	// Help is one sentence for a person.
	Help string
	// Args are what it can be told besides, as knobs whose Value is what it is
	// without being told; one without a Value must be told. Zero: nothing.
	Args []Knob
	// Do does it and returns when it is done, with something that is encoded as
	// JSON, or nil. It is given every one of Args, in its type and within its
	// bounds. It is not called twice at a time, but beside other actions, and
	// changes. It should return soon after ctx has ended. Ask by
	// [Conductor.Act], which does the rest. Zero: there is no such action.
	Do func(ctx context.Context, args map[string]any) (any, error)
	// Rehearse changes nothing: it returns what Do would. It may be called
	// beside it. Zero: a dry run says with which arguments it would be done, and
	// no more.
	Rehearse func(ctx context.Context, args map[string]any) (any, error)
}

// Alarm is one number of a component at which somebody is to be told. What is
// done about it, and whether the threshold is another one, is configuration;
// what it means is known to the component alone.
type Alarm struct {
	// Name says what is wrong when it is raised: "capacity", "reject".
	Name string
	// Help is one sentence for a person: what it means and what to do.
	Help string
	// Unit is that of Value and Threshold: "%", "s"; empty: a count.
	Unit string
	// Threshold is from what value on it is raised, by default.
	Threshold float64
	// Grows: Value is 0 at first and only grows in the life of a process, and
	// what counts is by how much it has grown within the period of the alarm.
	Grows bool
	// Value is what it is now. It is called from time to time, also while the
	// application stops, and must not block. One that is no number, or is
	// infinite, is not looked at.
	Value func() float64
	// Of reads it off what Stats has returned, in place of Value: then all
	// alarms of the component look at one picture, and that picture is what a
	// person is told with the alarm. Zero: there is Value.
	Of func(stats any) float64
}

// MetricType says how a [Metric] moves.
type MetricType int

// The types of a metric.
const (
	// Gauge goes up and down.
	Gauge MetricType = iota
	// Counter only grows in the life of a process.
	Counter
	// Distribution counts samples in buckets.
	Distribution
)

func (t MetricType) String() string {
	return nameOf(t, "metric type", "gauge", "counter", "distribution")
}

// Metric is one number at one moment, or a distribution.
type Metric struct {
	// Name says what is measured, with words joined by "_" and the unit last:
	// "queue_wait_seconds". It is put behind the name of the program and the
	// kind of the component; a counter's gets "_total" behind it.
	Name string
	// Help is one sentence for a person.
	Help string
	Type MetricType
	// Value is the number of a gauge or counter: seconds, bytes, or a count.
	Value float64
	// Labels tell apart what has the same name. The component's own name is
	// added. Zero: none.
	Labels map[string]string

	// Count and Sum are of all samples of a distribution, Buckets how many of
	// them were not above each bound.
	Count   uint64
	Sum     float64
	Buckets map[float64]uint64
}

// Status is one word for whether something can do its work.
type Status string

// The statuses, the worst first. Of several, the worst is that of all.
const (
	Down         Status = "DOWN"
	OutOfService Status = "OUT_OF_SERVICE" // on purpose: it does not start, or stops
	Unknown      Status = "UNKNOWN"        // it could not be asked
	Warning      Status = "WARNING"        // it works, and somebody should look
	Up           Status = "UP"
)

// Health is what a component says of its own.
type Health struct {
	// Status in one word. Zero: Unknown.
	Status Status
	// Reason says to a person what is wrong and what to do. Zero: nothing is.
	Reason string
	// Details are encoded as JSON. Zero: none.
	Details map[string]any
}

// KnobType is the type of a knob's value.
type KnobType string

// The types of knobs, with the types of their values in Go.
const (
	IntKnob      KnobType = "int"      // int64
	FloatKnob    KnobType = "float"    // float64
	BoolKnob     KnobType = "bool"     // bool
	DurationKnob KnobType = "duration" // time.Duration; its text, such as "1.5s", in JSON
	ChoiceKnob   KnobType = "choice"   // string, one of Choices
	TextKnob     KnobType = "text"     // string of at most 1,000 bytes
)

// Knob is one thing that can be changed, or at least seen. In JSON a duration
// is its text.
type Knob struct {
	// Name is that of the configuration key in the component's own section:
	// "workers".
	Name string `json:"name"`
	// Help is one sentence for a person.
	Help string `json:"help,omitempty"`
	// Key is the whole configuration key: "pools.sms.workers". Zero: there is
	// none, and a change cannot be kept for the next start.
	Key  string   `json:"key,omitempty"`
	Type KnobType `json:"type"`
	// Value is what it is now.
	Value any `json:"value"`
	// Min and Max bound a number or duration, both included. nil: no bound.
	Min any `json:"min,omitempty"`
	Max any `json:"max,omitempty"`
	// Choices are what a choice can be.
	Choices []string `json:"choices,omitempty"`
	// Cold says that a change needs a restart: it can be seen here, not turned.
	Cold bool `json:"cold,omitempty"`
}

// Change asks for knobs of one component to be turned.
type Change struct {
	// Values by the names of knobs. What has come through JSON or YAML is
	// converted: a float64 without a fraction to an int64, a text to a duration.
	Values map[string]any
	// By says who asks, From where: an address, a file, a line of code. They are
	// written into the audit.
	By, From string
	// If is the revision that the change was made for. Another one now refuses
	// it with [ErrStale]. Zero: whatever is there is overwritten.
	If uint64
	// DryRun changes nothing: the answer says what would be.
	DryRun bool
	// For is how long the change holds; then it is taken back, as far as nobody
	// else has turned the same knobs since. Zero: until the next.
	For time.Duration
	// Persist keeps the change for the next start, by [Conductor.PersistIn]. It
	// does not go together with For.
	Persist bool
}

// Turned is what came of a [Change] or an [Act], and its entry in the audit.
type Turned struct {
	// Seq numbers the entries of one process from 1. Zero: a dry run, or there
	// was nothing to change; neither is in the audit.
	Seq uint64    `json:"seq,omitempty"`
	At  time.Time `json:"at"`
	// Component is empty where the application itself was drained or undrained, or
	// somebody wanted to take that back by its number.
	Component string `json:"component"`
	By        string `json:"by,omitempty"`
	From      string `json:"from,omitempty"`
	// Before and After are the knobs that change, and those that do not but
	// would have been taken back, or are kept for the next start. The others are
	// as they were. Of a change that was refused they are what it was to be, as
	// far as that could be read.
	Before map[string]any `json:"before"`
	After  map[string]any `json:"after"`
	// Action is what it was told to do; then Before is empty and
	// After are the arguments. Empty: knobs were turned.
	Action string `json:"action,omitempty"`
	// Undoes is the number of the entry that it takes back: because its time
	// was over, or by [Conductor.Rollback]. Zero: none.
	Undoes uint64 `json:"undoes,omitempty"`
	// Persisted: it holds for the next start too. Where it undoes a change, what
	// was kept before that one is kept again, or nothing.
	Persisted bool `json:"persisted,omitempty"`
	// Until is when it is taken back; zero: not by itself.
	Until time.Time `json:"until,omitzero"`
	// Revision is that of the component's knobs after it.
	Revision uint64 `json:"revision"`
	// Error says why it was refused; then nothing has changed, or it says what.
	Error string `json:"error,omitempty"`

	// kept is what was kept of the knobs for the next start before this change;
	// nil of a knob: nothing was.
	kept map[string]any
	// base is what lay below the knobs that had their values for a time only.
	base map[string]any
	// ended: what it takes back had been made for a time.
	ended bool
}
