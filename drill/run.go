package drill

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Run drills the program and returns what it found. The error is
// [Report.Err], joined with what kept the drill from its end: a wrong Config
// (then, and only then, the report is nil), the end of the context, a source
// that failed. When Run returns no process and no goroutine of the drill is
// left.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("drill: %w", err)
	}
	d := &drill{cfg: cfg.WithDefaults(), began: time.Now()}
	d.book.tag = "d" + strconv.FormatInt(d.began.UnixMilli(), 36)
	defer patient.CloseIdleConnections()
	err := d.run(ctx)
	if err != nil {
		err = fmt.Errorf("drill: %w", err)
	}
	report := d.report(err)
	err = report.Err()
	return report, err
}

// drill is one call of Run.
type drill struct {
	cfg     Config
	began   time.Time
	book    book
	lives   []*Life
	read    struct{ delivered, failed, saved int } // of the sources, so far
	settled bool
}

// hopeless is how many starts in a row may fail.
const hopeless = 3

func (d *drill) run(ctx context.Context) error {
	failed := 0
	for _, k := range plan(d.cfg.Kills, d.cfg.Seed) {
		l, err := d.turn(ctx, k, true, nil)
		if err != nil {
			return err
		}
		switch {
		case l.Ready > 0:
			failed = 0
		case l.Errs != nil:
			failed++
		}
		if failed == hopeless {
			return fmt.Errorf("given up: %w %d times running", ErrNotReady, hopeless)
		}
		if err := sleep(ctx, d.cfg.Pause); err != nil {
			return err
		}
	}
	return d.settle(ctx)
}

// turn is one life, and a look at the sink after it.
func (d *drill) turn(ctx context.Context, k planned, load bool, until func(context.Context, *Child) error) (*Life, error) {
	l := d.live(ctx, k, load, until)
	if ctx.Err() != nil {
		l.Errs = nil // it is we who have killed it
		return l, context.Cause(ctx)
	}
	if err := d.look(ctx, l.Number); err != nil {
		return l, err
	}
	if d.cfg.Progress != nil {
		told := *l
		told.Tally = d.book.pages[l.Number-1].tally(func(string) {})
		d.cfg.Progress(told)
	}
	return l, nil
}

// look reads what is new in the sink. It has arrived in the life given.
func (d *drill) look(ctx context.Context, life int) error {
	return read(ctx, "delivered", d.cfg.Outcome.Delivered, &d.read.delivered, func(id string) { d.book.deliver(id, life) })
}

// lookAround reads also what did not reach the sink.
func (d *drill) lookAround(ctx context.Context, life int) error {
	return errors.Join(
		d.look(ctx, life),
		read(ctx, "failed", d.cfg.Outcome.Failed, &d.read.failed, d.book.fail),
		read(ctx, "saved", d.cfg.Outcome.Saved, &d.read.saved, d.book.save),
	)
}

// read gives what is new in a source to use.
func read(ctx context.Context, name string, s Source, after *int, use func(id string)) error {
	if s == nil {
		return nil
	}
	for id, err := range s(ctx, *after) {
		if err != nil {
			return fmt.Errorf("read outcome.%s: %w", name, err)
		}
		*after++
		use(id)
	}
	return nil
}

// sleep returns an error if the context ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
