package batch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/lastcall-go/lastcall/batchmodule/batch"
	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/journal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorder is a sink that keeps copies of what it took.
type recorder struct {
	mu      sync.Mutex
	batches [][]int
}

func (r *recorder) sink(_ context.Context, items []int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.batches = append(r.batches, slices.Clone(items))
	return nil
}

func (r *recorder) sizes() []int {
	r.mu.Lock()
	defer r.mu.Unlock()
	var sizes []int
	for _, items := range r.batches {
		sizes = append(sizes, len(items))
	}
	return sizes
}

func (r *recorder) items() []int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Concat(r.batches...)
}

func started(t *testing.T, sink batch.Sink[int], cfg batch.Config, opts ...batch.Option[int]) *batch.Batcher[int] {
	t.Helper()
	b, err := batch.New("orders", sink, cfg, opts...)
	require.NoError(t, err)
	require.NoError(t, b.Start(t.Context()))
	return b
}

// stopped stops b and asserts that nothing is left over and the books balance.
func stopped(t *testing.T, b *batch.Batcher[int]) {
	t.Helper()
	left, err := b.Stop(context.Background())
	require.NoError(t, err)
	require.Empty(t, left)
	require.True(t, b.Stats().Ledger.Balanced(), b.Stats().Ledger)
}

func addN(t *testing.T, b *batch.Batcher[int], from, n int) {
	t.Helper()
	for i := range n {
		require.NoError(t, b.Add(t.Context(), from+i))
	}
}

func TestTriggers(t *testing.T) {
	t.Parallel()

	t.Run("LingerCountsFromTheFirstItem", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var r recorder
			b := started(t, r.sink, batch.Config{Linger: 100 * time.Millisecond})
			for burst := range 3 {
				time.Sleep(10*time.Second + time.Duration(burst)*37*time.Millisecond) // idle
				began := time.Now()
				addN(t, b, 0, 1)
				time.Sleep(99 * time.Millisecond)
				addN(t, b, 1, 49)
				synctest.Wait()
				assert.Len(t, r.sizes(), burst, "the linger is not over")
				time.Sleep(time.Millisecond)
				synctest.Wait()
				assert.Len(t, r.sizes(), burst+1)
				assert.Equal(t, 100*time.Millisecond, time.Since(began))
			}
			assert.Equal(t, []int{50, 50, 50}, r.sizes())
			assert.EqualValues(t, 3, b.Stats().Flushes.Linger)
			stopped(t, b)
		})
	})

	t.Run("FullBatchDoesNotShortenTheLingerOfTheNext", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var r recorder
			b := started(t, r.sink, batch.Config{MaxItems: 3, Linger: time.Second})
			addN(t, b, 0, 2)
			time.Sleep(900 * time.Millisecond)
			addN(t, b, 2, 2) // fills the first, begins the second
			time.Sleep(900 * time.Millisecond)
			assert.Equal(t, []int{3}, r.sizes())
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
			assert.Equal(t, []int{3, 1}, r.sizes())
			stopped(t, b)
		})
	})

	t.Run("LingerOfItemsAddedBeforeStartCountsToo", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var r recorder
			b, err := batch.New("orders", r.sink, batch.Config{Linger: time.Second})
			require.NoError(t, err)
			addN(t, b, 0, 1)
			time.Sleep(600 * time.Millisecond)
			require.NoError(t, b.Start(t.Context()))
			time.Sleep(400 * time.Millisecond)
			synctest.Wait()
			assert.Equal(t, []int{1}, r.sizes())
			stopped(t, b)
		})
	})

	t.Run("SlowSinkGetsFullerBatchesNotMore", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var r recorder
			slow := func(ctx context.Context, items []int) error {
				time.Sleep(time.Second)
				return r.sink(ctx, items)
			}
			b := started(t, slow, batch.Config{Linger: 10 * time.Millisecond})
			for i := range 100 {
				addN(t, b, i, 1)
				time.Sleep(20 * time.Millisecond)
			}
			stopped(t, b)
			assert.Equal(t, []int{1, 50, 49}, r.sizes())
		})
	})

	t.Run("BytesNeverExceedTheBoundExceptForAGiantAlone", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var r recorder
			var seen []batch.Flush
			b := started(t, r.sink, batch.Config{MaxBytes: 100},
				batch.WithSize(func(size int) int { return size }),
				batch.WithFlushed[int](func(f batch.Flush) { seen = append(seen, f) }))
			for _, size := range []int{40, 50, 20, 1000, 80, 20, 1} {
				require.NoError(t, b.Add(t.Context(), size))
			}
			stopped(t, b)
			assert.Equal(t, [][]int{{40, 50}, {20}, {1000}, {80, 20}, {1}}, r.batches)
			assert.EqualValues(t, 4, b.Stats().Flushes.Bytes)
			assert.Equal(t, "bytes", seen[0].Trigger.String())
			assert.EqualValues(t, 90, seen[0].Bytes)
		})
	})

	t.Run("ManualFlushWaitsAndReturnsTheErrors", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var r recorder
			broken := errors.New("constraint violated")
			sink := func(ctx context.Context, items []int) error {
				time.Sleep(time.Second)
				if items[0] < 0 {
					return batch.Permanent(broken)
				}
				return r.sink(ctx, items)
			}
			b := started(t, sink, batch.Config{})
			require.NoError(t, b.Flush(t.Context()), "nothing to flush")
			addN(t, b, 0, 5)
			require.NoError(t, b.Flush(t.Context()))
			assert.Equal(t, []int{5}, r.sizes())

			addN(t, b, -1, 1)
			err := b.Flush(t.Context())
			require.ErrorIs(t, err, broken)
			assert.EqualError(t, err, "batch orders: flush: 1 item: constraint violated")
			stopped(t, b)
			require.ErrorIs(t, b.Flush(t.Context()), batch.ErrClosed)
		})
	})
}

func TestBackPressure(t *testing.T) {
	t.Parallel()

	t.Run("AddWaitsInOrderAndIsWokenByTheRoomOfABatch", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var r recorder
			slow := func(ctx context.Context, items []int) error {
				time.Sleep(time.Second)
				return r.sink(ctx, items)
			}
			b := started(t, slow, batch.Config{MaxItems: 2, Buffer: 4})
			addN(t, b, 0, 4)
			for i := 4; i < 8; i++ {
				go func() { assert.NoError(t, b.Add(t.Context(), i)) }()
				synctest.Wait()
			}
			assert.Equal(t, 4, b.Stats().Waiting)
			require.ErrorIs(t, b.TryAdd(t.Context(), 99), batch.ErrFull)
			time.Sleep(time.Second)
			synctest.Wait()
			assert.Equal(t, 2, b.Stats().Waiting, "one batch of two made room")
			assert.Equal(t, 4, b.Stats().Inside)
			time.Sleep(time.Second)
			synctest.Wait()
			stopped(t, b)
			assert.Equal(t, []int{0, 1, 2, 3, 4, 5, 6, 7}, r.items())
			assert.EqualValues(t, 1, b.Stats().Ledger.Rejected)
		})
	})

	t.Run("AddThatGivesUpIsNotAccepted", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var r recorder
			b, err := batch.New("orders", r.sink, batch.Config{MaxItems: 1, Buffer: 1})
			require.NoError(t, err)
			addN(t, b, 0, 1)
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.New("out of patience"))
			defer cancel()
			require.ErrorContains(t, b.Add(ctx, 1), "batch orders: add: out of patience")
			assert.Equal(t, intake.Ledger{Offered: 2, Accepted: 1, Rejected: 1, Inside: 1}, b.Gate().Ledger())
			require.NoError(t, b.Start(t.Context()))
			stopped(t, b)
			assert.Equal(t, []int{0}, r.items())
		})
	})

	t.Run("RejectReturnsErrFullAtOnce", func(t *testing.T) {
		t.Parallel()
		var r recorder
		b, err := batch.New("orders", r.sink, batch.Config{MaxItems: 2, Buffer: 2, WhenFull: batch.Reject})
		require.NoError(t, err)
		n, err := b.AddAll(t.Context(), []int{0, 1, 2, 3})
		require.ErrorIs(t, err, batch.ErrFull)
		assert.Equal(t, 2, n)
		require.NoError(t, b.Start(t.Context()))
		stopped(t, b)
	})

	t.Run("WaiterFlushesAHalfFullBatchWhenASlotIsIdle", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var r recorder
			b := started(t, r.sink, batch.Config{MaxItems: 4, Buffer: 4, MaxKeys: 2, Linger: time.Hour},
				batch.WithKey(func(i int) string { return fmt.Sprint(i) }))
			began := time.Now()
			addN(t, b, 0, 10) // the third key finds both places taken
			assert.Zero(t, time.Since(began), "nobody waited for the linger")
			assert.Positive(t, b.Stats().Flushes.Room)
			assert.LessOrEqual(t, b.Stats().Keys, 2)
			stopped(t, b)
			assert.Len(t, r.items(), 10)
		})
	})

	t.Run("KeyThatBecomesFreeLetsTheNextIn", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var r recorder
			b := started(t, r.sink, batch.Config{MaxKeys: 1, Linger: time.Hour}, batch.WithKey(func(i int) string { return fmt.Sprint(i) }))
			began := time.Now()
			addN(t, b, 0, 3)
			assert.Zero(t, time.Since(began))
			stopped(t, b)
			assert.Equal(t, [][]int{{0}, {1}, {2}}, r.batches)
		})
	})

	t.Run("OpenBatchWithRoomIsNoWayPastThoseWhoWait", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var r recorder
			b, err := batch.New("orders", r.sink, batch.Config{MaxKeys: 1}, batch.WithKey(func(i int) string { return fmt.Sprint(i % 2) }))
			require.NoError(t, err)
			require.NoError(t, b.Add(t.Context(), 0))
			go func() { assert.NoError(t, b.Add(t.Context(), 1)) }() // waits for its key
			synctest.Wait()
			require.ErrorIs(t, b.TryAdd(t.Context(), 2), batch.ErrFull)
			require.NoError(t, b.Start(t.Context()))
			synctest.Wait()
			stopped(t, b)
			assert.Equal(t, []int{0, 1}, r.items())
		})
	})

	t.Run("AddAllKeepsOrderThroughAFullBuffer", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var r recorder
			b := started(t, r.sink, batch.Config{MaxItems: 7, Buffer: 10})
			items := make([]int, 100)
			for i := range items {
				items[i] = i
			}
			n, err := b.AddAll(t.Context(), items)
			require.NoError(t, err)
			assert.Equal(t, 100, n)
			stopped(t, b)
			assert.Equal(t, items, r.items())
		})
	})
}

func TestOrder(t *testing.T) {
	t.Parallel()

	t.Run("LaterBatchOfAKeyNeverOvertakes", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			type item struct{ key, n int }
			var mu sync.Mutex
			took, calls, running, most := map[int][]int{}, 0, 0, 0
			sink := func(_ context.Context, items []item) error {
				mu.Lock()
				calls++
				running++
				most = max(most, running)
				pause, fail := time.Duration(calls*7%13)*time.Millisecond, calls%3 == 0
				mu.Unlock()
				time.Sleep(pause)
				mu.Lock()
				defer mu.Unlock()
				running--
				if fail {
					return errors.New("try again")
				}
				for _, it := range items {
					assert.Equal(t, items[0].key, it.key, "a batch has one key")
					took[it.key] = append(took[it.key], it.n)
				}
				return nil
			}
			b, err := batch.New("orders", sink, batch.Config{MaxItems: 5, Parallel: 4, Linger: 3 * time.Millisecond},
				batch.WithKey(func(it item) string { return fmt.Sprint(it.key) }))
			require.NoError(t, err)
			require.NoError(t, b.Start(t.Context()))
			for n := range 600 {
				require.NoError(t, b.Add(t.Context(), item{n % 6, n}))
				if n%50 == 0 {
					time.Sleep(time.Millisecond)
				}
			}
			_, err = b.Stop(context.Background())
			require.NoError(t, err)
			assert.Equal(t, 4, most, "flushes ran in parallel")
			for key := range 6 {
				assert.Len(t, took[key], 100)
				assert.True(t, slices.IsSorted(took[key]), "key %d: %v", key, took[key])
			}
		})
	})

	t.Run("ParallelOneKeepsOrderWithoutKeys", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var r recorder
			calls := 0
			sink := func(ctx context.Context, items []int) error {
				if calls++; calls%2 == 0 {
					return errors.New("try again")
				}
				return r.sink(ctx, items)
			}
			b := started(t, sink, batch.Config{MaxItems: 3, Buffer: 30})
			addN(t, b, 0, 100)
			stopped(t, b)
			assert.Len(t, r.items(), 100)
			assert.True(t, slices.IsSorted(r.items()))
		})
	})
}

func TestConfig(t *testing.T) {
	t.Parallel()

	t.Run("ZeroIsUsable", func(t *testing.T) {
		t.Parallel()
		require.NoError(t, batch.Config{}.Validate())
	})

	t.Run("CollaboratorThatIsNilIsAsIfItWereNotGiven", func(t *testing.T) {
		t.Parallel()
		s := newStore(0)
		box := boxIn(t, s)
		codec := journal.JSON[int]()
		codec.Version = 7
		told := map[string]int{}
		one := func(int) string { return "one" }
		panicked := false
		sink := func(context.Context, []int) error {
			if !panicked {
				panicked = true
				panic("once")
			}
			return batch.Permanent(errors.New("refused"))
		}
		b := started(t, sink, batch.Config{MaxItems: 1, MaxBytes: 1, Retry: batch.Retry{InitialDelay: time.Millisecond}},
			batch.WithJournal[int](s), batch.WithDeadLetters[int](box), batch.WithCodec(codec),
			batch.WithKey(one), batch.WithSize(func(int) int { return 1 }), batch.WithID(one), batch.WithLabel(one),
			batch.WithFlushed[int](func(batch.Flush) { told["flushed"]++ }),
			batch.WithRetrying[int](func(batch.Retrying) { told["retrying"]++ }),
			batch.WithBurial[int](func(batch.Burial) { told["burial"]++ }),
			batch.WithPanicHandler[int](func(*batch.PanicError) { told["panic"]++ }),

			batch.WithJournal[int](nil), batch.WithDeadLetters[int](nil), batch.WithCodec(journal.Codec[int]{}),
			batch.WithKey[int](nil), batch.WithSize[int](nil), batch.WithID[int](nil), batch.WithLabel[int](nil),
			batch.WithFlushed[int](nil), batch.WithRetrying[int](nil), batch.WithBurial[int](nil), batch.WithPanicHandler[int](nil),
			batch.WithDeadLetter[int](nil), batch.WithSave[int](nil), batch.WithReplay[int](nil))
		addN(t, b, 5, 1)
		finish(t, b)
		require.Equal(t, map[string]int{"flushed": 1, "retrying": 1, "burial": 1, "panic": 1}, told)
		require.Equal(t, journal.OnStop, b.Stats().Journal)
		l := letters(t, box)
		require.Len(t, l, 1)
		require.Equal(t, []any{"one", "one", 7}, []any{l[0].ID, l[0].Key, l[0].Version})
	})

	t.Run("EveryWrongFieldIsReportedTogether", func(t *testing.T) {
		t.Parallel()
		_, err := batch.New[int]("", nil, batch.Config{
			MaxItems: -1, MaxBytes: -1, Linger: -1, Parallel: -1, WhenFull: "explode", MaxKeys: -1, FlushTimeout: -1, MaxAge: -1, StopBudget: -1,
			Retry: batch.Retry{MaxAttempts: -2, InitialDelay: time.Hour, MaxDelay: time.Second, Multiplier: 0.5},
		})
		for _, want := range []string{
			"max_items: is -1", "max_bytes: is -1", "linger: is -1ns", "parallel: is -1", `when_full: is "explode"; give "block" or "reject"`,
			"max_keys: is -1", "flush_timeout: is -1ns", "max_age: is -1ns", "stop_budget: is -1ns", "retry.max_attempts: is -2",
			"retry.max_delay: is 1s, less than retry.initial_delay (1h0m0s)", "retry.multiplier: is 0.5", "name: is empty", "sink: is nil",
		} {
			assert.ErrorContains(t, err, want)
		}
		require.EqualError(t, batch.Config{MaxItems: -1, Buffer: -2, Retry: batch.Retry{InitialDelay: -4, MaxDelay: -3}}.Validate(),
			"max_items: is -1; give a positive number, or leave it out for the default\n"+
				"buffer: is -2; give a positive number, or leave it out for the default\n"+
				"retry.initial_delay: is -4ns; give a positive duration, or leave it out for the default\n"+
				"retry.max_delay: is -3ns; give a positive duration, or leave it out for the default",
			"one wrong field neither hides nor accuses another")
		require.ErrorContains(t, batch.Config{MaxItems: 10, Buffer: 9}.Validate(), "buffer: is 9, less than max_items (10)")
		_, err = batch.New("orders", (&recorder{}).sink, batch.Config{MaxBytes: 10})
		require.ErrorContains(t, err, "batch orders: max_bytes: needs to know the size of an item; give WithSize")
	})
}

func TestStats(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		sink := func(context.Context, []int) error { <-hold; return nil }
		b := started(t, sink, batch.Config{MaxItems: 3, Linger: time.Hour}, batch.WithKey(func(i int) string { return fmt.Sprint(i % 2) }))
		addN(t, b, 0, 8) // 0 2 4 fly, 6 is open; 1 3 5 are ready, 7 is open
		time.Sleep(time.Minute)
		s := b.Stats()
		assert.Equal(t, batch.Stats{
			Name: "orders", Limits: batch.Limits{MaxItems: 3, Linger: time.Hour, Parallel: 1, Buffer: 30}, Inside: 8, Buffered: 5, InFlight: 3, Keys: 2, Slots: 1, Oldest: time.Minute, Journal: journal.Off, DeadLetters: batch.NoLetters,
			Ledger: intake.Ledger{Offered: 8, Accepted: 8, Inside: 8},
		}, s)
		close(hold)
		stopped(t, b)
		s = b.Stats()
		assert.Equal(t, batch.FlushCounts{Count: 2, Drain: 2}, s.Flushes)
		assert.Equal(t, intake.Closed, s.State)
		assert.Zero(t, s.Oldest)
	})
}

func TestStatsOfTheJournal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, let := newStore(0), make(chan struct{})
		s.fill(t, upTo(6)...)
		codec := journal.JSON[int]()
		codec.Decode = func(p []byte, _ int) (int, error) {
			if string(p) == "2" {
				return 0, errors.New("illegible")
			}
			return strconv.Atoi(string(p))
		}
		cfg := batch.Config{MaxItems: 3, Buffer: 4, Linger: time.Hour, Journal: journal.Always}
		b := started(t, func(context.Context, []int) error { <-let; return nil }, cfg, batch.WithJournal[int](s), batch.WithCodec(codec))
		synctest.Wait()
		st := b.Stats()
		require.Equal(t, []int{4, 1, 1, 6}, []int{st.Replayed, st.ReplayLeft, st.Unreadable, st.InJournal})
		let <- struct{}{}
		synctest.Wait()
		st = b.Stats()
		require.Equal(t, []int{5, 0, 1, 3}, []int{st.Replayed, st.ReplayLeft, st.Unreadable, st.InJournal})

		written := make(chan struct{})
		s.hook(func(context.Context, string, []journal.Entry) error { <-written; return nil })
		var wg sync.WaitGroup
		wg.Go(func() {
			n, err := b.AddAll(t.Context(), []int{7, 8})
			assert.NoError(t, err)
			assert.Equal(t, 2, n)
		})
		synctest.Wait()
		require.Equal(t, 2, b.Stats().Writing)
		require.Equal(t, 2, b.Stats().Inside)
		close(written)
		wg.Wait()
		st = b.Stats()
		require.Equal(t, []int{0, 4, 5}, []int{st.Writing, st.Inside, st.InJournal})
		text, err := json.Marshal(st)
		require.NoError(t, err)
		require.Contains(t, string(text), `"in_journal":5,"writing":0,"replayed":5,"replay_left":0,"unreadable":1`)
		close(let)
		finish(t, b)
		require.Equal(t, 1, b.Stats().InJournal, "also after the end")
	})
}

func TestDeliveredItemsAreNotKeptAlive(t *testing.T) {
	t.Parallel()
	b, err := batch.New("orders", func(context.Context, []*[1024]byte) error { return nil }, batch.Config{})
	require.NoError(t, err)
	require.NoError(t, b.Start(t.Context()))
	item := new([1024]byte)
	alive := weak.Make(item)
	require.NoError(t, b.Add(t.Context(), item))
	require.NoError(t, b.Flush(t.Context()))
	runtime.GC()
	assert.Nil(t, alive.Value())
	_, err = b.Stop(context.Background())
	require.NoError(t, err)
}

func TestSinksThatAppendDoNotWriteOverOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var r recorder
		sink := func(ctx context.Context, items []int) error {
			if slices.Contains(items, 1) {
				_ = append(items, 666)
				return batch.Permanent(errors.New("one is poison"))
			}
			return r.sink(ctx, items)
		}
		b := started(t, sink, batch.Config{MaxItems: 8})
		addN(t, b, 0, 8)
		stopped(t, b)
		assert.Equal(t, []int{0, 2, 3, 4, 5, 6, 7}, r.items())
	})
}
