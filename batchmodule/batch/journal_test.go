package batch_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
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
	"github.com/lastcall-go/lastcall/journal/journaltest"
)

const ordersJournal = "batch:orders"

// store is a store in memory whose appends can be looked at, held up or refused.
type store struct {
	*journaltest.Memory
	mu      sync.Mutex
	appends map[string][]int // how many entries each had, by the journal's name
	before  func(ctx context.Context, name string, entries []journal.Entry) error
	after   func()
	opening func(ctx context.Context, name string) error
}

func newStore(limit int) *store {
	return &store{Memory: journaltest.NewMemory(limit), appends: map[string][]int{}}
}

func (s *store) Open(ctx context.Context, name string) (journal.Journal, error) {
	s.mu.Lock()
	opening := s.opening
	s.mu.Unlock()
	if opening != nil {
		if err := opening(ctx, name); err != nil {
			return nil, err
		}
	}
	j, err := s.Memory.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	return &storeJournal{j, s, name}, nil
}

// hook sets what is called before each append; nil is nothing.
func (s *store) hook(before func(ctx context.Context, name string, entries []journal.Entry) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = before
}

func (s *store) sizes(name string) []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.appends[name])
}

// inside are the payloads of what is in a closed journal.
func (s *store) inside(t *testing.T, name string) []int {
	t.Helper()
	j, err := s.Memory.Open(t.Context(), name)
	require.NoError(t, err)
	defer func() { require.NoError(t, j.Close()) }()
	items := []int{}
	for e, err := range j.Replay(t.Context()) {
		require.NoError(t, err)
		item, err := strconv.Atoi(string(e.Payload))
		require.NoError(t, err)
		items = append(items, item)
	}
	return items
}

// fill leaves items in the journal, as an earlier life would.
func (s *store) fill(t *testing.T, items ...int) {
	t.Helper()
	b := started(t, hang, batch.Config{Buffer: 10_000}, batch.WithJournal[int](s))
	_, err := b.AddAll(t.Context(), items)
	require.NoError(t, err)
	require.NoError(t, b.Save(t.Context()))
}

type storeJournal struct {
	journal.Journal
	s    *store
	name string
}

func (j *storeJournal) Append(ctx context.Context, entries ...journal.Entry) (journal.Span, error) {
	j.s.mu.Lock()
	j.s.appends[j.name] = append(j.s.appends[j.name], len(entries))
	before, after := j.s.before, j.s.after
	j.s.mu.Unlock()
	if before != nil {
		if err := before(ctx, j.name, entries); err != nil {
			return journal.Span{}, err
		}
	}
	span, err := j.Journal.Append(ctx, entries...)
	if after != nil {
		after()
	}
	return span, err
}

// hang is a sink that takes nothing until it is cut.
func hang(ctx context.Context, _ []int) error { <-ctx.Done(); return ctx.Err() }

// finish stops b within its time and saves what is left.
func finish(t *testing.T, b *batch.Batcher[int]) {
	t.Helper()
	_, err := b.Stop(t.Context())
	require.NoError(t, err)
	require.NoError(t, b.Save(t.Context()))
	l := b.Gate().Ledger()
	require.True(t, l.Balanced(), l)
	require.Zero(t, l.Inside)
}

var always = batch.Config{Journal: journal.Always}

func TestJournalAlways(t *testing.T) {
	t.Parallel()

	t.Run("ItemIsInTheJournalBeforeAddReturnsAndCrossedOutWhenDone", func(t *testing.T) {
		t.Parallel()
		s, let := newStore(0), make(chan struct{})
		sink := func(context.Context, []int) error { <-let; return nil }
		b := started(t, sink, always, batch.WithJournal[int](s))
		addN(t, b, 0, 3)
		require.Equal(t, []int{1, 1, 1}, s.sizes(ordersJournal))
		s.Crash() // its Done is refused: nothing is crossed out
		close(let)
		require.NoError(t, b.Flush(t.Context()))
		finish(t, b)
		require.Equal(t, []int{0, 1, 2}, s.inside(t, ordersJournal))

		var r recorder
		b = started(t, r.sink, always, batch.WithJournal[int](s))
		addN(t, b, 3, 1)
		finish(t, b)
		require.Equal(t, upTo(4), r.items())
		require.Empty(t, s.inside(t, ordersJournal))
		require.Equal(t, intake.Ledger{Offered: 4, Accepted: 4, Done: 4}, b.Gate().Ledger(), "what is replayed is accepted again")
	})

	t.Run("AddAllIsWrittenDownInGroupsAlsoWithKeysAndSizes", func(t *testing.T) {
		t.Parallel()
		s := newStore(0)
		var r recorder
		cfg := batch.Config{Journal: journal.Always, MaxItems: 100, MaxBytes: 1 << 20, Buffer: 5000}
		b := started(t, r.sink, cfg, batch.WithJournal[int](s),
			batch.WithKey(func(i int) string { return strconv.Itoa(i % 7) }), batch.WithSize(func(int) int { return 8 }))
		n, err := b.AddAll(t.Context(), upTo(2500))
		require.NoError(t, err)
		require.Equal(t, 2500, n)
		require.Equal(t, []int{1000, 1000, 500}, s.sizes(ordersJournal))
		finish(t, b)
		require.Equal(t, upTo(2500), sorted(r.items()))
		require.Empty(t, s.inside(t, ordersJournal))
	})

	t.Run("AddAllWaitsForRoomAndWritesDownWhatFits", func(t *testing.T) {
		t.Parallel()
		s := newStore(0)
		var r recorder
		cfg := batch.Config{Journal: journal.Always, MaxItems: 10, Buffer: 30}
		b := started(t, r.sink, cfg, batch.WithJournal[int](s))
		n, err := b.AddAll(t.Context(), upTo(1000))
		require.NoError(t, err)
		require.Equal(t, 1000, n)
		require.LessOrEqual(t, slices.Max(s.sizes(ordersJournal)), 30)
		require.Less(t, len(s.sizes(ordersJournal)), 150, "in groups, not one by one")
		finish(t, b)
		require.Equal(t, upTo(1000), r.items())
	})

	t.Run("PartialSuccessIsCrossedOutAtOnce", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := newStore(0)
			sink := func(context.Context, []int) error {
				return batch.ItemErrors{1: errors.New("locked"), 3: errors.New("locked")}
			}
			b := started(t, sink, batch.Config{Journal: journal.Always, MaxItems: 5, Retry: batch.Retry{InitialDelay: time.Hour}}, batch.WithJournal[int](s))
			_, err := b.AddAll(t.Context(), []int{7, 7, 7, 7, 8})
			require.NoError(t, err)
			synctest.Wait() // it waits for the second attempt
			s.Crash()
			_ = b.Save(t.Context())
			require.Equal(t, []int{7, 7}, s.inside(t, ordersJournal), "equal items are told apart")
		})
	})

	t.Run("RefusalOfTheJournalIsARefusalOfAddAndHeals", func(t *testing.T) {
		t.Parallel()
		s := newStore(4)
		let := make(chan struct{})
		sink := func(context.Context, []int) error { <-let; return nil }
		b := started(t, sink, batch.Config{Journal: journal.Always, MaxItems: 100, Linger: time.Millisecond}, batch.WithJournal[int](s))
		n, err := b.AddAll(t.Context(), upTo(10)) // a byte each
		require.Equal(t, 4, n, "those before the one that does not fit are accepted")
		require.ErrorIs(t, err, journal.ErrFull)
		require.ErrorContains(t, err, "batch orders: add: journal batch:orders: append: full")
		require.ErrorIs(t, b.TryAdd(t.Context(), 5), journal.ErrFull)
		require.Equal(t, intake.Ledger{Offered: 6, Accepted: 4, Rejected: 2, Inside: 4}, b.Gate().Ledger())
		close(let)
		require.NoError(t, b.Flush(t.Context()))
		addN(t, b, 5, 3)
		finish(t, b)
		require.EqualValues(t, 7, b.Gate().Ledger().Done)
		require.Empty(t, s.inside(t, ordersJournal))
	})

	t.Run("ItemThatCannotBeWrittenDownKeepsOutNobodyBeforeIt", func(t *testing.T) {
		t.Parallel()
		s := newStore(0)
		var r recorder
		codec := journal.JSON[int]()
		encode := codec.Encode
		codec.Encode = func(dst []byte, i int) ([]byte, error) {
			if i == 6 {
				panic("six")
			}
			return encode(dst, i)
		}
		b := started(t, r.sink, always, batch.WithJournal[int](s), batch.WithCodec(codec))
		n, err := b.AddAll(t.Context(), upTo(10))
		require.Equal(t, 6, n)
		require.ErrorContains(t, err, "the codec json panicked: six")
		finish(t, b)
		require.Equal(t, upTo(6), r.items())
	})

	t.Run("CodecThatEndsItsGoroutineGivesThePlaceBack", func(t *testing.T) {
		t.Parallel()
		s := newStore(0)
		var r recorder
		codec := journal.JSON[int]()
		codec.Encode = func([]byte, int) ([]byte, error) { runtime.Goexit(); return nil, nil }
		b := started(t, r.sink, always, batch.WithJournal[int](s), batch.WithCodec(codec))
		var wg sync.WaitGroup
		wg.Go(func() { _ = b.Add(t.Context(), 1) })
		wg.Wait()
		finish(t, b)
		require.Equal(t, intake.Ledger{Offered: 1, Rejected: 1}, b.Gate().Ledger())
	})

	t.Run("RefusalOfTheJournalGivesPlaceAndKeyToWhoWaits", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s, let := newStore(0), make(chan struct{})
			s.hook(func(_ context.Context, _ string, entries []journal.Entry) error {
				<-let
				if string(entries[0].Payload) == "1" {
					return journal.ErrFull
				}
				return nil
			})
			var r recorder
			b := started(t, r.sink, batch.Config{Journal: journal.Always, MaxItems: 1, Buffer: 1, MaxKeys: 1, WhenFull: batch.Block},
				batch.WithJournal[int](s), batch.WithKey(strconv.Itoa))
			var wg sync.WaitGroup
			wg.Go(func() { assert.ErrorIs(t, b.Add(t.Context(), 1), journal.ErrFull) })
			synctest.Wait()
			wg.Go(func() { assert.NoError(t, b.Add(t.Context(), 2)) })
			synctest.Wait()
			require.Equal(t, 1, b.Stats().Waiting)
			close(let)
			wg.Wait()
			require.NoError(t, b.Flush(t.Context()))
			require.Equal(t, []int{2}, r.items())
			require.Zero(t, b.Stats().Keys)

			shut := make(chan struct{})
			s.hook(func(context.Context, string, []journal.Entry) error { <-shut; return journal.ErrFull })
			wg.Go(func() { assert.ErrorIs(t, b.Add(t.Context(), 3), journal.ErrFull) })
			synctest.Wait()
			wg.Go(func() { assert.NoError(t, b.Drain(t.Context())) })
			synctest.Wait()
			began := time.Now()
			close(shut)
			wg.Wait()
			finish(t, b)
			require.Zero(t, time.Since(began), "nothing is thought to be still on its way")
			require.Equal(t, intake.Ledger{Offered: 3, Accepted: 1, Rejected: 2, Done: 1}, b.Gate().Ledger())
		})
	})

	t.Run("ItemThatIsBeingWrittenDownHoldsItsKey", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s, let, flush := newStore(0), make(chan struct{}), make(chan struct{})
			sink := func(context.Context, []int) error { <-flush; return nil }
			b := started(t, sink, batch.Config{Journal: journal.Always, MaxItems: 1, Buffer: 10, MaxKeys: 1},
				batch.WithJournal[int](s), batch.WithKey(strconv.Itoa))
			addN(t, b, 1, 1)
			s.hook(func(context.Context, string, []journal.Entry) error { <-let; return nil })
			var wg sync.WaitGroup
			wg.Go(func() { assert.NoError(t, b.Add(t.Context(), 1)) })
			synctest.Wait()
			close(flush)
			synctest.Wait()
			require.ErrorIs(t, b.TryAdd(t.Context(), 2), batch.ErrFull, "there is one key at a time")
			close(let)
			wg.Wait()
			finish(t, b)
			require.EqualValues(t, 2, b.Gate().Ledger().Done)
		})
	})

	t.Run("NobodyOvertakesThoseWhoWait", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			let := make(chan struct{})
			sink := func(context.Context, []int) error { <-let; return nil }
			b := started(t, sink, batch.Config{Journal: journal.Always, MaxItems: 1, Buffer: 10, MaxKeys: 1},
				batch.WithJournal[int](newStore(0)), batch.WithKey(strconv.Itoa))
			addN(t, b, 1, 1)
			var wg sync.WaitGroup
			wg.Go(func() { assert.NoError(t, b.Add(t.Context(), 2)) }) // waits for a key
			synctest.Wait()
			require.ErrorIs(t, b.TryAdd(t.Context(), 1), batch.ErrFull)
			close(let)
			wg.Wait()
			finish(t, b)
		})
	})

	t.Run("PlaceGrantedWhileTheDrainBeginsIsUsed", func(t *testing.T) {
		t.Parallel()
		for range 200 {
			synctest.Test(t, func(t *testing.T) {
				s, let := newStore(0), make(chan struct{})
				var b *batch.Batcher[int]
				sink := func(context.Context, []int) error { <-let; return nil }
				b = started(t, sink, batch.Config{Journal: journal.Always, MaxItems: 1, Buffer: 1}, batch.WithJournal[int](s),
					batch.WithFlushed[int](func(batch.Flush) { b.Gate().Drain() }))
				addN(t, b, 1, 1)
				var wg sync.WaitGroup
				wg.Go(func() { _ = b.Add(t.Context(), 2) }) // refused or not
				synctest.Wait()
				began := time.Now()
				close(let)
				wg.Wait()
				finish(t, b)
				require.Zero(t, time.Since(began))
			})
		}
	})

	t.Run("WhatDoesNotWaitDoesNotWaitForTheJournal", func(t *testing.T) {
		t.Parallel()
		s := newStore(0)
		s.hook(func(ctx context.Context, _ string, _ []journal.Entry) error {
			if ctx.Err() == nil {
				return errors.New("it would wait for room")
			}
			return journal.ErrFull
		})
		var r recorder
		b := started(t, r.sink, always, batch.WithJournal[int](s))
		require.ErrorIs(t, b.TryAdd(t.Context(), 1), journal.ErrFull)
		require.ErrorContains(t, b.Add(t.Context(), 1), "it would wait for room")
		finish(t, b)
	})

	t.Run("StopDoesNotWaitLongForAnItemThatIsWrittenDown", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := newStore(0)
			s.hook(func(context.Context, string, []journal.Entry) error { time.Sleep(50 * time.Millisecond); return nil })
			b := started(t, hang, always, batch.WithJournal[int](s))
			var wg sync.WaitGroup
			wg.Go(func() { assert.NoError(t, b.Add(t.Context(), 1)) })
			synctest.Wait()
			began := time.Now()
			require.Equal(t, []int{1}, stopWithin(b, 0), "it is among the leftovers")
			require.Equal(t, 50*time.Millisecond, time.Since(began))
			wg.Wait()
			require.NoError(t, b.Save(t.Context()))
		})
	})

	t.Run("ItemThatIsBeingWrittenDownHoldsItsPlaceAndTheDrain", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s, let := newStore(0), make(chan struct{})
			s.hook(func(context.Context, string, []journal.Entry) error { <-let; return nil })
			var r recorder
			b := started(t, r.sink, batch.Config{Journal: journal.Always, MaxItems: 1, Buffer: 1}, batch.WithJournal[int](s))
			var wg sync.WaitGroup
			wg.Go(func() { assert.NoError(t, b.Add(t.Context(), 1)) })
			synctest.Wait()
			require.ErrorIs(t, b.TryAdd(t.Context(), 2), batch.ErrFull)
			wg.Go(func() { assert.NoError(t, b.Drain(t.Context())) })
			synctest.Wait()
			require.Empty(t, r.items())
			close(let)
			wg.Wait()
			require.Equal(t, []int{1}, r.items())
			finish(t, b)
		})
	})

	for _, tt := range []struct {
		give           string
		written, saved bool // when the append has been made; when Add goes on
		want           intake.Ledger
	}{
		{"StopWhileAnItemIsWrittenDownSavesIt", false, false, intake.Ledger{Offered: 2, Accepted: 2, Saved: 2}},
		{"SaveWhileAnItemIsWrittenDownSavesIt", true, true, intake.Ledger{Offered: 2, Accepted: 2, Saved: 2}},
		{"ItemThatIsNotWrittenDownWhenTheJournalClosesIsRefused", false, true, intake.Ledger{Offered: 2, Accepted: 1, Rejected: 1, Saved: 1}},
	} {
		t.Run(tt.give, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, let := newStore(0), make(chan struct{})
				b := started(t, hang, batch.Config{Journal: journal.Always, MaxItems: 1}, batch.WithJournal[int](s), batch.WithKey(strconv.Itoa))
				addN(t, b, 1, 1)
				s.mu.Lock()
				if tt.written {
					s.after = func() { <-let }
				} else {
					s.before = func(context.Context, string, []journal.Entry) error { <-let; return nil }
				}
				s.mu.Unlock()
				var wg sync.WaitGroup
				var err error
				wg.Go(func() { err = b.Add(t.Context(), 2) })
				synctest.Wait()
				began := time.Now()
				require.Equal(t, []int{1}, stopWithin(b, 0))
				require.LessOrEqual(t, time.Since(began), 100*time.Millisecond)
				if tt.saved {
					require.NoError(t, b.Save(t.Context()))
				}
				close(let)
				wg.Wait()
				require.NoError(t, b.Save(t.Context()))
				require.Equal(t, tt.want.Rejected > 0, err != nil, err)
				require.Equal(t, tt.want, b.Gate().Ledger())
				require.Len(t, s.inside(t, ordersJournal), int(tt.want.Saved))
			})
		})
	}
}

func TestJournalOnStop(t *testing.T) {
	t.Parallel()

	t.Run("IsTheDefaultWithAJournalAndWritesDownLeftoversAlone", func(t *testing.T) {
		t.Parallel()
		s := newStore(0)
		b := started(t, hang, batch.Config{MaxItems: 4}, batch.WithJournal[int](s))
		addN(t, b, 0, 10)
		require.Empty(t, s.sizes(ordersJournal))
		require.Equal(t, upTo(10), stopWithin(b, 0))
		require.NoError(t, b.Save(t.Context()))
		require.NoError(t, b.Save(t.Context()))
		require.Equal(t, intake.Ledger{Offered: 10, Accepted: 10, Saved: 10}, b.Gate().Ledger())
		require.Equal(t, []int{10}, s.sizes(ordersJournal))
		require.Equal(t, upTo(10), s.inside(t, ordersJournal))
	})

	t.Run("SaveSaysHowManyAreLostAndWhy", func(t *testing.T) {
		t.Parallel()
		s := newStore(6)
		b := started(t, hang, batch.Config{MaxItems: 4}, batch.WithJournal[int](s))
		addN(t, b, 0, 10)
		err := b.Save(t.Context())
		require.ErrorIs(t, err, journal.ErrFull)
		require.ErrorContains(t, err, "batch orders: save: 4 items: lost, of 10 left over: journal batch:orders: append: full")
		require.Equal(t, intake.Ledger{Offered: 10, Accepted: 10, Saved: 6, Lost: 4}, b.Gate().Ledger())
		require.Equal(t, upTo(6), s.inside(t, ordersJournal))
	})

	t.Run("IDsKeysAttemptsAndTimesAreSavedToo", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := newStore(0)
			var seen [][]batch.Item
			sink := func(ctx context.Context, _ []int) error {
				seen = append(seen, batch.ItemsOf(ctx))
				return batch.Unavailable(errors.New("down"))
			}
			key := batch.WithKey(func(i int) string { return fmt.Sprint("k", i%2) })
			b := started(t, sink, batch.Config{MaxItems: 1, Retry: batch.Retry{InitialDelay: time.Second}}, batch.WithJournal[int](s), key)
			began := time.Now()
			addN(t, b, 1, 1)
			synctest.Wait()
			require.NoError(t, b.Save(t.Context()))
			require.Len(t, seen, 1)

			time.Sleep(time.Hour)
			b = started(t, sink, batch.Config{MaxItems: 1, Retry: batch.Retry{InitialDelay: time.Second}}, batch.WithJournal[int](s), key)
			synctest.Wait()
			require.NoError(t, b.Save(t.Context()))
			require.Len(t, seen, 2)
			id := seen[0][0].ID
			require.NotEmpty(t, id)
			require.Equal(t, []batch.Item{{ID: id, Key: "k1", Attempt: 1}}, seen[0])
			require.Equal(t, []batch.Item{{ID: id, Key: "k1", Attempt: 2, Replayed: true}}, seen[1])

			j, err := s.Memory.Open(t.Context(), ordersJournal)
			require.NoError(t, err)
			defer func() { require.NoError(t, j.Close()) }()
			for e, err := range j.Replay(t.Context()) {
				require.NoError(t, err)
				require.Equal(t, id, e.ID)
				require.Equal(t, "k1", e.Key)
				require.Equal(t, 2, e.Attempt)
				require.True(t, began.Equal(e.At), e.At)
			}
		})
	})
}

func TestJournalConfig(t *testing.T) {
	t.Parallel()
	var r recorder
	save := batch.WithSave(func(context.Context, []int) error { return nil })
	for _, tt := range []struct {
		give string
		cfg  batch.Config
		opts []batch.Option[int]
		want string
	}{
		{"AlwaysWithoutAJournal", always, nil, `journal: is "always", but there is nothing to keep it in; give WithJournal, or set "off"`},
		{"OnStopWithoutAJournal", batch.Config{Journal: journal.OnStop}, []batch.Option[int]{batch.WithJournal[int](nil)}, `journal: is "onstop", but there is nothing`},
		{"AlwaysWithASaver", always, []batch.Option[int]{batch.WithJournal[int](newStore(0)), save}, `journal: is "always", and WithSave`},
		{"NoSuchMode", batch.Config{Journal: "sometimes"}, nil, `journal: is "sometimes"; give off, onstop or always`},
		{"KeepWithoutABox", batch.Config{DeadLetters: batch.KeepLetters}, nil, `dead_letters: is "keep", but there is no box; give WithDeadLetters`},
		{"NoSuchBox", batch.Config{DeadLetters: "bin"}, nil, `dead_letters: is "bin"; give "keep" or "off"`},
		{
			"KeepWithAFunction",
			batch.Config{DeadLetters: batch.KeepLetters},
			[]batch.Option[int]{batch.WithDeadLetters[int](journal.NewDeadLetters(newStore(0))), (&morgue{}).option()},
			`dead_letters: is "keep", and WithDeadLetter is to have them too`,
		},
		{"HalfACodec", batch.Config{}, []batch.Option[int]{batch.WithJournal[int](newStore(0)), batch.WithCodec(journal.Codec[int]{Name: "x"})}, "codec: encode: is nil"},
	} {
		t.Run(tt.give, func(t *testing.T) {
			t.Parallel()
			_, err := batch.New("orders", r.sink, tt.cfg, tt.opts...)
			require.ErrorContains(t, err, tt.want)
		})
	}

	t.Run("DefaultsDependOnWhatThereIs", func(t *testing.T) {
		t.Parallel()
		journalled := batch.WithJournal[int](newStore(0))
		for _, tt := range []struct {
			cfg  journal.Mode
			opts []batch.Option[int]
			want journal.Mode
		}{
			{"", nil, journal.Off},
			{journal.Off, nil, journal.Off},
			{"", []batch.Option[int]{journalled}, journal.OnStop},
			{"", []batch.Option[int]{journalled, save}, journal.Off},
			{"", []batch.Option[int]{batch.WithJournal[int](nil)}, journal.Off},
			{journal.Off, []batch.Option[int]{journalled}, journal.Off},
			{journal.Always, []batch.Option[int]{journalled}, journal.Always},
		} {
			b, err := batch.New("orders", r.sink, batch.Config{Journal: tt.cfg}, tt.opts...)
			require.NoError(t, err)
			require.Equal(t, tt.want, b.Stats().Journal)
		}
	})
}

func TestItemsOf(t *testing.T) {
	t.Parallel()

	t.Run("IsThereWithoutAJournalToo", func(t *testing.T) {
		t.Parallel()
		var kept context.Context
		sink := func(ctx context.Context, items []int) error {
			kept = ctx
			want := []batch.Item{{ID: "#3", Key: "three", Attempt: 1}, {ID: "#4", Key: "four", Attempt: 1}}
			assert.Equal(t, want, batch.ItemsOf(ctx))
			return nil
		}
		b := started(t, sink, batch.Config{},
			batch.WithID(func(i int) string { return fmt.Sprint("#", i) }),
			batch.WithLabel(func(i int) string { return map[int]string{3: "three", 4: "four"}[i] }))
		addN(t, b, 3, 2)
		stopped(t, b)
		require.Nil(t, batch.ItemsOf(kept), "the sink has returned")
		require.Nil(t, batch.ItemsOf(t.Context()))
	})

	t.Run("SaysTheSameIDAtEveryAttemptAndWhatWasReplayed", func(t *testing.T) {
		t.Parallel()
		s := newStore(0)
		s.fill(t, 1)
		var seen []batch.Item
		calls := 0
		sink := func(ctx context.Context, items []int) error {
			seen = append(seen, batch.ItemsOf(ctx)...)
			if calls++; calls == 1 {
				return batch.ItemErrors{0: errors.New("locked")}
			}
			return nil
		}
		b := started(t, sink, batch.Config{Journal: journal.Always, Retry: batch.Retry{InitialDelay: time.Millisecond}}, batch.WithJournal[int](s))
		addN(t, b, 2, 1)
		finish(t, b)
		require.Len(t, seen, 3)
		require.True(t, seen[0].Replayed)
		require.Equal(t, 1, seen[0].Attempt)
		require.Equal(t, batch.Item{ID: seen[0].ID, Attempt: 2, Replayed: true}, seen[2])
		require.False(t, seen[1].Replayed)
		require.NotEmpty(t, seen[1].ID)
		require.NotEqual(t, seen[0].ID, seen[1].ID)
	})

	t.Run("NameOfAnItemThatPanicsIsMade", func(t *testing.T) {
		t.Parallel()
		var seen []batch.Item
		sink := func(ctx context.Context, _ []int) error { seen = batch.ItemsOf(ctx); return nil }
		b := started(t, sink, always, batch.WithJournal[int](newStore(0)), batch.WithID(func(int) string { panic("no") }))
		addN(t, b, 1, 1)
		finish(t, b)
		require.NotEmpty(t, seen[0].ID)
	})
}

func TestAddBesideStopWithAJournalLosesNothing(t *testing.T) {
	t.Parallel()
	for round := range 60 {
		s := newStore(0)
		var r recorder
		b := started(t, r.sink, batch.Config{Journal: journal.Always, MaxItems: 3, Buffer: 6, Parallel: 2},
			batch.WithJournal[int](s), batch.WithKey(func(i int) string { return strconv.Itoa(i % 3) }))
		var mu sync.Mutex
		var accepted []int
		took := func(items []int) {
			mu.Lock()
			defer mu.Unlock()
			accepted = append(accepted, items...)
		}
		var wg sync.WaitGroup
		for p := range 4 {
			wg.Go(func() {
				for i := p * 1_000_000; ; i += 3 { // no number comes twice
					items := []int{i, i + 1, i + 2}
					n, err := b.AddAll(t.Context(), items)
					took(items[:n])
					if err != nil {
						return
					}
				}
			})
		}
		// Not after so many times that the others had a turn: with one
		// processor a turn is 10 ms and thousands of items.
		enough := func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(accepted) >= round*2
		}
		for !enough() {
			runtime.Gosched()
		}
		began := time.Now()
		_ = stopWithin(b, time.Duration(round%3)*time.Millisecond)
		gaveUp := time.Since(began) >= 100*time.Millisecond
		require.NoError(t, b.Save(t.Context()))
		wg.Wait()
		l := b.Gate().Ledger()
		require.True(t, l.Balanced(), l)
		require.Zero(t, l.Inside, l)
		require.Zero(t, l.Lost, l)
		require.EqualValues(t, len(accepted), l.Accepted)
		came := sorted(append(r.items(), s.inside(t, ordersJournal)...))
		if gaveUp { // on a machine so busy that a flush did not return in time: what it had is in both
			came = slices.Compact(came)
		}
		require.Equal(t, sorted(accepted), came)
	}
}

// To renew an entry would put it behind those that have still to enter.
func TestStopInTheMiddleOfAReplayKeepsTheOrder(t *testing.T) {
	t.Parallel()
	for _, mode := range []journal.Mode{journal.OnStop, journal.Always} {
		synctest.Test(t, func(t *testing.T) {
			s := newStore(0)
			s.fill(t, upTo(20)...)
			b := started(t, hang, batch.Config{Journal: mode, MaxItems: 2, Buffer: 6}, batch.WithJournal[int](s))
			synctest.Wait()
			require.Equal(t, upTo(6), stopWithin(b, 0))
			require.NoError(t, b.Save(t.Context()))
			require.Equal(t, upTo(20), s.inside(t, ordersJournal))
		})
	}
}

func TestTriesAreCountedOverStops(t *testing.T) {
	t.Parallel()
	for _, mode := range []journal.Mode{journal.OnStop, journal.Always} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newStore(0)
				box := boxIn(t, s)
				cfg := batch.Config{Journal: mode, MaxItems: 2, FlushTimeout: time.Hour}
				opts := []batch.Option[int]{batch.WithJournal[int](s), batch.WithDeadLetters[int](box)}
				ids := map[string]bool{}
				for life := range 3 {
					var seen []batch.Item
					b := started(t, func(ctx context.Context, items []int) error {
						seen = append(seen, batch.ItemsOf(ctx)...)
						return hang(ctx, items)
					}, cfg, opts...)
					if life == 0 {
						addN(t, b, 0, 4) // two are with the sink, two wait
					}
					synctest.Wait()
					require.Len(t, seen, 2)
					for _, it := range seen {
						require.Equal(t, life+1, it.Attempt)
						ids[it.ID] = true
					}
					require.Equal(t, upTo(4), stopWithin(b, 0))
					require.NoError(t, b.Save(t.Context()))
					require.Equal(t, upTo(4), s.inside(t, ordersJournal), "once each, and in their order")
				}
				require.Len(t, ids, 2, "and they keep their IDs")

				b := started(t, hang, cfg, opts...)
				synctest.Wait()
				s.Crash()
				_ = stopWithin(b, 0) // only so that its goroutines end
				_ = b.Save(t.Context())
				require.NoError(t, box.Close())

				box = boxIn(t, s)
				opts[1] = batch.WithDeadLetters[int](box)
				b = started(t, refuse, cfg, opts...)
				addN(t, b, 4, 1) // when the replay has ended
				finish(t, b)
				var tried []int
				for _, l := range letters(t, box) {
					tried = append(tried, l.Attempts)
				}
				slices.Sort(tried)
				require.Equal(t, []int{1, 2, 2, 5, 5}, tried, "two in this life, as a batch and alone; a kill forgets")
				require.NoError(t, box.Close())
			})
		})
	}
}
