package server

import (
	"errors"
	"fmt"
	"strings"
)

// Errors of [Server.Start].
var (
	// ErrStarted: a server starts once. Make another with [New].
	ErrStarted = errors.New("already started: a server starts once, make another")
	// ErrStopped: Stop came before or during Start. Nothing is left open.
	ErrStopped = errors.New("already stopped")
)

// Causes ([context.Cause]) of a request's context.
var (
	// ErrDraining: the server stops, and this stream was told and did not
	// end by itself.
	ErrDraining = errors.New("the server is draining: this stream did not end within drain.stream_grace")
	// ErrCut: the time of the stop was up while the request still ran.
	ErrCut = errors.New("the server is stopping: its time was up before the request had ended")
)

// StopError is returned by [Server.Stop] when its time was up before every
// request had ended. The server is stopped all the same.
type StopError struct {
	// Server is the name of the server.
	Server string
	// Cut are the requests that still ran, oldest first.
	Cut []Request
	// Err is why the time was up: the cause of the context given to Stop.
	Err error
}

func (e *StopError) Error() string {
	names := make([]string, len(e.Cut))
	for i, r := range e.Cut {
		names[i] = r.String()
	}
	noun := "requests were"
	if len(names) == 1 {
		noun = "request was"
	}
	return fmt.Sprintf("%s: stop: %v: %d %s cut: %s", e.Server, e.Err, len(names), noun, strings.Join(names, ", "))
}

// Unwrap returns why the time was up.
func (e *StopError) Unwrap() error { return e.Err }

// Panic is what a handler panicked with.
type Panic struct {
	// Value is what panic was called with.
	Value any
	// Stack is where it happened, as [runtime/debug.Stack] writes it.
	Stack string
	// Request is the request that was served.
	Request Request
}

func (p Panic) String() string {
	return fmt.Sprintf("panic serving %s: %v", p.Request, p.Value)
}
