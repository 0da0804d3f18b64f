package main

import (
	"context"
	"time"

	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/batchmodule"
	"github.com/lastcall-go/lastcall/batchmodule/batch"
	"github.com/lastcall-go/lastcall/journal"
)

// batching gathers rows with equal parameters: up to a hundred of them, or
// those of a second.
func batching() fx.Option {
	return fx.Options(
		batchmodule.Provide[Row]("rows", newAssembly,
			batch.Config{
				MaxItems: 100,
				Linger:   time.Second,
				Buffer:   4000,
				Parallel: 8,
				Journal:  journal.Always,
			},
			batchmodule.Options(batch.WithKey(Row.key), batch.WithID(Row.id), batch.WithLabel(Row.receiver))),
		fx.Provide(newFilter),
	)
}

// assembly makes tasks of batches and puts them into their lanes.
type assembly struct {
	filter  *Filter
	lanes   Lanes
	records *Records
}

func newAssembly(f *Filter, lanes Lanes, r *Records) batch.Sink[Row] {
	return (&assembly{f, lanes, r}).flush
}

// flush is done with a row when its lane has it durably, or when it is
// recorded as filtered.
func (a *assembly) flush(ctx context.Context, rows []Row) error {
	lane := rows[0].lane()
	text, err := rows[0].text()
	if err != nil {
		return batch.Permanent(err) // the source has tried it: the templates have changed
	}
	send, kept := a.filter.Sieve(lane, text, rows)
	if len(send) == 0 {
		return a.records.Write(kept...)
	}
	task := newTask(text, send)
	batched := Event{State: Batched, Lane: lane, Task: task.ID, Text: text, To: task.To}
	if err := a.records.Write(append(kept, batched)...); err != nil {
		return err
	}
	inLane := Event{At: time.Now(), State: InLane, Lane: lane, Task: task.ID, To: task.To} // the lane may be quicker than we
	if err := a.lanes[lane].Submit(ctx, task); err != nil {
		return batch.Unavailable(err) // no row is at fault
	}
	a.filter.Placed(lane, text, send)
	return a.records.Write(inLane)
}
