package batch_test

import (
	"context"
	"encoding/json"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/batchmodule/batch"
)

// endsItsGoroutine is an error that cannot be asked.
type endsItsGoroutine struct{}

func (endsItsGoroutine) Error() string { runtime.Goexit(); return "" }

func TestLanded(t *testing.T) {
	t.Parallel()
	run := func(name string, test func(*testing.T)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, test)
		})
	}

	run("SaysWhatCameOfEachFlushTheLatestFirst", func(t *testing.T) {
		began, down := time.Now(), true
		sink := func(_ context.Context, items []int) error {
			time.Sleep(time.Second)
			switch {
			case items[0] == 10:
				return batch.ItemErrors{0: batch.Permanent(errors.New("bad"))}
			case items[0]/10 == 2: // it is then tried by itself, too
				return batch.Permanent(errors.New("all bad"))
			case items[0] == 30 && down:
				down = false
				return errors.New("not now")
			}
			return nil
		}
		b := started(t, sink, batch.Config{MaxItems: 2, Retry: batch.Retry{InitialDelay: time.Second, MaxDelay: time.Second}},
			batch.WithKey(func(i int) string { return "eu" }), batch.WithSize(func(int) int { return 8 }))
		assert.Equal(t, []batch.Landed{}, b.Landed())
		for _, first := range []int{0, 10, 20, 30} {
			addN(t, b, first, 2)
		}
		addN(t, b, 40, 1)
		_ = b.Flush(t.Context())
		log := b.Landed()
		require.Len(t, log, 5)
		want := func(at int, items int, trigger batch.Trigger, attempts int, outcome batch.Outcome) batch.Landed {
			return batch.Landed{Key: "eu", Items: items, Bytes: int64(8 * items), Trigger: trigger, Attempts: attempts, Outcome: outcome, At: began.Add(time.Duration(at) * time.Second)}
		}
		assert.Contains(t, log[2].Error, "all bad")
		assert.Contains(t, log[3].Error, "bad")
		for i, want := range []batch.Landed{
			want(0, 1, batch.TriggerManual, 1, batch.Delivered),
			want(0, 2, batch.TriggerCount, 2, batch.Delivered),
			want(5, 2, batch.TriggerCount, 3, batch.AllFailed),
			want(2, 2, batch.TriggerCount, 1, batch.PartlyFailed),
			want(1, 2, batch.TriggerCount, 1, batch.Delivered),
		} {
			got := log[i]
			assert.Positive(t, got.Took)
			if want.At.Equal(began) { // after a wait of random length
				want.At = got.At
			}
			want.Took, want.Error = got.Took, got.Error
			assert.Equal(t, want, got, i)
		}
		assert.Equal(t, time.Second, log[4].Took)
		text, err := json.Marshal(log[4])
		require.NoError(t, err)
		assert.JSONEq(t, `{"at":"2000-01-01T00:00:01Z","trigger":"count","key":"eu","items":2,"bytes":16,"took":"1s","attempts":1,"outcome":"delivered"}`,
			strings.Replace(string(text), log[4].At.Format(time.RFC3339), log[4].At.UTC().Format(time.RFC3339), 1))
		stopped(t, b)
	})

	run("FiftyAreRemembered", func(t *testing.T) {
		b := started(t, func(context.Context, []int) error { time.Sleep(time.Second); return nil }, batch.Config{MaxItems: 1})
		for n := 1; n <= 120; n++ {
			require.NoError(t, b.Add(t.Context(), n))
			require.NoError(t, b.Flush(t.Context()))
			log := b.Landed()
			require.Len(t, log, min(n, 50))
			for i := range log[1:] {
				require.Equal(t, time.Second, log[i].At.Sub(log[i+1].At))
			}
			require.Equal(t, time.Now(), log[0].At)
			log[0] = batch.Landed{} // it is ours
		}
		stopped(t, b)
	})

	run("TextsAreCut", func(t *testing.T) {
		long := strings.Repeat("x", 1<<20)
		sink := func(context.Context, []string) error { return batch.Permanent(errors.New(long)) }
		b, err := batch.New("orders", sink, batch.Config{}, batch.WithKey(func(s string) string { return s }))
		require.NoError(t, err)
		require.NoError(t, b.Start(t.Context()))
		require.NoError(t, b.Add(t.Context(), long))
		require.Error(t, b.Flush(t.Context()))
		log := b.Landed()
		require.Len(t, log, 1)
		assert.Less(t, len(log[0].Key), 400)
		assert.Less(t, len(log[0].Error), 400)
		_, err = b.Stop(t.Context())
		require.NoError(t, err)
		require.NoError(t, b.Save(t.Context()))
	})

	run("ErrorThatEndsItsGoroutineIsAskedOnce", func(t *testing.T) {
		b := started(t, func(context.Context, []int) error { return batch.ItemErrors{0: batch.Permanent(endsItsGoroutine{})} }, batch.Config{})
		addN(t, b, 0, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_ = b.Flush(ctx)
		require.NoError(t, ctx.Err())
		log := b.Landed()
		require.Len(t, log, 1)
		assert.NotEqual(t, batch.Delivered, log[0].Outcome)
		assert.Equal(t, "an error that cannot be looked at", log[0].Error)
		_, _ = b.Stop(t.Context())
	})

	run("WhatTheStopLeavesOverIsSaid", func(t *testing.T) {
		b := started(t, func(ctx context.Context, _ []int) error { <-ctx.Done(); return ctx.Err() }, batch.Config{MaxItems: 2})
		addN(t, b, 0, 2)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		left, err := b.Stop(ctx)
		require.Error(t, err)
		require.Len(t, left, 2)
		log := b.Landed()
		require.Len(t, log, 1)
		assert.Equal(t, batch.LeftOver, log[0].Outcome)
		assert.Contains(t, log[0].Error, "stop")
		require.Error(t, b.Save(t.Context()))
	})

	run("CanBeReadWhileFlushesEnd", func(t *testing.T) {
		b := started(t, func(context.Context, []int) error { return nil }, batch.Config{MaxItems: 2, Parallel: 4, Buffer: 64})
		var wg sync.WaitGroup
		for p := range 4 {
			wg.Go(func() {
				for i := range 200 {
					assert.NoError(t, b.Add(t.Context(), p*1000+i))
				}
			})
			wg.Go(func() {
				for range 200 {
					for _, l := range b.Landed() {
						assert.Equal(t, batch.Delivered, l.Outcome)
					}
				}
			})
		}
		wg.Wait()
		stopped(t, b)
		assert.Len(t, b.Landed(), 50)
	})
}
