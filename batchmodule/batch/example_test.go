package batch_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lastcall-go/lastcall/batchmodule/batch"
)

func Example() {
	insert := func(_ context.Context, orders []string) error {
		fmt.Println("insert", len(orders), "orders")
		return nil
	}
	orders, err := batch.New("orders", insert, batch.Config{MaxItems: 3, Linger: time.Hour})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	if err := orders.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	for i := range 5 {
		if err := orders.Add(ctx, fmt.Sprint("order ", i)); err != nil {
			fmt.Println("not accepted:", err)
		}
	}

	// The stop flushes the last two at once, whatever the linger.
	stop, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	left, err := orders.Stop(stop)
	fmt.Println(len(left), "left over,", err)
	fmt.Println(orders.Gate().Ledger())
	// Output:
	// insert 3 orders
	// insert 2 orders
	// 0 left over, <nil>
	// accepted 5 = done 5 + failed 0 + saved 0
}

// A sink that knows which rows it could not write says so; only those are
// tried again.
func ExampleItemErrors() {
	calls := 0
	sink := func(_ context.Context, rows []string) error {
		calls++
		fmt.Println("write", rows)
		if calls == 1 {
			return batch.ItemErrors{1: errors.New("row is locked")}
		}
		return nil
	}
	rows, _ := batch.New("rows", sink, batch.Config{Retry: batch.Retry{InitialDelay: time.Millisecond}})
	ctx := context.Background()
	_ = rows.Start(ctx)
	_, _ = rows.AddAll(ctx, []string{"a", "b", "c"})
	fmt.Println(rows.Flush(ctx))
	_, _ = rows.Stop(ctx)
	// Output:
	// write [a b c]
	// write [b]
	// <nil>
}

// The item that poisons a batch is found and put aside; the others arrive.
func ExampleWithDeadLetter() {
	sink := func(_ context.Context, rows []string) error {
		for _, row := range rows {
			if row == "poison" {
				return batch.Permanent(errors.New("constraint violated"))
			}
		}
		fmt.Println("write", rows)
		return nil
	}
	rows, _ := batch.New("rows", sink, batch.Config{},
		batch.WithDeadLetter(func(_ context.Context, l batch.DeadLetter[string]) {
			fmt.Printf("dead: %s after %d attempts: %v\n", l.Item, l.Attempts, l.Err)
		}))
	ctx := context.Background()
	_ = rows.Start(ctx)
	_, _ = rows.AddAll(ctx, []string{"a", "b", "poison", "c"})
	_, _ = rows.Stop(ctx)
	fmt.Println(rows.Gate().Ledger())
	// Output:
	// write [a b]
	// dead: poison after 3 attempts: constraint violated
	// write [c]
	// accepted 4 = done 3 + failed 1 + saved 0
}

// What a stop could not deliver is handed to the saver.
func ExampleBatcher_Save() {
	down := func(context.Context, []string) error {
		return batch.Unavailable(errors.New("connection refused"))
	}
	orders, _ := batch.New("orders", down, batch.Config{},
		batch.WithSave(func(_ context.Context, leftovers []string) error {
			fmt.Println("save", leftovers)
			return nil
		}))
	ctx := context.Background()
	_ = orders.Start(ctx)
	_, _ = orders.AddAll(ctx, []string{"a", "b"})

	stop, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	_, err := orders.Stop(stop)
	fmt.Println("stopped in time:", !errors.Is(err, batch.ErrStopped))
	fmt.Println("saved:", orders.Save(ctx))
	fmt.Println(orders.Gate().Ledger())
	// Output:
	// stopped in time: false
	// save [a b]
	// saved: <nil>
	// accepted 2 = done 0 + failed 0 + saved 2
}

// Each key has batches of its own, and keeps its order.
func ExampleWithKey() {
	type reading struct {
		sensor string
		value  int
	}
	sink := func(_ context.Context, readings []reading) error {
		fmt.Println(readings)
		return nil
	}
	readings, _ := batch.New("readings", sink, batch.Config{Linger: time.Hour},
		batch.WithKey(func(r reading) string { return r.sensor }))
	ctx := context.Background()
	_ = readings.Start(ctx)
	_, _ = readings.AddAll(ctx, []reading{{"cellar", 11}, {"roof", 31}, {"cellar", 12}, {"roof", 30}})
	_, _ = readings.Stop(ctx)
	// Output:
	// [{cellar 11} {cellar 12}]
	// [{roof 31} {roof 30}]
}

// A checkpoint: everything added so far is written before the program goes on.
func ExampleBatcher_Flush() {
	sink := func(_ context.Context, lines []string) error {
		fmt.Println("wrote", len(lines), "lines")
		return nil
	}
	lines, _ := batch.New("lines", sink, batch.Config{Linger: time.Hour},
		batch.WithFlushed[string](func(f batch.Flush) { fmt.Println("why:", f.Trigger) }))
	ctx := context.Background()
	_ = lines.Start(ctx)
	_, _ = lines.AddAll(ctx, []string{"a", "b", "c"})
	if err := lines.Flush(ctx); err != nil {
		fmt.Println("not all were written:", err)
	}
	_, _ = lines.Stop(ctx)
	// Output:
	// wrote 3 lines
	// why: manual
}
