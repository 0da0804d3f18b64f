package actuator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/lifecycle"
)

func (a *Actuator) drainEndpoints() []endpoint {
	over := "100ms to 10s: how long a rehearsal looks (1s)"
	return []endpoint{
		{Endpoint{
			ID: "drain", Method: http.MethodGet, Path: "/drain", Answer: drain{}, Otherwise: rehearsal{},
			Statuses: []int{http.StatusOK, http.StatusAccepted, http.StatusServiceUnavailable},
			Query: map[string]string{
				"dryRun": "`true`: a rehearsal, how long a drain would take now",
				"over":   over,
			},
			Summary: "How far the drain has come, be it of a stop or not. 200: nothing is inside any more. 503: something is. 202: nobody has asked for a drain.",
		}, a.drain},
		{Endpoint{
			ID: "drain", Method: http.MethodPost, Path: "/drain", Write: true, Answer: drain{}, Otherwise: rehearsal{},
			Statuses: []int{http.StatusAccepted, http.StatusOK},
			Query:    map[string]string{"dryRun": "`true`: nothing is drained, the answer is that of GET", "over": over},
			Summary:  "Takes the application out of service without stopping it: it is not ready, new work is refused, what is inside is finished. 409 when it stops.",
		}, a.beginDrain},
		{Endpoint{
			ID: "drain", Method: http.MethodDelete, Path: "/drain", Write: true, Answer: drain{},
			Summary: "Takes that back: new work is accepted again. 409 when it stops.",
		}, a.undrain},
	}
}

// drain is how far a drain has come.
type drain struct {
	// Quiet: a drain or a stop has begun, and nothing is inside any more, nor
	// can come in unless the drain is taken back.
	Quiet bool `json:"quiet"`
	// Inside is the work in all gates.
	Inside uint64 `json:"inside"`
	// Estimate is how long what is inside will take to leave at the pace since an
	// earlier question, "unknown" if nothing has left since; empty: nobody has
	// asked for a drain, it is quiet, or this is the first question.
	Estimate string `json:"estimate,omitempty"`
	// BlockedBy is what is waited for now, in words.
	BlockedBy []string `json:"blocked_by"`
	// Oldest is what components say of ages, by name: every value of their
	// statistics whose key begins with "oldest", with the keys above it before
	// it ("lanes.oldest_wait").
	Oldest map[string]map[string]any `json:"oldest,omitempty"`
	lifecycle.Progress
}

// drain answers what a preStop hook polls for. Its three answers:
//
//	200  a drain or a stop has begun, and it is quiet
//	503  one goes on, or a stop was asked for, and it is not (Retry-After: 1)
//	202  nobody has asked for one, so there is nothing to wait for
//
// A hook goes on asking while the answer is 503, and ends with any other, or
// with none: then the process has gone.
func (a *Actuator) drain(w http.ResponseWriter, r *http.Request) error {
	rehearse, err := flagOf(r, "dryRun")
	switch {
	case err != nil:
		return err
	case rehearse:
		return a.rehearse(w, r)
	}
	d := a.drainNow()
	status := http.StatusAccepted
	switch {
	case d.Quiet:
		status = http.StatusOK
	case d.Drained != nil, a.stopAsked(d.State):
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "1")
	}
	return a.replyMasked(w, r, status, d)
}

func (a *Actuator) beginDrain(w http.ResponseWriter, r *http.Request) error {
	if err := onlyKeys(r, "dryRun", "over"); err != nil {
		return err
	}
	rehearse, err := flagOf(r, "dryRun")
	switch {
	case err != nil:
		return err
	case rehearse:
		return a.rehearse(w, r)
	}
	if err := conflict(a.conductor.Drain(a.asker(r))); err != nil {
		return err
	}
	w.Header().Set("Location", a.cfg.BasePath+"/drain")
	return a.replyMasked(w, r, http.StatusAccepted, a.drainNow())
}

func (a *Actuator) undrain(w http.ResponseWriter, r *http.Request) error {
	if err := onlyKeys(r); err != nil {
		return err
	}
	if err := conflict(a.conductor.Undrain(a.asker(r))); err != nil {
		return err
	}
	return a.replyMasked(w, r, http.StatusOK, a.drainNow())
}

// conflict is the answer to what comes before the start, or when the stop has
// begun. Another error is none of the client's.
func conflict(err error) error {
	if errors.Is(err, lifecycle.ErrNotUp) || errors.Is(err, lifecycle.ErrStops) {
		return problemf(http.StatusConflict, "%v", err)
	}
	return err
}

// stopAsked: between the wish and the stop there is a moment in which the
// application still runs. Who polls must not take that for the end.
func (a *Actuator) stopAsked(s lifecycle.State) bool {
	return s >= lifecycle.Stopping || over(a.conductor.Asked())
}

func (a *Actuator) drainNow() drain {
	// It is asked first: what is quiet stays so.
	quiet := over(a.conductor.When(lifecycle.Quiet))
	d := drain{Progress: a.conductor.Progress(), BlockedBy: []string{}}
	for _, g := range d.Gates {
		d.Inside += g.Inside
	}
	// A stop that gave up waiting is quiet when the rest was saved.
	d.Quiet = quiet || d.Stage == lifecycle.StageDrained || d.State == lifecycle.Stopped && d.Inside == 0
	if d.State != lifecycle.Stopping && d.Drained == nil {
		return d
	}
	if !d.Quiet {
		for _, g := range d.Gates {
			if g.Inside > 0 {
				d.BlockedBy = append(d.BlockedBy, fmt.Sprintf("%s: %d inside", g.Gate, g.Inside))
			}
		}
		d.Estimate = a.pace.estimate(time.Now(), a.ledgers())
	}
	for _, h := range d.Hooks {
		d.BlockedBy = append(d.BlockedBy, fmt.Sprintf("%v of %s runs since %v", h.Phase, h.Component, time.Since(h.Since).Round(time.Millisecond)))
	}
	d.Oldest = a.oldest(d.Gates)
	return d
}

func over(moment <-chan struct{}) bool {
	select {
	case <-moment:
		return true
	default:
		return false
	}
}

// oldest asks the components that have work inside for ages.
func (a *Actuator) oldest(gates []lifecycle.GateProgress) map[string]map[string]any {
	all := map[string]map[string]any{}
	for _, g := range gates {
		c, ok := a.conductor.Component(g.Component)
		if g.Inside == 0 || !ok || c.Panel == nil || c.Panel.Stats == nil {
			continue
		}
		text, err := a.mask().json(c.Panel.Stats())
		if err != nil {
			continue // it is told where its statistics are asked for
		}
		var stats map[string]any
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.UseNumber()
		if dec.Decode(&stats) != nil {
			continue
		}
		found := map[string]any{}
		agesIn(stats, "", found)
		if len(found) > 0 {
			all[g.Component] = found
		}
	}
	return all
}

// agesIn adds the ages that are in there, however deep.
func agesIn(stats map[string]any, above string, found map[string]any) {
	for key, value := range stats {
		if below, ok := value.(map[string]any); ok {
			agesIn(below, above+key+".", found)
		} else if strings.HasPrefix(strings.ToLower(key), "oldest") && isPlain(value) {
			found[above+key] = value
		}
	}
}

// isPlain: a text or a number, which is what an age is.
func isPlain(value any) bool {
	switch value.(type) {
	case string, json.Number:
		return true
	}
	return false
}

// gates are those of all components, in the order of the stop.
func (a *Actuator) gated() []lifecycle.Component {
	return slices.DeleteFunc(a.conductor.Components(), func(c lifecycle.Component) bool { return c.Gate == nil })
}
