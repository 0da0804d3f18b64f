package modules

import (
	"net/http"
	"sync/atomic"

	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/actuator"
	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// boxName is the name of the component that is the box.
const boxName = "deadletters"

// journalView is how the management server comes to the journals and the box
// without making them: where nobody writes anything down there are none.
type journalView struct {
	store atomic.Pointer[store]
	box   atomic.Pointer[boxPanel]
}

func newJournalView() *journalView { return &journalView{} }

type journalEndpointsIn struct {
	fx.In

	View      *journalView
	Conductor *lifecycle.Conductor `optional:"true"` // nil: nobody serves them
}

func newJournalEndpoints(in journalEndpointsIn) []actuator.Custom {
	return []actuator.Custom{in.View.journalEndpoint(in.Conductor), in.View.lettersEndpoint()}
}

// shownJournals is what there is of journals.
type shownJournals struct {
	Dir string `json:"dir,omitempty"`
	// Guarantee says in one sentence what a written entry withstands.
	Guarantee string `json:"guarantee,omitempty"`
	// Open: somebody has needed a journal, or an earlier life has left some.
	Open     bool           `json:"open"`
	Journals []shownJournal `json:"journals"`
}

// shownJournal is one of them.
type shownJournal struct {
	Name string `json:"name"`
	// Mode is when its component writes down: off, onstop, always. Guarantee
	// says in one sentence what that withstands. Empty: no component says.
	Mode      journal.Mode `json:"mode,omitempty"`
	Guarantee string       `json:"guarantee,omitempty"`
	// Pending is how many entries are not crossed out, Recovered how many an
	// earlier life has left.
	Pending   int   `json:"pending"`
	Recovered int   `json:"recovered"`
	Bytes     int64 `json:"bytes"`
	MaxBytes  int64 `json:"max_bytes,omitempty"`
	// Taken: a component of this process has it open.
	Taken bool `json:"taken"`
	// Problem says what is wrong with it, and what to do.
	Problem string `json:"problem,omitempty"`
	// Replay is how far the work of an earlier life has come. nil: its component
	// does not say.
	Replay *replay `json:"replay,omitempty"`
}

type replay struct {
	Entered    int  `json:"entered"`
	Left       int  `json:"left"`
	Unreadable int  `json:"unreadable"`
	Over       bool `json:"over"`
}

func (v *journalView) journalEndpoint(c *lifecycle.Conductor) actuator.Custom {
	return actuator.Custom{
		Endpoint: actuator.Endpoint{
			ID: "journal", Method: http.MethodGet, Path: "/journal", Answer: shownJournals{},
			Summary: "What journals there are: what is pending, what they take, what they withstand, how far the replay of an earlier life has come.",
		},
		Serve: func(*http.Request) (any, error) { return v.journals(c), nil },
	}
}

func (v *journalView) journals(c *lifecycle.Conductor) shownJournals {
	s := v.store.Load()
	if s == nil {
		return shownJournals{Journals: []shownJournal{}}
	}
	st := s.stats()
	all := shownJournals{Dir: st.Dir, Guarantee: st.Guarantee, Open: st.Open, Journals: make([]shownJournal, len(st.Journals))}
	for i, j := range st.Journals {
		shown := shownJournal{
			Name: j.Name, Pending: j.Health.Entries, Recovered: j.Health.Recovered,
			Bytes: j.Health.Bytes, MaxBytes: j.Health.MaxBytes, Taken: j.Taken,
		}
		if status, reason := j.health(st.up); status != lifecycle.Up {
			shown.Problem = reason
		}
		if owner, ok := c.Component(j.Name); ok && owner.Panel != nil {
			shown.Mode = modeOf(owner.Panel)
			shown.Replay = replayOf(owner.Panel)
		}
		shown.Guarantee = guaranteeOf(shown.Mode, st.Guarantee)
		all.Journals[i] = shown
	}
	return all
}

// modeOf is what the component of a journal says in its knobs.
func modeOf(p *lifecycle.Panel) journal.Mode {
	if p.Knobs == nil {
		return ""
	}
	for _, k := range p.Knobs() {
		if mode, ok := k.Value.(string); ok && k.Name == "journal" {
			return journal.Mode(mode)
		}
	}
	return ""
}

// guaranteeOf is what accepted work of that mode withstands.
func guaranteeOf(mode journal.Mode, written string) string {
	switch mode {
	case journal.Always:
		return "work is written down before it is accepted: " + written
	case journal.OnStop:
		return "what a stop leaves over is written down then: a graceful stop loses nothing, a kill loses what is inside"
	case journal.Off:
		return "nothing is written down; what is here is of an earlier life"
	default:
		return ""
	}
}

// replayOf is what the component of a journal says in its metrics.
func replayOf(p *lifecycle.Panel) *replay {
	if p.Metrics == nil {
		return nil
	}
	r, said := &replay{}, false
	for _, m := range p.Metrics() {
		switch m.Name {
		case "replayed_items":
			r.Entered, said = int(m.Value), true
		case "replay_left_items":
			r.Left, said = int(m.Value), true
		case "unreadable_items":
			r.Unreadable = int(m.Value)
		}
	}
	if !said {
		return nil
	}
	r.Over = r.Left == 0
	return r
}
