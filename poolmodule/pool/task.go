package pool

import (
	"context"
	"errors"
	"reflect"
	"runtime"
	"strings"
)

// ErrSettled is returned by [Task.Run] for a task that was settled before.
var ErrSettled = errors.New("the task was settled before")

// Task is a closure that [Pool.Stop] handed back: it was accepted and never
// ran. It stays Inside in the ledger of its pool until it is settled by the
// first call of Run, Save or Lose; later ones change nothing.
type Task struct {
	pool   *Pool
	handed *handed
}

type handed struct {
	work    work
	settled bool // guarded by Pool.mu
}

// Key is the key that the task was submitted with; empty: none.
func (t Task) Key() string {
	if j, ok := t.handed.work.(*job); ok {
		return j.key
	}
	return ""
}

// Name is the name of the function that was submitted, such as
// "main.newFeed.func1", for whoever has to say what was lost. It is empty once
// the task is settled.
func (t Task) Name() string {
	t.pool.lock()
	defer t.pool.unlock()
	if t.handed.settled {
		return ""
	}
	w := t.handed.work
	if j, ok := w.(*job); ok {
		w = j.work
	}
	if f, ok := w.(interface{ code() uintptr }); ok {
		return nameOf(f.code())
	}
	return unnamed
}

const unnamed = "a function without a name"

// code is where the function begins.
func (f plain) code() uintptr { return reflect.ValueOf(f).Pointer() }

func (f *Future[T]) code() uintptr { return reflect.ValueOf(f.fn).Pointer() }

func nameOf(code uintptr) string {
	f := runtime.FuncForPC(code)
	if f == nil {
		return unnamed
	}
	name := f.Name()
	name = name[strings.LastIndexByte(name, '/')+1:]
	return strings.TrimSuffix(name, "-fm") // the compiler's mark of a method
}

// Run runs the task on this goroutine, with a context that carries the right
// of accepted work (see [intake.Mark]), and counts it Done or Failed. A panic
// is returned as a [*PanicError].
func (t Task) Run(ctx context.Context) error {
	p := t.pool
	p.lock()
	if t.handed.settled {
		p.unlock()
		return ErrSettled
	}
	t.settleLocked()
	p.callersOwn++
	p.unlock()
	if perr := p.runHereWith(ctx, t.handed.work, nil); perr != nil {
		return perr
	}
	return nil
}

// Save counts the task as Saved: it was put where it can be found again.
func (t Task) Save() { t.settle(func(p *Pool) { p.ledger.Saved++ }) }

// Lose counts the task as Lost: nothing is left of it.
func (t Task) Lose() { t.settle(func(p *Pool) { p.ledger.Lost++ }) }

func (t Task) settle(count func(*Pool)) {
	p := t.pool
	p.lock()
	if t.handed.settled {
		p.unlock()
		return
	}
	t.settleLocked()
	count(p)
	p.unlock()
	t.handed.work.fail(ErrStopped)
}

func (t Task) settleLocked() {
	t.handed.settled = true
	t.pool.handed--
}
