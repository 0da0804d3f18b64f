package batch_test

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/batchmodule/batch"
	"github.com/lastcall-go/lastcall/intake"
)

// morgue keeps dead letters.
type morgue struct{ letters []batch.DeadLetter[int] }

func (m *morgue) option() batch.Option[int] {
	return batch.WithDeadLetter(func(_ context.Context, l batch.DeadLetter[int]) { m.letters = append(m.letters, l) })
}

func (m *morgue) items() []int {
	var items []int
	for _, l := range m.letters {
		items = append(items, l.Item)
	}
	return items
}

func upTo(n int) []int {
	items := make([]int, n)
	for i := range items {
		items[i] = i
	}
	return items
}

func TestPartialFailure(t *testing.T) {
	t.Parallel()

	t.Run("OnlyTheItemsNamedAreTriedAgain", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var given [][]int
			sink := func(_ context.Context, items []int) error {
				given = append(given, slices.Clone(items))
				switch len(given) {
				case 1:
					return fmt.Errorf("insert: %w", batch.ItemErrors{1: errors.New("locked"), 3: errors.New("locked"), 0: nil})
				case 2:
					return batch.ItemErrors{0: errors.New("locked")}
				default:
					return batch.ItemErrors{}
				}
			}
			b := started(t, sink, batch.Config{})
			addN(t, b, 0, 5)
			require.NoError(t, b.Flush(t.Context()))
			assert.Equal(t, [][]int{{0, 1, 2, 3, 4}, {1, 3}, {1}}, given)
			assert.EqualValues(t, 5, b.Stats().Ledger.Done)
			stopped(t, b)
		})
	})

	t.Run("PermanentItemsDieAtOnceTheOthersAfterTheLastAttempt", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var m morgue
			var given [][]int
			sink := func(_ context.Context, items []int) error {
				given = append(given, slices.Clone(items))
				errs := batch.ItemErrors{}
				for i, item := range items {
					switch item {
					case 2:
						errs[i] = batch.Permanent(errors.New("malformed"))
					case 3:
						errs[i] = errors.New("locked")
					}
				}
				return errs
			}
			b := started(t, sink, batch.Config{Retry: batch.Retry{MaxAttempts: 3}}, m.option())
			addN(t, b, 0, 5)
			err := b.Flush(t.Context())
			assert.ErrorContains(t, err, "batch orders: flush: 2 items: 2 items failed, the first at index 2: malformed")
			assert.Equal(t, [][]int{{0, 1, 2, 3, 4}, {3}, {3}}, given)
			require.Len(t, m.letters, 2)
			assert.Equal(t, 2, m.letters[0].Item)
			assert.Equal(t, 1, m.letters[0].Attempts)
			assert.Equal(t, 3, m.letters[1].Item)
			assert.Equal(t, 3, m.letters[1].Attempts)
			assert.EqualError(t, m.letters[1].Err, "locked")
			assert.Equal(t, intake.Ledger{Offered: 5, Accepted: 5, Done: 3, Failed: 2}, b.Stats().Ledger)
			stopped(t, b)
		})
	})

	t.Run("IndexOutsideTheBatchFailsItWhole", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			calls := 0
			sink := func(_ context.Context, items []int) error {
				if calls++; calls == 1 {
					return batch.ItemErrors{0: errors.New("x"), len(items): errors.New("no such item")}
				}
				assert.Len(t, items, 3)
				return nil
			}
			b := started(t, sink, batch.Config{})
			addN(t, b, 0, 3)
			require.NoError(t, b.Flush(t.Context()))
			assert.Equal(t, 2, calls)
			stopped(t, b)
		})
	})
}

func TestPoison(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		give   string
		n      int
		poison []int
	}{
		{"OneFirst", 1000, []int{0}},
		{"OneInTheMiddle", 1000, []int{500}},
		{"OneLast", 1000, []int{999}},
		{"ThreeApart", 1000, []int{3, 400, 998}},
		{"ThreeNeighbours", 1000, []int{511, 512, 513}},
		{"OddBatch", 7, []int{1, 2, 6}},
		{"Pair", 2, []int{1}},
		{"All", 3, []int{0, 1, 2}},
	} {
		t.Run(tt.give, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var (
					r     recorder
					m     morgue
					calls int
				)
				sink := func(ctx context.Context, items []int) error {
					calls++
					for _, p := range tt.poison {
						if slices.Contains(items, p) {
							return fmt.Errorf("batch with %d refused", p)
						}
					}
					return r.sink(ctx, items)
				}
				b := started(t, sink, batch.Config{MaxItems: tt.n, Retry: batch.Retry{MaxAttempts: 3}}, m.option())
				_, err := b.AddAll(t.Context(), upTo(tt.n))
				require.NoError(t, err)
				require.Error(t, b.Flush(t.Context()))

				assert.Equal(t, tt.poison, m.items(), "exactly the poison is dead")
				good := slices.DeleteFunc(upTo(tt.n), func(i int) bool { return slices.Contains(tt.poison, i) })
				assert.Equal(t, good, append([]int{}, r.items()...), "the others are delivered, once and in order")
				assert.LessOrEqual(t, calls, 3+2*len(tt.poison)*bits.Len(uint(tt.n-1)))
				for _, l := range m.letters {
					assert.EqualError(t, l.Err, fmt.Sprintf("batch with %d refused", l.Item))
					assert.Greater(t, l.Attempts, 3)
				}
				stopped(t, b)
			})
		})
	}
}

func TestDeadSink(t *testing.T) {
	t.Parallel()

	t.Run("SearchGivesUpInsteadOfStorming", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var m morgue
			calls := 0
			sink := func(context.Context, []int) error { calls++; return errors.New("connection refused") }
			b := started(t, sink, batch.Config{MaxItems: 1000, Retry: batch.Retry{MaxAttempts: 2}}, m.option())
			_, err := b.AddAll(t.Context(), upTo(1000))
			require.NoError(t, err)
			require.Error(t, b.Flush(t.Context()))
			assert.Equal(t, upTo(1000), m.items(), "nothing is forgotten")
			assert.LessOrEqual(t, calls, 2+18+10)
			assert.EqualValues(t, 1000, b.Stats().Ledger.Failed)
			stopped(t, b)
		})
	})

	t.Run("SinkThatComesBackDuringTheSearchGetsTheRest", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var r recorder
			var m morgue
			calls := 0
			sink := func(ctx context.Context, items []int) error {
				if calls++; calls <= 2+18 {
					return errors.New("connection refused")
				}
				return r.sink(ctx, items)
			}
			b := started(t, sink, batch.Config{MaxItems: 1000, Retry: batch.Retry{MaxAttempts: 2}}, m.option())
			_, err := b.AddAll(t.Context(), upTo(1000))
			require.NoError(t, err)
			require.Error(t, b.Flush(t.Context()))
			assert.Less(t, len(m.letters), 20)
			assert.Len(t, r.items(), 1000-len(m.letters))
			stopped(t, b)
		})
	})

	t.Run("UnavailableUsesUpNoAttemptAndFailsNoItem", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var r recorder
			calls := 0
			sink := func(ctx context.Context, items []int) error {
				if calls++; calls <= 50 {
					return fmt.Errorf("insert: %w", batch.Unavailable(errors.New("connection refused")))
				}
				return r.sink(ctx, items)
			}
			cfg := batch.Config{MaxItems: 3, Buffer: 4, Retry: batch.Retry{MaxAttempts: 1, MaxDelay: time.Second}}
			b := started(t, sink, cfg)
			began := time.Now()
			addN(t, b, 0, 6)
			stopped(t, b)
			assert.Equal(t, upTo(6), r.items())
			assert.Less(t, time.Since(began), 51*time.Second, "no delay exceeds the maximum")
			assert.Greater(t, time.Since(began), 10*time.Second, "it waited between the attempts")
		})
	})

	t.Run("AttemptsAreCountedAcrossAnOutage", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var m morgue
			calls := 0
			sink := func(context.Context, []int) error {
				if calls++; calls%2 == 1 {
					return batch.Unavailable(errors.New("down"))
				}
				return errors.New("refused")
			}
			b := started(t, sink, batch.Config{Retry: batch.Retry{MaxAttempts: 3}}, m.option())
			addN(t, b, 0, 1)
			require.Error(t, b.Flush(t.Context()))
			assert.Equal(t, 6, calls, "three refusals and three outages")
			require.Len(t, m.letters, 1)
			assert.Equal(t, 6, m.letters[0].Attempts)
			stopped(t, b)
		})
	})

	t.Run("UnavailableDuringTheSearchWaitsAndGoesOn", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var r recorder
			var m morgue
			calls := 0
			sink := func(ctx context.Context, items []int) error {
				if calls++; calls%2 == 0 {
					return batch.Unavailable(errors.New("hiccup"))
				}
				if slices.Contains(items, 5) {
					return batch.Permanent(errors.New("five"))
				}
				return r.sink(ctx, items)
			}
			b := started(t, sink, batch.Config{MaxItems: 8}, m.option())
			addN(t, b, 0, 8)
			stopped(t, b)
			assert.Equal(t, []int{5}, m.items())
			assert.Equal(t, []int{0, 1, 2, 3, 4, 6, 7}, r.items())
		})
	})
}

func TestSearchWaitsForNamedItemsThatAreUnavailable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var m morgue
		var given [][]int
		down := batch.Unavailable(errors.New("shard is down"))
		sink := func(_ context.Context, items []int) error {
			given = append(given, slices.Clone(items))
			switch len(given) {
			case 1:
				return batch.Permanent(errors.New("no"))
			case 2:
				return batch.ItemErrors{1: down}
			case 4:
				return batch.ItemErrors{0: errors.New("this one")}
			default:
				return nil
			}
		}
		b := started(t, sink, batch.Config{}, m.option())
		addN(t, b, 0, 4)
		require.Error(t, b.Flush(t.Context()))
		assert.Equal(t, [][]int{{0, 1, 2, 3}, {0, 1}, {1}, {2, 3}}, given)
		assert.Equal(t, []int{2}, m.items())
		stopped(t, b)
	})
}

func TestSinkErrors(t *testing.T) {
	t.Parallel()

	t.Run("PanicIsAnErrorAndTheBatcherLives", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var m morgue
			cause := errors.New("boom")
			sink := func(_ context.Context, items []int) error {
				if items[0] == 0 {
					panic(cause)
				}
				return nil
			}
			b := started(t, sink, batch.Config{MaxItems: 1, Retry: batch.Retry{MaxAttempts: 1}}, m.option())
			addN(t, b, 0, 2)
			err := b.Flush(t.Context())
			var p *batch.PanicError
			require.ErrorAs(t, err, &p)
			assert.Contains(t, p.Stack, "failure_test.go")
			require.ErrorIs(t, err, cause)
			assert.Equal(t, []int{0}, m.items())
			assert.EqualValues(t, 1, b.Stats().Ledger.Done)
			stopped(t, b)
		})
	})

	t.Run("PanicsOfObserversJoinTheError", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			sink := func(context.Context, []int) error { return batch.Permanent(errors.New("no")) }
			b := started(t, sink, batch.Config{},
				batch.WithDeadLetter(func(context.Context, batch.DeadLetter[int]) { panic("dead letter handler") }),
				batch.WithFlushed[int](func(batch.Flush) { panic("observer") }))
			addN(t, b, 0, 1)
			err := b.Flush(t.Context())
			assert.ErrorContains(t, err, "panic: dead letter handler")
			assert.ErrorContains(t, err, "panic: observer")
			assert.EqualValues(t, 1, b.Stats().Ledger.Failed)
			stopped(t, b)
		})
	})

	t.Run("SinkThatEndsItsGoroutineDoesNotTakeTheSlotWithIt", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var r recorder
			sink := func(ctx context.Context, items []int) error {
				if items[0] == 0 {
					time.Sleep(time.Second)
					exitGoroutine()
				}
				return r.sink(ctx, items)
			}
			b := started(t, sink, batch.Config{MaxItems: 1})
			addN(t, b, 0, 1)
			synctest.Wait()
			addN(t, b, 1, 2)
			time.Sleep(time.Minute)
			assert.Equal(t, []int{1, 2}, r.items())
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			left, err := b.Stop(ctx)
			require.ErrorIs(t, err, batch.ErrStopped)
			assert.Equal(t, []int{0}, left)
		})
	})

	t.Run("FlushTimeoutEndsTheContextOfOneAttempt", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			calls := 0
			sink := func(ctx context.Context, _ []int) error {
				if calls++; calls == 2 {
					return nil
				}
				<-ctx.Done()
				return ctx.Err()
			}
			b := started(t, sink, batch.Config{FlushTimeout: time.Second})
			addN(t, b, 0, 1)
			require.NoError(t, b.Flush(t.Context()))
			assert.Equal(t, 2, calls)
			stopped(t, b)
		})
	})

	t.Run("ObserverIsToldWhatCameOfEachBatch", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var seen []batch.Flush
			sink := func(_ context.Context, items []int) error {
				time.Sleep(time.Second)
				if len(items) > 1 {
					return batch.ItemErrors{0: batch.Permanent(errors.New("bad"))}
				}
				return nil
			}
			b := started(t, sink, batch.Config{MaxItems: 4},
				batch.WithKey(func(int) string { return "eu" }),
				batch.WithFlushed[int](func(f batch.Flush) { seen = append(seen, f) }))
			addN(t, b, 0, 5)
			stopped(t, b)
			require.Len(t, seen, 2)
			require.EqualError(t, seen[0].Err, `batch orders: flush of key "eu": 1 item: 1 items failed, the first at index 0: bad`)
			seen[0].Err = nil
			assert.Equal(t, []batch.Flush{
				{Key: "eu", Items: 4, Failed: 1, Trigger: batch.TriggerCount, Calls: 1, Took: time.Second},
				{Key: "eu", Items: 1, Trigger: batch.TriggerDrain, Calls: 1, Took: time.Second},
			}, seen)
		})
	})
}
