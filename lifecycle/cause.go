package lifecycle

import (
	"encoding/json"
	"errors"

	"github.com/lastcall-go/lastcall/internal/secret"
)

// Cause says why an application stopped.
type Cause struct {
	Kind CauseKind
	// Signal is the name of the signal, for CauseSignal.
	Signal string
	// By is the function that asked, for CauseShutdown.
	By string
	// Err is the failure that made the stop necessary, if one did.
	Err error
}

// CauseKind is the kind of a [Cause].
type CauseKind string

// The kinds of causes.
const (
	CauseSignal      CauseKind = "signal"
	CauseShutdown    CauseKind = "shutdown"     // fx.Shutdowner or Shutdown
	CauseStop        CauseKind = "stop"         // App.Stop was called
	CauseStartFailed CauseKind = "start failed" // and was rolled back
	CauseNewFailed   CauseKind = "new failed"   // the graph could not be built
)

func (c Cause) String() string {
	s := string(c.Kind)
	switch {
	case c.Kind == CauseSignal:
		s = c.Signal
	case c.By != "":
		s += " by " + c.By
	}
	if c.Err != nil {
		s += ": " + secret.Text(c.Err.Error())
	}
	return s
}

// causeJSON is a cause in JSON: an error is its text there.
type causeJSON struct {
	Kind   CauseKind `json:"kind"`
	Signal string    `json:"signal,omitempty"`
	By     string    `json:"by,omitempty"`
	Error  string    `json:"error,omitempty"`
}

// MarshalJSON implements [json.Marshaler].
func (c Cause) MarshalJSON() ([]byte, error) {
	text := causeJSON{Kind: c.Kind, Signal: c.Signal, By: c.By}
	if c.Err != nil {
		text.Error = secret.Text(c.Err.Error())
	}
	return json.Marshal(text)
}

// UnmarshalJSON implements [json.Unmarshaler]. Of Err its text comes back.
func (c *Cause) UnmarshalJSON(text []byte) error {
	var read causeJSON
	if err := json.Unmarshal(text, &read); err != nil {
		return err
	}
	*c = Cause{Kind: read.Kind, Signal: read.Signal, By: read.By}
	if read.Error != "" {
		c.Err = errors.New(read.Error)
	}
	return nil
}

// stopRequestError is why a start was cancelled.
type stopRequestError struct{ cause Cause }

func (e *stopRequestError) Error() string { return ErrStopRequested.Error() + ": " + e.cause.String() }

// Unwrap makes it match ErrStopRequested, and the cause's own error.
func (e *stopRequestError) Unwrap() []error {
	if e.cause.Err == nil {
		return []error{ErrStopRequested}
	}
	return []error{ErrStopRequested, e.cause.Err}
}
