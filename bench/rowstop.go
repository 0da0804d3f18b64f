package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/lastcall-go/lastcall/bench/internal/harness"
	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

var (
	stopTook    = harness.Metric{Name: "stop", Unit: harness.Nanoseconds}
	handedBack  = harness.Metric{Name: "handed back", Unit: harness.Count, Plain: true}
	unaccounted = harness.Metric{Name: "unaccounted", Unit: harness.Count, Plain: true}
)

// handBackRows have a full queue and no time left.
func handBackRows() []harness.Row {
	return []harness.Row{{
		ID:     "o1",
		Title:  "100,000 queued tasks handed back at the deadline",
		Work:   "4 workers are held until their context ends; the stop is called when its deadline has come, and returns what never ran",
		N:      100_000,
		ShortN: 100,
		Contestants: []harness.Contestant{
			{Name: "channel", Setup: "by hand: the workers are told to leave, the caller empties the channel into a slice", Run: runHandBackChannel},
			{Name: harness.Ours, Setup: "Stop of a pool, closures", Run: runHandBackPool},
			{Name: "lastcall lane", Setup: "Stop of a lane, items by value", Run: runHandBackLane},
		},
		Columns: []harness.Metric{stopTook, handedBack, unaccounted},
		Targets: []harness.Target{
			{Metric: stopTook, Limit: 20e6, Absolute: true},
			{Metric: unaccounted, Limit: 0, Absolute: true},
			{Metric: unaccounted, Limit: 0, Absolute: true, Who: "lastcall lane"},
		},
		Notes: []string{"Each task knows its number, and every number must come back once. The channel keeps no ledger, and a sender beside the stop would be lost or would panic."},
	}}
}

// roll is a list of tasks, each of which must turn up once.
type roll []atomic.Int32

// check sets the metrics of a stop that has ended the trial.
func (r roll) check(t *harness.Trial) {
	back, once := 0, 0
	for i := range r {
		n := int(r[i].Load())
		back += n
		if n == 1 {
			once++
		}
	}
	t.Set(stopTook, float64(t.Elapsed()))
	t.Set(handedBack, float64(back))
	t.Set(unaccounted, float64(len(r)-once))
}

func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func runHandBackPool(t *harness.Trial) error {
	p, err := pool.New("bench", pool.Config{Workers: usual.workers, Queue: t.N})
	if err != nil {
		return err
	}
	ctx := context.Background()
	if err := p.Start(ctx); err != nil {
		return err
	}
	var busy sync.WaitGroup
	busy.Add(usual.workers)
	for range usual.workers {
		if err := p.Submit(ctx, func(ctx context.Context) { busy.Done(); <-ctx.Done() }); err != nil {
			return err
		}
	}
	busy.Wait()
	seen := make(roll, t.N)
	for i := range t.N {
		if err := p.Submit(ctx, func(context.Context) { seen[i].Add(1) }); err != nil {
			return err
		}
	}

	t.Begin()
	left, err := p.Stop(ended())
	t.End(len(left))
	if err != nil {
		return err
	}
	for _, task := range left {
		if err := task.Run(ctx); err != nil {
			return err
		}
	}
	seen.check(t)
	return balanced(p.Gate())
}

// balanced is an error if the ledger of a gate does not add up.
func balanced(gate *intake.Gate) error {
	if l := gate.Ledger(); !l.Balanced() {
		return fmt.Errorf("the ledger does not balance: %s", l)
	}
	return nil
}

func runHandBackLane(t *harness.Trial) error {
	p, err := pool.New("bench", pool.Config{Workers: usual.workers, Queue: t.N + usual.workers})
	if err != nil {
		return err
	}
	ctx := context.Background()
	var busy sync.WaitGroup
	busy.Add(usual.workers)
	l, err := pool.NewLane(p, "items", func(ctx context.Context, item int) error {
		busy.Done()
		<-ctx.Done()
		return nil
	}, pool.LaneConfig{})
	if err != nil {
		return err
	}
	if err := p.Start(ctx); err != nil {
		return err
	}
	for range usual.workers {
		if err := l.Submit(ctx, -1); err != nil {
			return err
		}
	}
	busy.Wait()
	for i := range t.N {
		if err := l.Submit(ctx, i); err != nil {
			return err
		}
	}

	t.Begin()
	left, err := l.Stop(ended())
	t.End(len(left))
	seen := make(roll, t.N)
	for _, i := range left {
		seen[i].Add(1)
	}
	seen.check(t)
	if err != nil {
		return err
	}
	return balanced(l.Gate())
}

func runHandBackChannel(t *harness.Trial) error {
	tasks := make(chan func(), t.N)
	quit := make(chan struct{})
	var workers, busy sync.WaitGroup
	busy.Add(usual.workers)
	for range usual.workers {
		workers.Go(func() {
			busy.Done()
			<-quit // as a task does that heeds its context
		})
	}
	busy.Wait()
	seen := make(roll, t.N)
	for i := range t.N {
		tasks <- func() { seen[i].Add(1) }
	}

	t.Begin()
	close(quit)
	workers.Wait()
	var left []func()
	for len(tasks) > 0 {
		left = append(left, <-tasks)
	}
	t.End(len(left))
	for _, task := range left {
		task()
	}
	seen.check(t)
	return nil
}
