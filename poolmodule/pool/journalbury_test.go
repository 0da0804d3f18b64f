package pool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
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

func letters(t *testing.T, box *journal.DeadLetters) (all []journal.DeadLetter) {
	t.Helper()
	for l, err := range box.All(t.Context()) {
		require.NoError(t, err)
		all = append(all, l)
	}
	return all
}

func TestDeadLetters(t *testing.T) {
	t.Parallel()

	t.Run("SayWhyHowOftenAndWithWhichErrors", func(t *testing.T) {
		t.Parallel()
		for _, mode := range []journal.Mode{journal.Off, journal.OnStop, journal.Always} {
			synctest.Test(t, func(t *testing.T) {
				store := journaltest.NewMemory(0)
				box := journal.NewDeadLetters(store)
				began := time.Now()
				tries := 0
				handler := func(_ context.Context, item string) error {
					switch item {
					case "permanent":
						return pool.Permanent(errors.New("no such number"))
					case "panic":
						panic("no paper")
					case "typed nil":
						var typedNil *os.PathError
						return typedNil
					}
					tries++
					return fmt.Errorf("busy %d", tries)
				}
				l := begin(t, store, handler, pool.LaneConfig{Journal: mode, Retry: pool.Retry{MaxAttempts: 3, InitialDelay: time.Second}},
					pool.WithDeadLetters[string](box),
					pool.WithID(func(item string) string { return "id of " + item }),
					pool.WithLabel(func(item string) string { return "label of " + item }))
				require.NoError(t, l.Submit(t.Context(), "permanent"))
				require.NoError(t, l.SubmitKey(t.Context(), "k", "panic"))
				require.NoError(t, l.Submit(t.Context(), "typed nil"))
				require.NoError(t, l.Submit(t.Context(), "retries"))
				l.stop(t, time.Hour)
				assert.Equal(t, intake.Ledger{Offered: 4, Accepted: 4, Failed: 4}, l.Gate().Ledger())
				if mode == journal.Always {
					assert.Empty(t, left(t, store))
				}

				all := letters(t, box)
				require.Len(t, all, 4)
				for i, item := range []string{"permanent", "panic", "typed nil", "retries"} {
					got := &all[i]
					assert.Equal(t, "id of "+item, got.ID)
					assert.Equal(t, "lane:sms", got.Component)
					assert.Equal(t, fmt.Sprintf("%q", item), string(got.Payload))
					if mode == journal.Always {
						assert.WithinDuration(t, began, got.Accepted, 0)
					}
					assert.False(t, got.Died.IsZero())
				}
				assert.Equal(t, "label of permanent", all[0].Key)
				assert.Equal(t, journal.ReasonPermanent, all[0].Reason)
				assert.Equal(t, 1, all[0].Attempts)
				assert.Equal(t, "no such number", all[0].Last)
				assert.Empty(t, all[0].First, "there was one alone")
				assert.Equal(t, "k", all[1].Key)
				assert.Equal(t, journal.ReasonPanic, all[1].Reason)
				assert.Equal(t, "task panicked: no paper", all[1].Last)
				assert.Equal(t, journal.ReasonPanic, all[2].Reason, "it cannot be looked into")
				assert.Equal(t, journal.ReasonRetries, all[3].Reason)
				assert.Equal(t, 3, all[3].Attempts)
				assert.Equal(t, "busy 1", all[3].First)
				assert.Equal(t, "busy 3", all[3].Last)
				require.NoError(t, box.Close())
			})
		}
	})

	t.Run("AreWrittenBeforeTheHooksAreToldAndTheItemIsCrossedOutAfter", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			box := journal.NewDeadLetters(journaltest.NewMemory(0))
			var order []string
			var l *life
			tell := func(who string) func(context.Context, pool.Result[string]) {
				return func(context.Context, pool.Result[string]) {
					order = append(order, fmt.Sprint(who, len(letters(t, box)), l.Stats().InJournal))
				}
			}
			l = begin(t, journaltest.NewMemory(0), func(context.Context, string) error { return errHandler }, always,
				pool.WithDeadLetters[string](box), pool.WithFailure(tell("failure")), pool.WithResult(tell("result")),
				pool.WithBurial[string](func(b pool.Burial) { order = append(order, fmt.Sprint("burial", b.Err)) }))
			require.NoError(t, l.Submit(t.Context(), "a"))
			synctest.Wait()
			assert.Equal(t, []string{"burial<nil>", "failure1 1", "result1 1"}, order)
			assert.Zero(t, l.Stats().InJournal)
			l.stop(t, time.Second)
		})
	})

	t.Run("BoxThatTakesNothingPushesBackAndHeals", func(t *testing.T) {
		t.Parallel()
		for _, panics := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				store := &spy{Opener: journaltest.NewMemory(0)}
				box := journal.NewDeadLetters(store)
				handled, told := 0, 0
				var burials []pool.Burial
				l := beginIn(t, pool.Config{Workers: 1, Queue: 1, Policy: pool.Abort}, nil, func(context.Context, string) error {
					handled++
					if panics {
						panic("no")
					}
					return errHandler
				}, pool.LaneConfig{Retry: pool.Retry{InitialDelay: time.Second, Multiplier: 2, Jitter: -1}},
					pool.WithDeadLetters[string](box),
					pool.WithFailure(func(context.Context, pool.Result[string]) { told++ }),
					pool.WithBurial[string](func(b pool.Burial) { burials = append(burials, b); panic("swallowed") }))
				refuse := errors.New("disk full")
				store.set(func() error { return refuse })
				began := time.Now()
				accepted := 0
				for range 9 {
					if l.Submit(t.Context(), "a") == nil {
						accepted++
					}
					synctest.Wait()
				}
				assert.Equal(t, 2, accepted, "a place, and a free worker")
				s := l.Stats()
				assert.Equal(t, 2, s.Burying)
				assert.EqualValues(t, 2, s.Ledger.Inside)
				assert.Zero(t, told)
				time.Sleep(6500 * time.Millisecond) // tries after 0, 1, 3 s
				synctest.Wait()
				require.Len(t, burials, 6)
				for _, b := range burials {
					require.ErrorIs(t, b.Err, refuse)
					require.Error(t, b.Cause)
					assert.Equal(t, 1, b.Attempts)
					assert.NotEmpty(t, b.ID)
				}
				store.set(nil)
				l.stop(t, time.Hour)
				assert.Equal(t, 7*time.Second, time.Since(began))
				assert.Equal(t, 2, handled, "the handler is not called again")
				assert.Equal(t, 2, told)
				assert.Len(t, letters(t, box), 2)
				assert.EqualValues(t, 2, l.Gate().Ledger().Failed)
				require.NoError(t, box.Close())
			})
		}
	})

	t.Run("StopKeepsWhatTheBoxDidNotTake", func(t *testing.T) {
		t.Parallel()
		for _, mode := range []journal.Mode{journal.OnStop, journal.Always} {
			synctest.Test(t, func(t *testing.T) {
				memory := journaltest.NewMemory(0)
				graves := &spy{Opener: journaltest.NewMemory(0)}
				graves.set(func() error { return errors.New("disk full") })
				fails := func(context.Context, string) error { return errHandler }
				cfg := pool.LaneConfig{Journal: mode}
				l := begin(t, memory, fails, cfg, pool.WithDeadLetters[string](journal.NewDeadLetters(graves)))
				require.NoError(t, l.Submit(t.Context(), "a"))
				synctest.Wait()
				l.stop(t, 10*time.Second)
				assert.EqualValues(t, 1, l.Gate().Ledger().Saved)
				assert.Equal(t, []string{"a"}, left(t, memory))

				box := journal.NewDeadLetters(journaltest.NewMemory(0))
				l = begin(t, memory, fails, cfg, pool.WithDeadLetters[string](box))
				synctest.Wait()
				l.stop(t, time.Second)
				assert.Len(t, letters(t, box), 1)
				assert.Empty(t, left(t, memory))
			})
		}
	})

	t.Run("StopDoesNotWaitForABoxThatHangsAndWhatItTakesLaterComesAgainAllTheSame", func(t *testing.T) {
		t.Parallel()
		for _, mode := range []journal.Mode{journal.OnStop, journal.Always} {
			for _, fails := range []bool{false, true} {
				for _, saveFirst := range []bool{false, true} {
					synctest.Test(t, func(t *testing.T) {
						memory := journaltest.NewMemory(0)
						graves := &spy{Opener: journaltest.NewMemory(0)}
						hold := make(chan struct{})
						graves.set(func() error {
							<-hold
							if fails {
								return errors.New("disk full")
							}
							return nil
						})
						box := journal.NewDeadLetters(graves)
						told := 0
						l := begin(t, memory, func(context.Context, string) error { return errHandler }, pool.LaneConfig{Journal: mode},
							pool.WithDeadLetters[string](box),
							pool.WithFailure(func(context.Context, pool.Result[string]) { told++ }))
						require.NoError(t, l.Submit(t.Context(), "a"))
						synctest.Wait()
						ctx, cancel := context.WithTimeout(t.Context(), time.Second)
						defer cancel()
						items, err := l.Stop(ctx)
						require.ErrorContains(t, err, "1 handlers still run")
						assert.Equal(t, []string{"a"}, items)
						if saveFirst {
							require.NoError(t, l.Save(t.Context()))
						}
						close(hold)
						synctest.Wait()
						require.NoError(t, l.Save(t.Context()))
						assert.Equal(t, intake.Ledger{Offered: 1, Accepted: 1, Saved: 1}, l.Gate().Ledger())
						assert.Zero(t, told)
						assert.Equal(t, []string{"a"}, left(t, memory), "at least once")
						graves.set(nil)
						if !fails {
							assert.Len(t, letters(t, box), 1)
						}
						require.NoError(t, box.Close())
					})
				}
			}
		}
	})

	t.Run("RedriveIsNewWorkUnderTheOldID", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store := journaltest.NewMemory(0)
			box := journal.NewDeadLetters(store)
			var seen []pool.Item
			heals := false
			l := begin(t, store, func(ctx context.Context, _ string) error {
				item, _ := pool.ItemOf(ctx)
				seen = append(seen, item)
				if heals {
					return nil
				}
				return errHandler
			}, pool.LaneConfig{Journal: journal.Always, MaxAge: time.Minute, Retry: pool.Retry{MaxAttempts: 2}}, pool.WithDeadLetters[string](box))
			require.NoError(t, l.SubmitKey(t.Context(), "k", "a"))
			time.Sleep(time.Hour) // older than it may be, but for the redrive
			synctest.Wait()
			all := letters(t, box)
			require.Len(t, all, 1)
			heals = true
			require.NoError(t, box.Redrive(t.Context(), all[0]))
			synctest.Wait()
			require.Len(t, seen, 3)
			assert.Equal(t, pool.Item{ID: seen[0].ID, Key: "k", Attempt: 1}, seen[2], "a fresh count")
			assert.Empty(t, letters(t, box))
			assert.EqualValues(t, 1, l.Gate().Ledger().Done)

			require.ErrorContains(t, box.Redrive(t.Context(), all[0]), "not in the box any more")
			l.Gate().Drain()
			all[0].Seq = 0 // as from a file
			require.ErrorIs(t, box.Redrive(t.Context(), all[0]), pool.ErrDraining)
			l.stop(t, time.Second)
			require.ErrorContains(t, box.Redrive(t.Context(), all[0]), "nobody takes letters of")
			require.NoError(t, box.Close())
		})
	})

	t.Run("RedriveWaitsForRoomWhateverThePolicyAndIsThenDurable", func(t *testing.T) {
		t.Parallel()
		for _, policy := range []pool.Policy{pool.Block, pool.Abort, pool.CallerRuns, pool.DiscardNewest, pool.DiscardOldest} {
			for _, mode := range []journal.Mode{journal.Off, journal.OnStop, journal.Always} {
				synctest.Test(t, func(t *testing.T) {
					store := journaltest.NewMemory(0)
					box := journal.NewDeadLetters(journaltest.NewMemory(0))
					release := make(chan struct{})
					l := beginIn(t, pool.Config{Workers: 1, Queue: 1, Policy: policy}, store, func(context.Context, string) error { <-release; return nil },
						pool.LaneConfig{Journal: mode}, pool.WithDeadLetters[string](box))
					require.NoError(t, l.Submit(t.Context(), "runs"))
					synctest.Wait()
					require.NoError(t, l.Submit(t.Context(), "queued"))
					require.NoError(t, box.Put(t.Context(), journal.DeadLetter{ID: "7", Component: "lane:sms", Codec: "json", Payload: []byte(`"letter"`)}))
					letter := letters(t, box)[0]

					hasty, cancel := context.WithTimeout(t.Context(), time.Second)
					defer cancel()
					require.ErrorIs(t, box.Redrive(hasty, letter), context.DeadlineExceeded)
					assert.Len(t, letters(t, box), 1)
					result := make(chan error, 1)
					go func() { result <- box.Redrive(context.Background(), letter) }()
					synctest.Wait()
					assert.Len(t, letters(t, box), 1)
					release <- struct{}{}
					require.NoError(t, <-result)
					assert.Empty(t, letters(t, box))
					release <- struct{}{} // the letter is in the hands of the handler
					time.Sleep(crossedOut)
					if mode != journal.Off {
						assert.Equal(t, 1, l.Stats().InJournal, "%v %s: it is written down", policy, mode)
					}
					close(release)
					l.stop(t, time.Second)
					assert.Equal(t, []string{"runs", "queued", "letter"}, l.log.all(), "%v %s", policy, mode)
					assert.Empty(t, left(t, store))
				})
			}
		}
	})

	t.Run("RedriveDuringAReplayWaitsForItsEndAndWhatAStopLeavesOfItIsSavedOnce", func(t *testing.T) {
		t.Parallel()
		for _, mode := range []journal.Mode{journal.OnStop, journal.Always} {
			synctest.Test(t, func(t *testing.T) {
				store, items := killed(t, 3)
				box := journal.NewDeadLetters(journaltest.NewMemory(0))
				release := make(chan struct{})
				l := beginIn(t, pool.Config{Workers: 1, Queue: 1, Policy: pool.DiscardNewest}, store, func(ctx context.Context, _ string) error {
					select {
					case <-release:
						return nil
					case <-ctx.Done():
						return ctx.Err()
					}
				}, pool.LaneConfig{Journal: mode}, pool.WithDeadLetters[string](box))
				require.NoError(t, box.Put(t.Context(), journal.DeadLetter{ID: "7", Component: "lane:sms", Codec: "json", Payload: []byte(`"letter"`)}))
				letter := letters(t, box)[0]
				result := make(chan error, 1)
				go func() { result <- box.Redrive(context.Background(), letter) }()
				synctest.Wait()
				assert.Equal(t, 1, l.Stats().Submitters)
				release <- struct{}{}
				synctest.Wait()
				assert.Zero(t, l.Stats().Submitters, "the replay is over, and it waits for room")
				release <- struct{}{}
				require.NoError(t, <-result)
				l.stop(t, time.Second)
				assert.Equal(t, append(items[2:], "letter"), left(t, store))
				assert.EqualValues(t, 2, l.Gate().Ledger().Saved)
				assert.Empty(t, letters(t, box))
			})
		}
	})

	t.Run("AreOffWhereTheConfigSaysSo", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			box := journal.NewDeadLetters(journaltest.NewMemory(0))
			l := begin(t, nil, func(context.Context, string) error { return errHandler }, pool.LaneConfig{DeadLetters: pool.NoLetters}, pool.WithDeadLetters[string](box))
			require.NoError(t, l.Submit(t.Context(), "a"))
			l.stop(t, time.Second)
			assert.Empty(t, letters(t, box))
			assert.EqualValues(t, 1, l.Gate().Ledger().Failed)
		})
	})
}

func TestMaxAge(t *testing.T) {
	t.Parallel()

	t.Run("ItemThatIsTooOldIsNotTriedAndIsADeadLetter", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			box := journal.NewDeadLetters(journaltest.NewMemory(0))
			var results []pool.Result[string]
			l := begin(t, nil, func(ctx context.Context, _ string) error { return sleep(ctx, 40*time.Second) },
				pool.LaneConfig{MaxAge: time.Minute}, pool.WithDeadLetters[string](box),
				pool.WithResult(func(_ context.Context, r pool.Result[string]) { r.Took = 0; results = append(results, r) }))
			for _, item := range []string{"a", "b", "c"} {
				require.NoError(t, l.Submit(t.Context(), item))
			}
			l.stop(t, time.Hour)
			assert.Equal(t, []pool.Result[string]{
				{Item: "a", Attempts: 1}, {Item: "b", Attempts: 1}, {Item: "c", Err: pool.ErrExpired},
			}, results)
			all := letters(t, box)
			require.Len(t, all, 1)
			assert.Equal(t, journal.ReasonExpired, all[0].Reason)
			assert.Zero(t, all[0].Attempts)
		})
	})

	t.Run("RetriesEndWithIt", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			tries := 0
			l := begin(t, nil, func(context.Context, string) error { tries++; return errHandler },
				pool.LaneConfig{MaxAge: time.Minute, Retry: pool.Retry{MaxAttempts: 1000, InitialDelay: 25 * time.Second, MaxDelay: 25 * time.Second, Jitter: -1}})
			require.NoError(t, l.Submit(t.Context(), "a"))
			l.stop(t, time.Hour)
			assert.Equal(t, 3, tries)
			assert.EqualValues(t, 1, l.Gate().Ledger().Failed)
		})
	})

	t.Run("AgeOfAnEarlierLifeCounts", func(t *testing.T) {
		t.Parallel()
		for _, mode := range []journal.Mode{journal.OnStop, journal.Always} {
			synctest.Test(t, func(t *testing.T) {
				store := journaltest.NewMemory(0)
				cfg := pool.LaneConfig{Journal: mode, MaxAge: time.Minute}
				l := begin(t, store, untilStopped, cfg)
				require.NoError(t, l.Submit(t.Context(), "old"))
				time.Sleep(50 * time.Second)
				require.NoError(t, l.Submit(t.Context(), "young"))
				l.stop(t, 20*time.Second)
				l = prepare(t, pool.Config{}, store, nil, cfg) // nobody works
				require.NoError(t, l.Start(t.Context()))
				synctest.Wait()
				l.stop(t, 0)
				l = begin(t, store, nil, cfg)
				synctest.Wait()
				assert.Equal(t, []string{"young"}, l.log.all())
				assert.EqualValues(t, 1, l.Gate().Ledger().Failed)
			})
		}
	})

	t.Run("ClockOfAnItemWhoseAgeIsNotKnownBeginsAtTheReplay", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store, items := killed(t, 3)
			l := begin(t, store, nil, pool.LaneConfig{MaxAge: time.Minute})
			synctest.Wait()
			assert.Equal(t, items, l.log.all())
		})
	})
}

func TestItemOf(t *testing.T) {
	t.Parallel()

	t.Run("IsKnownInEveryTryAndInTheHooks", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := newPool(t, pool.Config{Workers: 1})
			var seen []pool.Item
			var kept []context.Context
			note := func(ctx context.Context) {
				item, ok := pool.ItemOf(ctx)
				assert.True(t, ok)
				seen = append(seen, item)
				kept = append(kept, ctx)
			}
			l := newLane(t, p, func(ctx context.Context, _ string) error { note(ctx); return errHandler },
				pool.LaneConfig{Timeout: time.Minute, Retry: pool.Retry{MaxAttempts: 2}},
				pool.WithFailure(func(ctx context.Context, _ pool.Result[string]) { note(ctx) }),
				pool.WithID(func(item string) string { return item + "!" }))
			require.NoError(t, l.SubmitKey(t.Context(), "k", "a"))
			require.NoError(t, l.Drain(t.Context()))
			want := []pool.Item{{ID: "a!", Key: "k", Attempt: 1}, {ID: "a!", Key: "k", Attempt: 2}, {ID: "a!", Key: "k", Attempt: 2}}
			assert.Equal(t, want, seen)
			for i, ctx := range kept {
				item, _ := pool.ItemOf(ctx)
				assert.Equal(t, want[i], item, "a context that was kept stays that of its try")
			}
		})
	})

	t.Run("IsKnownInTheHookOfWhatWasDiscarded", func(t *testing.T) {
		t.Parallel()
		for _, policy := range []pool.Policy{pool.DiscardNewest, pool.DiscardOldest} {
			var seen []pool.Item
			p, err := pool.New("test", pool.Config{Queue: 1, Policy: policy})
			require.NoError(t, err)
			l := newLane(t, p, func(context.Context, string) error { return nil }, pool.LaneConfig{},
				pool.WithID(func(item string) string { return item + "!" }),
				pool.WithResult(func(ctx context.Context, r pool.Result[string]) {
					item, ok := pool.ItemOf(ctx)
					assert.True(t, ok)
					assert.Equal(t, r.Item+"!", item.ID)
					seen = append(seen, item)
				}),
				pool.WithSave(func(context.Context, []string) error { return nil }))
			require.NoError(t, l.SubmitKey(t.Context(), "k", "a"))
			require.NoError(t, l.SubmitKey(t.Context(), "k", "b"))
			require.Len(t, seen, 1)
			assert.Equal(t, "k", seen[0].Key)
			assert.Zero(t, seen[0].Attempt)
			require.NoError(t, l.Save(t.Context()))
			_, _ = p.Stop(ended())
		}
	})

	t.Run("LaneThatWritesNothingDownKnowsKeyAndTryAlone", func(t *testing.T) {
		t.Parallel()
		p := newPool(t, pool.Config{Workers: 1})
		var seen pool.Item
		l := newLane(t, p, func(ctx context.Context, _ string) error { seen, _ = pool.ItemOf(ctx); return nil }, pool.LaneConfig{})
		require.NoError(t, l.SubmitKey(t.Context(), "k", "a"))
		require.NoError(t, l.Drain(t.Context()))
		assert.Equal(t, pool.Item{Key: "k", Attempt: 1}, seen)
	})

	t.Run("NobodyElseHasOne", func(t *testing.T) {
		t.Parallel()
		_, ok := pool.ItemOf(t.Context())
		assert.False(t, ok)
	})
}
