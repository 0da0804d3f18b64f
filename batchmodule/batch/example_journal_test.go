package batch_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lastcall-go/lastcall/batchmodule/batch"
	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/journaltest"
)

// What was accepted outlives the process: here one dies with its sink down, and
// the next delivers.
func ExampleWithJournal() {
	ctx := context.Background()
	store := journaltest.NewMemory(0) // a program takes a filejournal.Directory
	life := func(sink batch.Sink[string], items ...string) *batch.Batcher[string] {
		orders, err := batch.New("orders", sink, batch.Config{Journal: journal.Always},
			batch.WithJournal[string](store))
		if err == nil {
			err = orders.Start(ctx) // opens the journal, begins the replay
		}
		if err == nil {
			_, err = orders.AddAll(ctx, items) // they are in the journal when it returns
		}
		if err != nil {
			fmt.Println(err)
		}
		return orders
	}

	down := func(context.Context, []string) error { return batch.Unavailable(errors.New("connection refused")) }
	dies := life(down, "a", "b")
	store.Crash() // kill -9

	insert := func(_ context.Context, orders []string) error { fmt.Println("insert", orders); return nil }
	orders := life(insert, "c")
	_, _ = orders.Stop(ctx)
	fmt.Println("saved:", orders.Save(ctx))
	fmt.Println(orders.Gate().Ledger())

	now, cancel := context.WithCancel(ctx)
	cancel()
	_, _ = dies.Stop(now)
	_ = dies.Save(ctx)
	// Output:
	// insert [a b c]
	// saved: <nil>
	// accepted 3 = done 3 + failed 0 + saved 0
}

// Delivery is at least once: a sink that must not do a thing twice asks what it
// was given. The ID of an item is the same at every attempt, in every life.
func ExampleItemsOf() {
	paid := map[string]bool{} // stands for a table with a unique column
	pay := func(ctx context.Context, amounts []int) error {
		for i, item := range batch.ItemsOf(ctx) {
			if paid[item.ID] {
				fmt.Println("paid already:", amounts[i])
				continue
			}
			paid[item.ID] = true
			fmt.Println("pay", amounts[i])
		}
		return nil
	}
	forgetful := func(ctx context.Context, amounts []int) error {
		_ = pay(ctx, amounts)
		return batch.Unavailable(errors.New("the answer is lost"))
	}

	ctx := context.Background()
	store := journaltest.NewMemory(0)
	life := func(sink batch.Sink[int], amount int) {
		payments, _ := batch.New("payments", sink, batch.Config{MaxItems: 1, Retry: batch.Retry{InitialDelay: time.Minute}},
			batch.WithJournal[int](store))
		if err := payments.Start(ctx); err != nil {
			fmt.Println(err)
		}
		_ = payments.Add(ctx, amount) // after what the life before has left
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		_, _ = payments.Stop(short)
		_ = payments.Save(ctx) // what is left over, into the journal
	}
	life(forgetful, 100)
	life(pay, 200)
	// Output:
	// pay 100
	// paid already: 100
	// pay 200
}

// What failed for good is kept with its reason, and can be sent again.
func ExampleWithDeadLetters() {
	ctx := context.Background()
	box := journal.NewDeadLetters(journaltest.NewMemory(0))
	open := false
	ship := func(_ context.Context, streets []string) error {
		if !open {
			return batch.Permanent(errors.New("the road is closed"))
		}
		fmt.Println("shipped to", streets)
		return nil
	}
	parcels, _ := batch.New("parcels", ship, batch.Config{},
		batch.WithDeadLetters[string](box), batch.WithLabel(func(street string) string { return "to " + street }))
	_ = parcels.Start(ctx)
	_ = parcels.Add(ctx, "Main Street")
	_ = parcels.Flush(ctx)

	open = true
	for letter, err := range box.All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s, %s: %s, %s\n", letter.Component, letter.Key, letter.Reason, letter.Last)
		fmt.Println("again:", box.Redrive(ctx, letter))
	}
	_, _ = parcels.Stop(ctx)
	fmt.Println(parcels.Gate().Ledger())
	_ = box.Close()
	// Output:
	// batch:parcels, to Main Street: permanent, the road is closed
	// again: <nil>
	// shipped to [Main Street]
	// accepted 2 = done 1 + failed 1 + saved 0
}
