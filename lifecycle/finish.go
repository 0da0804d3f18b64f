package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/intake"
)

// finish writes the receipt, and tells everybody who waits.
func (s *stop) finish() *Receipt {
	c := s.conductor
	leaks := c.leaks(s.spare(leakPatience))
	r := &Receipt{
		Cause:   s.why.cause,
		Began:   s.times.began,
		Timeout: s.total(),
		Reserve: s.times.deadline.Sub(s.times.soft),
		Stages:  slices.Clone(s.stages), // nobody adds any more
		Leaks:   leaks,
	}
	if s.waitingOver() {
		r.Cut = s.whyCut()
	}
	all := slices.Concat(s.order.serial, s.late)
	details := describe(all, s.spare(s.cfg.Grace))
	file := c.ownFile()
	before := c.lookBack(file).carried()
	c.mu.Lock()
	if r.UpSince = c.upSince; r.UpSince.IsZero() {
		r.Previous = before
	}
	r.AlsoAsked = slices.Clone(c.requests)
	if s.why.asked {
		r.AlsoAsked = r.AlsoAsked[1:]
	}
	r.Notes = append(r.Notes, c.notes...)
	for i, comp := range all {
		r.Components = append(r.Components, s.componentReport(comp, details[i]))
		r.addErrors(comp)
	}
	c.mu.Unlock()
	r.addGates(gatesOf(all))
	r.Took = time.Since(s.times.began)

	c.publish(r, file)
	return r
}

// spare is how long a part of the report may take: d, but not so long that a
// caller who gives up at the deadline, or has cut the waiting, misses it.
func (s *stop) spare(d time.Duration) time.Duration {
	if now := s.now(); now.limited() {
		d = min(d, time.Until(now.deadline)/2)
	}
	return max(d, time.Millisecond)
}

func (s *stop) whyCut() string {
	err := context.Cause(s.soft)
	if err == nil { // see waitingOver
		err = context.Cause(s.conductor.wait)
	}
	err = readable(err)
	if errors.Is(err, context.DeadlineExceeded) {
		return "the soft deadline passed (fx.StopTimeout less the reserve)"
	}
	return err.Error()
}

// describe asks all components at the same time what they have to say, and
// does not trust them: one that hangs is not waited for.
func describe(components []*component, patience time.Duration) [][]string {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	answers := make([]chan []string, len(components)) // nil: nothing was asked
	for i, comp := range components {
		if comp.Describe != nil {
			answers[i] = make(chan []string, 1)
			go describeOne(comp, answers[i])
		}
	}
	said := make([][]string, len(components))
	for i, answer := range answers {
		if answer == nil {
			continue
		}
		select {
		case said[i] = <-answer:
			continue
		case <-ctx.Done():
		}
		select {
		case said[i] = <-answer: // while another was waited for
		default:
			said[i] = []string{"Describe did not return"}
		}
	}
	return said
}

func describeOne(comp *component, answer chan<- []string) {
	defer func() {
		if v := recover(); v != nil {
			answer <- []string{fmt.Sprintf("Describe panicked: %v", v)}
		}
	}()
	answer <- comp.Describe()
}

func (s *stop) componentReport(comp *component, details []string) ComponentReport {
	report := ComponentReport{
		Name:       comp.name,
		Module:     comp.module,
		Band:       comp.Band,
		Started:    comp.started,
		Start:      comp.reports[PhaseStart],
		Stop:       comp.reports[PhaseStop],
		PreDestroy: comp.reports[PhasePreDestroy],
		Details:    details,
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
		ledger, err := ledgerOf(g)
		if err != nil {
			r.Gates = append(r.Gates, GateReport{Name: g.Name()})
			r.Notes = append(r.Notes, fmt.Sprintf("what came of the work of %s is not known: %v", g.Name(), err))
			r.errs = append(r.errs, fmt.Errorf("lifecycle: %s: %w, as far as is known: %w", g.Name(), ErrWorkLost, err))
			continue
		}
		r.Gates = append(r.Gates, GateReport{Name: g.Name(), Ledger: ledger, Balanced: ledger.Balanced()})
		r.Total = r.Total.Plus(ledger)
		if lost := ledger.Lost + ledger.Inside; lost > 0 || !ledger.Balanced() {
			r.errs = append(r.errs, fmt.Errorf("lifecycle: %s: %w: %s", g.Name(), ErrWorkLost, ledger))
		}
	}
}

// endChanges ends what turns knobs, so that nothing of it is left behind. A
// component that does not come back from it is told of.
func (s *stop) endChanges() {
	if !s.conductor.changes.close(s.spare(patience)) {
		s.conductor.mu.Lock()
		defer s.conductor.mu.Unlock()
		s.conductor.notes = append(s.conductor.notes, "a change of knobs did not come to an end, and was left to itself")
	}
}

// publish gives the receipt to everybody. When something else than to start
// was asked for, the stop is only tidying up: the receipt of the last real
// stop stays where it is.
func (c *Conductor) publish(r *Receipt, file string) {
	if c.Replacement() == nil {
		if file != "" {
			if err := writeJSON(file, r); err != nil {
				r.errs = append(r.errs, fmt.Errorf("lifecycle: write the receipt: %w", err))
			}
		}
		c.logReceipt(r)
	}
	change := StateChange{State: Stopped, Clean: r.Clean(), ExitCode: r.ExitCode()}
	text := "stopped: " + r.ending()
	c.mu.Lock()
	c.receipt = r
	c.state = Stopped
	c.events.add(Event{Kind: EventState, Text: text, Data: change})
	c.events.end()
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
		logged := *r // a log that is stuck may read it when a note is added below
		fields = append(fields, zap.Reflect("receipt", &logged))
	}
	c.say(func(log *zap.Logger) {
		log.Log(level, "stopped", fields...)
		// Whoever flushes the log has been stopped, and this line came after
		// it. A terminal refuses, and nobody could be told.
		_ = log.Sync()
	})
	if unsaid := c.awaitSaid(); unsaid > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("the log is stuck or slow: %d lines had not been written", unsaid))
	}
	if person != nil {
		patiently(patience, func() { fmt.Fprintln(person, r) })
	}
}
