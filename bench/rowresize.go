package main

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lastcall-go/lastcall/bench/internal/harness"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

var (
	slowdown      = harness.Metric{Name: "slow-down, first 10 ms", Unit: harness.Times, Plain: true}
	worstSlowdown = harness.Metric{Name: "the worst", Unit: harness.Times, Plain: true}
	slowFor       = harness.Metric{Name: "below half its rate for", Unit: harness.Nanoseconds, Plain: true}
	worstSlowFor  = harness.Metric{Name: "at worst", Unit: harness.Nanoseconds, Plain: true}
)

// resizeRows change the bounds of a pool under load.
func resizeRows() []harness.Row {
	return []harness.Row{{
		ID:    "resize",
		Title: "Workers and queue are resized under load",
		Work: "one goroutine submits empty tasks; every 50 ms the pool goes from 4 workers and a queue of 4096 to 8 and 1024, or back. " +
			"The rate in the 10 ms after a resize is compared with that of the 20 ms before; median and worst of all resizes",
		N:      20_000_000,
		ShortN: 100_000,
		Contestants: []harness.Contestant{
			{Name: "not resized", Setup: "the same pool at the same moments, left alone: what the machine does by itself", Run: func(t *harness.Trial) error { return runResize(t, false) }},
			{Name: harness.Ours, Setup: "Resize", Run: func(t *harness.Trial) error { return runResize(t, true) }},
		},
		Columns: []harness.Metric{harness.Wall, slowdown, worstSlowdown, slowFor, worstSlowFor},
		Targets: []harness.Target{
			{Metric: slowdown, Limit: 2, Absolute: true},
			{Metric: slowFor, Limit: 10e6, Absolute: true},
		},
		Notes: []string{"On a machine with others at work the worst is theirs as often as ours: the line above it shows how often."},
	}}
}

func runResize(t *harness.Trial, resizes bool) error {
	p, err := openLastcall(usual)
	if err != nil {
		return err
	}
	period := 50 * time.Millisecond
	if t.Short {
		period = time.Millisecond
	}
	var counted atomic.Int64
	empty := func(context.Context) {}
	counting := func(context.Context) { counted.Add(1) }
	times := make([]time.Time, 0, t.N/sampled+1)

	ctx, cancel := context.WithCancel(context.Background())
	var moments []time.Time
	var resizer sync.WaitGroup
	t.Begin()
	resizer.Go(func() { moments = resizeEvery(ctx, p.(lastcallPool).Pool, period, resizes) })
	for i := range t.N {
		task := empty
		if i%sampled == 0 {
			task = counting
			times = append(times, time.Now())
		}
		if err := p.(lastcallPool).Submit(ctx, task); err != nil {
			cancel()
			return err
		}
	}
	cancel()
	resizer.Wait()
	err = p.finish()
	did := t.N
	if int(counted.Load()) != len(times) {
		did = int(counted.Load()) * sampled
	}
	t.End(did)
	judgeResizes(t, times, moments)
	return err
}

// resizeEvery returns when it resized, or would have.
func resizeEvery(ctx context.Context, p *pool.Pool, period time.Duration, resizes bool) (moments []time.Time) {
	ticks := time.NewTicker(period)
	defer ticks.Stop()
	sizes := []pool.Limits{{Workers: 8, Queue: 1024}, {Workers: 4, Queue: 4096}}
	for {
		select {
		case <-ctx.Done():
			return moments
		case <-ticks.C:
		}
		moments = append(moments, time.Now())
		if resizes {
			_ = p.Resize(sizes[len(moments)%2])
		}
	}
}

// judgeResizes compares what happened before and after each moment.
func judgeResizes(t *harness.Trial, times, moments []time.Time) {
	const before, after = 20 * time.Millisecond, 10 * time.Millisecond
	var factors []float64
	var spans []time.Duration
	for _, m := range moments {
		usually := rate(times, m.Add(-before), m)
		now := rate(times, m, m.Add(after))
		if usually == 0 || now == 0 {
			continue // too near the beginning or the end
		}
		factors = append(factors, usually/now)
		spans = append(spans, slowSpan(times, m, usually/2))
	}
	if len(factors) == 0 { // a short run
		factors, spans = []float64{1}, []time.Duration{0}
	}
	t.Set(slowdown, harness.Median(factors))
	t.Set(worstSlowdown, slices.Max(factors))
	t.Set(slowFor, harness.Percentile(spans, 0.5))
	t.Set(worstSlowFor, float64(slices.Max(spans)))
}

// slowSpan is how long after a moment the rate, by the millisecond, is below
// what is enough.
func slowSpan(times []time.Time, m time.Time, enough float64) time.Duration {
	const step = time.Millisecond
	span := time.Duration(0)
	for span < 40*time.Millisecond && rate(times, m.Add(span), m.Add(span+step)) < enough {
		span += step
	}
	return span
}

// rate is how many of the times, which are in order, there are per nanosecond.
func rate(times []time.Time, from, to time.Time) float64 {
	earlier := func(a, b time.Time) int { return a.Compare(b) }
	i, _ := slices.BinarySearchFunc(times, from, earlier)
	k, _ := slices.BinarySearchFunc(times, to, earlier)
	return float64(k-i) / float64(to.Sub(from))
}
