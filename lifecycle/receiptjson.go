package lifecycle

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/internal/secret"
)

// durationText is a duration that says its unit in JSON: "1.2s". It is what
// time.ParseDuration reads, and nothing is rounded.
type durationText time.Duration

// MarshalText implements [encoding.TextMarshaler].
func (d durationText) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *durationText) UnmarshalText(text []byte) error {
	read, err := time.ParseDuration(string(text))
	*d = durationText(read)
	return err
}

// The types below are what stands in the JSON in place of the struct whose
// name they bear: what they embed has no methods, and what they declare
// themselves takes the place of the embedded field of that name.

type (
	receiptFields     Receipt
	stageReportFields StageReport
	hookReportFields  HookReport
)

// receiptJSON adds to the fields what a reader of the file wants to know
// first: whether the stop was clean, the exit code, and what went wrong.
type receiptJSON struct {
	Clean    bool         `json:"clean"`
	ExitCode int          `json:"exit_code"`
	WorkLost uint64       `json:"work_lost"`
	Errors   []string     `json:"errors,omitempty"`
	Took     durationText `json:"took"`
	Timeout  durationText `json:"timeout"`
	Reserve  durationText `json:"reserve"`
	*receiptFields
}

// MarshalJSON implements [json.Marshaler]. Secrets are hidden, as far as they
// look like some: the receipt is written to disk.
func (r *Receipt) MarshalJSON() ([]byte, error) {
	var wrong []string
	for _, err := range r.errs {
		wrong = append(wrong, err.Error())
	}
	return secret.JSON(receiptJSON{
		Clean:         r.Clean(),
		ExitCode:      r.ExitCode(),
		WorkLost:      r.WorkLost(),
		Errors:        wrong,
		Took:          durationText(r.Took),
		Timeout:       durationText(r.Timeout),
		Reserve:       durationText(r.Reserve),
		receiptFields: (*receiptFields)(r),
	}, nil)
}

// UnmarshalJSON implements [json.Unmarshaler]. Every exported field comes back
// as it was. Of errors the text does: they match [ErrWorkLost] as before, but
// no [HookError] can be taken out of them.
func (r *Receipt) UnmarshalJSON(text []byte) error {
	read := receiptJSON{receiptFields: &receiptFields{}}
	if err := json.Unmarshal(text, &read); err != nil {
		return err
	}
	*r = Receipt(*read.receiptFields)
	r.Took = time.Duration(read.Took)
	r.Timeout = time.Duration(read.Timeout)
	r.Reserve = time.Duration(read.Reserve)
	for _, wrong := range read.Errors {
		r.errs = append(r.errs, recalled(wrong))
	}
	return nil
}

// recalledError is an error that was read back.
type recalledError struct {
	text string
	is   error // the sentinel whose words are in the text
}

func recalled(text string) error {
	if strings.Contains(text, ErrWorkLost.Error()) {
		return &recalledError{text, ErrWorkLost}
	}
	return errors.New(text)
}

func (e *recalledError) Error() string { return e.text }

// Unwrap makes it match as what was written did.
func (e *recalledError) Unwrap() error { return e.is }

type stageReportJSON struct {
	stageReportFields
	At durationText `json:"at"`
}

// MarshalJSON implements [json.Marshaler].
func (s StageReport) MarshalJSON() ([]byte, error) {
	return json.Marshal(stageReportJSON{stageReportFields(s), durationText(s.At)})
}

// UnmarshalJSON implements [json.Unmarshaler].
func (s *StageReport) UnmarshalJSON(text []byte) error {
	var read stageReportJSON
	err := json.Unmarshal(text, &read)
	*s = StageReport(read.stageReportFields)
	s.At = time.Duration(read.At)
	return err
}

type hookReportJSON struct {
	Began  durationText `json:"began"`
	Took   durationText `json:"took"`
	Budget durationText `json:"budget,omitempty"`
	hookReportFields
}

// MarshalJSON implements [json.Marshaler].
func (h HookReport) MarshalJSON() ([]byte, error) {
	return json.Marshal(hookReportJSON{durationText(h.Began), durationText(h.Took), durationText(h.Budget), hookReportFields(h)})
}

// UnmarshalJSON implements [json.Unmarshaler].
func (h *HookReport) UnmarshalJSON(text []byte) error {
	var read hookReportJSON
	err := json.Unmarshal(text, &read)
	*h = HookReport(read.hookReportFields)
	h.Began = time.Duration(read.Began)
	h.Took = time.Duration(read.Took)
	h.Budget = time.Duration(read.Budget)
	return err
}
