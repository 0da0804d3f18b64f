package pool_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

func Example() {
	p, err := pool.New("mail", pool.Config{Workers: 1, Queue: 100})
	if err != nil {
		fmt.Println(err) // names every wrong field
		return
	}
	ctx := context.Background()
	_ = p.Start(ctx)

	for _, to := range []string{"ada", "grace"} {
		_ = p.Submit(ctx, func(context.Context) { fmt.Println("mail to", to) })
	}

	// Everything that was accepted is finished within the time given; what
	// is not comes back.
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	left, err := p.Stop(ctx)
	fmt.Println(len(left), "left,", err)
	fmt.Println(p.Gate().Ledger())
	// Output:
	// mail to ada
	// mail to grace
	// 0 left, <nil>
	// accepted 2 = done 2 + failed 0 + saved 0
}

func ExampleGo() {
	p, _ := pool.New("sums", pool.Config{})
	ctx := context.Background()
	_ = p.Start(ctx)

	sum, err := pool.Go(ctx, p, func(context.Context) (int, error) { return 20 + 22, nil })
	if err == nil {
		fmt.Println(sum.Wait(ctx))
	}

	_, _ = p.Stop(ctx)
	// Output: 42 <nil>
}

func ExamplePool_SubmitKey() {
	p, _ := pool.New("accounts", pool.Config{Workers: 4})
	ctx := context.Background()
	_ = p.Start(ctx)

	balance := 0 // needs no lock: tasks of one key never run side by side
	for range 3 {
		_ = p.SubmitKey(ctx, "account-7", func(context.Context) { balance = balance*2 + 1 })
	}

	_, _ = p.Stop(ctx)
	fmt.Println(balance)
	// Output: 7
}

func ExamplePool_Resize() {
	p, _ := pool.New("mail", pool.Config{Workers: 2, Queue: 10})
	_ = p.Start(context.Background())

	fmt.Println(p.Resize(pool.Limits{Workers: 8, Queue: 1000}))
	fmt.Printf("%+v\n", p.Limits())

	_, _ = p.Stop(context.Background())
	// Output:
	// <nil>
	// {Workers:8 MinWorkers:0 Queue:1000}
}

func ExamplePool_Stop() {
	p, _ := pool.New("mail", pool.Config{Workers: 1})
	ctx := context.Background()
	for range 3 {
		_ = p.Submit(ctx, func(context.Context) {})
	}

	// It was never started, so all three come back.
	left, _ := p.Stop(ctx)
	fmt.Println(p.Gate().Ledger())
	_ = left[0].Run(ctx) // run it here,
	left[1].Save()       // say that it is safe elsewhere,
	left[2].Lose()       // or own up
	fmt.Println(p.Gate().Ledger())
	// Output:
	// accepted 3 = done 0 + failed 0 + saved 0 + inside 3
	// accepted 3 = done 1 + failed 0 + saved 1 + lost 1
}

func ExampleLane() {
	type message struct{ To, Text string }
	p, _ := pool.New("sms", pool.Config{Workers: 1})
	send := func(_ context.Context, m message) error {
		if m.To == "" {
			return pool.Permanent(errors.New("no receiver")) // trying again would not help
		}
		return nil
	}
	lane, err := pool.NewLane(p, "outbox", send,
		pool.LaneConfig{Timeout: time.Second, Retry: pool.Retry{MaxAttempts: 5}},
		pool.WithResult(func(_ context.Context, r pool.Result[message]) {
			fmt.Printf("%q after %d: %v\n", r.Item.To, r.Attempts, r.Err)
		}),
		pool.WithSave(func(_ context.Context, left []message) error { return nil }),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	_ = p.Start(ctx)
	_ = lane.Submit(ctx, message{To: "ada"})
	_ = lane.Submit(ctx, message{})

	_, _ = lane.Stop(ctx) // then the pool; Stop of the pool alone does both
	_ = lane.Save(ctx)
	_, _ = p.Stop(ctx)
	fmt.Println(lane.Gate().Ledger())
	// Output:
	// "ada" after 1: <nil>
	// "" after 1: no receiver
	// accepted 2 = done 1 + failed 1 + saved 0
}
