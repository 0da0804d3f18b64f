package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/lastcall-go/lastcall/examples/push/provider"
)

// demo stops the platform in the middle of its work, starts it again, and
// adds up what became of the messages.
type demo struct {
	out       io.Writer
	naive     bool
	rows      int
	latency   time.Duration // of the provider in the first life
	stopAfter time.Duration // of the first life
	patience  time.Duration // with a platform that does nothing more

	stopTimeout time.Duration // of the platform

	Settings // of the platform, beneath a directory of this run
	client   *provider.Client
}

// fast is the latency of the provider in the second life.
const fast = 5 * time.Millisecond

// outcome is what the demonstration has found.
type outcome struct {
	rows          int
	first         Sum // after the first life
	sum, expected Sum // at the end
	sent          provider.Sum
	exitCode      int    // of the first life
	saved, lost   uint64 // pieces of work, as the receipt of the first life says
}

// Lost is how many rows have come to no end.
func (o outcome) Lost() int { return o.rows - o.sum.Ended() }

func (d *demo) run(ctx context.Context) error {
	o, err := d.play(ctx)
	if d.Dir != "" {
		defer func() {
			fmt.Fprintf(d.out, "\nrecords, journal and logs are in %s; remove it when you have looked\n", d.Dir)
		}()
	}
	if ctx.Err() != nil {
		return errors.New("a signal has ended the demonstration, the platform and the provider")
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(d.out, "\nrows %d = %v, lost %d\n", o.rows, o.sum, o.Lost())
	fmt.Fprintf(d.out, "should  = %v\n", o.expected)
	fmt.Fprintf(d.out, "the provider delivered %d messages, %d of them twice; %d came again and were known\n\n",
		o.sent.Delivered, o.sent.Duplicates, o.sent.Repeated)
	return d.tellOne()
}

// play is the whole of it, without the sum.
func (d *demo) play(ctx context.Context) (o outcome, err error) {
	o.rows = d.rows
	if o.expected, err = d.prepare(); err != nil {
		return o, err
	}
	// A platform that is asked to stop because ctx has ended still needs it.
	service, err := d.startProvider(context.WithoutCancel(ctx))
	if err != nil {
		return o, err
	}
	defer func() { _, _ = service.end(syscall.SIGKILL) }() // it has nothing to save
	defer d.client.Close()

	fmt.Fprintf(d.out, "%d rows in %s; a provider that takes %v a call\n", d.rows, d.Dir, d.latency)
	if err := d.firstLife(ctx, &o); err != nil {
		return o, err
	}
	if o.sum, err = d.secondLife(ctx); err != nil {
		return o, err
	}
	o.sent, err = d.client.Sum(ctx)
	return o, err
}

func (d *demo) prepare() (expected Sum, err error) {
	if d.Dir == "" {
		if d.Dir, err = os.MkdirTemp("", "push-"); err != nil {
			return Sum{}, err
		}
	}
	d.Input, d.Unsubscribed = filepath.Join(d.Dir, "rows.csv"), filepath.Join(d.Dir, "unsubscribed.txt")
	return generate(d.rows, d.Input, d.Unsubscribed)
}

// startProvider runs the provider in a process of its own.
func (d *demo) startProvider(ctx context.Context) (*child, error) {
	said, says, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = said.Close() }()
	c, err := startChild(ctx, filepath.Join(d.Dir, "provider.log"), says,
		"provider", "--addr=127.0.0.1:0", "--latency="+d.latency.String())
	_ = says.Close() // the child has its own
	if err != nil {
		return nil, err
	}
	url, err := bufio.NewReader(said).ReadString('\n')
	if err != nil {
		_, _ = c.end(syscall.SIGKILL)
		return nil, fmt.Errorf("the provider did not start: %w", err)
	}
	d.Provider = strings.TrimSpace(url)
	d.client = provider.NewClient(d.Provider, 1)
	return c, nil
}

// start runs the platform.
func (d *demo) start(ctx context.Context) (*child, error) {
	args := []string{"serve", "--set=lifecycle.receipt_file=" + d.receipt(), "--set=lifecycle.stop_timeout=" + d.stopTimeout.String()}
	if d.naive {
		args = []string{"serve-naive"}
	}
	args = append(args, "--input="+d.Input, "--dir="+d.Dir, "--provider="+d.Provider, "--unsubscribed="+d.Unsubscribed)
	return startChild(ctx, d.log(), nil, args...)
}

func (d *demo) receipt() string { return filepath.Join(d.Dir, "receipt.json") }
func (d *demo) log() string     { return filepath.Join(d.Dir, "platform.log") }

// firstLife is stopped in the middle.
func (d *demo) firstLife(ctx context.Context, o *outcome) error {
	platform, err := d.start(ctx)
	if err != nil {
		return err
	}
	begun := d.await(ctx, func(s Sum) bool { return s != Sum{} })
	select {
	case <-time.After(d.stopAfter):
	case <-ctx.Done(): // the end of the platform is on its way
		begun = errors.Join(begun, context.Cause(ctx))
	}
	if begun == nil {
		fmt.Fprintf(d.out, "SIGTERM %v after the first rows\n", d.stopAfter)
	}
	o.exitCode, err = platform.end(syscall.SIGTERM)
	if err := errors.Join(begun, err); err != nil {
		return fmt.Errorf("%w; see %s", err, d.log())
	}
	if d.naive {
		err = d.tellLog()
	} else {
		err = d.tellReceipt(o)
	}
	if err != nil {
		return err
	}
	o.first, err = newTally(d.Settings).Sum()
	fmt.Fprintf(d.out, "  exit code %d; so far %v\n", o.exitCode, o.first)
	return err
}

// secondLife goes on until there is nothing left to do.
func (d *demo) secondLife(ctx context.Context) (Sum, error) {
	if err := d.client.Behave(ctx, provider.Behaviour{Latency: fast, Deduplicate: true}); err != nil {
		return Sum{}, err
	}
	fmt.Fprintf(d.out, "started again; the provider takes %v now\n", fast)
	platform, err := d.start(ctx)
	if err != nil {
		return Sum{}, err
	}
	sum, err := d.settle(ctx)
	_, stopErr := platform.end(syscall.SIGTERM)
	return sum, errors.Join(err, stopErr)
}

// settle waits until all rows have come to an end, or until nothing happens
// any more.
func (d *demo) settle(ctx context.Context) (sum Sum, err error) {
	last := time.Now()
	err = d.await(ctx, func(now Sum) bool {
		if now != sum {
			sum, last = now, time.Now()
		}
		return sum.Ended() == d.rows || time.Since(last) > d.patience
	})
	return sum, err
}

// await looks at the records until they are as wanted, but not for ever when
// nothing comes to them.
func (d *demo) await(ctx context.Context, wanted func(Sum) bool) error {
	tally := newTally(d.Settings)
	var before Sum
	for last := time.Now(); ; {
		sum, err := tally.Sum()
		if err != nil || wanted(sum) {
			return err
		}
		if sum != before {
			before, last = sum, time.Now()
		}
		if time.Since(last) > 2*time.Minute {
			return errors.New("waited for two minutes; the platform does nothing")
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
