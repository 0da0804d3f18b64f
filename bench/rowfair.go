package main

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/lastcall-go/lastcall/bench/internal/harness"
)

// fairRows have a submitter that seldom comes beside others that never pause.
func fairRows() []harness.Row {
	return []harness.Row{{
		ID:    "fair",
		Title: "A slow submitter beside fast ones: how long its Submit takes",
		Work: "four goroutines submit tasks of 1 µs to 4 workers without a pause; a fifth one task, and the next 200 µs after that was taken; " +
			"the times are those of its Submit",
		N:           100,
		ShortN:      5,
		Rounds:      3,
		Contestants: contestants(named("channel", "lastcall", "pond.Go", "ants.Pool"), runFair),
		Columns:     []harness.Metric{harness.P50, harness.P99},
		Targets:     []harness.Target{{Metric: harness.P99, Limit: 2}},
		Notes: []string{
			"Nine goroutines that compute without a pause share two cores here. Once a submitter had to wait, it goes on when the scheduler comes to it, which for a " +
				"time slice of 10 ms is milliseconds; the median says how seldom it had to.",
			"\"Not starved\" is taken as a p99 of at most twice that of a channel, whose senders wait in line. " +
				"A pool that lets blocked submitters in by the group makes one wait longer, and fewer of them.",
			"ants has no queue that could be full; its submitters wait for a free worker. The pools without a bound are not here: nobody waits for room in them.",
		},
	}}
}

func runFair(p peer, t *harness.Trial) error {
	turns := turnsPerMicrosecond()
	pool, err := p.open(usual)
	if err != nil {
		return err
	}
	task := taskOf(func() { spin(turns) })
	var enough atomic.Bool
	var fast sync.WaitGroup
	for range 4 {
		fast.Go(func() {
			for !enough.Load() && pool.submit(task) == nil {
			}
		})
	}
	time.Sleep(20 * time.Millisecond) // until whatever queue there is has filled

	var ran atomic.Int64
	slow := taskOf(func() { ran.Add(1) })
	took := make([]time.Duration, 0, t.N)
	t.Begin()
	for range t.N {
		time.Sleep(200 * time.Microsecond)
		from := time.Now()
		if err = pool.submit(slow); err != nil {
			break
		}
		took = append(took, time.Since(from))
	}
	enough.Store(true)
	fast.Wait()
	if err := pool.finish(); err != nil {
		return err
	}
	t.End(int(ran.Load()))
	t.Latencies(took)
	return err
}
