package actuator

import (
	"math"
	"net/http"
	"slices"
	"strconv"
)

const historyID = "history"

// historyTold is of how many components the history is told when nobody names
// one.
const historyTold = 20

func (a *Actuator) historyEndpoints() []endpoint {
	return []endpoint{{Endpoint{
		ID: historyID, Method: http.MethodGet, Path: "/history", Answer: history{},
		Query:   map[string]string{"component": "a name: only that component; more than one may be given. Without it, the first 20"},
		Summary: "The last 15 minutes of ledgers, gauges and counters, every 5 seconds; of all gates together under the name \"\".",
	}, a.historyOf}}
}

// history is what has been recorded. All lists are equally long, oldest first.
type history struct {
	Process string `json:"process"`
	StepMS  int64  `json:"step_ms"`
	// From is when the first of each list was taken, in milliseconds of Unix; 0:
	// nothing was recorded.
	From int64 `json:"from"`
	// Components are lists by the name of the component, and of the column of the
	// ledger or the metric as in the feed. A value that is not known is null.
	Components map[string]map[string]points `json:"components"`
	// LeftOut is how many components are not told, as nobody has named one.
	LeftOut int `json:"left_out,omitempty"`
	// NotRecorded is how many numbers there was no room for (max_series).
	NotRecorded int `json:"not_recorded,omitempty"`
}

// points are numbers; NaN is null.
type points []float64

// MarshalJSON implements [json.Marshaler].
func (p points) MarshalJSON() ([]byte, error) {
	b := make([]byte, 1, 2+4*len(p))
	b[0] = '['
	for i, value := range p {
		if i > 0 {
			b = append(b, ',')
		}
		if value != math.Trunc(value) && value == float64(float32(value)) { // it was kept as a small one
			b = strconv.AppendFloat(b, value, 'g', -1, 32)
			continue
		}
		b = appendFloat(b, value)
	}
	return append(b, ']'), nil
}

func (a *Actuator) historyOf(w http.ResponseWriter, r *http.Request) error {
	names := slices.DeleteFunc(r.URL.Query()["component"], func(name string) bool { return name == "" })
	for _, name := range names {
		if _, ok := a.conductor.Component(name); !ok {
			return problemf(http.StatusNotFound, "there is no component %q; %s/components lists what there is", clip(name), a.cfg.BasePath)
		}
	}
	leftOut := 0
	if len(names) == 0 {
		names = append(names, "")
		for _, c := range a.conductor.Components() {
			names = append(names, c.Name)
		}
		if most := historyTold + 1; len(names) > most {
			names, leftOut = names[:most], len(names)-most
		}
	}
	h := a.recorder.tell(names)
	h.Process, h.LeftOut = a.process(), leftOut
	return reply(w, r, http.StatusOK, h)
}
