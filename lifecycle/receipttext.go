package lifecycle

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/internal/secret"
)

// String draws the receipt for a person: why and how it ended, the timeline,
// each component, the ledger.
func (r *Receipt) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "last call: %s\n", r.Cause)
	for _, also := range r.AlsoAsked {
		fmt.Fprintf(&b, "  also asked: %s\n", also)
	}
	fmt.Fprintf(&b, "%s in %s%s\n", r.verdict(), round(r.Took), r.of())
	if r.Cut != "" {
		fmt.Fprintf(&b, "waiting was over early: %s\n", r.Cut)
	}
	r.writeStages(&b)
	r.writeComponents(&b)
	r.writeLedger(&b)
	r.writeRest(&b)
	return secret.Text(b.String())
}

func (r *Receipt) verdict() string {
	how := "stopped"
	switch {
	case r.Cause.Kind == CauseStartFailed:
		how = "start failed, rolled back"
	case r.Cause.Kind == CauseNewFailed:
		how = "could not be built, undone"
	case r.Cause.Err != nil:
		how = "stopped because a component failed, else"
	}
	switch {
	case r.WorkLost() > 0:
		return fmt.Sprintf("%s with %d pieces of work LOST", how, r.WorkLost())
	case r.Err() != nil:
		return how + " with errors"
	case r.Total.Saved > 0:
		return fmt.Sprintf("%s cleanly, %d pieces of work saved,", how, r.Total.Saved)
	default:
		return how + " cleanly"
	}
}

func (r *Receipt) of() string {
	if r.Timeout == 0 {
		return ""
	}
	return fmt.Sprintf(" of %s (%s of it for backup hooks)", round(r.Timeout), round(r.Reserve))
}

func (r *Receipt) writeStages(b *strings.Builder) {
	b.WriteString("\n")
	w := table(b)
	for _, s := range r.Stages {
		when := "+" + round(s.At).String()
		if !s.Reached {
			when = "not reached by " + when
		}
		if s.Inside != "" {
			when += ": inside " + s.Inside
		}
		fmt.Fprintf(w, "  %s\t%s\n", s.Name, when)
	}
	flush(w)
}

func (r *Receipt) writeComponents(b *strings.Builder) {
	if len(r.Components) == 0 {
		return
	}
	b.WriteString("\n")
	w := table(b)
	fmt.Fprintln(w, "  component\tband\tstopped at\tstop\tpre-destroy")
	for _, c := range r.Components {
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\n", c.Name, c.Band, c.at(), c.Stop.short(), c.PreDestroy.short())
	}
	flush(w)
	for _, c := range r.Components {
		if c.Start != nil && c.Start.Outcome != OK {
			fmt.Fprintf(b, "  %s did not start: %s\n", c.Name, c.Start.short())
		}
		if c.Moved != "" {
			fmt.Fprintf(b, "  %s %s\n", c.Name, c.Moved)
		}
		for _, d := range c.Details {
			fmt.Fprintf(b, "  %s: %s\n", c.Name, d)
		}
	}
}

func (c ComponentReport) at() string {
	for _, h := range []*HookReport{c.Stop, c.PreDestroy} {
		if h != nil {
			return "+" + round(h.Began).String()
		}
	}
	return "-"
}

func (h *HookReport) short() string {
	switch {
	case h == nil:
		return "-"
	case h.Outcome == OK:
		return round(h.Took).String()
	default:
		return fmt.Sprintf("%s after %s", strings.ToUpper(string(h.Outcome)), round(h.Took))
	}
}

func (r *Receipt) writeLedger(b *strings.Builder) {
	if len(r.Gates) == 0 {
		return
	}
	b.WriteString("\n")
	w := table(b)
	var idle []string
	for _, g := range r.Gates {
		switch {
		case g.Ledger != (intake.Ledger{}):
		case g.Balanced:
			idle = append(idle, g.Name)
			continue
		default:
			fmt.Fprintf(w, "  %s\tnot known\n", g.Name)
			continue
		}
		fmt.Fprintf(w, "  %s\t%s\n", g.Name, g.Ledger)
	}
	if len(r.Gates) > 1 {
		fmt.Fprintf(w, "  all\t%s\n", r.Total)
	}
	flush(w)
	if len(idle) > 0 {
		fmt.Fprintf(b, "  nothing came to %s\n", strings.Join(idle, ", "))
	}
}

func (r *Receipt) writeRest(b *strings.Builder) {
	if r.Previous != nil {
		fmt.Fprintf(b, "\nbefore this, %s\n", r.Previous)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(b, "\nnote: %s\n", n)
	}
	for _, l := range r.Leaks {
		fmt.Fprintf(b, "\nleft behind by %s: %d goroutine(s) in %s\n", l.Component, l.Count, l.Where)
	}
	if err := r.Err(); err != nil {
		fmt.Fprintf(b, "\n%s\n", err)
	}
}

func table(b *strings.Builder) *tabwriter.Writer { return tabwriter.NewWriter(b, 0, 0, 2, ' ', 0) }

// flush cannot fail: a strings.Builder takes everything.
func flush(w *tabwriter.Writer) { _ = w.Flush() }

// round keeps the digits that a person reads.
func round(d time.Duration) time.Duration {
	switch {
	case d >= time.Minute:
		return d.Round(time.Second)
	case d >= time.Second:
		return d.Round(10 * time.Millisecond)
	case d >= time.Millisecond:
		return d.Round(100 * time.Microsecond)
	default:
		return d.Round(time.Microsecond)
	}
}
