package pool

import (
	"context"
	"sync/atomic"
)

// Future is the result of a task that was brought in with [Go].
type Future[T any] struct {
	fn    func(context.Context) (T, error)
	value T // value and err are in place when isOver says so
	err   error

	isOver atomic.Bool
	// over is closed when it is. It is made by the first who has to wait: most
	// results are there when somebody asks.
	over   atomic.Pointer[chan struct{}]
	isTold atomic.Bool // over is closed
}

// Go submits fn as [Pool.Submit] does and returns where its result will be. A
// fn that returns an error is counted Failed.
func Go[T any](ctx context.Context, p *Pool, fn func(context.Context) (T, error)) (*Future[T], error) {
	if fn == nil {
		return nil, errNilTask
	}
	f := &Future[T]{fn: fn}
	if p.put(f) {
		return f, nil
	}
	if err := p.submit(ctx, f, false); err != nil {
		return nil, err
	}
	return f, nil
}

// Wait returns what fn returned, waiting for it until ctx ends. A panic of fn
// comes as a [*PanicError], a task that a policy threw away as
// [ErrDiscarded], one that was never run as [ErrStopped], once it is settled:
// see [Task]. It may be called more than once, by anybody.
func (f *Future[T]) Wait(ctx context.Context) (T, error) {
	if f.isOver.Load() {
		return f.value, f.err
	}
	select {
	case <-f.Done():
		return f.value, f.err
	case <-ctx.Done():
		var zero T
		return zero, context.Cause(ctx)
	}
}

// Done is closed when Wait would not wait.
func (f *Future[T]) Done() <-chan struct{} {
	if over := f.over.Load(); over != nil {
		return *over
	}
	over := make(chan struct{})
	if !f.over.CompareAndSwap(nil, &over) {
		return *f.over.Load()
	}
	// It may have ended before it could see the channel.
	if f.isOver.Load() {
		f.tell()
	}
	return over
}

func (f *Future[T]) run(ctx context.Context) outcome {
	value, err := f.fn(ctx)
	f.value = value
	f.end(err)
	if err != nil {
		return failed
	}
	return done
}

func (f *Future[T]) fail(err error) { f.end(err) }

func (f *Future[T]) end(err error) {
	f.err = err
	f.fn = nil
	f.isOver.Store(true)
	f.tell()
}

// tell closes the channel, if there is one and nobody has.
func (f *Future[T]) tell() {
	if over := f.over.Load(); over != nil && f.isTold.CompareAndSwap(false, true) {
		close(*over)
	}
}
