package drill

import (
	"context"
	"fmt"
	"syscall"
	"time"
)

// settlePoll is how often we look whether the program has settled.
const settlePoll = 20 * time.Millisecond

// settle is the last life: no load, time to work off everything, SIGTERM.
func (d *drill) settle(ctx context.Context) error {
	end := Kill{Name: "settling", Steps: []Step{{Signal: syscall.SIGTERM}}, Grace: d.cfg.Settle.Grace}
	k := planned{Kill: end, kind: settling, moments: []time.Duration{0}}
	l, err := d.turn(ctx, k, false, d.awaitSettled)
	if err != nil {
		return err
	}
	d.settled = l.Ready > 0 && d.settled
	return d.lookAround(ctx, l.Number)
}

// awaitSettled returns when the program has worked off everything, or when
// there is no hope that it will.
func (d *drill) awaitSettled(ctx context.Context, c *Child) error {
	s := d.cfg.Settle
	ctx, cancel := context.WithTimeoutCause(ctx, s.Timeout, fmt.Errorf("%w within %s", ErrUnsettled, s.Timeout))
	defer cancel()
	seen, since := -1, time.Now()
	for {
		if err := d.lookAround(ctx, c.Life); err != nil {
			return err
		}
		if now := d.read.delivered + d.read.failed + d.read.saved; now != seen {
			seen, since = now, time.Now()
		}
		done, err := d.isSettled(ctx, c, time.Since(since))
		if done || err != nil {
			d.settled = done
			return err
		}
		if err := sleep(ctx, settlePoll); err != nil {
			return err
		}
		if !c.isAlive() {
			return fmt.Errorf("%w: it has died", ErrUnsettled)
		}
	}
}

func (d *drill) isSettled(ctx context.Context, c *Child, quiet time.Duration) (bool, error) {
	s := d.cfg.Settle
	if s.Until != nil {
		done, err := s.Until(ctx, c)
		if err != nil {
			err = fmt.Errorf("%w: settle.until: %w", ErrUnsettled, err)
		}
		return done, err
	}
	return d.book.missing == 0 && quiet >= s.Quiet || quiet >= s.Patience, nil
}
