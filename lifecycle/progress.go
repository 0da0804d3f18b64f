package lifecycle

import (
	"time"
)

// The stages of a stop, while they go on.
const (
	StageDelay          = "pre-stop delay"
	StageClosingIngress = "closing ingress"
	StageDraining       = "draining"
	StageStopping       = "stopping"
	StageReporting      = "reporting"
)

// StageDrained is the stage of an application that was drained, does not stop,
// and has nothing inside any more; until then it is [StageDraining].
const StageDrained = "drained"

// Progress is how far a start or a stop has come.
type Progress struct {
	State State `json:"state"`
	// Stage is what the stop does now, one of the stages above; when none goes
	// on, draining or drained if somebody has drained it, and else the name of
	// State.
	Stage string `json:"stage"`
	// Drained is who has drained it ([Conductor.Drain]), also before it was
	// stopped; nil: nobody.
	Drained *Drained `json:"drained,omitempty"`
	// Cause is why it stops; nil: it does not.
	Cause *Cause `json:"cause,omitempty"`
	// Began is when the stop began, SoftDeadline until when it waits, Deadline
	// when it is over. Zero: there is no stop, or it has no deadline. A cut
	// brings both forward.
	Began        time.Time `json:"began,omitzero"`
	SoftDeadline time.Time `json:"soft_deadline,omitzero"`
	Deadline     time.Time `json:"deadline,omitzero"`
	// Cut says why nothing is waited for any more; empty: waiting goes on.
	Cut string `json:"cut,omitempty"`
	// Stages are those that are over.
	Stages []StageReport `json:"stages,omitempty"`
	// Gates are what is inside, in the order of the stop.
	Gates []GateProgress `json:"gates,omitempty"`
	// Left are the components that are still to be started or stopped, those
	// that are at it included, in the order of the stop; none when running.
	Left []string `json:"left,omitempty"`
	// Hooks are those that run now, in the order of the stop. One that was
	// abandoned is not among them.
	Hooks []RunningHook `json:"hooks,omitempty"`
}

// GateProgress is one gate at one moment.
type GateProgress struct {
	Component string `json:"component"`
	Gate      string `json:"gate"`
	// State is that of the gate: "open", "paused", "draining" or "closed".
	State  string `json:"state"`
	Inside uint64 `json:"inside"`
}

// RunningHook is a hook that has not returned.
type RunningHook struct {
	Component string    `json:"component"`
	Phase     Phase     `json:"phase"`
	Since     time.Time `json:"since"`
	// Until is when its context ends; zero: no limit, or it had ended when the
	// hook was called.
	Until time.Time `json:"until,omitzero"`
}

// Progress is how far the start or the stop has come at this moment.
func (c *Conductor) Progress() Progress {
	o, _ := c.order()
	c.mu.Lock()
	p := Progress{State: c.state, Stage: c.state.String(), Drained: c.drainedLocked()}
	stop, receipt, isClosed := c.stopping, c.receipt, c.drains.isClosed
	for _, comp := range o.serial {
		p.addLocked(comp)
	}
	c.mu.Unlock()
	if p.State == Running && p.Drained != nil {
		p.Stage = StageDraining
		if isClosed && quiet(gatesOf(o.serial)) {
			p.Stage = StageDrained
		}
	}
	if stop != nil {
		p.addStop(stop, receipt)
	}
	// Without the lock: a ledger may be a function of the component.
	for _, comp := range o.serial {
		if comp.Gate == nil {
			continue
		}
		ledger, _ := ledgerOf(comp.Gate) // one that cannot be read has nothing inside, as for the drain
		p.Gates = append(p.Gates, GateProgress{comp.name, comp.Gate.Name(), comp.Gate.State().String(), ledger.Inside})
	}
	return p
}

func (p *Progress) addLocked(comp *component) {
	if comp.running != nil {
		p.Hooks = append(p.Hooks, *comp.running)
	}
	if p.State != Running && !comp.over && (p.State != Starting || !comp.started) {
		p.Left = append(p.Left, comp.name)
	}
}

func (p *Progress) addStop(s *stop, receipt *Receipt) {
	cause := s.why.cause
	p.Cause, p.Began = &cause, s.times.began
	var times timetable
	if receipt == nil {
		times = s.now()
		if s.waitingOver() {
			p.Cut = s.whyCut()
		}
	} else {
		p.Cut = receipt.Cut
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if receipt != nil {
		times = s.rest
	} else {
		p.Stage = s.stageNow
	}
	p.SoftDeadline, p.Deadline = times.soft, times.deadline
	p.Stages = append(p.Stages, s.stages...)
}
