package pool

import "context"

// Future is the result of a task that was brought in with [Go].
type Future[T any] struct {
	fn    func(context.Context) (T, error)
	ready chan struct{} // closed by whoever ends the task, with value and err in place
	value T
	err   error
}

// Go submits fn as [Pool.Submit] does and returns where its result will be. A
// fn that returns an error is counted Failed.
func Go[T any](ctx context.Context, p *Pool, fn func(context.Context) (T, error)) (*Future[T], error) {
	if fn == nil {
		return nil, errNilTask
	}
	f := &Future[T]{fn: fn, ready: make(chan struct{})}
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
	select {
	case <-f.ready:
		return f.value, f.err
	default:
	}
	select {
	case <-f.ready:
		return f.value, f.err
	case <-ctx.Done():
		var zero T
		return zero, context.Cause(ctx)
	}
}

// Done is closed when Wait would not wait.
func (f *Future[T]) Done() <-chan struct{} { return f.ready }

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
	close(f.ready)
}
