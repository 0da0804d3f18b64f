package pool

import (
	"context"

	"github.com/lastcall-go/lastcall/intake"
)

// marks are the marked contexts of one worker. While gates are open each is
// used for one task after another and costs nothing; once a drain has begun
// every task gets one of its own, which ends with it.
type marks struct {
	shared    mark // for closures
	sharedFor map[*laneCore]mark
	own       mark // of the running task alone
}

type mark struct {
	ctx     context.Context
	lineage *intake.Lineage
}

func newMark(parent context.Context) mark {
	ctx, lineage := intake.Mark(parent)
	return mark{ctx, lineage}
}

// context is what the next task runs with: j, or a closure if that is nil.
func (m *marks) context(p *Pool, j *job) context.Context {
	var l *laneCore
	if j != nil {
		l = j.lane
	}
	parent := p.ctx
	draining := p.gate.State() != intake.Open
	if l != nil {
		parent = l.ctx
		draining = draining || l.gate.State() != intake.Open
	}
	if draining {
		m.endShared()
		m.own = newMark(parent)
		return m.own.ctx
	}
	if l == nil {
		if m.shared.ctx == nil {
			m.shared = newMark(parent)
		}
		return m.shared.ctx
	}
	if m.sharedFor == nil {
		m.sharedFor = make(map[*laneCore]mark)
	}
	shared, ok := m.sharedFor[l]
	if !ok {
		shared = newMark(parent)
		m.sharedFor[l] = shared
	}
	return shared.ctx
}

func (m *marks) taskEnded() {
	if m.own.lineage != nil {
		m.own.lineage.End()
		m.own = mark{}
	}
}

// endDrained ends those for lanes that drain, alone or with their pool. It costs
// nothing for who has no more than closures.
func (m *marks) endDrained() {
	for l, shared := range m.sharedFor {
		if l.gate.State() != intake.Open {
			shared.lineage.End()
			delete(m.sharedFor, l)
		}
	}
}

func (m *marks) endShared() {
	if m.shared.lineage != nil {
		m.shared.lineage.End()
		m.shared = mark{}
	}
	for l, shared := range m.sharedFor {
		shared.lineage.End()
		delete(m.sharedFor, l)
	}
}
