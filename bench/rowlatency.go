package main

import (
	"time"

	"github.com/lastcall-go/lastcall/bench/internal/harness"
)

// latencyRows have one task at a time: nothing waits, a worker is parked.
func latencyRows() []harness.Row {
	return []harness.Row{{
		ID:          "d",
		Title:       "One task at a time: from Submit to its start",
		Work:        "a goroutine submits a task to 4 idle workers, waits for its end, and submits the next",
		N:           20_000,
		ShortN:      50,
		Contestants: contestants(allPools, runOneByOne),
		Columns:     []harness.Metric{harness.P50, harness.P99, harness.CPU},
		Targets:     []harness.Target{{Metric: harness.P50, Limit: 1.1}, {Metric: harness.P99, Limit: 1.1}},
		Notes: []string{"A task that comes alone takes the locks of the pool twice on its way, to come in and to be taken; a batch of 64 does so once for all. " +
			"The idle worker that is called holds no task yet, so that a stop or another worker can have it: handing it over would save one of the two."},
	}}
}

func runOneByOne(p peer, t *harness.Trial) error {
	pool, err := p.open(usual)
	if err != nil {
		return err
	}
	latencies := make([]time.Duration, 0, t.N)
	ended := make(chan struct{})
	var submitted time.Time
	task := taskOf(func() {
		latencies = append(latencies, time.Since(submitted))
		ended <- struct{}{}
	})
	t.Begin()
	for range t.N {
		submitted = time.Now()
		if err := pool.submit(task); err != nil {
			return err
		}
		<-ended
	}
	t.End(len(latencies))
	t.Latencies(latencies)
	return pool.finish()
}
