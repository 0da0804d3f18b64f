package pool_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

func TestPause(t *testing.T) {
	t.Parallel()

	t.Run("FinishesWhatIsInsideAndThenGoesOnAsBefore", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := newPool(t, pool.Config{Workers: 2, Queue: 10})
			lane, err := pool.NewLane(p, "lane", func(context.Context, int) error { return nil }, pool.LaneConfig{})
			require.NoError(t, err)
			for range 10 {
				require.NoError(t, p.Submit(t.Context(), func(context.Context) { time.Sleep(time.Second) }))
			}
			resume, resumeLane := p.Gate().Pause(), lane.Gate().Pause()
			require.ErrorIs(t, p.Submit(t.Context(), nothing), pool.ErrPaused)
			require.ErrorIs(t, p.TrySubmit(t.Context(), nothing), pool.ErrDraining)
			require.ErrorIs(t, lane.Submit(t.Context(), 1), pool.ErrPaused)
			n, err := p.SubmitBatch(t.Context(), []func(context.Context){nothing})
			require.ErrorIs(t, err, pool.ErrPaused)
			assert.Zero(t, n)
			time.Sleep(6 * time.Second)
			assert.Zero(t, p.Gate().Ledger().Inside)

			resume()
			resumeLane()
			n, err = p.SubmitBatch(t.Context(), []func(context.Context){nothing, nothing})
			require.NoError(t, err)
			assert.Equal(t, 2, n)
			require.NoError(t, lane.Submit(t.Context(), 1))
			synctest.Wait()
			assert.Equal(t, intake.Ledger{Offered: 15, Accepted: 12, Rejected: 3, Done: 12}, p.Gate().Ledger())
			assert.Equal(t, intake.Ledger{Offered: 2, Accepted: 1, Rejected: 1, Done: 1}, lane.Gate().Ledger())
		})
	})

	t.Run("SendsBlockedRootSubmittersHomeAndLetsThemComeBack", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p, log, release := full(t, pool.Block)
			request, mark := intake.Mark(t.Context())
			defer mark.End()
			root, inside := make(chan error, 1), make(chan error, 1)
			come := func() { root <- p.Submit(t.Context(), log.task("root")) }
			go come()
			go func() { inside <- p.Submit(request, log.task("inside")) }()
			synctest.Wait()
			resume := p.Gate().Pause()
			require.ErrorIs(t, <-root, pool.ErrPaused)
			assert.Equal(t, 1, p.Stats().Submitters)
			resume()
			go come() // and waits again, behind who never left
			synctest.Wait()
			assert.Equal(t, 2, p.Stats().Submitters)
			release()
			require.NoError(t, <-inside)
			require.NoError(t, <-root)
			require.NoError(t, p.Drain(t.Context()))
			assert.Equal(t, []string{"a", "b", "inside", "root"}, log.all())
		})
	})

	t.Run("EveryPauseTakesTheRightOfWhatHasEnded", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := newPool(t, pool.Config{Workers: 1})
			lane, err := pool.NewLane(p, "lane", func(context.Context, int) error { return nil }, pool.LaneConfig{})
			require.NoError(t, err)
			for range 3 {
				var kept, keptByItem context.Context
				require.NoError(t, p.Submit(t.Context(), func(ctx context.Context) { kept = ctx }))
				synctest.Wait()
				keeper, err := pool.NewLane(p, "keeper", func(ctx context.Context, _ int) error {
					keptByItem = ctx
					return nil
				}, pool.LaneConfig{})
				require.NoError(t, err)
				require.NoError(t, keeper.Submit(t.Context(), 1))
				synctest.Wait()
				require.NoError(t, p.Submit(kept, nothing))
				synctest.Wait()
				resume, resumeLane := p.Gate().Pause(), lane.Gate().Pause()
				require.ErrorIs(t, p.Submit(kept, nothing), pool.ErrPaused)
				require.ErrorIs(t, lane.Submit(keptByItem, 1), pool.ErrPaused)
				resume()
				resumeLane()
				_, err = keeper.Stop(t.Context())
				require.NoError(t, err)
			}
		})
	})

	t.Run("TaskThatRunsMayBringInMore", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := newPool(t, pool.Config{Workers: 1, Queue: 4})
			log := &log{}
			hold, running, release := block()
			require.NoError(t, p.Submit(t.Context(), func(ctx context.Context) {
				hold(ctx)
				assert.NoError(t, p.Submit(ctx, func(ctx context.Context) {
					log.add("child")
					assert.NoError(t, p.Submit(ctx, log.task("grandchild")))
				}))
			}))
			<-running
			resume := p.Gate().Pause()
			release()
			synctest.Wait()
			assert.Equal(t, []string{"child", "grandchild"}, log.all())
			assert.Zero(t, p.Gate().Ledger().Inside)
			resume()
		})
	})

	t.Run("DrainOfThePoolIsNotTakenBackByAResume", func(t *testing.T) {
		t.Parallel()
		p := newPool(t, pool.Config{Workers: 1})
		resume := p.Gate().Pause()
		require.NoError(t, p.Drain(t.Context()))
		resume()
		require.ErrorIs(t, p.Submit(t.Context(), nothing), pool.ErrDraining)
		require.NotErrorIs(t, p.Submit(t.Context(), nothing), pool.ErrPaused)
	})

	t.Run("PausedPoolStops", func(t *testing.T) {
		t.Parallel()
		p := newPool(t, pool.Config{Workers: 1})
		resume := p.Gate().Pause()
		_, err := p.Stop(t.Context())
		require.NoError(t, err)
		resume()
		require.ErrorIs(t, p.Submit(t.Context(), nothing), pool.ErrClosed)
	})
}

func TestPauseOfAReplay(t *testing.T) {
	t.Parallel()
	t.Run("HoldsItUpAndLosesNothingOfIt", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store, items := killed(t, 50)
			var last pool.Replay
			l := beginIn(t, pool.Config{Workers: 1, Queue: 1}, store, slowly, always, pool.WithReplay[string](func(r pool.Replay) { last = r }))
			for range 3 {
				time.Sleep(2500 * time.Millisecond)
				resume := l.Gate().Pause()
				require.ErrorIs(t, l.Submit(t.Context(), "new"), pool.ErrPaused)
				time.Sleep(time.Minute)
				synctest.Wait()
				assert.Zero(t, l.Gate().Ledger().Inside, "what had entered is finished, and no more enters")
				assert.False(t, last.Over)
				resume()
			}
			waiting := make(chan error, 1)
			go func() { waiting <- l.Submit(context.Background(), "new") }()
			require.NoError(t, <-waiting)
			synctest.Wait()
			require.NoError(t, last.Err)
			assert.True(t, last.Over)
			require.NoError(t, l.Drain(t.Context()))
			assert.Equal(t, append(items, "new"), l.log.all())
			assert.Zero(t, l.Stats().InJournal)
		})
	})

	t.Run("EndsWhenADrainComesAndLeavesTheRest", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store, items := killed(t, 50)
			l := beginIn(t, pool.Config{Workers: 1, Queue: 1}, store, slowly, always)
			time.Sleep(2500 * time.Millisecond)
			resume := l.Gate().Pause()
			time.Sleep(time.Minute)
			synctest.Wait()
			require.NoError(t, l.Drain(t.Context()))
			resume()
			done := len(l.log.all())
			assert.Equal(t, items[:done], l.log.all())
			l.stop(t, time.Second)
			assert.Equal(t, items[done:], left(t, store))
		})
	})

	t.Run("LaneThatIsPausedCanBeStarted", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store, items := killed(t, 3)
			p := newPool(t, pool.Config{Workers: 1})
			log := &log{}
			defer p.Gate().Pause()()
			l, err := pool.NewLane(p, "sms", func(_ context.Context, item string) error {
				log.add(item)
				return nil
			}, always, pool.WithJournal[string](store))
			require.NoError(t, err)
			resume := l.Gate().Pause()
			require.NoError(t, l.Start(t.Context()))
			synctest.Wait()
			assert.Empty(t, log.all())
			require.ErrorIs(t, l.Submit(t.Context(), "new"), pool.ErrPaused)
			resume()
			require.NoError(t, l.Submit(t.Context(), "new"))
			require.NoError(t, l.Drain(t.Context()))
			assert.Equal(t, append(items, "new"), log.all())
			_, err = l.Stop(t.Context())
			require.NoError(t, err)
			require.NoError(t, l.Save(t.Context()))
		})
	})
}

// TestPauseLeavesRoomToOthers is about a submitter who is refused before those
// behind him, who come by another gate, are let in.
func TestPauseLeavesRoomToOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, pool.Config{Workers: 1, Queue: 1})
		lane, err := pool.NewLane(p, "lane", func(context.Context, int) error { return nil }, pool.LaneConfig{})
		require.NoError(t, err)
		hold, running, release := block()
		require.NoError(t, p.Submit(t.Context(), hold))
		<-running
		require.NoError(t, p.Submit(t.Context(), nothing))
		closure, item := make(chan error, 1), make(chan error, 1)
		go func() { closure <- p.Submit(t.Context(), nothing) }()
		synctest.Wait()
		go func() { item <- lane.Submit(t.Context(), 1) }()
		synctest.Wait()
		resume := p.Gate().Pause()
		require.ErrorIs(t, <-closure, pool.ErrPaused)
		release()
		require.NoError(t, <-item)
		resume()
		synctest.Wait()
		require.NoError(t, p.TrySubmit(t.Context(), nothing))
		require.NoError(t, p.Drain(t.Context()))
	})
}
