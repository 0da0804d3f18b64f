package actuator

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/lastcall-go/lastcall/lifecycle"
)

func (a *Actuator) startupEndpoints() []endpoint {
	return []endpoint{
		{Endpoint{
			ID: "startup", Method: http.MethodGet, Path: "/startup", Answer: startup{},
			Summary: "The timeline of the start: each OnStart with its beginning, its end and what came of it.",
		}, a.startup},
		{Endpoint{
			ID: "shutdown-report", Method: http.MethodGet, Path: "/shutdown-report", Answer: shutdownReport{}, Media: textMedia,
			Summary: "The receipt of the last stop: of this process once it has stopped, else of the run before. As text with Accept: text/plain.",
		}, a.shutdownReport},
		{Endpoint{
			ID: "runs", Method: http.MethodGet, Path: "/runs", Answer: runsReport{},
			Summary: "The last 20 runs that have ended, the latest first: each with its receipt, or as one that was killed.",
		}, a.runs},
	}
}

// startup is Spring's: steps that have ended, each with its parent.
type startup struct {
	Timeline timeline `json:"timeline"`
}

type timeline struct {
	StartTime time.Time      `json:"startTime"`
	Events    []startupEvent `json:"events"`
}

type startupEvent struct {
	StartupStep startupStep `json:"startupStep"`
	StartTime   time.Time   `json:"startTime"`
	EndTime     time.Time   `json:"endTime"`
	// Duration is as in ISO 8601: "PT0.012S".
	Duration string `json:"duration"`
}

type startupStep struct {
	Name     string       `json:"name"`
	ID       int          `json:"id"`
	ParentID *int         `json:"parentId,omitempty"`
	Tags     []startupTag `json:"tags"`
}

type startupTag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// The names of steps.
const (
	stepApplication = "lastcall.application.start"
	stepComponent   = "lastcall.component.start"
)

func (a *Actuator) startup(w http.ResponseWriter, r *http.Request) error {
	times := a.conductor.Times()
	answer := startup{timeline{StartTime: times.Began, Events: []startupEvent{}}}
	if times.Began.IsZero() {
		return problemf(http.StatusServiceUnavailable, "the application has not begun to start; ask again in a moment")
	}
	if !times.Up.IsZero() {
		answer.Timeline.Events = append(answer.Timeline.Events, newStep(startupStep{Name: stepApplication, Tags: []startupTag{}}, times.Began, times.Up.Sub(times.Began)))
	}
	started := slices.DeleteFunc(a.conductor.Components(), func(c lifecycle.Component) bool { return c.Start == nil })
	slices.SortStableFunc(started, func(a, b lifecycle.Component) int { return cmp.Compare(a.Start.Began, b.Start.Began) })
	for i, c := range started {
		step := startupStep{Name: stepComponent, ID: i + 1, ParentID: new(int), Tags: startTags(c)}
		answer.Timeline.Events = append(answer.Timeline.Events, newStep(step, times.Began.Add(c.Start.Began), c.Start.Took))
	}
	return a.replyMasked(w, r, http.StatusOK, answer)
}

func newStep(step startupStep, began time.Time, took time.Duration) startupEvent {
	return startupEvent{
		StartupStep: step, StartTime: began, EndTime: began.Add(took),
		Duration: "PT" + strconv.FormatFloat(took.Seconds(), 'f', -1, 64) + "S",
	}
}

func startTags(c lifecycle.Component) []startupTag {
	tags := []startupTag{{"component", c.Name}}
	if c.Module != "" {
		tags = append(tags, startupTag{"module", c.Module})
	}
	tags = append(tags, startupTag{"band", c.Band.String()}, startupTag{"outcome", string(c.Start.Outcome)})
	if c.Start.Error != "" {
		tags = append(tags, startupTag{"error", c.Start.Error})
	}
	return tags
}

// shutdownReport is the last stop that is known of.
type shutdownReport struct {
	// Of is "this run" or "the run before".
	Of string `json:"of"`
	// Text says it in a sentence.
	Text string            `json:"text"`
	Run  lifecycle.LastRun `json:"run"`
}

func (a *Actuator) shutdownReport(w http.ResponseWriter, r *http.Request) error {
	report := shutdownReport{Of: "the run before", Run: a.conductor.LastRun()}
	if receipt := a.conductor.Receipt(); receipt != nil {
		report.Of = "this run"
		report.Run = lifecycle.LastRun{State: lifecycle.RunStopped, Receipt: receipt}
		if receipt.UpSince.IsZero() {
			report.Run.State = lifecycle.RunNotUp
		}
	}
	report.Text = report.Run.String()
	if wantsText(r) {
		body := report.Text + "\n"
		if report.Run.Receipt != nil {
			body += "\n" + report.Run.Receipt.String() + "\n"
		}
		sendText(w, a.mask().text(body))
		return nil
	}
	return a.replyMasked(w, r, http.StatusOK, report)
}

// runsReport are runs that have ended.
type runsReport struct {
	Runs []lifecycle.LastRun `json:"runs"`
}

func (a *Actuator) runs(w http.ResponseWriter, r *http.Request) error {
	return a.replyMasked(w, r, http.StatusOK, runsReport{append([]lifecycle.LastRun{}, a.conductor.Runs()...)})
}

func sendText(w http.ResponseWriter, body string) {
	send(w, http.StatusOK, "text/plain; charset=utf-8", []byte(body))
}

// wantsText: who asks for text before JSON gets text.
func wantsText(r *http.Request) bool {
	const plain = "text/plain"
	return negotiate(r.Header.Values("Accept"), append(slices.Clone(mediaTypes), plain)) == plain
}
