package main

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/lastcall-go/lastcall/bench/internal/harness"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// lanePeer brings its tasks in as items of a lane.
var lanePeer = peer{"lastcall lane", "an item with a handler: counted, retried and handed back by value", openLane}

// allocRows tell what a Submit allocates.
func allocRows() []harness.Row {
	peers := slices.Insert(slices.Clone(allPools), 2, lanePeer)
	return []harness.Row{{
		ID:          "e",
		Title:       "Allocations per Submit",
		Work:        "one goroutine submits the same function, which counts itself, to 4 workers; the allocations of workers are included",
		N:           100_000,
		ShortN:      500,
		Contestants: contestants(peers, runCounting),
		Columns:     []harness.Metric{harness.Allocs, harness.Bytes, harness.Wall, harness.CPU},
		Targets: []harness.Target{
			{Metric: harness.Allocs, Limit: 0, Absolute: true},
			{Metric: harness.Allocs, Limit: 1, Absolute: true, Who: lanePeer.name},
		},
	}}
}

// runCounting ends its trial when the last task has run: what a pool allocates
// to drain and to close is not of Submit.
func runCounting(p peer, t *harness.Trial) error {
	pool, err := p.open(usual)
	if err != nil {
		return err
	}
	var ran atomic.Int64
	last := make(chan struct{})
	task := taskOf(func() {
		if int(ran.Add(1)) == t.N {
			close(last)
		}
	})
	t.Begin()
	for range t.N {
		if err := pool.submit(task); err != nil {
			return err
		}
	}
	<-last
	t.End(int(ran.Load()))
	return pool.finish()
}

type lane struct {
	lastcallPool
	*pool.Lane[*work]
}

func openLane(l limits) (taker, error) {
	p, err := openLastcall(l)
	if err != nil {
		return nil, err
	}
	ours := p.(lastcallPool)
	handle := func(_ context.Context, w *work) error { return w.withError() }
	items, err := pool.NewLane(ours.Pool, "items", handle, pool.LaneConfig{})
	return lane{ours, items}, err
}

func (l lane) submit(w *work) error { return l.Lane.Submit(context.Background(), w) }
