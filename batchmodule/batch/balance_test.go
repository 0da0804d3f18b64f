package batch_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lastcall-go/lastcall/batchmodule/batch"
	"github.com/lastcall-go/lastcall/intake"
)

// weather is a sink that does everything a sink may do, by a script, and knows
// what it has delivered.
type weather struct {
	mu        sync.Mutex
	script    []int
	calls     int
	delivered []int
	late      []int // by calls that came back after the stop had given up on them
	over      bool
}

func (w *weather) sink(ctx context.Context, items []int) error {
	w.mu.Lock()
	kind := w.script[w.calls%len(w.script)]
	w.calls++
	w.mu.Unlock()
	deliver := func(items []int) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.over {
			w.late = append(w.late, items...)
			return
		}
		w.delivered = append(w.delivered, items...)
	}
	switch kind {
	default:
		time.Sleep(time.Duration(kind) * time.Millisecond)
		deliver(items)
		return nil
	case 1:
		return errors.New("refused")
	case 2:
		time.Sleep(3 * time.Millisecond)
		return batch.Unavailable(errors.New("down"))
	case 3:
		deliver(items[1:])
		return batch.ItemErrors{0: errors.New("locked")}
	case 4:
		deliver(items[:len(items)-1])
		return batch.ItemErrors{len(items) - 1: batch.Permanent(errors.New("malformed"))}
	case 5:
		panic("thunder")
	case 6: // hangs until it is cut
		<-ctx.Done()
		return ctx.Err()
	case 7: // is cut, and delivers all the same
		<-ctx.Done()
		deliver(items)
		return nil
	case 8: // does not look at its context
		time.Sleep(time.Minute)
		deliver(items)
		return nil
	}
}

// TestStopAtAnyMomentBalances stops a batcher under load at random moments.
// The model is the ledger: every item accepted is delivered, dead or left
// over, exactly one of the three, and the ledger says the same numbers.
func TestStopAtAnyMomentBalances(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := &weather{script: rapid.SliceOfN(rapid.IntRange(0, 12), 1, 12).Draw(rt, "weather")}
		cfg := batch.Config{
			MaxItems:     rapid.IntRange(1, 8).Draw(rt, "max_items"),
			Linger:       time.Duration(rapid.IntRange(1, 20).Draw(rt, "linger")) * time.Millisecond,
			Parallel:     rapid.IntRange(1, 3).Draw(rt, "parallel"),
			WhenFull:     rapid.SampledFrom([]batch.WhenFull{batch.Block, batch.Reject}).Draw(rt, "when_full"),
			MaxKeys:      rapid.IntRange(1, 5).Draw(rt, "max_keys"),
			FlushTimeout: time.Duration(rapid.IntRange(5, 50).Draw(rt, "flush_timeout")) * time.Millisecond,
			Retry:        batch.Retry{MaxAttempts: rapid.IntRange(1, 3).Draw(rt, "attempts"), InitialDelay: time.Millisecond},
		}
		cfg.Buffer = cfg.MaxItems * rapid.IntRange(1, 4).Draw(rt, "buffers")
		keys := rapid.IntRange(0, 4).Draw(rt, "keys")
		start := time.Duration(rapid.IntRange(-1, 20).Draw(rt, "start")) * time.Millisecond
		stop := time.Duration(rapid.IntRange(0, 150).Draw(rt, "stop")) * time.Millisecond
		budget := time.Duration(rapid.IntRange(0, 100).Draw(rt, "budget")) * time.Millisecond
		flushEvery := time.Duration(rapid.IntRange(0, 30).Draw(rt, "flush")) * time.Millisecond

		synctest.Test(t, func(t *testing.T) {
			defer func() {
				if t.Failed() { // what rapid drew is not shown when t fails
					t.Logf("weather %v, config %+v, keys %d, start %s, stop %s, budget %s, flush %s", w.script, cfg, keys, start, stop, budget, flushEvery)
				}
			}()
			var dead, saved []int
			var mu sync.Mutex
			opts := []batch.Option[int]{
				batch.WithDeadLetter(func(_ context.Context, l batch.DeadLetter[int]) {
					time.Sleep(time.Millisecond)
					mu.Lock()
					defer mu.Unlock()
					dead = append(dead, l.Item)
				}),
				batch.WithSave(func(_ context.Context, items []int) error { saved = items; return nil }),
			}
			if keys > 0 {
				opts = append(opts, batch.WithKey(func(i int) string { return fmt.Sprint(i % keys) }))
			}
			b, err := batch.New("orders", w.sink, cfg, opts...)
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			var wg sync.WaitGroup

			var accepted []int
			for p := range 3 {
				wg.Go(func() {
					for i := range 60 {
						item := i*3 + p
						wait, giveUp := context.WithTimeout(ctx, 20*time.Millisecond)
						err := b.Add(wait, item)
						giveUp()
						if err == nil {
							mu.Lock()
							accepted = append(accepted, item)
							mu.Unlock()
						}
						time.Sleep(time.Duration(item%5) * time.Millisecond)
					}
				})
			}
			wg.Go(func() { // somebody always looks
				for ctx.Err() == nil {
					s := b.Stats()
					assert.True(t, s.Ledger.Balanced(), s.Ledger)
					assert.LessOrEqual(t, s.Inside, cfg.Buffer)
					assert.LessOrEqual(t, s.Slots, cfg.Parallel)
					time.Sleep(time.Millisecond)
				}
			})
			if flushEvery > 0 {
				wg.Go(func() {
					for ctx.Err() == nil {
						_ = b.Flush(ctx)
						time.Sleep(flushEvery)
					}
				})
			}
			if start >= 0 {
				time.Sleep(start)
				require.NoError(t, b.Start(t.Context()))
			}
			time.Sleep(stop)
			began := time.Now()
			left := stopWithin(b, budget)
			require.LessOrEqual(t, time.Since(began), budget+100*time.Millisecond)
			w.mu.Lock()
			w.over = true
			delivered := slices.Clone(w.delivered)
			w.mu.Unlock()
			mu.Lock()
			buried := slices.Clone(dead)
			mu.Unlock()
			ledger := b.Gate().Ledger()
			cancel()
			wg.Wait()
			time.Sleep(time.Hour) // sinks that hung come back

			same := func(want []int, parts ...[]int) {
				require.Equal(t, sorted(want), sorted(slices.Concat(parts...)))
			}
			same(accepted, delivered, buried, left)
			want := intake.Ledger{
				Accepted: uint64(len(accepted)), Done: uint64(len(delivered)), Failed: uint64(len(buried)), Inside: uint64(len(left)),
			}
			ledger.Offered, ledger.Rejected = 0, 0 // producers go on after the stop
			require.Equal(t, want, ledger)

			require.NoError(t, b.Save(t.Context()))
			same(left, saved)
			end := b.Gate().Ledger()
			require.True(t, end.Balanced(), end)
			require.EqualValues(t, len(left), end.Saved)
			require.Zero(t, end.Inside)
		})
	})
}

func sorted(items []int) []int {
	items = append([]int{}, items...)
	slices.Sort(items)
	return items
}

func stopWithin(b *batch.Batcher[int], budget time.Duration) []int {
	ctx, cancel := context.WithTimeout(context.Background(), budget)
	defer cancel()
	left, _ := b.Stop(ctx) // the leftovers are what is looked at
	return left
}
