package main

import (
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lastcall-go/lastcall/bench/internal/harness"
)

// perWorker is what a busy worker and its share of the pool hold.
var perWorker = harness.Metric{Name: "memory per worker", Unit: harness.Memory}

// workRows are tasks that do something: a microsecond of work, or waiting.
func workRows() []harness.Row {
	return []harness.Row{
		{
			ID:          "b1M",
			Title:       "A million tasks of 1 µs",
			Work:        "one goroutine submits tasks that compute for 1 µs to 4 workers",
			N:           1_000_000,
			ShortN:      500,
			Rounds:      3,
			Contestants: contestants(allPools, runSpinning),
			Targets:     []harness.Target{{Metric: harness.Wall, Limit: 0.9}},
			Notes: []string{"Two cores need 500 ns for a task of 1 µs. Whoever adds nothing to that is at 0.9 only where the channel adds more than 50 ns; " +
				"where it adds 30, nobody can be below 0.94."},
		},
		{
			ID:          "b10k",
			Title:       "Bursts of 10,000 tasks of 1 µs",
			Work:        "twenty times: open a pool of 4 workers, submit 10,000 tasks that compute for 1 µs, wait for them and close it, all of it measured",
			N:           bursts * 10_000,
			ShortN:      bursts * 10,
			Contestants: contestants(allPools, runBursts),
			Targets:     []harness.Target{{Metric: harness.Wall, Limit: 0.9}},
			Notes: []string{"A burst of 10,000 lasts 5 ms. What lastcall adds to it is calling its four workers one after another, a goroutine for the stop, and that the last " +
				"tasks each get a context of their own, which ends with them, once the drain has begun."},
		},
		{
			ID:          "c",
			Title:       "100,000 tasks that sleep for 10 ms, on 10,000 workers",
			Work:        "one goroutine submits; memory per worker is what heap and stacks grow by when every worker of such a pool is held in a task",
			N:           100_000,
			ShortN:      200,
			Rounds:      3,
			Contestants: contestants(allPools, runSleeping),
			Columns:     []harness.Metric{harness.Wall, harness.CPU, harness.Allocs, perWorker},
			Targets:     []harness.Target{{Metric: harness.Wall, Limit: 1.0}, {Metric: perWorker, Limit: 1.02}},
			Notes: []string{"Nobody can be faster than 100 ms: a hundred thousand tasks are ten for each worker. The wall time is per task, 1 µs at best.",
				"When 10,000 sleepers wake at once, the queue of 4,096 is empty before its submitter gets a processor, and lastcall's workers park and are called " +
					"one after another. What a worker of lastcall holds beside its goroutine is the record of its batch, so that a thief, a stop and the ledger find it, " +
					"a channel to be woken by, and the context that carries the right of its tasks: about 350 bytes."},
		},
	}
}

const bursts = 20

func runSpinning(p peer, t *harness.Trial) error {
	turns := turnsPerMicrosecond()
	pool, err := p.open(usual)
	if err != nil {
		return err
	}
	t.Begin()
	did, err := all(pool, t.N, func() { spin(turns) })
	t.End(did)
	return err
}

func runBursts(p peer, t *harness.Trial) error {
	turns := turnsPerMicrosecond()
	did := 0
	t.Begin()
	for range bursts {
		pool, err := p.open(usual)
		if err != nil {
			return err
		}
		n, err := all(pool, t.N/bursts, func() { spin(turns) })
		if err != nil {
			return err
		}
		did += n
	}
	t.End(did)
	return nil
}

func runSleeping(p peer, t *harness.Trial) error {
	many := limits{workers: 10_000, queue: usual.queue}
	if t.Short {
		many.workers = 20
	}
	pool, err := p.open(many)
	if err != nil {
		return err
	}
	t.Begin()
	did, err := all(pool, t.N, func() { time.Sleep(10 * time.Millisecond) })
	t.End(did)
	if err != nil {
		return err
	}
	return holdWorkers(p, many, t)
}

// holdWorkers measures a pool whose workers are all in a task.
func holdWorkers(p peer, l limits, t *harness.Trial) error {
	before := harness.Footprint()
	pool, err := p.open(l)
	if err != nil {
		return err
	}
	var busy sync.WaitGroup
	busy.Add(l.workers)
	release := make(chan struct{})
	held := taskOf(func() { busy.Done(); <-release })
	for range l.workers {
		if err := pool.submit(held); err != nil {
			return err
		}
	}
	busy.Wait()
	t.Set(perWorker, (harness.Footprint()-before)/float64(l.workers))
	close(release)
	return pool.finish()
}

// all submits n tasks from one goroutine, waits until the pool is through with
// them, and returns how many ran to their end.
func all(pool taker, n int, fn func()) (int, error) {
	var done atomic.Int64
	task := taskOf(func() { fn(); done.Add(1) })
	for range n {
		if err := pool.submit(task); err != nil {
			return 0, err
		}
	}
	err := pool.finish()
	return int(done.Load()), err
}

// spin computes for a number of turns. It reads no clock.
//
//go:noinline
func spin(turns int) {
	x := uint64(turns) | 1
	for range turns {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	runtime.KeepAlive(x)
}

// turnsPerMicrosecond is found out once, from the fastest of many attempts: the
// others were disturbed.
var turnsPerMicrosecond = sync.OnceValue(func() int {
	const turns, attempts = 100_000, 50
	fastest := time.Duration(math.MaxInt64)
	for range attempts {
		from := time.Now()
		spin(turns)
		fastest = min(fastest, time.Since(from))
	}
	return max(1, int(turns*time.Microsecond/fastest))
})
