package actuator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/lifecycle"
)

const (
	// maxTTL bounds for how long a change may hold that is taken back.
	maxTTL = 7 * 24 * time.Hour
	// turnTime is how long a component may take for a change that came by an
	// endpoint.
	turnTime = 10 * time.Second
)

func (a *Actuator) knobEndpoints() []endpoint {
	const path = "/components/{name}/knobs"
	const ofKind = "/{kind}/{name}/knobs"
	read := Endpoint{
		ID: "knobs", Method: http.MethodGet, Answer: knobs{},
		Summary: "What can be changed about a component while it runs: values, bounds, what needs a restart. The ETag is the revision.",
	}
	turn := Endpoint{
		ID: "knobs", Method: http.MethodPatch, Write: true, Body: knobValues{}, Answer: lifecycle.Turned{},
		Query: map[string]string{
			"dryRun":  "`true`: nothing is changed, the answer says what would be",
			"ttl":     "1s to 168h: how long it holds, then it is taken back",
			"persist": "`true`: it is kept for the next start; does not go together with ttl",
		},
		Summary: "Changes knobs, all that are named or none. With If-Match, only if nobody has changed one since.",
	}
	return []endpoint{
		{read.at(path), a.showKnobs}, {turn.at(path), a.turnKnobs},
		{read.at(ofKind), a.showKnobs}, {turn.at(ofKind), a.turnKnobs},
	}
}

// at is e with a path.
func (e Endpoint) at(path string) Endpoint {
	e.Path = path
	return e
}

// knobs is what can be changed about a component.
type knobs struct {
	Component string `json:"component"`
	// Revision is that of the ETag, without the quotes.
	Revision uint64           `json:"revision"`
	Knobs    []lifecycle.Knob `json:"knobs"`
}

// knobValues are what a change asks for, by the names of knobs.
type knobValues map[string]any

// showKnobs answers with the knobs of a component.
func (a *Actuator) showKnobs(w http.ResponseWriter, r *http.Request) error {
	c, err := a.named(r)
	if err != nil {
		return err
	}
	list, revision, err := a.conductor.Knobs(c.Name)
	if err != nil {
		return turnProblem(err)
	}
	if list == nil {
		list = []lifecycle.Knob{}
	}
	w.Header().Set("ETag", revisionTag(revision))
	return a.replyMasked(w, r, http.StatusOK, knobs{c.Name, revision, list})
}

// turnKnobs makes the change that the body asks for, all of it or none.
func (a *Actuator) turnKnobs(w http.ResponseWriter, r *http.Request) error {
	c, err := a.named(r)
	if err != nil {
		return err
	}
	change, err := a.change(r)
	if err != nil {
		return err
	}
	if err := wantJSON(r); err != nil {
		return err
	}
	values := map[string]json.RawMessage{}
	if err := decode(r, &values); err != nil {
		return err
	}
	if values == nil {
		return problemf(http.StatusBadRequest, "the body is null; send an object of knobs and their values, such as {\"workers\": 8}")
	}
	change.Values = plainly(values)
	turned, err := a.turn(r, c.Name, change)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", revisionTag(turned.Revision))
	return a.replyMasked(w, r, http.StatusOK, turned)
}

// change reads everything of a change but its values.
func (a *Actuator) change(r *http.Request) (c lifecycle.Change, err error) {
	if err := onlyKeys(r, "dryRun", "ttl", "persist"); err != nil {
		return c, err
	}
	c.By, c.From = a.asker(r)
	if c.DryRun, err = flagOf(r, "dryRun"); err != nil {
		return c, err
	}
	if c.Persist, err = flagOf(r, "persist"); err != nil {
		return c, err
	}
	if c.For, err = spanOf(r, "ttl", 0, time.Second, maxTTL); err != nil {
		return c, err
	}
	c.If, err = ifMatch(r.Header.Values("If-Match"))
	return c, err
}

func (a *Actuator) turn(r *http.Request, component string, change lifecycle.Change) (lifecycle.Turned, error) {
	ctx, cancel := a.patient(r, turnTime)
	defer cancel()
	turned, err := a.conductor.Turn(ctx, component, change)
	if err != nil {
		return turned, turnProblem(err)
	}
	return turned, nil
}

// patient is a context for what a request changes. It does not hang on the
// connection: a browser that is closed must not leave half of it.
func (a *Actuator) patient(r *http.Request, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), d)
	release := context.AfterFunc(a.life, cancel)
	return ctx, func() { release(); cancel() }
}

// turnProblem says what a refusal of the conductor is in HTTP.
func turnProblem(err error) error {
	var wrong *lifecycle.KnobErrors
	var panicked *lifecycle.PanicError
	switch {
	case errors.As(err, &wrong):
		status := http.StatusUnprocessableEntity
		if !slices.ContainsFunc(wrong.Wrong, func(e lifecycle.KnobError) bool { return !errors.Is(e, lifecycle.ErrCold) }) {
			status = http.StatusConflict // there is nothing wrong with the values
		}
		p := problemf(status, "nothing was changed: %v", err)
		p.More = map[string]any{"knobs": inWords(wrong), "needs_restart": errors.Is(err, lifecycle.ErrCold)}
		return p
	case errors.Is(err, lifecycle.ErrNoComponent):
		return problemf(http.StatusNotFound, "%v", err)
	case errors.Is(err, lifecycle.ErrStale):
		return problemf(http.StatusPreconditionFailed, "%v; read the knobs again", err)
	case errors.Is(err, lifecycle.ErrNotUp), errors.Is(err, lifecycle.ErrNotKept):
		return problemf(http.StatusConflict, "%v", err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return problemf(http.StatusGatewayTimeout, "%v; the audit says what came of it", err)
	case errors.As(err, &panicked):
		return problemf(http.StatusInternalServerError, "the component panicked, so a part of the change may have been made; read the knobs again")
	default: // what the component itself has refused
		return problemf(http.StatusUnprocessableEntity, "nothing was changed: %v", err)
	}
}

// inWords is what is wrong, by name.
func inWords(wrong *lifecycle.KnobErrors) map[string]string {
	words := make(map[string]string, len(wrong.Wrong))
	for _, e := range wrong.Wrong {
		words[e.Knob] = e.Err.Error()
	}
	return words
}

// ifMatch reads the revision that a change is made for; 0: any.
func ifMatch(lines []string) (uint64, error) {
	if len(lines) == 0 {
		return 0, nil
	}
	given := strings.TrimSpace(strings.Join(lines, ","))
	if given == "*" {
		return 0, nil
	}
	inner, opened := strings.CutPrefix(given, `"`)
	inner, closed := strings.CutSuffix(inner, `"`)
	revision, err := strconv.ParseUint(inner, 10, 64)
	switch {
	case !opened || !closed || strings.ContainsAny(inner, `",`):
		return 0, problemf(http.StatusBadRequest, "If-Match: %s is not one ETag in quotes; send the ETag of the knobs as it came", clip(given))
	case err != nil || revision == 0:
		return 0, problemf(http.StatusPreconditionFailed, "If-Match: %s is no ETag of these knobs; read them again", clip(given))
	}
	return revision, nil
}

// plainly is the values of an object, decoded.
func plainly(raws map[string]json.RawMessage) map[string]any {
	values := make(map[string]any, len(raws))
	for name, raw := range raws {
		values[name] = plain(raw)
	}
	return values
}

// plain decodes a value so that no whole number loses its last digits.
func plain(raw json.RawMessage) any {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var value any
	_ = dec.Decode(&value) // the raw message has been checked
	n, ok := value.(json.Number)
	if !ok {
		return value
	}
	if i, err := n.Int64(); err == nil {
		return i
	}
	if f, err := n.Float64(); err == nil {
		return f
	}
	return n.String() // 1e999: no number of any knob, which will say so
}
