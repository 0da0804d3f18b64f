package drill

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"
)

// Life is one run of the program, from its start to its end.
type Life struct {
	// Number is from 1; the last life is the one that settles.
	Number int
	// Kill is the name of the kill that ended it.
	Kill string
	// Moments are when its signals were to be sent, each counted from the one
	// before; Sent is how many were.
	Moments []time.Duration
	Sent    int
	Began   time.Time
	// Ready is how long it took from exec to ready; zero: it did not get so
	// far.
	Ready time.Duration
	// Stopping is how long it took from the last signal to its end.
	Stopping time.Duration
	// Exit is its exit code, 128+signal if a signal ended it, and -1 if it was
	// never started.
	Exit int
	// Tally is what became of the work it was offered. It is complete when the
	// drill is.
	Tally Tally
	// Receipt is what it wrote; nil: nothing, or nothing was to be read.
	Receipt *Receipt
	// Errs is what was wrong with it, each a [LifeError].
	Errs []error

	kind int // of its kill: an index, or settling
}

// settling is the kind of the last life.
const settling = -1

func (l *Life) fail(c *Child, err error) {
	failed := &LifeError{Life: l.Number, Kill: l.Kill, Err: err}
	if c != nil {
		failed.Output = c.Output()
	}
	l.Errs = append(l.Errs, failed)
}

// live runs the program once, to its end by the kill k: it is under load if
// load is true, and the first moment of k begins when until returns (nil: when
// as much is accepted as k wants).
func (d *drill) live(ctx context.Context, k planned, load bool, until func(context.Context, *Child) error) *Life {
	p := d.book.open(d.cfg.Load.Generators, k.Accepted)
	l := &Life{Number: p.life, Kill: k.Name, Moments: k.moments, Exit: -1, kind: k.kind}
	d.lives = append(d.lives, l)

	c, err := start(ctx, d.cfg.Program, l.Number)
	if err != nil {
		l.fail(nil, fmt.Errorf("%w: %w", ErrNotReady, err))
		return l
	}
	l.Began = c.began
	ready := make(chan error, 1)
	var loaded sync.WaitGroup
	loaded.Go(func() {
		err := d.cfg.Program.awaitReady(ctx, c)
		if err == nil {
			l.Ready = max(time.Since(c.began), 1)
		}
		ready <- err
		if err == nil && load {
			d.cfg.Load.run(ctx, c, p)
		}
	})
	if until == nil {
		until = k.awaitAccepted(p)
	}
	err = k.execute(ctx, c, l, ready, until)
	loaded.Wait()
	l.Exit = c.exit
	if err == nil && !k.allows(l.Exit, l.Sent) {
		err = fmt.Errorf("%w: %d", ErrExit, l.Exit)
	}
	if err != nil {
		l.fail(c, err)
	}
	l.readReceipt(d.cfg.Program, k.Kill, c, d.book.close(p))
	return l
}

// execute waits for its moment, sends the signals, and returns when the child
// is gone.
func (k planned) execute(ctx context.Context, c *Child, l *Life, ready <-chan error, until func(context.Context, *Child) error) error {
	defer c.kill() // if all else has not
	if !k.FromExec {
		if err := <-ready; err != nil {
			return notReady(c, err)
		}
	}
	unsettled := until(ctx, c)
	last, err := k.send(c, l)
	switch {
	case err != nil:
		return err
	case l.Sent == 0:
		<-c.gone
		return errors.Join(unsettled, fmt.Errorf("%w, with exit code %d", ErrDied, c.exit))
	case c.lives(k.Grace):
		return errors.Join(unsettled, fmt.Errorf("%w within %s of its last signal", ErrHung, k.Grace))
	}
	l.Stopping = max(c.end.Sub(last), 0)
	return unsettled
}

// awaitAccepted returns when the load has had enough accepted, or when there is
// no hope that it will.
func (k planned) awaitAccepted(p *page) func(context.Context, *Child) error {
	return func(_ context.Context, c *Child) error {
		if k.Accepted == 0 {
			return nil
		}
		limit := time.NewTimer(k.Grace)
		defer limit.Stop()
		select {
		case <-p.enough:
		case <-c.gone:
		case <-limit.C:
		}
		return nil
	}
}

// send sends the signals at their moments, until the child is gone. It
// returns when it sent the last.
func (k planned) send(c *Child, l *Life) (last time.Time, err error) {
	for i, s := range k.Steps {
		if !c.lives(k.moments[i]) {
			break
		}
		err := c.Signal(s.Signal)
		if errors.Is(err, os.ErrProcessDone) {
			break
		}
		if err != nil {
			return last, fmt.Errorf("send %s: %w", s.Signal, err)
		}
		last = time.Now()
		l.Sent++
	}
	return last, nil
}

// notReady tells a child that died from one that takes too long.
func notReady(c *Child, err error) error {
	// What made Ready return may be the end of the process, of which we hear a
	// little later.
	if !c.lives(outputPatience / 10) {
		return fmt.Errorf("%w before it was ready, with exit code %d", ErrDied, c.exit)
	}
	return fmt.Errorf("%w: %w", ErrNotReady, err)
}

// readReceipt reads what a life has left that ended by itself, having been
// asked to.
func (l *Life) readReceipt(p Program, k Kill, c *Child, accepted int) {
	if p.Receipt == "" || l.Ready == 0 || l.Sent == 0 || l.Exit < 0 || l.Exit >= 128 {
		return
	}
	r, err := readReceipt(p.Receipt, c)
	if err != nil {
		l.fail(c, err)
		return
	}
	l.Receipt = r
	for _, err := range r.wrong(p.ReceiptGate, accepted) {
		l.fail(c, err)
	}
	// A code that the kill names may be one that the program has asked for
	// (fx.ExitCode): no receipt knows that.
	if r.ExitCode != l.Exit && !slices.Contains(k.Exits, l.Exit) {
		l.fail(c, fmt.Errorf("%w: its exit code is %d, the program's %d", ErrReceipt, r.ExitCode, l.Exit))
	}
}
