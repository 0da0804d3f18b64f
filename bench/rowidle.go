package main

import (
	"sync"
	"time"

	"github.com/lastcall-go/lastcall/bench/internal/harness"
)

var (
	idleCPU  = harness.Metric{Name: "CPU in all", Unit: harness.Nanoseconds, Plain: true}
	switches = harness.Metric{Name: "switches", Unit: harness.Count, Plain: true}
	perPool  = harness.Metric{Name: "memory per pool", Unit: harness.Memory}
)

// keepWorkers are the peers whose workers stay, at least for a while, when
// there is nothing to do.
func keepWorkers() []peer {
	return named("channel", "lastcall", "pond.Go", "ants.Pool", "workerpool", "conc")
}

func named(names ...string) (peers []peer) {
	for _, name := range names {
		for _, p := range allPools {
			if p.name == name {
				peers = append(peers, p)
			}
		}
	}
	return peers
}

// idleRows are pools with nothing to do: what they cost all the same.
func idleRows() []harness.Row {
	return []harness.Row{
		{
			ID:          "f",
			Title:       "64 idle workers for 10 s",
			Work:        "64 tasks are run at once, then nothing comes; the processor time of the process and how often a thread of it went to sleep, from then on",
			N:           1,
			ShortN:      1,
			Rounds:      1,
			Contestants: contestants(keepWorkers(), runIdle),
			Columns:     []harness.Metric{idleCPU, switches},
			Targets:     []harness.Target{{Metric: idleCPU, Limit: 10e6, Absolute: true}},
			Notes: []string{
				"\"No CPU\" is taken as at most 10 ms, a thousandth of one core: what the process uses by itself is part of every line.",
				"Idle workers of pond leave at once, those of workerpool one every 2 s; both are started again with the next task.",
			},
		},
		{
			ID:          "g",
			Title:       "1,000 pools: memory of an idle one",
			Work:        "a thousand pools of 1 worker and, where it has a bound, a queue of 1024 are opened and run one task each; what heap and stacks have grown by then",
			N:           1_000,
			ShortN:      10,
			Contestants: contestants(keepWorkers(), runManyPools),
			Columns:     []harness.Metric{perPool, harness.Wall, harness.CPU, harness.Allocs},
			Targets:     []harness.Target{{Metric: perPool, Limit: 1.5}},
			Notes:       []string{"The channel has its 1024 places from the start. A pool of pond holds no worker here: it has left."},
		},
	}
}

func runIdle(p peer, t *harness.Trial) error {
	const workers = 64
	pool, err := p.open(limits{workers: workers, queue: usual.queue})
	if err != nil {
		return err
	}
	if err := together(pool, workers); err != nil {
		return err
	}
	pause := 10 * time.Second
	if t.Short {
		pause = 20 * time.Millisecond
	}
	t.Begin()
	time.Sleep(pause)
	t.End(1)
	t.Set(idleCPU, float64(t.CPUTime()))
	t.Set(switches, float64(t.Switches()))
	return pool.finish()
}

// together has as many workers run a task at the same time.
func together(pool taker, workers int) error {
	var meeting sync.WaitGroup
	meeting.Add(workers)
	task := taskOf(func() { meeting.Done(); meeting.Wait() })
	for range workers {
		if err := pool.submit(task); err != nil {
			return err
		}
	}
	meeting.Wait()
	return nil
}

func runManyPools(p peer, t *harness.Trial) error {
	pools := make([]taker, 0, t.N)
	before := harness.Footprint()
	t.Begin()
	for range t.N {
		pool, err := p.open(limits{workers: 1, queue: 1024})
		if err != nil {
			return err
		}
		if err := together(pool, 1); err != nil {
			return err
		}
		pools = append(pools, pool)
	}
	t.End(len(pools))
	t.Set(perPool, (harness.Footprint()-before)/float64(t.N))
	for _, pool := range pools {
		if err := pool.finish(); err != nil {
			return err
		}
	}
	return nil
}
