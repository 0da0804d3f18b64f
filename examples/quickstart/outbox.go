package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/batchmodule/batch"
	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// Outbox is where every accepted message ends up, in one of three files in a
// directory of this run:
//
//	delivered.jsonl   sent, written in batches
//	failed.jsonl      refused by the provider for good, with the reason
//	leftover.csv      accepted, but not sent when the stop's time was up;
//	                  give it to --input after the restart
//
// A fourth, bad-rows.jsonl, has the rows that were never accepted.
type Outbox struct {
	dir string

	mu                               sync.Mutex
	opened                           bool
	delivered, failed, leftover, bad *os.File
	sum                              struct{ accepted, delivered, failed, leftover int }
}

// Delivery is one line of delivered.jsonl.
type Delivery struct {
	Message
	At time.Time `json:"at"`
}

// newOutbox opens the files at start. A PreDestroy hook closes them: it runs
// after everything that writes to them has ended, also when the start failed.
func newOutbox(lc fx.Lifecycle, settings Settings) *Outbox {
	o := &Outbox{dir: filepath.Join(settings.Out, time.Now().Format("2006-01-02T150405.000"))}
	lifecycle.Append(lc, lifecycle.Hook{
		Name:       "outbox",
		OnStart:    o.open,
		PreDestroy: o.close,
	})
	return o
}

// Dir is the directory of this run.
func (o *Outbox) Dir() string { return o.dir }

func (o *Outbox) open(context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.opened = true
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return err
	}
	for name, f := range map[string]**os.File{
		"delivered.jsonl": &o.delivered,
		"failed.jsonl":    &o.failed,
		"leftover.csv":    &o.leftover,
		"bad-rows.jsonl":  &o.bad,
	} {
		var err error
		if *f, err = os.OpenFile(filepath.Join(o.dir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Accepted counts a message that a lane has taken.
func (o *Outbox) Accepted() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sum.accepted++
}

// Deliver writes a batch: the sink of the batcher.
func (o *Outbox) Deliver(_ context.Context, batch []Delivery) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := writeLines(o.delivered, batch); err != nil {
		return err
	}
	o.sum.delivered += len(batch)
	return nil
}

// Refused records a message that cannot be sent, and why. It returns the
// reason, which is permanent, or why it could not be recorded, which is worth
// another try.
func (o *Outbox) Refused(m Message, reason error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := writeLines(o.failed, []any{struct {
		Message
		Reason string `json:"reason"`
	}{m, reason.Error()}}); err != nil {
		return err
	}
	o.sum.failed++
	return pool.Permanent(reason)
}

// Bad records a row that was not accepted.
func (o *Outbox) Bad(row Row) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return writeLines(o.bad, []any{badRow(row)})
}

// Leftover saves messages in the form of the input.
func (o *Outbox) Leftover(messages []Message) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	w := csv.NewWriter(o.leftover)
	for _, m := range messages {
		if err := w.Write(m.row()); err != nil {
			return err
		}
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return err
	}
	o.sum.leftover += len(messages)
	return nil
}

// saveTo is where a lane's leftovers go.
func saveTo[M SMS | Email](o *Outbox) func(context.Context, []M) error {
	return func(_ context.Context, left []M) error {
		messages := make([]Message, len(left))
		for i, m := range left {
			messages[i] = Message(m)
		}
		return o.Leftover(messages)
	}
}

// newSink is where the batcher's batches go; and its leftovers, which are sent
// already and only lack their line.
func newSink(o *Outbox) batch.Sink[Delivery] { return o.Deliver }

// newDeadLetters is where a line goes that could not be written.
func newDeadLetters(o *Outbox, log *zap.Logger) func(context.Context, batch.DeadLetter[Delivery]) {
	return func(_ context.Context, dead batch.DeadLetter[Delivery]) {
		if err := o.Refused(dead.Item.Message, fmt.Errorf("sent, but not written: %w", dead.Err)); !errors.Is(err, dead.Err) {
			log.Error("sent, but recorded nowhere", zap.Any("message", dead.Item.Message), zap.Error(err))
		}
	}
}

func (o *Outbox) close(context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.opened {
		return nil
	}
	fmt.Fprintf(os.Stderr, "rows accepted %d = delivered %d + failed %d + left over %d\n",
		o.sum.accepted, o.sum.delivered, o.sum.failed, o.sum.leftover)
	if o.sum.leftover > 0 {
		fmt.Fprintf(os.Stderr, "to send what is left over: --input %s\n", filepath.Join(o.dir, "leftover.csv"))
	}
	var errs []error
	for _, f := range []*os.File{o.delivered, o.failed, o.leftover, o.bad} {
		if f != nil {
			errs = append(errs, f.Sync(), f.Close())
		}
	}
	return errors.Join(errs...)
}

// writeLines writes all of the lines or none.
func writeLines[T any](f *os.File, values []T) error {
	var lines []byte
	for _, v := range values {
		line, err := json.Marshal(v)
		if err != nil {
			return err
		}
		lines = append(append(lines, line...), '\n')
	}
	end, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	if _, err := f.Write(lines); err != nil {
		_, back := f.Seek(end, io.SeekStart)
		return errors.Join(err, f.Truncate(end), back)
	}
	return nil
}

type rejected struct {
	Line   int    `json:"line"`
	Reason string `json:"reason"`
}

func badRow(row Row) rejected { return rejected{row.Line, row.Err.Error()} }
