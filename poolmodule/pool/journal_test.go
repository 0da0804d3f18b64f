package pool_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/journaltest"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// life is one life of a program: a pool and a lane with a journal. Several
// share a store.
type life struct {
	*pool.Lane[string]
	pool *pool.Pool
	log  *log // of what was handled to its end
}

// begin starts a pool and a lane. A nil handler handles everything.
func begin(t *testing.T, store journal.Opener, handler pool.Handler[string], cfg pool.LaneConfig, opts ...pool.LaneOption[string]) *life {
	t.Helper()
	return beginIn(t, pool.Config{Workers: 1}, store, handler, cfg, opts...)
}

func beginIn(t *testing.T, pc pool.Config, store journal.Opener, handler pool.Handler[string], cfg pool.LaneConfig, opts ...pool.LaneOption[string]) *life {
	t.Helper()
	l := prepare(t, pc, store, handler, cfg, opts...)
	require.NoError(t, l.pool.Start(t.Context()))
	require.NoError(t, l.Start(t.Context()))
	return l
}

// prepare is begin without the start.
func prepare(t *testing.T, pc pool.Config, store journal.Opener, handler pool.Handler[string], cfg pool.LaneConfig, opts ...pool.LaneOption[string]) *life {
	t.Helper()
	p, err := pool.New("test", pc)
	require.NoError(t, err)
	l := &life{pool: p, log: newLog()}
	handle := func(ctx context.Context, item string) error {
		if handler != nil {
			if err := handler(ctx, item); err != nil {
				return err
			}
		}
		l.log.add(item)
		return nil
	}
	l.Lane, err = pool.NewLane(p, "sms", handle, cfg, append([]pool.LaneOption[string]{pool.WithJournal[string](store)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { l.end(t) })
	return l
}

// stop ends the life within d, and saves.
func (l *life) stop(t *testing.T, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	_, err := l.Stop(ctx)
	require.NoError(t, err)
	require.NoError(t, l.Save(context.Background()))
	l.end(t)
}

// end stops what is left; it may have been killed.
func (l *life) end(t *testing.T) {
	t.Helper()
	_, _ = l.Stop(ended())
	_ = l.Save(ended())
	_, _ = l.pool.Stop(ended())
	ledger := l.Gate().Ledger()
	require.True(t, ledger.Balanced(), "%s", ledger)
	require.Zero(t, ledger.Inside, "%s", ledger)
}

// left is what the next life would find.
func left(t *testing.T, store *journaltest.Memory) (items []string) {
	t.Helper()
	k, err := journal.NewKeeper("lane:sms", store, journal.JSON[string](), nil)
	require.NoError(t, err)
	require.NoError(t, k.Open(t.Context()))
	for it, err := range k.Replay(t.Context()) {
		require.NoError(t, err)
		items = append(items, it.Value)
	}
	require.NoError(t, k.Close())
	return items
}

// untilStopped is a handler that is cut by every stop.
func untilStopped(ctx context.Context, _ string) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

var always = pool.LaneConfig{Journal: journal.Always}

// spy is a store whose Append can be held up, or fail.
type spy struct {
	journal.Opener
	mu     sync.Mutex
	append func() error // called before each Append
	after  func()       // and after
	ack    func()       // before each Ack
}

func (s *spy) set(fn func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.append = fn
}

func (s *spy) setAfter(fn func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.after = fn
}

func (s *spy) setAck(fn func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ack = fn
}

func (s *spy) Open(ctx context.Context, name string) (journal.Journal, error) {
	j, err := s.Opener.Open(ctx, name)
	return &spied{j, s}, err
}

type spied struct {
	journal.Journal
	spy *spy
}

func (s *spied) Append(ctx context.Context, entries ...journal.Entry) (journal.Span, error) {
	s.spy.mu.Lock()
	before, after := s.spy.append, s.spy.after
	s.spy.mu.Unlock()
	if before != nil {
		if err := before(); err != nil {
			return journal.Span{}, err
		}
	}
	if after != nil {
		defer after()
	}
	return s.Journal.Append(ctx, entries...)
}

func (s *spied) Ack(ctx context.Context, spans ...journal.Span) error {
	s.spy.mu.Lock()
	ack := s.spy.ack
	s.spy.mu.Unlock()
	if ack != nil {
		ack()
	}
	return s.Journal.Ack(ctx, spans...)
}

// patientStore waits for room, as a file journal with on_full: block does.
type patientStore struct{ journal.Opener }

func (s patientStore) Open(ctx context.Context, name string) (journal.Journal, error) {
	j, err := s.Opener.Open(ctx, name)
	return patientJournal{j}, err
}

type patientJournal struct{ journal.Journal }

func (j patientJournal) Append(ctx context.Context, entries ...journal.Entry) (journal.Span, error) {
	span, err := j.Journal.Append(ctx, entries...)
	if !errors.Is(err, journal.ErrFull) {
		return span, err
	}
	<-ctx.Done()
	return journal.Span{}, fmt.Errorf("%w (%w)", context.Cause(ctx), journal.ErrFull)
}

// openerFunc is a store that only opens.
type openerFunc func(context.Context, string) (journal.Journal, error)

func (f openerFunc) Open(ctx context.Context, name string) (journal.Journal, error) {
	return f(ctx, name)
}

// crossedOut is how long it may take until what is done is crossed out, where
// others are at work, and a little more.
const crossedOut = 11 * time.Millisecond

func TestJournalAlways(t *testing.T) {
	t.Parallel()

	t.Run("IsDurableWhenSubmitReturnsAndCrossedOutWhenDone", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store := journaltest.NewMemory(0)
			release := make(chan struct{})
			l := begin(t, store, func(ctx context.Context, item string) error {
				if item == "b" {
					<-release
				}
				return nil
			}, always)
			for _, item := range []string{"a", "b", "c"} {
				require.NoError(t, l.Submit(t.Context(), item))
			}
			time.Sleep(crossedOut)
			store.Crash()
			assert.Equal(t, []string{"b", "c"}, left(t, store))
			close(release)
			synctest.Wait()
			assert.EqualValues(t, 3, l.Gate().Ledger().Done)
		})
	})

	t.Run("TheTimeOfAcceptanceIsThatOfSubmitToTheMillisecond", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store := journaltest.NewMemory(0)
			release := make(chan struct{})
			l := begin(t, store, func(context.Context, string) error { <-release; return nil }, always)
			var submitted []time.Time
			for _, pause := range []time.Duration{0, time.Hour, 500 * time.Microsecond, 500 * time.Microsecond, time.Microsecond, time.Minute} {
				time.Sleep(pause)
				synctest.Wait()
				submitted = append(submitted, time.Now())
				require.NoError(t, l.Submit(t.Context(), "item"))
			}
			store.Crash()
			j, err := store.Open(t.Context(), "lane:sms")
			require.NoError(t, err)
			i := 0
			for e, err := range j.Replay(t.Context()) {
				require.NoError(t, err)
				assert.WithinRange(t, e.At, submitted[i].Add(-time.Millisecond), submitted[i])
				i++
			}
			assert.Equal(t, len(submitted), i)
			require.NoError(t, j.Close())
			close(release)
		})
	})

	t.Run("IsCrossedOutOnlyWhenTheResultHookHasReturned", func(t *testing.T) {
		t.Parallel()
		for _, panics := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				store := journaltest.NewMemory(0)
				var during int
				var l *life
				l = begin(t, store, nil, always, pool.WithResult(func(context.Context, pool.Result[string]) {
					during = l.Stats().InJournal
					if panics {
						panic("hook")
					}
				}))
				require.NoError(t, l.Submit(t.Context(), "a"))
				synctest.Wait()
				assert.Equal(t, 1, during)
				assert.Zero(t, l.Stats().InJournal)
				assert.EqualValues(t, 1, l.Gate().Ledger().Done)
			})
		}
	})

	t.Run("WhatFailedForGoodWithoutABoxIsCrossedOutToo", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store := journaltest.NewMemory(0)
			l := begin(t, store, func(_ context.Context, item string) error {
				if item == "panics" {
					panic("no")
				}
				return errors.New("no")
			}, always)
			require.NoError(t, l.Submit(t.Context(), "fails"))
			require.NoError(t, l.Submit(t.Context(), "panics"))
			l.stop(t, time.Second)
			assert.EqualValues(t, 2, l.Gate().Ledger().Failed)
			assert.Empty(t, left(t, store))
		})
	})

	t.Run("FullJournalRefusesAndHeals", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store := journaltest.NewMemory(2 * len(`"a"`))
			release := make(chan struct{})
			l := begin(t, store, func(context.Context, string) error { <-release; return nil }, always)
			require.NoError(t, l.Submit(t.Context(), "a"))
			require.NoError(t, l.Submit(t.Context(), "b"))
			err := l.Submit(t.Context(), "c")
			require.ErrorIs(t, err, journal.ErrFull)
			require.ErrorContains(t, err, "lane sms: not accepted")
			require.ErrorIs(t, l.TrySubmit(t.Context(), "c"), journal.ErrFull)
			assert.Equal(t, intake.Ledger{Offered: 4, Accepted: 2, Rejected: 2, Inside: 2}, l.Gate().Ledger())
			close(release)
			synctest.Wait()
			require.NoError(t, l.Submit(t.Context(), "c"))
			l.stop(t, time.Second)
			assert.Equal(t, []string{"a", "b", "c"}, l.log.all())
		})
	})

	t.Run("TrySubmitDoesNotWaitForRoomInTheJournal", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			l := begin(t, patientStore{journaltest.NewMemory(len(`"a"`))}, untilStopped, always)
			require.NoError(t, l.TrySubmit(t.Context(), "a"), "where there is room it is written")
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			began := time.Now()
			err := l.TrySubmit(ctx, "b")
			require.ErrorIs(t, err, journal.ErrFull)
			assert.Zero(t, time.Since(began))
			require.ErrorContains(t, err, "TrySubmit does not wait")
			require.ErrorIs(t, l.Submit(ctx, "b"), journal.ErrFull)
			assert.Equal(t, time.Minute, time.Since(began))
		})
	})

	t.Run("PanicOfTheCodecIsARefusalOfTheStoreGivesThePlaceBackAndOfALabelIsNoLabel", func(t *testing.T) {
		t.Parallel()
		codec := journal.JSON[string]()
		codec.Encode = func([]byte, string) ([]byte, error) { panic("codec") }
		l := begin(t, journaltest.NewMemory(0), nil, always, pool.WithCodec(codec))
		require.ErrorContains(t, l.Submit(t.Context(), "a"), "codec")
		l.stop(t, time.Minute)

		store := &spy{Opener: journaltest.NewMemory(0)}
		l = begin(t, store, nil, always, pool.WithLabel(func(string) string { panic("label") }))
		require.NoError(t, l.Submit(t.Context(), "a"))
		store.set(func() error { panic("store") })
		require.PanicsWithValue(t, "store", func() { _ = l.Submit(t.Context(), "b") })
		assert.EqualValues(t, 1, l.Gate().Ledger().Rejected)
		l.stop(t, time.Minute) // it waits for nobody
	})
}

func TestJournalAlwaysAtAFullQueue(t *testing.T) {
	t.Parallel()

	// crowd is a lane whose only worker and only place are taken, by "a" and
	// "b".
	crowd := func(t *testing.T, policy pool.Policy, store journal.Opener, opts ...pool.LaneOption[string]) (*life, chan struct{}) {
		release := make(chan struct{})
		l := beginIn(t, pool.Config{Workers: 1, Queue: 1, Policy: policy}, store, func(_ context.Context, item string) error {
			if item == "a" {
				<-release
			}
			return nil
		}, always, opts...)
		for _, item := range []string{"a", "b"} {
			require.NoError(t, l.Submit(t.Context(), item))
			synctest.Wait()
		}
		return l, release
	}
	// appends counts what is written from now on.
	appends := func(s *spy) *atomic.Int32 {
		var n atomic.Int32
		s.set(func() error { n.Add(1); return nil })
		return &n
	}

	t.Run("BlockWritesWhenThereIsAPlaceAndHoldsIt", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store := &spy{Opener: journaltest.NewMemory(0)}
			l, release := crowd(t, pool.Block, store)
			hold, n := make(chan struct{}), atomic.Int32{}
			store.set(func() error { n.Add(1); <-hold; return nil })
			results := make(chan error, 2)
			go func() { results <- l.Submit(context.Background(), "c") }()
			synctest.Wait()
			assert.Zero(t, n.Load(), "nothing is written while there is no room")
			close(release)
			synctest.Wait()
			assert.EqualValues(t, 1, n.Load())
			go func() { results <- l.Submit(context.Background(), "d") }() // for the free worker
			synctest.Wait()
			assert.EqualValues(t, 2, n.Load())
			require.ErrorIs(t, l.TrySubmit(t.Context(), "e"), pool.ErrFull)
			assert.Equal(t, intake.Ledger{Offered: 3, Accepted: 2, Rejected: 1, Done: 2}, l.Gate().Ledger(), "they are inside of nothing yet")
			close(hold)
			require.NoError(t, <-results)
			require.NoError(t, <-results)
			l.stop(t, time.Second)
		})
	})

	t.Run("BlockGivesThePlaceOfWhatCouldNotBeWrittenToTheNext", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store := &spy{Opener: journaltest.NewMemory(0)}
			l := beginIn(t, pool.Config{Workers: 1, Queue: pool.NoQueue}, store, nil, always)
			hold := make(chan struct{})
			refuse := errors.New("refused")
			store.set(func() error { <-hold; return refuse })
			results := make(chan error, 1)
			go func() { results <- l.Submit(context.Background(), "a") }()
			synctest.Wait()
			store.set(nil)
			next := make(chan error, 1)
			go func() { next <- l.Submit(context.Background(), "b") }()
			synctest.Wait()
			assert.Empty(t, l.log.all())
			close(hold)
			require.ErrorIs(t, <-results, refuse)
			require.NoError(t, <-next)
			l.stop(t, time.Second)
			assert.Equal(t, []string{"b"}, l.log.all())
		})
	})

	t.Run("AbortRefusesWithoutWriting", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store := &spy{Opener: journaltest.NewMemory(0)}
			l, release := crowd(t, pool.Abort, store)
			n := appends(store)
			require.ErrorIs(t, l.Submit(t.Context(), "c"), pool.ErrFull)
			assert.Zero(t, n.Load())
			close(release)
		})
	})

	t.Run("CallerRunsWhatItHasWritten", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store := &spy{Opener: journaltest.NewMemory(0)}
			l, release := crowd(t, pool.CallerRuns, store)
			n := appends(store)
			require.NoError(t, l.Submit(t.Context(), "c"))
			assert.EqualValues(t, 1, n.Load())
			assert.Equal(t, []string{"c"}, l.log.all())
			time.Sleep(crossedOut)
			assert.Equal(t, 2, l.Stats().InJournal)
			close(release)
			l.stop(t, time.Second)
		})
	})

	t.Run("CallerThatRunsKeepsNoPlace", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store := &spy{Opener: journaltest.NewMemory(0)}
			ends := map[string]chan struct{}{"a": make(chan struct{}), "c": make(chan struct{})}
			l := beginIn(t, pool.Config{Workers: 1, Queue: pool.NoQueue, Policy: pool.CallerRuns}, store, func(_ context.Context, item string) error {
				if end := ends[item]; end != nil {
					<-end
				}
				return nil
			}, always)
			results := make(chan error, 2)
			require.NoError(t, l.Submit(t.Context(), "a"))
			go func() { results <- l.SubmitKey(context.Background(), "k", "b") }() // waits: a caller could overtake
			synctest.Wait()
			written := make(chan struct{})
			store.set(func() error { <-written; return nil })
			go func() { results <- l.Submit(context.Background(), "c") }()
			synctest.Wait()
			close(ends["a"])
			synctest.Wait()
			close(written)
			synctest.Wait()
			assert.Equal(t, []string{"a", "b"}, l.log.all())
			close(ends["c"])
			require.NoError(t, <-results)
			require.NoError(t, <-results)
			l.stop(t, time.Second)
		})
	})

	t.Run("DiscardNewestWritesNothing", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store := &spy{Opener: journaltest.NewMemory(0)}
			l, release := crowd(t, pool.DiscardNewest, store)
			n := appends(store)
			require.NoError(t, l.Submit(t.Context(), "c"))
			assert.Zero(t, n.Load())
			assert.EqualValues(t, 1, l.Gate().Ledger().Dropped)
			close(release)
		})
	})

	t.Run("DiscardOldestCrossesItsVictimOut", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			memory := journaltest.NewMemory(0)
			store := &spy{Opener: memory}
			var dropped []string
			l, release := crowd(t, pool.DiscardOldest, store, pool.WithResult(func(_ context.Context, r pool.Result[string]) {
				if errors.Is(r.Err, pool.ErrDiscarded) {
					dropped = append(dropped, r.Item)
				}
			}))
			require.NoError(t, l.Submit(t.Context(), "c"))
			assert.Equal(t, []string{"b"}, dropped)
			assert.EqualValues(t, 1, l.Gate().Ledger().Dropped)
			store.set(func() error { return journal.ErrFull })
			require.ErrorIs(t, l.Submit(t.Context(), "d"), journal.ErrFull)
			assert.EqualValues(t, 1, l.Gate().Ledger().Dropped, "nobody gives way to what cannot be written")
			memory.Crash()
			assert.Equal(t, []string{"a", "c"}, left(t, memory))
			close(release)
		})
	})

	t.Run("DiscardOldestDropsNothingIfAPlaceHasComeFreeMeanwhile", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store := &spy{Opener: journaltest.NewMemory(0)}
			l, release := crowd(t, pool.DiscardOldest, store)
			hold := make(chan struct{})
			store.set(func() error { <-hold; return nil })
			result := make(chan error, 1)
			go func() { result <- l.Submit(context.Background(), "c") }()
			synctest.Wait()
			close(release)
			synctest.Wait()
			close(hold)
			require.NoError(t, <-result)
			l.stop(t, time.Second)
			assert.Equal(t, []string{"a", "b", "c"}, l.log.all())
			assert.Zero(t, l.Gate().Ledger().Dropped)
		})
	})

	t.Run("StopWaitsForWhoCrossesAVictimOut", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			memory := journaltest.NewMemory(0)
			store := &spy{Opener: memory}
			l, release := crowd(t, pool.DiscardOldest, store)
			store.setAck(func() { time.Sleep(time.Minute) })
			go func() { _ = l.Submit(context.Background(), "c") }()
			synctest.Wait()
			assert.Equal(t, 1, l.Stats().Writing)
			store.setAck(nil)
			close(release)
			l.stop(t, time.Hour)
			assert.EqualValues(t, 1, l.Gate().Ledger().Dropped)
			assert.Empty(t, left(t, memory))
		})
	})
}

func TestJournalAtAStop(t *testing.T) {
	t.Parallel()

	t.Run("LeftoversComeBackInOrderWithTheirIDsAndTries", func(t *testing.T) {
		t.Parallel()
		for _, mode := range []journal.Mode{journal.OnStop, journal.Always} {
			synctest.Test(t, func(t *testing.T) {
				store := journaltest.NewMemory(0)
				seen := map[string]pool.Item{}
				note := func(ctx context.Context, item string) {
					seen[item], _ = pool.ItemOf(ctx)
				}
				cfg := pool.LaneConfig{Journal: mode, Retry: pool.Retry{MaxAttempts: 9, InitialDelay: time.Hour, MaxDelay: time.Hour}}
				l := begin(t, store, func(ctx context.Context, item string) error {
					note(ctx, item)
					if item == "retry" {
						return errors.New("later")
					}
					return untilStopped(ctx, item)
				}, cfg)
				require.NoError(t, l.Submit(t.Context(), "retry"))
				require.NoError(t, l.SubmitKey(t.Context(), "k", "cut"))
				require.NoError(t, l.SubmitKey(t.Context(), "k", "in line"))
				require.NoError(t, l.Submit(t.Context(), "queued"))
				synctest.Wait()
				l.stop(t, time.Second)
				ledger := l.Gate().Ledger()
				assert.EqualValues(t, 4, ledger.Saved, "%s", ledger)
				first := seen
				assert.Equal(t, pool.Item{ID: first["cut"].ID, Key: "k", Attempt: 1}, first["cut"])
				assert.NotEmpty(t, first["cut"].ID)

				seen = map[string]pool.Item{}
				draining := make(chan (<-chan struct{}), 1)
				next := begin(t, store, func(ctx context.Context, item string) error { note(ctx, item); return nil }, cfg,
					pool.WithReplay[string](func(r pool.Replay) {
						if !r.Over {
							<-<-draining // nothing enters before
						}
					}))
				draining <- next.Gate().Draining()
				require.NoError(t, next.Drain(t.Context()))
				assert.Empty(t, next.log.all(), "a drain does not wait for the replay")
				next.stop(t, time.Second)
				next = begin(t, store, func(ctx context.Context, item string) error { note(ctx, item); return nil }, cfg)
				synctest.Wait()
				next.stop(t, time.Second)
				assert.Equal(t, []string{"retry", "cut", "in line", "queued"}, next.log.all())
				for _, item := range []string{"retry", "cut"} {
					want := first[item]
					want.Replayed = true
					want.Attempt = 2
					assert.Equal(t, want, seen[item], "%s %s", mode, item)
				}
				assert.Equal(t, 1, seen["queued"].Attempt)
				assert.EqualValues(t, 4, next.Gate().Ledger().Done)
				assert.Empty(t, left(t, store))
			})
		}
	})

	t.Run("TriesAreCountedOverStopsAndTheOrderStays", func(t *testing.T) {
		t.Parallel()
		for _, mode := range []journal.Mode{journal.OnStop, journal.Always} {
			synctest.Test(t, func(t *testing.T) {
				store := journaltest.NewMemory(0)
				box := journal.NewDeadLetters(journaltest.NewMemory(0))
				var tries []int
				ids := map[string]bool{}
				handler := func(ctx context.Context, item string) error {
					if item != "fails" {
						return untilStopped(ctx, item)
					}
					it, _ := pool.ItemOf(ctx)
					tries, ids[it.ID] = append(tries, it.Attempt), true
					return errHandler
				}
				cfg := pool.LaneConfig{Journal: mode, Retry: pool.Retry{MaxAttempts: 3, InitialDelay: time.Hour, MaxDelay: time.Hour}}
				for life := range 4 {
					l := beginIn(t, pool.Config{Workers: 3}, store, handler, cfg, pool.WithDeadLetters[string](box))
					if life == 0 {
						for _, item := range []string{"first", "fails", "last"} {
							require.NoError(t, l.Submit(t.Context(), item))
						}
					}
					synctest.Wait()
					l.stop(t, 0)
					if life < 2 {
						assert.Equal(t, []string{"first", "fails", "last"}, left(t, store), "%s, life %d", mode, life)
					}
				}
				assert.Equal(t, []int{1, 2, 3}, tries, mode)
				assert.Len(t, ids, 1)
				assert.Equal(t, []string{"first", "last"}, left(t, store))
				require.Len(t, letters(t, box), 1)
				assert.Equal(t, 3, letters(t, box)[0].Attempts)
			})
		}
	})

	t.Run("StopInTheMiddleOfAReplayKeepsTheOrderRatherThanTheTries", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store, items := killed(t, 50)
			l := beginIn(t, small, store, untilStopped, always)
			synctest.Wait()
			l.stop(t, 0)
			assert.Equal(t, items, left(t, store))
		})
	})

	t.Run("JournalThatIsTooFullToCountTriesLosesNothing", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store := journaltest.NewMemory(len(`"a"`) * 3)
			l := begin(t, store, untilStopped, always)
			require.NoError(t, l.Submit(t.Context(), "a"))
			require.NoError(t, l.Submit(t.Context(), "b"))
			synctest.Wait()
			l.stop(t, 0)
			assert.Equal(t, []string{"a", "b"}, left(t, store))
			assert.EqualValues(t, 2, l.Gate().Ledger().Saved)
		})
	})

	t.Run("WhatCannotBeSavedIsLostAndTheErrorSaysHowMany", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store := journaltest.NewMemory(2 * len(`"a"`))
			l := begin(t, store, untilStopped, pool.LaneConfig{})
			for _, item := range []string{"a", "b", "c"} {
				require.NoError(t, l.Submit(t.Context(), item))
			}
			_, err := l.Stop(ended())
			require.NoError(t, err)
			err = l.Save(t.Context())
			require.ErrorContains(t, err, "lane sms: 1 of 3 items lost")
			require.ErrorIs(t, err, journal.ErrFull)
			ledger := l.Gate().Ledger()
			assert.EqualValues(t, 2, ledger.Saved)
			assert.EqualValues(t, 1, ledger.Lost)
			assert.Equal(t, []string{"a", "b"}, left(t, store))
		})
	})

	t.Run("HandlerThatIsAbandonedChangesNothing", func(t *testing.T) {
		t.Parallel()
		for _, mode := range []journal.Mode{journal.OnStop, journal.Always} {
			synctest.Test(t, func(t *testing.T) {
				store := journaltest.NewMemory(0)
				release := make(chan struct{})
				l := begin(t, store, func(ctx context.Context, _ string) error {
					<-release
					item, ok := pool.ItemOf(ctx)
					assert.True(t, ok)
					assert.NotEmpty(t, item.ID)
					return nil
				}, pool.LaneConfig{Journal: mode})
				require.NoError(t, l.Submit(t.Context(), "a"))
				synctest.Wait()
				_, err := l.Stop(ended())
				require.ErrorContains(t, err, "1 handlers still run")
				require.NoError(t, l.Save(t.Context()))
				close(release)
				synctest.Wait()
				assert.EqualValues(t, 1, l.Gate().Ledger().Saved)
				assert.Equal(t, []string{"a"}, left(t, store), "it comes again")
			})
		}
	})

	t.Run("SaveReadsNothingThatAnAbandonedHandlerIsWriting", func(t *testing.T) {
		t.Parallel()
		for _, mode := range []journal.Mode{journal.OnStop, journal.Always} { // for the race detector, which a bubble would blind
			store := journaltest.NewMemory(0)
			release := make(chan struct{})
			l := begin(t, store, func(context.Context, string) error { <-release; return nil }, pool.LaneConfig{Journal: mode})
			require.NoError(t, l.Submit(t.Context(), "a"))
			for l.Stats().Running == 0 {
				runtime.Gosched()
			}
			_, err := l.Stop(ended())
			require.ErrorIs(t, err, pool.ErrStopped)
			require.NoError(t, l.Save(t.Context()))
			close(release)
			assert.Equal(t, []string{"a"}, left(t, store))
			_, err = l.pool.Stop(context.Background())
			require.NoError(t, err)
		}
	})

	t.Run("ItemWhoseHookDoesNotEndIsSavedIfItIsInTheJournalAndElseCountedWhenItDoes", func(t *testing.T) {
		t.Parallel()
		for _, fails := range []bool{false, true} {
			for _, mode := range []journal.Mode{journal.OnStop, journal.Always} {
				synctest.Test(t, func(t *testing.T) {
					store := journaltest.NewMemory(0)
					release := make(chan struct{})
					handler := func(context.Context, string) error {
						if fails {
							return errHandler
						}
						return nil
					}
					l := begin(t, store, handler, pool.LaneConfig{Journal: mode},
						pool.WithResult(func(context.Context, pool.Result[string]) { <-release }))
					require.NoError(t, l.Submit(t.Context(), "a"))
					synctest.Wait()
					items, err := l.Stop(ended())
					require.ErrorContains(t, err, "1 handlers still run")
					assert.Empty(t, items)
					require.NoError(t, l.Save(t.Context()))
					close(release)
					synctest.Wait()
					ledger := l.Gate().Ledger()
					if mode == journal.Always {
						assert.Equal(t, intake.Ledger{Offered: 1, Accepted: 1, Saved: 1}, ledger)
						assert.Equal(t, []string{"a"}, left(t, store), "it comes again")
						return
					}
					assert.EqualValues(t, 1, ledger.Done+ledger.Failed, "%s", ledger)
					assert.Empty(t, left(t, store))
				})
			}
		}
	})

	t.Run("ItemWhoseHookEndsBeforeSaveIsDone", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store := journaltest.NewMemory(0)
			release := make(chan struct{})
			l := begin(t, store, nil, always, pool.WithResult(func(context.Context, pool.Result[string]) { <-release }))
			require.NoError(t, l.Submit(t.Context(), "a"))
			synctest.Wait()
			_, err := l.Stop(ended())
			require.ErrorIs(t, err, pool.ErrStopped)
			close(release)
			synctest.Wait()
			require.NoError(t, l.Save(t.Context()))
			assert.Equal(t, intake.Ledger{Offered: 1, Accepted: 1, Done: 1}, l.Gate().Ledger())
			assert.Empty(t, left(t, store))
		})
	})

	t.Run("StopDuringTheWritingAcceptsAndSaves", func(t *testing.T) {
		t.Parallel()
		for _, saveFirst := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				memory := journaltest.NewMemory(0)
				store := &spy{Opener: memory}
				hold := make(chan struct{})
				l := begin(t, store, nil, always)
				store.setAfter(func() { <-hold }) // it is written, and Append does not return
				result := make(chan error, 1)
				go func() { result <- l.Submit(context.Background(), "a") }()
				synctest.Wait()
				assert.Equal(t, intake.Ledger{}, l.Gate().Ledger(), "it is inside of nothing yet")
				assert.Equal(t, 1, l.Stats().Writing)

				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				items, err := l.Stop(ctx)
				require.NoError(t, err)
				assert.Equal(t, 1100*time.Millisecond, time.Since(began), "the stop waits for it, but not for ever")
				assert.Empty(t, items)
				if saveFirst {
					require.NoError(t, l.Save(t.Context()))
				}
				close(hold)
				require.NoError(t, <-result)
				require.NoError(t, l.Save(t.Context()))
				assert.Equal(t, intake.Ledger{Offered: 1, Accepted: 1, Saved: 1}, l.Gate().Ledger())
				assert.Equal(t, []string{"a"}, left(t, memory))
			})
		}
	})

	t.Run("StopAndDrainOfThePoolWaitForTheWriting", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store := &spy{Opener: journaltest.NewMemory(0)}
			l := begin(t, store, nil, always)
			store.set(func() error { time.Sleep(time.Minute); return nil })
			result := make(chan error, 1)
			go func() { result <- l.Submit(context.Background(), "a") }()
			synctest.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			require.ErrorContains(t, l.pool.Drain(ctx), "1 tasks left")
			_, err := l.pool.Stop(t.Context())
			require.NoError(t, err)
			require.NoError(t, <-result)
			assert.Equal(t, []string{"a"}, l.log.all())
		})
	})

	t.Run("WhatTheStopKeepsFromBeingWrittenIsRefused", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			memory := journaltest.NewMemory(0)
			store := &spy{Opener: memory}
			hold := make(chan struct{})
			l := begin(t, store, nil, always)
			store.set(func() error { <-hold; return nil })
			result := make(chan error, 1)
			go func() { result <- l.Submit(context.Background(), "a") }()
			synctest.Wait()
			l.stop(t, time.Second)
			close(hold)
			err := <-result
			require.ErrorIs(t, err, pool.ErrClosed)
			require.ErrorIs(t, err, journal.ErrClosed)
			assert.Equal(t, intake.Ledger{Offered: 1, Rejected: 1}, l.Gate().Ledger())
			assert.Empty(t, left(t, memory))
		})
	})
}

func TestStart(t *testing.T) {
	t.Parallel()

	t.Run("WorkBeforeItIsRefused", func(t *testing.T) {
		t.Parallel()
		l := prepare(t, pool.Config{}, journaltest.NewMemory(0), nil, pool.LaneConfig{})
		require.ErrorIs(t, l.Submit(t.Context(), "a"), pool.ErrNotStarted)
		require.ErrorIs(t, l.TrySubmit(t.Context(), "a"), pool.ErrNotStarted)
		require.NoError(t, l.Start(t.Context()))
		require.NoError(t, l.Submit(t.Context(), "a"))
		assert.Equal(t, intake.Ledger{Offered: 3, Accepted: 1, Rejected: 2, Inside: 1}, l.Gate().Ledger())
	})

	t.Run("AgainDoesNothingAndAfterStopIsRefused", func(t *testing.T) {
		t.Parallel()
		store := journaltest.NewMemory(0)
		l := begin(t, store, nil, pool.LaneConfig{})
		require.NoError(t, l.Start(t.Context()))
		l.stop(t, time.Minute)
		require.ErrorIs(t, l.Start(t.Context()), pool.ErrClosed)
		j, err := store.Open(t.Context(), "lane:sms")
		require.NoError(t, err, "the journal is closed")
		require.NoError(t, j.Close())
	})

	t.Run("MayBeTriedAgainWhenItFailed", func(t *testing.T) {
		t.Parallel()
		store := journaltest.NewMemory(0)
		j, err := store.Open(t.Context(), "lane:sms")
		require.NoError(t, err)
		l := prepare(t, pool.Config{}, store, nil, pool.LaneConfig{})
		err = l.Start(t.Context())
		require.ErrorIs(t, err, journal.ErrLocked)
		require.ErrorContains(t, err, "lane sms: start")
		require.NoError(t, j.Close())
		require.NoError(t, l.Start(t.Context()))
	})

	t.Run("SaveWhoseTimeIsUpClosesWhatHasLongBeenOpen", func(t *testing.T) {
		t.Parallel()
		for range 50 {
			store := journaltest.NewMemory(0)
			l := begin(t, store, nil, always)
			require.NoError(t, l.Save(ended()))
			j, err := store.Open(t.Context(), "lane:sms")
			require.NoError(t, err, "the journal is closed")
			require.NoError(t, j.Close())
		}
	})

	t.Run("StoreThatPanicsFailsItAndLeavesNobodyWaiting", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store := journaltest.NewMemory(0)
			hold := make(chan struct{})
			breaks := openerFunc(func(ctx context.Context, name string) (journal.Journal, error) {
				if hold == nil {
					return store.Open(ctx, name)
				}
				<-hold
				panic("store")
			})
			l := prepare(t, pool.Config{}, breaks, nil, pool.LaneConfig{})
			result := make(chan error, 1)
			go func() {
				defer func() { _ = recover() }()
				_ = l.Start(context.Background())
			}()
			synctest.Wait()
			go func() { result <- l.Start(context.Background()) }()
			synctest.Wait()
			close(hold)
			require.ErrorContains(t, <-result, "panicked")
			hold = nil
			require.NoError(t, l.Start(t.Context()), "it may be called again")
			require.NoError(t, l.Save(t.Context()))
		})
	})

	t.Run("StopBesideItLeavesNothingOpen", func(t *testing.T) {
		t.Parallel()
		for range 200 {
			store := journaltest.NewMemory(0)
			l := prepare(t, pool.Config{}, store, nil, pool.LaneConfig{})
			var both sync.WaitGroup
			both.Go(func() { _ = l.Start(context.Background()) })
			both.Go(func() { _ = l.Start(context.Background()) })
			both.Go(func() { _ = l.Save(context.Background()) })
			both.Wait()
			j, err := store.Open(t.Context(), "lane:sms")
			require.NoError(t, err)
			require.NoError(t, j.Close())
		}
	})

	t.Run("StopWhileItOpensIsAStop", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store, items := killed(t, 3)
			box := journal.NewDeadLetters(store)
			open := make(chan struct{})
			slow := openerFunc(func(ctx context.Context, name string) (journal.Journal, error) {
				<-open
				return store.Open(ctx, name)
			})
			l := prepare(t, pool.Config{}, slow, nil, pool.LaneConfig{}, pool.WithDeadLetters[string](box))
			require.NoError(t, l.pool.Start(t.Context()))
			result := make(chan error, 1)
			go func() { result <- l.Start(context.Background()) }()
			synctest.Wait()
			_, err := l.Stop(t.Context())
			require.NoError(t, err)
			close(open)
			require.ErrorIs(t, <-result, pool.ErrClosed)
			require.ErrorContains(t, box.Redrive(t.Context(), journal.DeadLetter{Component: "lane:sms"}), "nobody takes letters")
			assert.Equal(t, items, left(t, store))
			assert.Empty(t, l.log.all())
		})
	})

	t.Run("SaveEndsAnOpeningThatHangs", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			hangs := openerFunc(func(ctx context.Context, _ string) (journal.Journal, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			})
			l := prepare(t, pool.Config{}, hangs, nil, pool.LaneConfig{})
			result := make(chan error, 1)
			go func() { result <- l.Start(context.Background()) }()
			synctest.Wait()
			require.NoError(t, l.Save(t.Context()))
			require.ErrorIs(t, <-result, context.Canceled)
		})
	})

	t.Run("ModeIsChosenByWhatThereIs", func(t *testing.T) {
		t.Parallel()
		store := journaltest.NewMemory(0)
		box := journal.NewDeadLetters(store)
		handler := func(context.Context, string) error { return nil }
		save := func(context.Context, []string) error { return nil }
		saver := pool.WithSave(save)
		for _, tt := range []struct {
			give pool.LaneConfig
			opts []pool.LaneOption[string]
			want string // of the mode, or of the error
		}{
			{pool.LaneConfig{}, nil, "off"},
			{pool.LaneConfig{}, []pool.LaneOption[string]{pool.WithJournal[string](nil)}, "off"},
			{pool.LaneConfig{}, []pool.LaneOption[string]{pool.WithJournal[string](store)}, "onstop"},
			{pool.LaneConfig{}, []pool.LaneOption[string]{pool.WithJournal[string](store), saver}, "off"},
			{pool.LaneConfig{Journal: journal.Off}, []pool.LaneOption[string]{pool.WithJournal[string](store)}, "off"},
			{always, []pool.LaneOption[string]{pool.WithJournal[string](store)}, "always"},
			{always, []pool.LaneOption[string]{pool.WithJournal[string](store), pool.WithSave[string](nil)}, "always"},
			{always, nil, "journal: is always, but the lane has no journal; give WithJournal"},
			{always, []pool.LaneOption[string]{pool.WithJournal[string](store), saver}, "journal: is always, but there is a saver too"},
			{pool.LaneConfig{Journal: "sometimes"}, nil, `journal: is "sometimes"; give off, onstop or always`},
			{pool.LaneConfig{DeadLetters: "burn"}, nil, `dead_letters: is "burn"; give keep or off`},
			{pool.LaneConfig{DeadLetters: "keep"}, nil, "dead_letters: is keep, but the lane has no box; give WithDeadLetters"},
			{pool.LaneConfig{DeadLetters: "off"}, []pool.LaneOption[string]{pool.WithDeadLetters[string](box)}, "off"},
			{pool.LaneConfig{MaxAge: -1}, nil, "max_age: is -1ns, must not be negative"},
			{pool.LaneConfig{}, []pool.LaneOption[string]{pool.WithJournal[string](store), pool.WithCodec(journal.Codec[string]{Name: "half"})}, "encode: is nil"},
		} {
			p, err := pool.New("test", pool.Config{})
			require.NoError(t, err)
			l, err := pool.NewLane(p, "sms", handler, tt.give, tt.opts...)
			if err != nil {
				require.ErrorContains(t, err, "lane sms: ")
				require.ErrorContains(t, err, tt.want)
				continue
			}
			assert.Equal(t, tt.want, string(l.Stats().Journal))
			require.NoError(t, l.Save(t.Context()))
			_, _ = p.Stop(t.Context())
		}
	})
}
