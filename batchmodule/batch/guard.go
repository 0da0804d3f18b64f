package batch

import (
	"runtime/debug"
)

// guard turns a panic of the user's function into an error.
func (b *Batcher[T]) guard(fn func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = b.panicked(&PanicError{Value: v, Stack: string(debug.Stack())})
		}
	}()
	return fn()
}

// guardApart is guard on a goroutine of its own, for a function that may end
// its goroutine where nobody could go on in its place.
func (b *Batcher[T]) guardApart(fn func() error) error {
	result := make(chan error, 1)
	go func() {
		var err error
		returned := false
		defer func() {
			if !returned {
				err = b.panicked(&PanicError{Value: errGoexit})
			}
			result <- err
		}()
		err = b.guard(fn)
		returned = true
	}()
	return <-result
}

// panicked tells the panic handler, whose own panic is swallowed.
func (b *Batcher[T]) panicked(e *PanicError) *PanicError {
	if b.opts.panicked != nil {
		func() {
			defer func() { _ = recover() }()
			b.opts.panicked(e)
		}()
	}
	return e
}
