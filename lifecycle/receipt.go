package lifecycle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/intake"
)

// Receipt is the report of a stop. Its durations are nanoseconds in JSON.
type Receipt struct {
	Cause Cause `json:"cause"`
	// AlsoAsked are those who asked for the stop when it was on its way.
	AlsoAsked []Cause   `json:"also_asked,omitempty"`
	Began     time.Time `json:"began"`
	// Took is how long the stop lasted; Timeout and Reserve are what it had.
	// A zero Timeout is none.
	Took    time.Duration `json:"took"`
	Timeout time.Duration `json:"timeout"`
	Reserve time.Duration `json:"reserve"`
	// Cut: waiting was over before everything had been stopped, because the
	// soft deadline passed or somebody cut it.
	Cut string `json:"cut,omitempty"`

	Stages     []StageReport     `json:"stages"`
	Components []ComponentReport `json:"components"` // in the order in which they were stopped
	Gates      []GateReport      `json:"gates"`
	// Total is the sum of all gates. Every piece of work is counted by one
	// gate only.
	Total intake.Ledger `json:"total"`
	Leaks []Leak        `json:"leaks,omitempty"`
	Notes []string      `json:"notes,omitempty"`

	errs []error
}

// StageReport is one moment of the stop.
type StageReport struct {
	Name string `json:"name"`
	// At is when the stage ended, counted from the beginning.
	At time.Duration `json:"at"`
	// Reached is false when the stop went on without it.
	Reached bool `json:"reached"`
	// Inside is what was in which gate when waiting for quiet was over;
	// empty when it was reached.
	Inside string `json:"inside,omitempty"`
}

// ComponentReport is what became of one component.
type ComponentReport struct {
	Name    string `json:"name"`
	Module  string `json:"module,omitempty"`
	Band    Band   `json:"band"`
	Started bool   `json:"started"`
	// Moved says why the component stopped in another band than its own.
	Moved      string      `json:"moved,omitempty"`
	Stop       *HookReport `json:"stop,omitempty"`
	PreDestroy *HookReport `json:"pre_destroy,omitempty"`
	// Details is what the component has to say (Hook.Describe).
	Details []string `json:"details,omitempty"`
}

// GateReport is the ledger of one gate at the end.
type GateReport struct {
	Name     string        `json:"name"`
	Ledger   intake.Ledger `json:"ledger"`
	Balanced bool          `json:"balanced"`
}

// WorkLost is how much accepted work is neither done, nor failed and
// recorded, nor saved: what was lost, and what was inside at the end.
func (r *Receipt) WorkLost() uint64 { return r.Total.Lost + r.Total.Inside }

// Clean reports whether every hook was well, nothing was lost and every
// ledger balances. Saved work is clean.
func (r *Receipt) Clean() bool { return r.Err() == nil }

// Err joins what went wrong: a [HookError] for each hook of the stop that
// failed, panicked or hung, and an error that matches [ErrWorkLost].
func (r *Receipt) Err() error {
	if r == nil {
		return nil
	}
	return errors.Join(r.errs...)
}

// Exit codes of an application; 128+n is a death by signal n.
const (
	ExitClean       = 0
	ExitStartFailed = 1
	ExitHookFailed  = 3
	ExitWorkLost    = 4
)

// ExitCode is the code with which the application should exit, an
// fx.ExitCode(n) aside.
func (r *Receipt) ExitCode() int {
	switch {
	case r.Cause.Kind == CauseStartFailed, r.Cause.Kind == CauseNewFailed:
		return ExitStartFailed
	case errors.Is(r.Err(), ErrWorkLost):
		return ExitWorkLost
	case r.Err() != nil, r.Cause.Err != nil:
		return ExitHookFailed
	default:
		return ExitClean
	}
}

// finish writes the receipt, and tells everybody who waits.
func (s *stop) finish() *Receipt {
	c := s.conductor
	leaks := c.leaks()
	r := &Receipt{
		Cause:   s.cause,
		Began:   s.times.began,
		Timeout: s.total(),
		Reserve: s.times.deadline.Sub(s.times.soft),
		Stages:  s.stages,
		Leaks:   leaks,
	}
	if s.waitingOver() {
		r.Cut = s.whyCut()
	}
	c.mu.Lock()
	if len(c.requests) > 1 {
		r.AlsoAsked = c.requests[1:]
	}
	r.Notes = append(r.Notes, c.notes...)
	all := slices.Concat(s.order.serial, s.late)
	for _, comp := range all {
		r.Components = append(r.Components, s.componentReport(comp))
	}
	c.mu.Unlock()
	for i, comp := range all {
		r.Components[i].Details = describe(comp, s.cfg.Grace)
		r.addErrors(comp)
	}
	r.addGates(s.gates())
	r.Took = time.Since(s.times.began)

	c.publish(r, s.cfg.ReceiptFile)
	return r
}

func (s *stop) whyCut() string {
	err := context.Cause(s.soft)
	if errors.Is(err, context.DeadlineExceeded) {
		return "the soft deadline passed (fx.StopTimeout less the reserve)"
	}
	return err.Error()
}

// describe asks a component what it has to say, and does not trust it.
func describe(comp *component, patience time.Duration) []string {
	if comp.Describe == nil {
		return nil
	}
	lines := make(chan []string, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				lines <- []string{fmt.Sprintf("Describe panicked: %v", v)}
			}
		}()
		lines <- comp.Describe()
	}()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case said := <-lines:
		return said
	case <-timer.C:
		return []string{"Describe did not return"}
	}
}

func (s *stop) componentReport(comp *component) ComponentReport {
	report := ComponentReport{
		Name:       comp.name,
		Module:     comp.module,
		Band:       comp.Band,
		Started:    comp.started,
		Stop:       comp.reports[PhaseStop],
		PreDestroy: comp.reports[PhasePreDestroy],
	}
	if comp.index < len(s.order.because) {
		report.Moved = s.order.because[comp.index]
	}
	return report
}

func (r *Receipt) addErrors(comp *component) {
	for _, phase := range []Phase{PhaseStop, PhasePreDestroy} {
		if report := comp.reports[phase]; report != nil && report.err != nil {
			r.errs = append(r.errs, report.err)
		}
	}
}

func (r *Receipt) addGates(gates []*intake.Gate) {
	for _, g := range gates {
		ledger := g.Ledger()
		r.Gates = append(r.Gates, GateReport{Name: g.Name(), Ledger: ledger, Balanced: ledger.Balanced()})
		r.Total = r.Total.Plus(ledger)
		if lost := ledger.Lost + ledger.Inside; lost > 0 || !ledger.Balanced() {
			r.errs = append(r.errs, fmt.Errorf("lifecycle: %s: %w: %s", g.Name(), ErrWorkLost, ledger))
		}
	}
}

func (c *Conductor) publish(r *Receipt, file string) {
	if file != "" {
		if err := r.write(file); err != nil {
			r.errs = append(r.errs, fmt.Errorf("lifecycle: write the receipt: %w", err))
		}
	}
	c.logReceipt(r)
	c.mu.Lock()
	c.receipt = r
	c.state = Stopped
	c.mu.Unlock()
	c.reached(Finished)
}

func (c *Conductor) logReceipt(r *Receipt) {
	level := zap.InfoLevel
	if !r.Clean() {
		level = zap.ErrorLevel
	}
	fields := []zap.Field{
		zap.Stringer("cause", r.Cause),
		zap.Bool("clean", r.Clean()),
		zap.Duration("took", r.Took),
		zap.Stringer("work", r.Total),
		zap.Error(r.Err()),
	}
	c.mu.Lock()
	person := c.receiptTo
	c.mu.Unlock()
	if person == nil {
		fields = append(fields, zap.Reflect("receipt", r))
	}
	c.log().Log(level, "stopped", fields...)
	if person != nil {
		fmt.Fprintln(person, r)
	}
}

// MarshalJSON adds to the fields what a reader of the file wants to know
// first: whether the stop was clean, the exit code, and what went wrong.
func (r *Receipt) MarshalJSON() ([]byte, error) {
	type fields Receipt
	var wrong []string
	for _, err := range r.errs {
		wrong = append(wrong, err.Error())
	}
	return json.Marshal(struct {
		Clean    bool     `json:"clean"`
		ExitCode int      `json:"exit_code"`
		WorkLost uint64   `json:"work_lost"`
		Errors   []string `json:"errors,omitempty"`
		*fields
	}{r.Clean(), r.ExitCode(), r.WorkLost(), wrong, (*fields)(r)})
}

// write replaces the file in one step, so that a reader never sees half of
// it.
func (r *Receipt) write(file string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(append(text, '\n'))
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}
