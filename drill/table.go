package drill

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// String is the table: a row for each kind of kill, and what is wrong.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "drill of %s: %d runs in %s, seed %d\n\n", r.Program, r.Total.Runs, round(r.Took), r.Seed)
	r.writeRows(&b)
	b.WriteString("\n")
	for _, note := range r.notes() {
		fmt.Fprintf(&b, "%s\n", note)
	}
	if err := r.Err(); err != nil {
		fmt.Fprintf(&b, "WRONG:\n%v\n", err)
	} else {
		b.WriteString("nothing is wrong\n")
	}
	return b.String()
}

func (r *Report) writeRows(b *strings.Builder) {
	rows := append(slices.Clone(r.Kinds), r.Total)
	wide := 0
	for _, k := range rows {
		wide = max(wide, len(k.Name))
	}
	// Numbers stand right, the names before them left.
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%-*s\truns\taccepted\trefused\tunknown\tdelivered\tfailed\tsaved\tlost\tduplicated\tworst kill\trestart\tlongest\texits\t\n", wide, "kill")
	for _, k := range rows {
		if k.Runs == 0 {
			continue
		}
		fmt.Fprintf(w, "%-*s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%s\t%s\t\n",
			wide, k.Name, k.Runs, k.Accepted, k.Refused, k.Unknown, k.Delivered, k.Failed, k.Saved, k.Lost,
			k.Duplicated, k.worst(), took(k.RestartMedian()), took(k.RestartMax()), k.exits())
	}
	_ = w.Flush() // to memory
}

// worst holds the duplicates of the worst kill to their bound, if there is one.
func (k Kind) worst() string {
	bound, ok := Kill{MaxDuplicates: k.MaxDuplicates}.bound()
	switch {
	case !ok:
		return fmt.Sprint(k.MostDuplicated)
	case k.MostDuplicated > bound:
		return fmt.Sprintf("%d > %d", k.MostDuplicated, bound)
	default:
		return fmt.Sprintf("%d <= %d", k.MostDuplicated, bound)
	}
}

// exits writes the codes, each with how often it was seen if there are
// several.
func (k Kind) exits() string {
	if len(k.Exits) == 1 {
		return fmt.Sprint(k.Exits[0].Code)
	}
	var codes []string
	for _, e := range k.Exits {
		codes = append(codes, fmt.Sprintf("%d (%d)", e.Code, e.Runs))
	}
	return strings.Join(codes, " ")
}

// notes are what the columns do not say.
func (r *Report) notes() []string {
	var notes []string
	note := func(n int, format string, args ...any) {
		if n > 0 {
			notes = append(notes, fmt.Sprintf(format, args...))
		}
	}
	t := r.Total
	note(t.UnknownDelivered, "%d of the %d unknown were delivered: their connections broke when they had been accepted", t.UnknownDelivered, t.Unknown)
	note(t.Repeated, "%d of the %d duplicates came within one life: no kill explains them", t.Repeated, t.Duplicated)
	note(t.FailedDelivered, "%d were delivered, and are recorded as failed or saved as well", t.FailedDelivered)
	note(t.Receipts, "%d receipts, %d of them do not balance", t.Receipts, t.Unbalanced)
	note(r.Strangers, "%d ids are not of this drill, %q among them", r.Strangers, r.Stranger)
	if !r.Settled {
		notes = append(notes, "the program has not settled: what is called lost may still be saved")
	}
	return notes
}

func took(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return round(d).String()
}

// round keeps three digits or so.
func round(d time.Duration) time.Duration {
	switch {
	case d > time.Second:
		return d.Round(10 * time.Millisecond)
	case d > time.Millisecond:
		return d.Round(100 * time.Microsecond)
	default:
		return d.Round(time.Microsecond)
	}
}
