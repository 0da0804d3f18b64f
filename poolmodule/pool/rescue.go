package pool

import "runtime/debug"

// rescue is deferred by loop. It counts a task that did not return as failed
// and lets the worker go on: after a Goexit, which cannot be held up, on a new
// goroutine.
func (w *worker) rescue(retired *bool) {
	if *retired {
		return
	}
	perr := &PanicError{Value: recover()}
	exiting := perr.Value == nil
	if exiting {
		perr.Value = errGoexit
	} else {
		perr.Stack = string(debug.Stack())
	}
	w.result = w.pool.rescued(w.current, w.job, perr)
	w.marks.taskEnded()
	w.current = nil
	if exiting {
		go w.live()
	}
}

// rescued tells everybody concerned of a panic and says how the work is
// counted. It does so on a goroutine of its own: a hook that ends it, as
// t.FailNow does, must not take the worker with it.
func (p *Pool) rescued(current work, j *job, perr *PanicError) outcome {
	told := make(chan struct{})
	go func() {
		defer close(told)
		defer p.reportPanic(perr)
		p.shield(func() { current.fail(perr) })
	}()
	<-told
	if j != nil && j.decided {
		return j.result // the handler had ended; it was the result hook that panicked
	}
	return failed
}

// shield tells the panic handler of a panic of fn.
func (p *Pool) shield(fn func()) {
	defer func() {
		if v := recover(); v != nil {
			p.reportPanic(&PanicError{Value: v, Stack: string(debug.Stack())})
		}
	}()
	fn()
}

func (p *Pool) reportPanic(perr *PanicError) {
	if p.opts.onPanic != nil {
		tellPanic(func() { p.opts.onPanic(perr) })
	}
}

// tellPanic shields the worker from a handler of panics that panics.
func tellPanic(fn func()) {
	defer func() { _ = recover() }()
	fn()
}

// guard turns a panic of fn into an error.
func guard(fn func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: string(debug.Stack())}
		}
	}()
	return fn()
}
