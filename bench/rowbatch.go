package main

import (
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/lastcall-go/lastcall/bench/internal/harness"
)

// keys is how many keys there are.
const keys = 64

// entries are more than the caches of a core's first level, and one for each key.
var entries = func() []*entry {
	all := make([]*entry, 16*keys)
	span := someSpan()
	for i := range all {
		all[i] = &entry{key: "key-" + strconv.Itoa(i%keys), span: span}
	}
	return all
}()

// batchRows are items that are added and come out in batches.
func batchRows() []harness.Row {
	row := func(id, title, by string, limit float64, producers int, among []batcher, notes ...string) harness.Row {
		r := harness.Row{
			ID:      fmt.Sprintf("%s%d", id, producers),
			Title:   fmt.Sprintf("%s, %d adding", title, producers),
			Work:    fmt.Sprintf("%d goroutines add items, which come out in batches of 1,000%s to a sink that does nothing", producers, by),
			N:       500_000,
			ShortN:  5_000,
			Columns: []harness.Metric{harness.Wall, harness.CPU, harness.Allocs, harness.Bytes},
			Targets: []harness.Target{{Metric: harness.Wall, Limit: limit}},
			Notes:   notes,
		}
		if id == "h" {
			r.Targets = append(r.Targets, harness.Target{Metric: harness.Allocs, Limit: 0, Absolute: true})
			r.Notes = append(r.Notes, "A batch of 1,000 is added in about 10 µs, and then a goroutine that flushes is called: waking a core that has fallen asleep for it is "+
				"the greater part of what is left.")
			r.Notes = append(r.Notes, "Add allocates nothing; a flush of 1,000 items about ten times: its context, its timer, its right to go on during a drain.")
		}
		for _, b := range among {
			r.Contestants = append(r.Contestants, harness.Contestant{
				Name: b.name, Setup: b.setup,
				Run: func(t *harness.Trial) error { return runBatch(t, producers, b) },
			})
		}
		return r
	}
	plain := []string{
		"Items are pointers that were made beforehand. For the Collector alone an item must be wrapped into a request when it is added, and the measured time " +
			"has that in it: its interface leaves no other way, and its retries, telemetry and partial errors are features that this row does not use.",
		"The channel, the mutex, BulkExecutor and BatchSpanProcessor count nothing, retry nothing and hand nothing back; BulkExecutor has no bound, and its slices " +
			"are made anew for each batch. The mutex has no linger either.",
	}
	keyed := []string{
		"The map of keys costs about as much as all the rest. With 16 producers it is looked up under the one lock of the batcher, for which they wait; it is not " +
			"sharded, because a snapshot of the ledger, the bound and a stop are exact under that lock.",
		"The baseline is the same loop with a map of slices in it. Of the other peers none has keys; the Collector can partition by the metadata of requests.",
	}
	return []harness.Row{
		row("h", "Batched items", "", 0.15, 1, allBatchers, plain...),
		row("h", "Batched items", "", 0.15, 16, allBatchers, plain...),
		row("i", "Items batched by 64 keys", " of one key each", 0.3, 1, keyedBatchers, keyed...),
		row("i", "Items batched by 64 keys", " of one key each", 0.3, 16, keyedBatchers, keyed...),
	}
}

// runBatch has N items added in equal parts and waits until all are out.
func runBatch(t *harness.Trial, producers int, b batcher) error {
	var out atomic.Int64
	c, err := b.open(func(n int) { out.Add(int64(n)) })
	if err != nil {
		return err
	}
	t.Begin()
	var all sync.WaitGroup
	for p := range producers {
		n := share(t.N, producers, p)
		all.Go(func() {
			for i := range n {
				if c.add(entries[(p*7+i)%len(entries)]) != nil {
					return
				}
			}
		})
	}
	all.Wait()
	err = c.finish()
	t.End(int(out.Load()))
	return err
}
