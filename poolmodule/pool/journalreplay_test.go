package pool_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
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

// killed is a store in which a life was killed that had accepted n items, and
// done none.
func killed(t *testing.T, n int) (store *journaltest.Memory, items []string) {
	t.Helper()
	store = journaltest.NewMemory(0)
	k, err := journal.NewKeeper("lane:sms", store, journal.JSON[string](), nil)
	require.NoError(t, err)
	require.NoError(t, k.Open(t.Context()))
	for i := range n {
		items = append(items, fmt.Sprintf("%04d", i))
		require.NoError(t, k.Keep(t.Context(), []journal.Item[string]{{Value: items[i]}}))
	}
	store.Crash()
	return store, items
}

// small is a pool whose queue is always full.
var small = pool.Config{Workers: 1, Queue: 4}

func slowly(ctx context.Context, _ string) error { return sleep(ctx, time.Second) }

func TestReplay(t *testing.T) {
	t.Parallel()

	t.Run("ComesInOrderBeforeAllNewWorkWhateverThePolicy", func(t *testing.T) {
		t.Parallel()
		for _, policy := range []pool.Policy{pool.Block, pool.Abort, pool.CallerRuns, pool.DiscardNewest, pool.DiscardOldest} {
			for _, mode := range []journal.Mode{journal.OnStop, journal.Always} {
				synctest.Test(t, func(t *testing.T) {
					store, items := killed(t, 50)
					l := beginIn(t, pool.Config{Workers: 1, Queue: 4, Policy: policy}, store, slowly, pool.LaneConfig{Journal: mode})
					require.ErrorIs(t, l.TrySubmit(t.Context(), "try"), pool.ErrReplaying)
					results := make(chan error, 3)
					for _, item := range []string{"new 1", "new 2", "new 3"} {
						go func() { results <- l.Submit(context.Background(), item) }()
						synctest.Wait()
					}
					time.Sleep(10 * time.Second)
					s := l.Stats()
					assert.Equal(t, 50, s.Replayed+s.ReplayLeft)
					assert.NotZero(t, s.ReplayLeft)
					assert.Equal(t, 3, s.Submitters)
					assert.LessOrEqual(t, s.Queued+s.Running, 6, "memory is bounded")
					time.Sleep(time.Hour)
					refused := 0
					for range 3 {
						if err := <-results; err != nil {
							require.ErrorIs(t, err, pool.ErrFull)
							refused++
						}
					}
					handled := l.log.all()
					if policy == pool.CallerRuns {
						slices.Sort(handled) // those run beside the queue
					}
					first := 50
					if policy == pool.DiscardOldest {
						first = 45 // then the new ones take the places of the last old ones
					}
					assert.Equal(t, items[:first], handled[:first])
					if policy == pool.Block {
						assert.Equal(t, []string{"new 1", "new 2", "new 3"}, handled[50:])
					}
					ledger := l.Gate().Ledger()
					assert.EqualValues(t, 54, ledger.Offered)
					assert.EqualValues(t, 1+refused, ledger.Rejected)
					assert.EqualValues(t, 53-refused, ledger.Done+ledger.Dropped)
					l.stop(t, time.Minute)
					assert.Empty(t, left(t, store))
				})
			}
		}
	})

	t.Run("OrderPerKeyHoldsAcross", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store := journaltest.NewMemory(0)
			cfg := pool.LaneConfig{Journal: journal.Always}
			l := begin(t, store, untilStopped, cfg)
			for i := range 30 {
				require.NoError(t, l.SubmitKey(t.Context(), fmt.Sprint(i%3), fmt.Sprintf("%d/%02d", i%3, i)))
			}
			synctest.Wait()
			store.Crash()
			next := beginIn(t, pool.Config{Workers: 8, Queue: 4}, store, func(ctx context.Context, item string) error {
				if item[3]%2 == 0 {
					return sleep(ctx, time.Second)
				}
				return nil
			}, cfg)
			for i := range 3 {
				require.NoError(t, next.SubmitKey(t.Context(), fmt.Sprint(i), fmt.Sprintf("%d/%02d", i, 30+i)))
			}
			require.NoError(t, next.Drain(t.Context()))
			handled := next.log.all()
			require.Len(t, handled, 33)
			for key := range 3 {
				var of []string
				for _, item := range handled {
					if item[0] == byte('0'+key) {
						of = append(of, item)
					}
				}
				assert.IsIncreasing(t, of)
			}
		})
	})

	t.Run("EndsAtOnceWhenADrainBegins", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store, items := killed(t, 50)
			var last pool.Replay
			l := beginIn(t, small, store, slowly, always, pool.WithReplay[string](func(r pool.Replay) { last = r }))
			waiting := make(chan error, 1)
			go func() { waiting <- l.Submit(context.Background(), "new") }()
			time.Sleep(2500 * time.Millisecond)

			began := time.Now()
			require.NoError(t, l.Drain(t.Context()))
			assert.LessOrEqual(t, time.Since(began), 6*time.Second, "what had entered, and no more")
			require.ErrorIs(t, <-waiting, pool.ErrDraining)
			synctest.Wait()
			assert.True(t, last.Over)
			require.ErrorIs(t, last.Err, pool.ErrDraining)
			done := len(l.log.all())
			assert.Equal(t, items[:done], l.log.all())
			assert.Equal(t, 50-done, l.Stats().ReplayLeft)
			assert.Equal(t, intake.Ledger{Offered: uint64(done) + 1, Accepted: uint64(done), Rejected: 1, Done: uint64(done)}, l.Gate().Ledger(),
				"what has not entered was offered by nobody")
			l.stop(t, time.Second)
			assert.Equal(t, items[done:], left(t, store))
		})
	})

	t.Run("StopOrKillInTheMiddleLosesNothing", func(t *testing.T) {
		t.Parallel()
		for _, kill := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				store, items := killed(t, 40)
				handled := map[string]int{}
				for life := 0; len(handled) < 40; life++ {
					require.Less(t, life, 100)
					l := beginIn(t, small, store, slowly, always)
					time.Sleep(2500 * time.Millisecond)
					if kill {
						store.Crash()
						l.end(t)
					} else {
						l.stop(t, 0)
					}
					for _, item := range l.log.all() {
						handled[item]++
					}
				}
				assert.Empty(t, left(t, store))
				for _, item := range items {
					assert.Equal(t, 1, handled[item], item)
				}
			})
		}
	})

	t.Run("WorkFromInsideTheSamePoolDoesNotWaitForItself", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store, items := killed(t, 20)
			var l *life
			l = beginIn(t, pool.Config{Workers: 1, Queue: 4, Policy: pool.CallerRuns}, store, func(ctx context.Context, item string) error {
				if len(item) > 4 {
					return nil
				}
				return l.Submit(ctx, item+" and more")
			}, always)
			require.NoError(t, l.Submit(t.Context(), "last"))
			l.stop(t, time.Minute)
			assert.Len(t, l.log.all(), 2*(len(items)+1))
			assert.EqualValues(t, 2*(len(items)+1), l.Gate().Ledger().Accepted)
			assert.Empty(t, left(t, store))
		})
	})

	t.Run("DoesNotRepeatWhatIsWrittenWhileItBegins", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store, items := killed(t, 5)
			release := make(chan struct{})
			var l *life
			l = prepare(t, pool.Config{Workers: 2, Queue: 9}, store, func(_ context.Context, item string) error {
				if item == "insider" {
					<-release
				}
				return nil
			}, always, pool.WithReplay[string](func(r pool.Replay) {
				if r.Over {
					return
				}
				entered := make(chan error)
				_ = l.pool.Submit(context.Background(), func(ctx context.Context) { entered <- l.Submit(ctx, "insider") })
				assert.NoError(t, <-entered)
			}))
			require.NoError(t, l.pool.Start(t.Context()))
			require.NoError(t, l.Start(t.Context()))
			synctest.Wait()
			assert.Equal(t, items, l.log.all())
			close(release)
			l.stop(t, time.Minute)
			assert.Equal(t, append(items, "insider"), l.log.all())
		})
	})

	t.Run("ReportsAtTheBeginningEveryFewSecondsAndAtTheEnd", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store, _ := killed(t, 3000)
			var reports []pool.Replay
			quick := func(ctx context.Context, _ string) error { return sleep(ctx, 10*time.Millisecond) }
			l := beginIn(t, small, store, quick, pool.LaneConfig{}, pool.WithReplay[string](func(r pool.Replay) {
				reports = append(reports, r)
				panic("swallowed")
			}))
			require.NoError(t, l.Submit(t.Context(), "new"))
			l.stop(t, time.Minute)
			require.GreaterOrEqual(t, len(reports), 4)
			assert.Equal(t, pool.Replay{Left: 3000}, reports[0])
			for i, r := range reports[1:] {
				assert.Greater(t, r.Entered, reports[i].Entered)
				assert.Equal(t, 3000, r.Entered+r.Left)
				assert.Equal(t, i == len(reports)-2, r.Over)
			}
			for _, r := range reports[1 : len(reports)-1] {
				assert.GreaterOrEqual(t, r.Took, 5*time.Second)
			}
			last := reports[len(reports)-1]
			assert.Equal(t, 3000, last.Entered)
			require.NoError(t, last.Err)
			assert.Equal(t, 3000, l.Stats().Replayed)
			assert.Zero(t, l.Stats().ReplayLeft)
		})
	})

	t.Run("AnEmptyJournalReportsNothing", func(t *testing.T) {
		t.Parallel()
		l := begin(t, journaltest.NewMemory(0), nil, always, pool.WithReplay[string](func(pool.Replay) { t.Error("reported") }))
		require.NoError(t, l.TrySubmit(t.Context(), "a"))
		l.stop(t, time.Minute)
	})

	t.Run("WhatCannotBeReadHoldsUpNobody", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store, _ := killed(t, 3)
			j, err := store.Open(t.Context(), "lane:sms")
			require.NoError(t, err)
			_, err = j.Append(t.Context(), journal.Entry{Codec: "json", Payload: []byte("{")}, journal.Entry{Codec: "json", Payload: []byte(`"ok"`)})
			require.NoError(t, err)
			store.Crash()
			l := begin(t, store, nil, always)
			require.NoError(t, l.Submit(t.Context(), "new"))
			synctest.Wait()
			assert.Equal(t, []string{"0000", "0001", "0002", "ok", "new"}, l.log.all())
			s := l.Stats()
			assert.Equal(t, 1, s.Unreadable)
			assert.Equal(t, 4, s.Replayed)
			assert.Zero(t, s.ReplayLeft)
			assert.Equal(t, 1, s.InJournal, "it stays, where there is no box")
		})
	})

	t.Run("AJournalThatFailsIsToldAndTheLaneOpens", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store, _ := killed(t, 50)
			var last pool.Replay
			l := beginIn(t, small, store, slowly, pool.LaneConfig{}, pool.WithReplay[string](func(r pool.Replay) { last = r }))
			time.Sleep(3 * time.Second)
			store.Crash() // its replay fails from now on
			time.Sleep(time.Minute)
			synctest.Wait()
			require.ErrorIs(t, last.Err, journal.ErrClosed)
			assert.NotZero(t, last.Left)
			require.NoError(t, l.Submit(t.Context(), "new"))
			require.NoError(t, l.Drain(t.Context()))
			assert.Contains(t, l.log.all(), "new")
		})
	})

	t.Run("StopDoesNotWaitForEverForACodecThatHangsButTellsOfIt", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store, items := killed(t, 5)
			release := make(chan struct{})
			codec := journal.JSON[string]()
			decode := codec.Decode
			codec.Decode = func(payload []byte, version int) (string, error) { <-release; return decode(payload, version) }
			l := begin(t, store, nil, always, pool.WithCodec(codec))
			marked, lineage := intake.Mark(t.Context())
			defer lineage.End()
			result := make(chan error, 1)
			go func() { result <- l.Submit(marked, "from inside") }()
			synctest.Wait()
			began := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := l.Stop(ctx)
			require.ErrorIs(t, err, pool.ErrStopped)
			require.ErrorContains(t, err, "lane sms: stop: the replay still runs")
			assert.Equal(t, 1100*time.Millisecond, time.Since(began))
			require.NoError(t, l.Save(t.Context()))
			require.ErrorIs(t, <-result, pool.ErrClosed)
			close(release)
			synctest.Wait()
			assert.Empty(t, l.log.all())
			assert.Equal(t, items, left(t, store))
		})
	})

	t.Run("CodecThatEndsTheGoroutineEndsTheReplay", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store, _ := killed(t, 5)
			codec := journal.JSON[string]()
			codec.Decode = func([]byte, int) (string, error) { runtime.Goexit(); return "", nil }
			var last pool.Replay
			l := begin(t, store, nil, always, pool.WithCodec(codec), pool.WithReplay[string](func(r pool.Replay) { last = r }))
			require.NoError(t, l.Submit(t.Context(), "new"))
			var panicked *pool.PanicError
			require.ErrorAs(t, last.Err, &panicked)
			assert.Equal(t, 5, last.Left)
			l.stop(t, time.Second)
		})
	})

	t.Run("SubmitWaitsNoLongerThanItsContext", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store, _ := killed(t, 50)
			l := beginIn(t, small, store, slowly, always)
			patience := errors.New("patience")
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, patience)
			defer cancel()
			require.ErrorIs(t, l.Submit(ctx, "new"), patience)
			assert.EqualValues(t, 1, l.Gate().Ledger().Rejected)
		})
	})

	t.Run("WorkWithLineageMayComeWhenADrainHasEndedIt", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store, items := killed(t, 50)
			l := beginIn(t, small, store, slowly, always)
			marked, lineage := intake.Mark(t.Context())
			defer lineage.End()
			result := make(chan error, 1)
			go func() { result <- l.Submit(marked, "from inside") }()
			synctest.Wait()
			l.Gate().Drain()
			require.NoError(t, <-result)
			l.stop(t, time.Minute)
			handled := l.log.all()
			assert.Equal(t, "from inside", handled[len(handled)-1])
			assert.Equal(t, items[len(handled)-1:], left(t, store))
		})
	})
}
