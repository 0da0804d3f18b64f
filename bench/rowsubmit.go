package main

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/lastcall-go/lastcall/bench/internal/harness"
)

// usual is the pool of most rows.
var usual = limits{workers: 4, queue: 4096}

// submitRows are empty tasks: what it costs to bring one in, from one
// goroutine and from many.
func submitRows() []harness.Row {
	row := func(submitters int, limit float64) harness.Row {
		return harness.Row{
			ID:          fmt.Sprintf("a%d", submitters),
			Title:       fmt.Sprintf("Empty tasks, %d submitting", submitters),
			Work:        fmt.Sprintf("%d goroutines submit tasks that do nothing to 4 workers, the queue holds 4096 where it has a bound", submitters),
			N:           1_000_000,
			ShortN:      2_048,
			Contestants: contestants(allPools, func(p peer, t *harness.Trial) error { return runEmpty(p, submitters, t) }),
			Targets:     []harness.Target{{Metric: harness.Wall, Limit: limit}, {Metric: harness.CPU, Limit: limit}},
			Notes: []string{
				"One task in 64 counts itself, and the last of each submitter; the others do nothing. A counter in each would cost more than the fastest pools.",
				"Pools without a bound on their queue never make a submitter wait, and pay for it in memory. ants, conc, errgroup and the semaphore have no queue: " +
					"a submitter waits for a free worker, which is a switch of goroutines per task. That is their design, and this row is hard on it.",
				"What lastcall has left to pay is two atomic instructions for the lock of the inbox, one by which a worker takes a task from its batch, and the " +
					"switches of goroutines for whom the queue is full: with 256 submitters about one for 150 tasks. Its CPU time is about half of the channel's, or less; " +
					"its wall time is less so where a core falls asleep while a queue of 4,096 fills or empties, which takes 20 to 60 µs, and is slow to wake.",
			},
		}
	}
	return []harness.Row{row(1, 0.5), row(16, 0.7), row(256, 0.5)}
}

// contestants are peers that run the same work.
func contestants(peers []peer, run func(peer, *harness.Trial) error) []harness.Contestant {
	all := make([]harness.Contestant, 0, len(peers))
	for _, p := range peers {
		all = append(all, harness.Contestant{
			Name: p.name, Setup: p.setup,
			Run: func(t *harness.Trial) error { return run(p, t) },
		})
	}
	return all
}

// sampled is how many tasks stand for one that counts itself.
const sampled = 64

// runEmpty has N tasks submitted in equal parts. Each part ends with a task
// that counts; in a short run all do.
func runEmpty(p peer, submitters int, t *harness.Trial) error {
	pool, err := p.open(usual)
	if err != nil {
		return err
	}
	var counted atomic.Int64
	empty, counting := taskOf(func() {}), taskOf(func() { counted.Add(1) })

	every := sampled
	if t.Short {
		every = 1
	}

	t.Begin()
	want := int64(0)
	var all sync.WaitGroup
	for i := range submitters {
		n := share(t.N, submitters, i)
		want += int64((n + every - 1) / every)
		all.Go(func() {
			for left := n - 1; left >= 0; left-- {
				task := empty
				if left%every == 0 {
					task = counting
				}
				if pool.submit(task) != nil {
					return
				}
			}
		})
	}
	all.Wait()
	err = pool.finish()
	did := t.N
	if counted.Load() != want {
		did = int(counted.Load()) * every
	}
	t.End(did)
	return err
}

// share is the part of n that the i-th of several gets.
func share(n, several, i int) int {
	part := n / several
	if i < n%several {
		part++
	}
	return part
}
