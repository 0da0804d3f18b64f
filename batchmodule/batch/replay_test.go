package batch_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/batchmodule/batch"
	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/journal"
)

// slowly makes items take their time to be read.
func slowly(each time.Duration) batch.Option[int] {
	codec := journal.JSON[int]()
	decode := codec.Decode
	codec.Decode = func(p []byte, v int) (int, error) { time.Sleep(each); return decode(p, v) }
	return batch.WithCodec(codec)
}

func TestReplay(t *testing.T) {
	t.Parallel()

	t.Run("WhatAnEarlierLifeLeftEntersFirstInOrder", func(t *testing.T) {
		t.Parallel()
		for _, mode := range []journal.Mode{journal.OnStop, journal.Always} {
			s := newStore(0)
			s.fill(t, upTo(500)...)
			var r recorder
			b := started(t, r.sink, batch.Config{Journal: mode, MaxItems: 10, Buffer: 20}, batch.WithJournal[int](s))
			addN(t, b, 500, 20)
			finish(t, b)
			require.Equal(t, upTo(520), r.items())
			require.Empty(t, s.inside(t, ordersJournal))
			require.Equal(t, intake.Ledger{Offered: 520, Accepted: 520, Done: 520}, b.Gate().Ledger())
			require.Equal(t, 500, b.Stats().Replayed)
			require.Zero(t, b.Stats().ReplayLeft)
		}
	})

	t.Run("OrderWithinAKeyIsKeptAcrossIt", func(t *testing.T) {
		t.Parallel()
		key := batch.WithKey(func(i int) string { return strconv.Itoa(i % 3) })
		cfg := batch.Config{Journal: journal.Always, MaxItems: 4, Buffer: 40, Parallel: 3}
		s := newStore(0)
		b := started(t, hang, cfg, batch.WithJournal[int](s), key)
		addN(t, b, 0, 30)
		require.NoError(t, b.Save(t.Context()))
		var r recorder
		b = started(t, r.sink, cfg, batch.WithJournal[int](s), key)
		addN(t, b, 30, 30)
		finish(t, b)
		for k := range 3 {
			var of []int
			for _, i := range r.items() {
				if i%3 == k {
					of = append(of, i)
				}
			}
			require.True(t, slices.IsSorted(of), of)
			require.Len(t, of, 20)
		}
	})

	t.Run("SinkThatAddsToItsOwnBatcherDoesNotWaitForIt", func(t *testing.T) {
		t.Parallel()
		for _, mode := range []journal.Mode{journal.OnStop, journal.Always} {
			for _, buffer := range []int{15, 40} { // 16 have been read when the sink adds
				synctest.Test(t, func(t *testing.T) {
					s := newStore(0)
					s.fill(t, upTo(30)...)
					var r recorder
					var b *batch.Batcher[int]
					var added []error
					sink := func(ctx context.Context, items []int) error {
						if len(added) == 0 {
							time.Sleep(13 * time.Second)
							added = append(added, b.Add(ctx, 100), b.TryAdd(ctx, 101))
							n, err := b.AddAll(ctx, []int{102, 103})
							assert.Equal(t, err == nil, n == 2)
							added = append(added, err)
						}
						return r.sink(ctx, items)
					}
					b, err := batch.New("orders", sink, batch.Config{Journal: mode, MaxItems: 10, Buffer: buffer, Linger: time.Hour}, batch.WithJournal[int](s), slowly(2*time.Second))
					require.NoError(t, err)
					require.NoError(t, b.Start(t.Context()))
					require.NoError(t, b.Add(t.Context(), 104), "another waits")
					finish(t, b)
					got := sorted(r.items())
					if buffer == 15 {
						for _, err := range added {
							require.ErrorIs(t, err, batch.ErrReplaying)
						}
						require.Equal(t, append(upTo(30), 104), got)
						return
					}
					require.Equal(t, []error{nil, nil, nil}, added)
					require.Equal(t, append(upTo(30), 100, 101, 102, 103, 104), got)
				})
			}
		}
	})

	t.Run("MeanwhileAddWaitsAndWhatDoesNotWaitIsRefused", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s, let := newStore(0), make(chan struct{})
			s.fill(t, upTo(30)...)
			var r recorder
			sink := func(ctx context.Context, items []int) error { <-let; return r.sink(ctx, items) }
			b := started(t, sink, batch.Config{MaxItems: 5, Buffer: 10, Linger: time.Hour}, batch.WithJournal[int](s))
			synctest.Wait()
			st := b.Stats()
			require.Equal(t, 10, st.Inside, "memory is bounded by the buffer")
			require.EqualValues(t, 10, st.Ledger.Accepted)
			require.Equal(t, 10, st.Replayed)
			require.Equal(t, 20, st.ReplayLeft)

			err := b.TryAdd(t.Context(), 77)
			require.ErrorIs(t, err, batch.ErrReplaying)
			require.NotErrorIs(t, err, batch.ErrFull)
			short, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			n, err := b.AddAll(short, []int{78})
			require.Zero(t, n)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			var wg sync.WaitGroup
			wg.Go(func() { assert.NoError(t, b.Add(t.Context(), 30)) })
			synctest.Wait()
			close(let)
			wg.Wait()
			finish(t, b)
			require.Equal(t, upTo(31), r.items())
			require.EqualValues(t, 2, b.Stats().Ledger.Rejected)
		})
	})

	t.Run("BatchesAreFullAlsoWhileOthersWait", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := newStore(0)
			s.fill(t, upTo(100)...)
			var r recorder
			b := started(t, r.sink, batch.Config{MaxItems: 10, Buffer: 50}, batch.WithJournal[int](s), slowly(10*time.Millisecond))
			addN(t, b, 100, 1)
			finish(t, b)
			require.Equal(t, []int{10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 1}, r.sizes())
		})
	})

	t.Run("KeysThatFillTheBufferWithOpenBatchesDoNotHoldItUp", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := newStore(0)
			s.fill(t, upTo(40)...)
			var r recorder
			began := time.Now()
			b := started(t, r.sink, batch.Config{MaxItems: 5, Buffer: 5, Linger: time.Hour}, batch.WithJournal[int](s), batch.WithKey(strconv.Itoa))
			require.NoError(t, b.Add(t.Context(), 40))
			require.Zero(t, time.Since(began), "nobody waits for a linger")
			finish(t, b)
			require.Equal(t, upTo(41), sorted(r.items()))
		})
	})

	t.Run("BeforeStartNothingIsTaken", func(t *testing.T) {
		t.Parallel()
		for _, mode := range []journal.Mode{journal.OnStop, journal.Always} {
			var r recorder
			b, err := batch.New("orders", r.sink, batch.Config{Journal: mode}, batch.WithJournal[int](newStore(0)))
			require.NoError(t, err)
			require.ErrorIs(t, b.Add(t.Context(), 1), batch.ErrNotStarted)
			require.ErrorIs(t, b.TryAdd(t.Context(), 1), batch.ErrNotStarted)
			n, err := b.AddAll(t.Context(), upTo(3))
			require.Zero(t, n)
			require.ErrorIs(t, err, batch.ErrNotStarted)
			require.NoError(t, b.Save(t.Context()))
			require.ErrorIs(t, b.Add(t.Context(), 1), batch.ErrClosed)
			require.ErrorIs(t, b.Start(t.Context()), batch.ErrClosed)
			require.Equal(t, intake.Ledger{Offered: 4, Rejected: 4}, b.Gate().Ledger())
		}
	})

	t.Run("StopLeavesInTheJournalWhatHasNotEntered", func(t *testing.T) {
		t.Parallel()
		for _, mode := range []journal.Mode{journal.OnStop, journal.Always} {
			synctest.Test(t, func(t *testing.T) {
				s := newStore(0)
				s.fill(t, upTo(50)...)
				var told []batch.Replay
				b := started(t, hang, batch.Config{Journal: mode, MaxItems: 5, Buffer: 10}, batch.WithJournal[int](s),
					batch.WithReplay[int](func(r batch.Replay) { told = append(told, r) }))
				synctest.Wait()
				require.Equal(t, upTo(10), stopWithin(b, time.Second))
				require.NoError(t, b.Save(t.Context()))
				require.Equal(t, intake.Ledger{Offered: 10, Accepted: 10, Saved: 10}, b.Gate().Ledger())
				require.Equal(t, upTo(50), s.inside(t, ordersJournal))
				require.Equal(t, 40, b.Stats().ReplayLeft)
				require.Len(t, told, 2)
				require.True(t, told[1].Over)
				require.ErrorIs(t, told[1].Err, batch.ErrDraining)
				require.Equal(t, 40, told[1].Left)
			})
		}
	})

	t.Run("DrainOfTheGateAloneEndsItToo", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := newStore(0)
			s.fill(t, upTo(50)...)
			var r recorder
			let := make(chan struct{})
			sink := func(ctx context.Context, items []int) error { <-let; return r.sink(ctx, items) }
			var last batch.Replay
			b := started(t, sink, batch.Config{MaxItems: 5, Buffer: 10}, batch.WithJournal[int](s),
				batch.WithReplay[int](func(r batch.Replay) { last = r }))
			synctest.Wait()
			b.Gate().Drain()
			synctest.Wait()
			require.True(t, last.Over, "whatever the sink does")
			close(let)
			require.NoError(t, b.Drain(t.Context()))
			require.Equal(t, upTo(10), r.items())
			finish(t, b)
			require.Len(t, s.inside(t, ordersJournal), 40)
		})
	})

	t.Run("SecondCrashDuringItLosesNothing", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := newStore(0)
			s.fill(t, upTo(50)...)
			for life := range 3 {
				var r recorder
				taken := 0
				sink := func(ctx context.Context, items []int) error {
					if taken++; taken > 2 {
						return hang(ctx, items)
					}
					return r.sink(ctx, items)
				}
				b := started(t, sink, batch.Config{Journal: journal.Always, MaxItems: 5, Buffer: 10}, batch.WithJournal[int](s))
				synctest.Wait()
				s.Crash()
				require.Equal(t, upTo(50)[10*life:10*life+10], r.items())
				_ = b.Save(t.Context())
			}
			require.Equal(t, upTo(50)[30:], s.inside(t, ordersJournal))
		})
	})

	t.Run("ObserverHearsTheBeginTheProgressAndTheEnd", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := newStore(0)
			s.fill(t, upTo(40)...)
			var told []batch.Replay
			slow := func(context.Context, []int) error { time.Sleep(3 * time.Second); return nil }
			b := started(t, slow, batch.Config{MaxItems: 10, Buffer: 10}, batch.WithJournal[int](s),
				batch.WithReplay[int](func(r batch.Replay) { told = append(told, r); panic("no matter") }))
			addN(t, b, 40, 1)
			require.Equal(t, []batch.Replay{
				{Left: 40},
				{Entered: 20, Left: 20, Took: 5 * time.Second},
				{Entered: 40, Took: 9 * time.Second, Over: true},
			}, told)
			finish(t, b)
		})
	})

	t.Run("UnreadableEntriesStayOrGoToTheDeadLetters", func(t *testing.T) {
		t.Parallel()
		s := newStore(0)
		s.fill(t, upTo(4)...)
		codec := journal.JSON[int]()
		decode := codec.Decode
		codec.Decode = func(p []byte, v int) (int, error) {
			if string(p) == "2" {
				panic("two")
			}
			return decode(p, v)
		}
		var last batch.Replay
		observe := batch.WithReplay[int](func(r batch.Replay) { last = r })
		var r recorder
		b := started(t, r.sink, batch.Config{}, batch.WithJournal[int](s), batch.WithCodec(codec), observe)
		addN(t, b, 4, 1)
		finish(t, b)
		require.Equal(t, []int{0, 1, 3, 4}, r.items())
		require.Equal(t, 1, last.Unreadable)
		require.Zero(t, last.Left)
		require.Equal(t, []int{2}, s.inside(t, ordersJournal))

		box := journal.NewDeadLetters(s)
		b = started(t, r.sink, batch.Config{}, batch.WithJournal[int](s), batch.WithCodec(codec), observe, batch.WithDeadLetters[int](box))
		addN(t, b, 5, 1)
		finish(t, b)
		require.Empty(t, s.inside(t, ordersJournal))
		n, err := box.Len(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.NoError(t, box.Close())
	})

	t.Run("KeyThatPanicsDoesNotRefuseWhatWasAccepted", func(t *testing.T) {
		t.Parallel()
		s := newStore(0)
		b := started(t, hang, batch.Config{}, batch.WithJournal[int](s), batch.WithKey(strconv.Itoa))
		addN(t, b, 1, 2)
		require.NoError(t, b.Save(t.Context()))

		var panics []any
		var r recorder
		keys := map[int]string{}
		sink := func(ctx context.Context, items []int) error {
			keys[items[0]] = batch.ItemsOf(ctx)[0].Key
			return r.sink(ctx, items)
		}
		b = started(t, sink, batch.Config{}, batch.WithJournal[int](s),
			batch.WithKey(func(i int) string {
				if i < 3 {
					panic(i)
				}
				return ""
			}),
			batch.WithPanicHandler[int](func(p *batch.PanicError) { panics = append(panics, p.Value) }))
		addN(t, b, 3, 1)
		finish(t, b)
		require.Equal(t, upTo(4)[1:], sorted(r.items()))
		require.Equal(t, []any{1, 2}, panics)
		require.Equal(t, map[int]string{1: "1", 2: "2", 3: ""}, keys, "each has the key it had")
	})

	t.Run("CodecThatEndsItsGoroutineEndsItAndNewWorkGoesOn", func(t *testing.T) {
		t.Parallel()
		s := newStore(0)
		s.fill(t, 1, 2)
		codec := journal.JSON[int]()
		codec.Decode = func([]byte, int) (int, error) { exitGoroutine(); return 0, nil }
		var last batch.Replay
		var r recorder
		b := started(t, r.sink, batch.Config{}, batch.WithJournal[int](s), batch.WithCodec(codec),
			batch.WithReplay[int](func(r batch.Replay) { last = r }))
		addN(t, b, 3, 1)
		require.True(t, last.Over)
		require.ErrorContains(t, last.Err, "runtime.Goexit")
		finish(t, b)
		require.Equal(t, []int{3}, r.items())
		require.Equal(t, []int{1, 2}, s.inside(t, ordersJournal))
	})

	t.Run("StopWaitsForItNoLongerThanItTakes", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := newStore(0)
			s.fill(t, 1, 2)
			var r recorder
			b := started(t, r.sink, batch.Config{}, batch.WithJournal[int](s), slowly(50*time.Millisecond))
			synctest.Wait()
			began := time.Now()
			finish(t, b)
			require.Equal(t, 50*time.Millisecond, time.Since(began))
			require.Empty(t, r.items())
		})
	})

	t.Run("OneThatHangsDoesNotHoldTheStop", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s, let := newStore(0), make(chan struct{})
			s.fill(t, 1, 2)
			codec := journal.JSON[int]()
			codec.Decode = func([]byte, int) (int, error) { <-let; return 1, nil }
			var r recorder
			b := started(t, r.sink, batch.Config{}, batch.WithJournal[int](s), batch.WithCodec(codec))
			synctest.Wait()
			began := time.Now()
			_, err := b.Stop(t.Context())
			require.ErrorIs(t, err, batch.ErrHung)
			require.Equal(t, 100*time.Millisecond, time.Since(began))
			require.NoError(t, b.Save(t.Context()))
			close(let)
			synctest.Wait()
			require.Empty(t, r.items())
			require.Equal(t, []int{1, 2}, s.inside(t, ordersJournal))
		})
	})
}

func TestStartWithAJournal(t *testing.T) {
	t.Parallel()

	t.Run("ErrorOfTheJournalIsReturnedAndStartMayBeTriedAgain", func(t *testing.T) {
		t.Parallel()
		s := newStore(0)
		other, err := s.Open(t.Context(), ordersJournal)
		require.NoError(t, err)
		var r recorder
		b, err := batch.New("orders", r.sink, batch.Config{}, batch.WithJournal[int](s))
		require.NoError(t, err)
		err = b.Start(t.Context())
		require.ErrorIs(t, err, journal.ErrLocked)
		require.ErrorContains(t, err, "batch orders: start: ")
		require.ErrorIs(t, b.Add(t.Context(), 1), batch.ErrNotStarted)
		require.NoError(t, other.Close())
		require.NoError(t, b.Start(t.Context()))
		require.NoError(t, b.Start(t.Context()))
		addN(t, b, 1, 1)
		finish(t, b)
		require.Equal(t, []int{1}, r.items())
	})

	t.Run("StopEndsTheOpeningAndNothingStaysOpen", func(t *testing.T) {
		t.Parallel()
		for _, cut := range []bool{true, false} { // false: the opener does not look at its context
			synctest.Test(t, func(t *testing.T) {
				s, let := newStore(0), make(chan struct{})
				s.opening = func(ctx context.Context, _ string) error {
					if !cut {
						<-let
						return nil
					}
					<-ctx.Done()
					return context.Cause(ctx)
				}
				b, err := batch.New("orders", hang, batch.Config{}, batch.WithJournal[int](s))
				require.NoError(t, err)
				var wg sync.WaitGroup
				wg.Go(func() { assert.ErrorIs(t, b.Start(t.Context()), batch.ErrClosed) })
				synctest.Wait()
				wg.Go(func() { // one that begins meanwhile waits, but not for ever
					ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
					defer cancel()
					assert.ErrorIs(t, b.Start(ctx), context.DeadlineExceeded)
				})
				time.Sleep(time.Second)
				began := time.Now()
				_, err = b.Stop(t.Context())
				require.NoError(t, err)
				require.Zero(t, time.Since(began))
				time.AfterFunc(time.Minute, func() { close(let) })
				require.NoError(t, b.Save(t.Context()), "it waits, so that its store can be closed after it")
				require.Empty(t, s.inside(t, ordersJournal), "it can be opened")
				if cut {
					require.Zero(t, time.Since(began))
				}
				wg.Wait()
			})
		}
	})

	t.Run("SaveWaitsForTheOpeningNoLongerThanItMay", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s, let := newStore(0), make(chan struct{})
			s.opening = func(context.Context, string) error { <-let; return nil }
			b, err := batch.New("orders", hang, batch.Config{}, batch.WithJournal[int](s))
			require.NoError(t, err)
			var wg sync.WaitGroup
			wg.Go(func() { assert.ErrorIs(t, b.Start(t.Context()), batch.ErrClosed) })
			synctest.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			err = b.Save(ctx)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.EqualError(t, err, "batch orders: save: somebody else is still starting it: context deadline exceeded")
			close(let)
			wg.Wait()
			require.Empty(t, s.inside(t, ordersJournal), "it can be opened")
		})
	})

	t.Run("ContextBoundsTheOpeningAlone", func(t *testing.T) {
		t.Parallel()
		s := newStore(0)
		s.fill(t, 1)
		var r recorder
		b, err := batch.New("orders", r.sink, batch.Config{}, batch.WithJournal[int](s))
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		require.NoError(t, b.Start(ctx))
		cancel()
		addN(t, b, 2, 1)
		finish(t, b)
		require.Equal(t, []int{1, 2}, r.items())
	})
}

// A source of trouble for everything that is told apart by an ID.
func TestIDsAreTheSameInEveryLife(t *testing.T) {
	t.Parallel()
	for _, mode := range []journal.Mode{journal.OnStop, journal.Always} {
		for _, own := range []bool{true, false} {
			t.Run(fmt.Sprint(mode, own), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := newStore(0)
					opts := []batch.Option[int]{batch.WithJournal[int](s)}
					if own {
						opts = append(opts, batch.WithID(func(i int) string { return fmt.Sprint("#", i) }))
					}
					ids := map[int]string{}
					for life := range 4 {
						sink := func(ctx context.Context, items []int) error {
							for i, it := range batch.ItemsOf(ctx) {
								if old := ids[items[i]]; old != "" {
									assert.Equal(t, old, it.ID)
								}
								ids[items[i]] = it.ID
							}
							return batch.Unavailable(errors.New("down"))
						}
						b := started(t, sink, batch.Config{Journal: mode, MaxItems: 100, Linger: time.Millisecond}, opts...)
						addN(t, b, 10*life, 10)
						time.Sleep(time.Second)
						require.NoError(t, b.Save(t.Context()))
					}
					require.Len(t, ids, 40)
					different := map[string]bool{}
					for i, id := range ids {
						different[id] = true
						require.Equal(t, own, id == fmt.Sprint("#", i))
					}
					require.Len(t, different, 40)
				})
			})
		}
	}
}
