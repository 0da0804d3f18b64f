package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/batchmodule/batch"
	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// Source reads the input while the service runs, and remembers in a checkpoint
// how far it has come: up to the last row before which all are finished. A row
// is finished when the batcher has it in its journal, or when it is recorded
// as bad; then it is marked, so that a kill makes it read again one row at
// most. It lets work in, so it stops first.
type Source struct {
	input   string
	opener  journal.Opener
	rows    *batch.Batcher[Row]
	records *Records
	log     *zap.Logger

	file  *os.File
	marks journal.Journal
	mark  *journal.Checkpoint

	stop context.CancelFunc
	done chan struct{} // closed by run
}

func startSource(lc fx.Lifecycle, s Settings, o journal.Opener, rows *batch.Batcher[Row], r *Records, log *zap.Logger) {
	if s.Input == "" {
		return // it works off what an earlier life has left
	}
	source := &Source{input: s.Input, opener: o, rows: rows, records: r, log: log, done: make(chan struct{})}
	lifecycle.Append(lc, lifecycle.Hook{
		Name:       "source",
		Band:       lifecycle.Ingress,
		OnStart:    source.start,
		OnStop:     source.halt,
		PreDestroy: source.close,
	})
}

func (s *Source) start(ctx context.Context) (err error) {
	if s.file, err = os.Open(s.input); err != nil {
		return fmt.Errorf("input: %w", err)
	}
	name, err := nameOf(s.file)
	if err != nil {
		return fmt.Errorf("input: %w", err)
	}
	if s.marks, err = s.opener.Open(ctx, journal.CheckpointName(name)); err != nil {
		return err
	}
	if s.mark, err = journal.OpenCheckpoint(ctx, s.marks); err != nil {
		return err
	}
	ctx, s.stop = context.WithCancel(context.Background())
	go s.run(ctx, name)
	return nil
}

func (s *Source) run(ctx context.Context, name string) {
	defer close(s.done)
	from := s.mark.Mark()
	s.log.Info("reading the input", zap.String("input", s.input), zap.Uint64("from row", from+1))
	var err error
	for row := range readCSV(name, s.file) {
		if row.Number <= from && row.End == nil {
			continue
		}
		if err = s.take(ctx, row); err != nil {
			break
		}
	}
	switch {
	case err == nil:
		s.log.Info("the input is read to its end", zap.Uint64("rows", s.mark.Mark()))
	case ctx.Err() != nil, errors.Is(err, intake.ErrDraining):
		s.log.Info("stopped reading the input; the next life goes on behind the mark", zap.Uint64("mark", s.mark.Mark()))
	default:
		s.log.Error("cannot go on with the input", zap.Uint64("mark", s.mark.Mark()), zap.Error(err))
	}
}

// take returns nil when the row is finished here. When ctx has ended it takes
// none: where there is room, Add would.
func (s *Source) take(ctx context.Context, row read) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	event := Event{At: time.Now(), State: Accepted, To: []Receiver{{row.ID, row.Receiver}}}
	switch {
	case row.End != nil:
		return row.End
	case row.Err != nil:
		event.State, event.Reason = Bad, row.Err.Error()
	default:
		// It waits while the service is drained, and may be undrained.
		if err := intake.Offer(ctx, func() error { return s.rows.Add(ctx, row.Row) }); err != nil {
			return err
		}
	}
	if err := s.records.Write(event); err != nil {
		return err
	}
	s.mark.Done(row.Number)
	return s.mark.Save(context.WithoutCancel(ctx)) // what was taken is taken
}

func (s *Source) halt(ctx context.Context) error {
	if s.stop == nil {
		return nil
	}
	s.stop()
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Source) close(context.Context) error {
	var errs []error
	if s.marks != nil {
		errs = append(errs, s.marks.Close())
	}
	if s.file != nil {
		errs = append(errs, s.file.Close())
	}
	return errors.Join(errs...)
}
