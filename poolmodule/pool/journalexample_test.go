package pool_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/journaltest"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

func ExampleLane_Start() {
	ctx := context.Background()
	store := journaltest.NewMemory(0) // a program has filejournal.Open here

	begin := func() (*pool.Pool, *pool.Lane[string]) {
		p, _ := pool.New("sms", pool.Config{Workers: 1})
		send := func(_ context.Context, to string) error {
			fmt.Println("sent to", to)
			return nil
		}
		lane, err := pool.NewLane(p, "outbox", send,
			pool.LaneConfig{Journal: journal.Always},
			pool.WithJournal[string](store),
			pool.WithReplay[string](func(r pool.Replay) {
				fmt.Println("replay:", r.Entered, "entered,", r.Left, "left")
			}),
		)
		if err != nil {
			fmt.Println(err)
		}
		return p, lane
	}

	_, lane := begin() // this pool is never started: it does nothing
	_ = lane.Start(ctx)
	_ = lane.Submit(ctx, "ada") // nil: it is durable
	_ = lane.Submit(ctx, "grace")
	store.Crash() // kill -9

	p, lane := begin()
	_ = p.Start(ctx)
	_ = lane.Start(ctx)             // when this returns, the journal is open
	_ = lane.Submit(ctx, "barbara") // waits until what was left has entered
	_, _ = lane.Stop(ctx)
	_ = lane.Save(ctx) // writes down what a stop has left over, and closes the journal
	_, _ = p.Stop(ctx)
	fmt.Println(lane.Gate().Ledger())
	// Unordered output:
	// replay: 0 entered, 2 left
	// sent to ada
	// replay: 2 entered, 0 left
	// sent to grace
	// sent to barbara
	// accepted 3 = done 3 + failed 0 + saved 0
}

func ExampleItemOf() {
	// What a receiver has got, by the ID of the item: a table with a unique
	// key, or a provider that deduplicates.
	delivered := map[string]string{}
	answered := false

	p, _ := pool.New("sms", pool.Config{Workers: 1})
	lane, err := pool.NewLane(p, "outbox", func(ctx context.Context, text string) error {
		item, _ := pool.ItemOf(ctx)
		if _, again := delivered[item.ID]; again {
			fmt.Println("try", item.Attempt, "of", item.ID, "finds it delivered")
			return nil
		}
		delivered[item.ID] = text
		if !answered {
			answered = true
			return errors.New("no answer came, so nobody knows")
		}
		return nil
	},
		pool.LaneConfig{Retry: pool.Retry{MaxAttempts: 3, InitialDelay: time.Millisecond}},
		pool.WithID(func(text string) string { return "order 7" }), // without it, one is made
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	_ = p.Start(ctx)
	_ = lane.Submit(ctx, "your parcel is on its way")
	_, _ = lane.Stop(ctx)
	_, _ = p.Stop(ctx)
	fmt.Println("delivered:", len(delivered))
	// Output:
	// try 2 of order 7 finds it delivered
	// delivered: 1
}

func ExampleWithDeadLetters() {
	ctx := context.Background()
	box := journal.NewDeadLetters(journaltest.NewMemory(0)) // a program keeps it with filejournal
	numbers := map[string]string{}
	buried := make(chan struct{}, 1)

	p, _ := pool.New("sms", pool.Config{Workers: 1})
	lane, err := pool.NewLane(p, "outbox", func(_ context.Context, to string) error {
		if numbers[to] == "" {
			return pool.Permanent(errors.New("no number is known"))
		}
		fmt.Println("sent to", to)
		return nil
	}, pool.LaneConfig{},
		pool.WithDeadLetters[string](box),
		pool.WithLabel(func(to string) string { return to }), // what a person looks for
		pool.WithBurial[string](func(pool.Burial) { buried <- struct{}{} }),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = p.Start(ctx)
	_ = lane.Start(ctx) // from now on letters may come back
	_ = lane.Submit(ctx, "ada")
	<-buried

	numbers["ada"] = "+44 1" // somebody has found out
	for letter, err := range box.All(ctx) {
		if err == nil {
			fmt.Println(letter.Component, letter.Key, letter.Reason, letter.Last)
			err = box.Redrive(ctx, letter)
		}
		fmt.Println("sent again:", err == nil)
	}

	_, _ = lane.Stop(ctx)
	_, _ = p.Stop(ctx)
	_ = box.Close()
	fmt.Println(lane.Gate().Ledger())
	// Unordered output:
	// lane:outbox ada permanent no number is known
	// sent again: true
	// sent to ada
	// accepted 2 = done 1 + failed 1 + saved 0
}
