package batch_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/batchmodule/batch"
	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/journal"
)

// letters are those in the box.
func letters(t *testing.T, box *journal.DeadLetters) []journal.DeadLetter {
	t.Helper()
	var all []journal.DeadLetter
	for l, err := range box.All(t.Context()) {
		require.NoError(t, err)
		all = append(all, l)
	}
	return all
}

func boxIn(t *testing.T, s *store) *journal.DeadLetters {
	t.Helper()
	box := journal.NewDeadLetters(s)
	t.Cleanup(func() { assert.NoError(t, box.Close()) })
	return box
}

func TestDeadLetterBox(t *testing.T) {
	t.Parallel()

	t.Run("LetterTellsWhatAPersonNeeds", func(t *testing.T) {
		t.Parallel()
		for _, mode := range []journal.Mode{journal.Off, journal.OnStop, journal.Always} {
			synctest.Test(t, func(t *testing.T) {
				s := newStore(0)
				box := boxIn(t, s)
				calls := 0
				var ids []batch.Item
				sink := func(ctx context.Context, _ []int) error {
					ids = batch.ItemsOf(ctx)
					calls++
					return fmt.Errorf("refused %d", calls)
				}
				b := started(t, sink, batch.Config{Journal: mode, Retry: batch.Retry{MaxAttempts: 3}},
					batch.WithJournal[int](s), batch.WithDeadLetters[int](box), batch.WithLabel(func(i int) string { return fmt.Sprint("receiver ", i) }))
				accepted := time.Now()
				addN(t, b, 7, 1)
				require.Error(t, b.Flush(t.Context()))
				finish(t, b)
				require.Equal(t, intake.Ledger{Offered: 1, Accepted: 1, Failed: 1}, b.Gate().Ledger())
				require.Equal(t, batch.KeepLetters, b.Stats().DeadLetters)
				l := letters(t, box)[0]
				require.True(t, accepted.Equal(l.Accepted), l.Accepted)
				require.True(t, l.Died.After(l.Accepted))
				l.Accepted, l.Died = time.Time{}, time.Time{}
				require.Equal(t, journal.DeadLetter{
					ID: ids[0].ID, Component: ordersJournal, Key: "receiver 7", Reason: journal.ReasonRetries, Attempts: 3,
					First: "refused 1", Last: "refused 3", Codec: "json", Payload: []byte("7"), Seq: l.Seq,
				}, l)
				require.NotEmpty(t, l.ID)
				require.Empty(t, s.inside(t, ordersJournal))
				require.NoError(t, box.Close())
			})
		}
	})

	t.Run("ReasonsAreTold", func(t *testing.T) {
		t.Parallel()
		for _, tt := range []struct {
			give   string
			items  []int
			sink   batch.Sink[int]
			want   map[string]journal.Reason
			first  bool
			starts string
		}{
			{
				"Permanent",
				[]int{1, 2},
				func(context.Context, []int) error {
					return batch.ItemErrors{0: batch.Permanent(errors.New("malformed"))}
				},
				map[string]journal.Reason{"1": journal.ReasonPermanent}, false, "malformed",
			},
			{"Retries", []int{1}, func(context.Context, []int) error { return errors.New("no") }, map[string]journal.Reason{"1": journal.ReasonRetries}, true, "no"},
			{"Panic", []int{1}, func(context.Context, []int) error { panic("no") }, map[string]journal.Reason{"1": journal.ReasonPanic}, true, "panic: no"},
			{
				"Poison",
				[]int{1, 2, 3, 4},
				func(_ context.Context, items []int) error {
					if slices.Contains(items, 3) {
						return errors.New("three")
					}
					return nil
				},
				map[string]journal.Reason{"3": journal.ReasonPoison}, true, "three",
			},
			{
				"PoisonThatPanics",
				[]int{1, 2, 3, 4},
				func(_ context.Context, items []int) error {
					if slices.Contains(items, 3) {
						panic("three")
					}
					return nil
				},
				map[string]journal.Reason{"3": journal.ReasonPoison}, true, "panic: three",
			},
			{
				"AnErrorThatCannotBeLookedAt",
				[]int{1},
				func(context.Context, []int) error { return (*nilError)(nil) },
				map[string]journal.Reason{"1": journal.ReasonRetries}, true, "*batch_test.nilError, which cannot be looked at",
			},
		} {
			t.Run(tt.give, func(t *testing.T) {
				t.Parallel()
				s := newStore(0)
				box := boxIn(t, s)
				b := started(t, tt.sink, batch.Config{Journal: journal.Always, MaxItems: len(tt.items), Retry: batch.Retry{MaxAttempts: 2, InitialDelay: time.Millisecond}},
					batch.WithJournal[int](s), batch.WithDeadLetters[int](box))
				_, err := b.AddAll(t.Context(), tt.items)
				require.NoError(t, err)
				finish(t, b)
				got := map[string]journal.Reason{}
				for _, l := range letters(t, box) {
					got[string(l.Payload)] = l.Reason
					assert.Contains(t, l.Last, tt.starts)
					assert.Equal(t, tt.first, l.First != "", "empty where there was one error alone")
				}
				require.Equal(t, tt.want, got)
				require.EqualValues(t, len(tt.items)-len(got), b.Gate().Ledger().Done)
				require.Empty(t, s.inside(t, ordersJournal))
			})
		}
	})

	t.Run("FunctionTakesTheBoxesPlace", func(t *testing.T) {
		t.Parallel()
		s := newStore(0)
		box := boxIn(t, s)
		var m morgue
		b := started(t, refuse, batch.Config{}, batch.WithDeadLetters[int](box), m.option())
		addN(t, b, 1, 1)
		finish(t, b)
		require.Equal(t, []int{1}, m.items())
		require.Empty(t, letters(t, box))
		require.Equal(t, batch.NoLetters, b.Stats().DeadLetters)
	})

	t.Run("OffCountsAndTellsTheObserver", func(t *testing.T) {
		t.Parallel()
		s := newStore(0)
		box := boxIn(t, s)
		var g gravedigger
		b := started(t, refuse, batch.Config{DeadLetters: batch.NoLetters}, batch.WithDeadLetters[int](box), batch.WithKey(strconv.Itoa), g.option())
		addN(t, b, 1, 1)
		finish(t, b)
		require.Empty(t, letters(t, box))
		told := g.burials()
		require.Len(t, told, 1)
		require.EqualError(t, told[0].Cause, "refused")
		told[0].Cause = nil
		require.Equal(t, batch.Burial{Key: "1", Reason: journal.ReasonPermanent, Attempts: 1}, told[0])
	})

	t.Run("FunctionThatPanicsLosesNothingThatIsInTheJournal", func(t *testing.T) {
		t.Parallel()
		s := newStore(0)
		b := started(t, refuse, always, batch.WithJournal[int](s),
			batch.WithDeadLetter(func(context.Context, batch.DeadLetter[int]) { panic("full") }))
		addN(t, b, 1, 1)
		finish(t, b)
		require.Equal(t, intake.Ledger{Offered: 1, Accepted: 1, Saved: 1}, b.Gate().Ledger())
		require.Equal(t, []int{1}, s.inside(t, ordersJournal))
	})
}

// gravedigger is an observer of burials.
type gravedigger struct {
	mu   sync.Mutex
	told []batch.Burial
}

func (g *gravedigger) option() batch.Option[int] {
	return batch.WithBurial[int](func(b batch.Burial) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.told = append(g.told, b)
	})
}

func (g *gravedigger) burials() []batch.Burial {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.told)
}

type nilError struct{ text string }

func (e *nilError) Error() string { return e.text }

func (*nilError) Unwrap() error { return nil }

func refuse(context.Context, []int) error { return batch.Permanent(errors.New("refused")) }

var errBoxFull = errors.New("the box is full")

func TestBurialThatFails(t *testing.T) {
	t.Parallel()

	// shut makes a store whose box takes nothing until it is opened.
	shut := func() (s *store, open func()) {
		s = newStore(0)
		s.hook(func(_ context.Context, name string, _ []journal.Entry) error {
			if name == journal.DeadLettersName {
				return errBoxFull
			}
			return nil
		})
		return s, func() { s.hook(nil) }
	}

	t.Run("IsTriedAgainAloneAndHeals", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s, open := shut()
			box := boxIn(t, s)
			var g gravedigger
			calls := 0
			sink := func(context.Context, []int) error {
				calls++
				return batch.ItemErrors{1: batch.Permanent(errors.New("one")), 2: batch.Permanent(errors.New("two"))}
			}
			b := started(t, sink, batch.Config{Journal: journal.Always, MaxItems: 4, Buffer: 4, Retry: batch.Retry{InitialDelay: time.Second}},
				batch.WithJournal[int](s), batch.WithDeadLetters[int](box), g.option())
			addN(t, b, 0, 4)
			time.Sleep(10 * time.Second)
			synctest.Wait()
			require.Equal(t, 1, calls)
			st := b.Stats()
			require.Equal(t, 2, st.InFlight, "those that could not be buried hold their places")
			require.Equal(t, 1, st.Slots)
			require.EqualValues(t, 2, st.Ledger.Done, "the others are done at once")
			told := g.burials()
			require.Greater(t, len(told), 2)
			require.ErrorIs(t, told[0].Err, errBoxFull)
			require.InDelta(t, time.Second, told[0].After, float64(500*time.Millisecond))
			require.Greater(t, told[len(told)-1].After, told[0].After)

			open()
			require.Error(t, b.Flush(t.Context()))
			told = g.burials()
			require.NoError(t, told[len(told)-1].Err)
			require.NotEmpty(t, told[len(told)-1].ID)
			require.Len(t, letters(t, box), 2)
			require.Equal(t, 1, calls)
			finish(t, b)
			require.Equal(t, intake.Ledger{Offered: 4, Accepted: 4, Done: 2, Failed: 2}, b.Gate().Ledger())
			require.Empty(t, s.inside(t, ordersJournal))
			require.NoError(t, box.Close())
		})
	})

	t.Run("StopMakesItALeftoverThatIsSaved", func(t *testing.T) {
		t.Parallel()
		for _, cfg := range []batch.Config{
			{Journal: journal.OnStop, MaxItems: 1, Parallel: 5},
			{Journal: journal.Always, MaxItems: 1, Parallel: 5},
			{Journal: journal.OnStop, MaxItems: 5},
			{Journal: journal.Always, MaxItems: 5},
		} {
			synctest.Test(t, func(t *testing.T) {
				s, open := shut()
				box := boxIn(t, s)
				var buried atomic.Int32
				s.hook(func(_ context.Context, name string, _ []journal.Entry) error {
					if name == journal.DeadLettersName && buried.Add(1) > 2 {
						return errBoxFull
					}
					return nil
				})
				sink := func(_ context.Context, items []int) error {
					all := batch.ItemErrors{}
					for i := range items {
						all[i] = batch.Permanent(errors.New("refused"))
					}
					return all
				}
				b := started(t, sink, cfg, batch.WithJournal[int](s), batch.WithDeadLetters[int](box))
				addN(t, b, 0, 5)
				synctest.Wait()
				require.EqualValues(t, 2, b.Stats().Ledger.Failed, "those that were buried are settled while the others wait")
				require.Len(t, stopWithin(b, time.Minute), 3)
				require.NoError(t, b.Save(t.Context()))
				require.Equal(t, intake.Ledger{Offered: 5, Accepted: 5, Failed: 2, Saved: 3}, b.Gate().Ledger())
				open()
				in := s.inside(t, ordersJournal)
				for _, l := range letters(t, box) {
					i, err := strconv.Atoi(string(l.Payload))
					require.NoError(t, err)
					in = append(in, i)
				}
				require.Equal(t, upTo(5), sorted(in))
				require.NoError(t, box.Close())
			})
		}
	})

	t.Run("BoxThatHangsDoesNotHoldTheStop", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s, let := newStore(0), make(chan struct{})
			box := boxIn(t, s)
			s.hook(func(_ context.Context, name string, _ []journal.Entry) error {
				if name == journal.DeadLettersName {
					<-let
				}
				return nil
			})
			b := started(t, refuse, batch.Config{MaxItems: 1}, batch.WithJournal[int](s), batch.WithDeadLetters[int](box))
			addN(t, b, 1, 1)
			synctest.Wait()
			began := time.Now()
			require.Equal(t, []int{1}, stopWithin(b, time.Second))
			require.Equal(t, time.Second+100*time.Millisecond, time.Since(began))
			require.NoError(t, b.Save(t.Context()))
			require.EqualValues(t, 1, b.Gate().Ledger().Saved)
			close(let)
			synctest.Wait()
			require.NoError(t, box.Close())
		})
	})
}

// The stop has taken the item over, so it is Saved, and must be in the journal.
// The letter cannot be taken back: the item comes again, under its ID.
func TestBurialThatOutlivesTheStopCrossesNothingOut(t *testing.T) {
	t.Parallel()
	for _, mode := range []journal.Mode{journal.OnStop, journal.Always} {
		for _, moment := range []string{"BeforeSave", "AfterSave"} {
			t.Run(string(mode)+moment, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s, let := newStore(0), make(chan struct{})
					box := boxIn(t, s)
					s.hook(func(_ context.Context, name string, _ []journal.Entry) error {
						if name == journal.DeadLettersName {
							<-let
						}
						return nil
					})
					b := started(t, refuse, batch.Config{MaxItems: 1, Journal: mode}, batch.WithJournal[int](s), batch.WithDeadLetters[int](box))
					addN(t, b, 7, 1)
					synctest.Wait()
					require.Equal(t, []int{7}, stopWithin(b, 0))
					if moment == "BeforeSave" {
						close(let)
						synctest.Wait()
					}
					require.NoError(t, b.Save(t.Context()))
					if moment == "AfterSave" {
						close(let)
						synctest.Wait()
					}
					require.Equal(t, intake.Ledger{Offered: 1, Accepted: 1, Saved: 1}, b.Gate().Ledger())
					require.Equal(t, []int{7}, s.inside(t, ordersJournal))
					require.Len(t, letters(t, box), 1)
					require.NoError(t, box.Close())
				})
			})
		}
	}
}

// What is in the box and not crossed out comes again after a kill.
func TestBuriedItemsOfALargeBatchAreCrossedOutByGroups(t *testing.T) {
	t.Parallel()
	s := newStore(0)
	box := boxIn(t, s)
	var b *batch.Batcher[int]
	buried, most := 0, uint64(0)
	s.hook(func(_ context.Context, name string, _ []journal.Entry) error {
		if name == journal.DeadLettersName {
			most = max(most, uint64(buried)-b.Gate().Ledger().Failed)
			buried++
		}
		return nil
	})
	b, err := batch.New("orders", func(_ context.Context, items []int) error {
		all := batch.ItemErrors{}
		for i := range items {
			all[i] = batch.Permanent(errors.New("refused"))
		}
		return all
	}, batch.Config{MaxItems: 200, Journal: journal.Always}, batch.WithJournal[int](s), batch.WithDeadLetters[int](box))
	require.NoError(t, err)
	require.NoError(t, b.Start(t.Context()))
	_, err = b.AddAll(t.Context(), upTo(200))
	require.NoError(t, err)
	finish(t, b)
	require.EqualValues(t, 200, b.Gate().Ledger().Failed)
	require.Less(t, most, uint64(8))
	require.Empty(t, s.inside(t, ordersJournal))
}

// A stop whose time is up waits for no store.
func TestStopWhileTheBoxIsBeingOpened(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, let := newStore(0), make(chan struct{})
		s.opening = func(_ context.Context, name string) error {
			if name == journal.DeadLettersName {
				<-let
			}
			return nil
		}
		box := boxIn(t, s)
		b := started(t, refuse, batch.Config{MaxItems: 1}, batch.WithJournal[int](s), batch.WithDeadLetters[int](box))
		addN(t, b, 7, 1)
		synctest.Wait()
		began := time.Now()
		require.Equal(t, []int{7}, stopWithin(b, 0))
		require.NoError(t, b.Save(t.Context()))
		require.Equal(t, 100*time.Millisecond, time.Since(began))
		require.Equal(t, []int{7}, s.inside(t, ordersJournal))
		close(let)
		synctest.Wait()
		require.NoError(t, box.Close())
	})
}

func TestRedrive(t *testing.T) {
	t.Parallel()
	for _, mode := range []journal.Mode{journal.Off, journal.OnStop, journal.Always} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			s := newStore(0)
			box := boxIn(t, s)
			var mu sync.Mutex
			var seen []batch.Item
			mended := false
			sink := func(ctx context.Context, _ []int) error {
				mu.Lock()
				defer mu.Unlock()
				seen = append(seen, batch.ItemsOf(ctx)...)
				if mended {
					return nil
				}
				return batch.Permanent(errors.New("refused"))
			}
			b := started(t, sink, batch.Config{Journal: mode, MaxItems: 1}, batch.WithJournal[int](s), batch.WithDeadLetters[int](box))
			require.NoError(t, b.Start(t.Context()), "once more changes nothing")
			addN(t, b, 5, 1)
			require.Error(t, b.Flush(t.Context()))
			mu.Lock()
			mended = true
			mu.Unlock()
			l := letters(t, box)[0]
			require.NoError(t, box.Redrive(t.Context(), l))
			require.NoError(t, b.Flush(t.Context()))
			require.Empty(t, letters(t, box))
			finish(t, b)
			require.Equal(t, intake.Ledger{Offered: 2, Accepted: 2, Done: 1, Failed: 1}, b.Gate().Ledger())
			require.Len(t, seen, 2)
			require.Equal(t, seen[0].ID, seen[1].ID)
			require.Equal(t, 1, seen[1].Attempt, "it is new work")
			require.ErrorContains(t, box.Redrive(t.Context(), l), `nobody takes letters of "batch:orders" back`)
		})
	}
}

// The letter was durable, so the item must be, before the letter is thrown away.
func TestRedrivenItemIsWrittenDownBeforeItIsAccepted(t *testing.T) {
	t.Parallel()
	for _, mode := range []journal.Mode{journal.OnStop, journal.Always} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newStore(0)
				box := boxIn(t, s)
				cfg := batch.Config{Journal: mode, MaxItems: 1}
				b := started(t, refuse, cfg, batch.WithJournal[int](s), batch.WithDeadLetters[int](box))
				addN(t, b, 5, 1)
				finish(t, b)
				l := letters(t, box)[0]

				time.Sleep(time.Hour)
				again := time.Now()
				b = started(t, hang, cfg, batch.WithJournal[int](s), batch.WithDeadLetters[int](box))
				s.hook(func(context.Context, string, []journal.Entry) error { return journal.ErrFull })
				require.ErrorIs(t, box.Redrive(t.Context(), l), journal.ErrFull)
				require.Equal(t, intake.Ledger{Offered: 1, Rejected: 1}, b.Gate().Ledger())
				require.Len(t, letters(t, box), 1, "what was not accepted stays")
				s.hook(nil)
				require.NoError(t, box.Redrive(t.Context(), l))
				require.Empty(t, letters(t, box))

				s.Crash()
				j, err := s.Memory.Open(t.Context(), ordersJournal)
				require.NoError(t, err)
				var entries []journal.Entry
				for e, err := range j.Replay(t.Context()) {
					require.NoError(t, err)
					entries = append(entries, e)
				}
				require.NoError(t, j.Close())
				require.Len(t, entries, 1, "a kill does not lose it")
				require.Equal(t, "5", string(entries[0].Payload))
				require.Equal(t, l.ID, entries[0].ID)
				require.True(t, again.Equal(entries[0].At), "it is new work")
				_ = stopWithin(b, 0) // only so that its goroutines end
				_ = b.Save(t.Context())
			})
		})
	}
}
