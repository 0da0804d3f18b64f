package actuator

import (
	"bytes"
	"encoding/json"
	"sync"
	"time"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// look takes pictures, one after the other, by one goroutine.
type look struct {
	*Actuator
	no     int
	before map[string]*looked  // the components of the last picture
	raised map[string][]string // alarms, by component
	legend legend
	known  int  // how much of the legend the last hello had
	waits  bool // there is a health that has never been told
}

// looked is what is known of a component from picture to picture.
type looked struct {
	name, module string // masked
	actions      []string
	knobs        int              // 0: it could not be asked yet, or has none
	health       lifecycle.Health // the last answer; of no status: there was none yet
	no           int              // the last picture with it
	body         []byte           // as it was sent
}

func (a *Actuator) newLook() *look {
	return &look{Actuator: a, before: map[string]*looked{}, legend: legend{}, known: -1}
}

// picture is all components at one moment, encoded.
type picture struct {
	no      int    // from 1
	changes []byte // the message for those who have the one before
	body    func() []byte
	full    func() []byte // the message for the others
}

// feedHead is what a picture says of the whole.
type feedHead struct {
	At       int64           `json:"at"`
	Full     bool            `json:"full"`
	State    lifecycle.State `json:"state"`
	Stage    string          `json:"stage"`
	Ready    bool            `json:"ready"`
	Inside   uint64          `json:"inside"`
	Progress json.RawMessage `json:"progress,omitempty"`
	Gone     []string        `json:"gone,omitempty"`
}

func (l *look) take() *picture {
	l.no++
	head := feedHead{At: time.Now().UnixMilli(), State: l.conductor.State()}
	head.Stage, head.Ready = head.State.String(), l.conductor.Ready()
	all := l.conductor.Components()
	bodies, changed := make([][]byte, 0, len(all)), [][]byte(nil)
	plain := head.Ready
	if l.options.raised != nil {
		l.raised = l.options.raised()
	}
	for _, c := range all {
		seen := l.of(c)
		body, ledger := l.component(c, seen)
		head.Inside += ledger.Inside
		plain = plain && (c.Gate == nil || c.Gate.State() == intake.Open)
		bodies = append(bodies, body)
		if !bytes.Equal(body, seen.body) {
			changed = append(changed, body)
		}
		seen.body, seen.no = body, l.no
	}
	if !plain {
		head.addProgress(l.Actuator)
	}
	for name, seen := range l.before {
		if seen.no != l.no {
			head.Gone = append(head.Gone, seen.name)
			delete(l.before, name)
		}
	}
	whole := head
	whole.Full, whole.Gone = true, nil
	body := func() []byte { return whole.with(bodies) }
	return &picture{l.no, sse("picture", head.with(changed)), body, sync.OnceValue(func() []byte { return sse("picture", body()) })}
}

func (h *feedHead) addProgress(a *Actuator) {
	p := a.conductor.Progress()
	h.Stage = p.Stage
	if raw, err := a.mask().json(p); err == nil {
		h.Progress = raw
	}
}

// with puts the components into the picture.
func (h feedHead) with(components [][]byte) []byte {
	head, _ := encode(h) // there is nothing in it that could fail
	head = bytes.TrimSuffix(head, []byte("}\n"))
	body := make([]byte, 0, len(head)+len(`,"components":[]}`)+len(components)+sum(components))
	body = append(append(body, head...), `,"components":[`...)
	for i, c := range components {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, c...)
	}
	return append(body, "]}"...)
}

func sum(pieces [][]byte) (n int) {
	for _, p := range pieces {
		n += len(p)
	}
	return n
}

// names are those of components, as they are told. One that was not seen yet will
// be known to the next picture.
func (l *look) names(of []string) (told []string) {
	for _, name := range of {
		if seen := l.before[name]; seen != nil {
			name = seen.name
		} else {
			name = l.mask().text(name)
		}
		told = append(told, name)
	}
	return told
}

// of is what is known of a component already.
func (l *look) of(c lifecycle.Component) *looked {
	seen := l.before[c.Name]
	if seen == nil {
		seen = &looked{name: l.mask().text(c.Name), module: l.mask().text(c.Module)}
		if c.Panel != nil {
			for _, action := range c.Panel.Actions {
				seen.actions = append(seen.actions, action.Name)
			}
		}
		l.before[c.Name] = seen
	}
	return seen
}
