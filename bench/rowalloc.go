package main

import (
	"context"
	"slices"

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

func runCounting(p peer, t *harness.Trial) error {
	pool, err := p.open(usual)
	if err != nil {
		return err
	}
	t.Begin()
	did, err := all(pool, t.N, func() {})
	t.End(did)
	return err
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
