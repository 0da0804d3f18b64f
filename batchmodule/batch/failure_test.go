package batch_test

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"os"
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
			ledger := b.Stats().Ledger
			assert.EqualValues(t, 1, ledger.Lost, "nobody has it: it is not failed and recorded")
			assert.Zero(t, ledger.Failed)
			stopped(t, b)
			require.EqualError(t, b.Save(t.Context()),
				"batch orders: flush: 1 item: lost: not delivered, and the dead letter handler did not take them; see the errors of Flush and WithFlushed")
		})
	})

	t.Run("FunctionsThatEndTheirGoroutineArePanics", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var panics []string
			sink := func(context.Context, []int) error { return batch.Permanent(errors.New("no")) }
			b := started(t, sink, batch.Config{},
				batch.WithPanicHandler[int](func(e *batch.PanicError) { panics = append(panics, e.Error()) }),
				batch.WithDeadLetter(func(context.Context, batch.DeadLetter[int]) { exitGoroutine() }),
				batch.WithFlushed[int](func(batch.Flush) { exitGoroutine() }))
			addN(t, b, 0, 1)
			var p *batch.PanicError
			require.ErrorAs(t, b.Flush(t.Context()), &p)
			assert.Len(t, panics, 2)
			assert.EqualValues(t, 1, b.Stats().Ledger.Lost)
			stopped(t, b)
		})
	})

	t.Run("ErrorThatCannotBeLookedIntoIsAPanicOfTheSink", func(t *testing.T) {
		t.Parallel()
		for name, give := range map[string]error{
			"whole": (*os.PathError)(nil),
			"named": batch.ItemErrors{0: (*os.PathError)(nil)},
		} {
			synctest.Test(t, func(t *testing.T) {
				var m morgue
				sink := func(context.Context, []int) error { return give }
				b := started(t, sink, batch.Config{Retry: batch.Retry{MaxAttempts: 2}}, m.option())
				addN(t, b, 0, 1)
				var p *batch.PanicError
				require.ErrorAs(t, b.Flush(t.Context()), &p, name)
				assert.NotEmpty(t, p.Stack)
				assert.Equal(t, []int{0}, m.items())
				assert.Equal(t, 2, m.letters[0].Attempts)
				stopped(t, b)
			})
		}
	})

	t.Run("ObserverHearsOfEveryTryThatWillBeMadeAgain", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			no := errors.New("no")
			var seen []batch.Retrying
			sink := func(context.Context, []int) error { return no }
			b := started(t, sink, batch.Config{Retry: batch.Retry{MaxAttempts: 3}},
				batch.WithKey(func(int) string { return "eu" }),
				batch.WithRetrying[int](func(r batch.Retrying) {
					assert.Positive(t, r.After)
					r.After = 0
					seen = append(seen, r)
					panic("swallowed")
				}))
			addN(t, b, 0, 1)
			require.ErrorIs(t, b.Flush(t.Context()), no)
			assert.Equal(t, []batch.Retrying{{Key: "eu", Items: 1, Calls: 1, Err: no}, {Key: "eu", Items: 1, Calls: 2, Err: no}}, seen)
			stopped(t, b)
		})
	})

	t.Run("SinkThatEndsItsGoroutineIsTriedAgain", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var r recorder
			exits := 0
			sink := func(ctx context.Context, items []int) error {
				if exits++; exits <= 2 {
					exitGoroutine()
				}
				return r.sink(ctx, items)
			}
			b := started(t, sink, batch.Config{MaxItems: 1}, batch.WithKey(func(int) string { return "eu" }))
			addN(t, b, 0, 2)
			require.NoError(t, b.Flush(t.Context()))
			assert.Equal(t, []int{0, 1}, r.items())
			stopped(t, b)
		})
	})

	t.Run("ItemAtWhichTheSinkEndsItsGoroutineIsSearchedFor", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var r recorder
			var m morgue
			sink := func(ctx context.Context, items []int) error {
				if slices.Contains(items, 3) || slices.Contains(items, 9) {
					exitGoroutine()
				}
				return r.sink(ctx, items)
			}
			b := started(t, sink, batch.Config{MaxItems: 16, Retry: batch.Retry{MaxAttempts: 2}}, m.option())
			addN(t, b, 0, 16)
			var p *batch.PanicError
			require.ErrorAs(t, b.Flush(t.Context()), &p)
			assert.Equal(t, []int{3, 9}, m.items())
			assert.Equal(t, []int{0, 1, 2, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15}, r.items())
			ledger := b.Stats().Ledger
			assert.EqualValues(t, 2, ledger.Failed)
			assert.EqualValues(t, 14, ledger.Done)
			stopped(t, b)
		})
	})

	t.Run("SinkThatEndsItsGoroutineWhenItIsCutLeavesItsItemsOver", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			sink := func(ctx context.Context, _ []int) error {
				<-ctx.Done()
				exitGoroutine()
				return nil
			}
			b := started(t, sink, batch.Config{MaxItems: 1, FlushTimeout: time.Hour})
			addN(t, b, 0, 1)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			began := time.Now()
			left, err := b.Stop(ctx)
			assert.Equal(t, time.Second, time.Since(began), "it needs no grace")
			require.ErrorIs(t, err, batch.ErrStopped)
			require.NotErrorIs(t, err, batch.ErrHung)
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
