package main

import (
	"context"
	"os"
	"time"

	"github.com/lastcall-go/lastcall/bench/internal/harness"
	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/filejournal"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// added is what a journal adds to an item, in hops of a channel.
var added = harness.Metric{Name: "journal adds", Unit: harness.Times, Plain: true}

// rawCodec writes bytes down as they are.
var rawCodec = journal.Codec[[]byte]{
	Name:   "raw",
	Encode: func(dst, v []byte) ([]byte, error) { return append(dst, v...), nil },
	Decode: func(p []byte, _ int) ([]byte, error) { return p, nil },
}

// laneRows are items that go through a lane, with and without a journal.
func laneRows() []harness.Row {
	var off, hop time.Duration // of this round
	return []harness.Row{{
		ID:     "m",
		Title:  "Lane with a journal",
		Work:   "one goroutine submits items of 200 bytes to 4 workers whose handler does nothing, the queue holds 4096",
		N:      200_000,
		ShortN: 2_000,
		Contestants: []harness.Contestant{
			{Name: "journal off", Setup: "the same lane, journal: off", Run: func(t *harness.Trial) error {
				err := runLane(t, journal.Off)
				off = t.Elapsed()
				return err
			}},
			{Name: "channel", Setup: "buffered channel, workers in a WaitGroup", Run: func(t *harness.Trial) error {
				err := runHop(t)
				hop = t.Elapsed()
				return err
			}},
			{Name: "lastcall", Setup: "journal: always, sync: process", Run: func(t *harness.Trial) error {
				err := runLane(t, journal.Always)
				t.Set(added, float64(t.Elapsed()-off)/float64(hop))
				return err
			}},
		},
		Columns: []harness.Metric{harness.Wall, harness.CPU, harness.Allocs, harness.Bytes, added},
		Targets: []harness.Target{{Metric: added, Limit: 1, Absolute: true}},
		Notes: []string{
			"Each item is written down before Submit returns, handled, and crossed out. What the journal adds is the time per item above that of the lane without it, " +
				"in hops of the channel, all three of the same round.",
			"Encoding, frame and checksum alone are about two hops, on the goroutine of the submitter. The rest is crossing out, the record that an item needs for it, " +
				"and the second half of Submit: a place is reserved before the item is written and filled after it.",
		},
	}}
}

func runLane(t *harness.Trial, mode journal.Mode) error {
	ctx := context.Background()
	p, err := pool.New("bench", pool.Config{Workers: usual.workers, MinWorkers: usual.workers, Queue: usual.queue})
	if err != nil {
		return err
	}
	if err := p.Start(ctx); err != nil {
		return err
	}
	defer func() { _, _ = p.Stop(ctx) }()

	opts := []pool.LaneOption[[]byte]{pool.WithCodec(rawCodec)}
	if mode != journal.Off {
		dir, err := os.MkdirTemp("", "bench")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		d, err := filejournal.Open(filejournal.Config{Dir: dir, Sync: filejournal.SyncProcess})
		if err != nil {
			return err
		}
		defer func() { _ = d.Close() }()
		opts = append(opts, pool.WithJournal[[]byte](d))
	}
	lane, err := pool.NewLane(p, "bench", func(context.Context, []byte) error { return nil }, pool.LaneConfig{Journal: mode}, opts...)
	if err != nil {
		return err
	}
	if err := lane.Start(ctx); err != nil {
		return err
	}
	t.Begin()
	for range t.N {
		if err := lane.Submit(ctx, payload); err != nil {
			return err
		}
	}
	err = lane.Drain(ctx)
	t.End(int(lane.Stats().Ledger.Done))
	if err != nil {
		return err
	}
	if _, err := lane.Stop(ctx); err != nil {
		return err
	}
	return lane.Save(ctx)
}

// runHop is what row a1 does with the channel, and an item.
func runHop(t *harness.Trial) error {
	items := make(chan []byte, usual.queue)
	counts := make(chan int, usual.workers)
	for range usual.workers {
		go func() {
			n := 0
			for range items { // to take it is the work
				n++
			}
			counts <- n
		}()
	}
	t.Begin()
	for range t.N {
		items <- payload
	}
	close(items)
	did := 0
	for range usual.workers {
		did += <-counts
	}
	t.End(did)
	return nil
}
