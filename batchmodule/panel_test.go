package batchmodule_test

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"github.com/lastcall-go/lastcall/batchmodule"
	"github.com/lastcall-go/lastcall/batchmodule/batch"
	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/lifecycle/lifecycletest"
)

// panels is an application with the batcher "orders".
type panels struct {
	*fxtest.App
	t         *testing.T
	orders    *batch.Batcher[Order]
	conductor *lifecycle.Conductor
}

func withPanels(t *testing.T, sink batch.Sink[Order], cfg batch.Config) *panels {
	t.Helper()
	p := &panels{t: t}
	p.App = fxtest.New(t, fx.NopLogger, lifecycle.Module(),
		batchmodule.Provide[Order]("orders", sink, cfg), fx.Populate(&p.orders, &p.conductor))
	p.RequireStart()
	return p
}

func (p *panels) panel() *lifecycle.Panel {
	c, ok := p.conductor.Component("batch:orders")
	require.True(p.t, ok)
	require.True(p.t, lifecycletest.AssertPanel(p.t, c))
	return c.Panel
}

func (p *panels) turn(values map[string]any) error {
	_, err := p.conductor.Turn(p.t.Context(), "batch:orders", lifecycle.Change{Values: values})
	return err
}

func (p *panels) add(n int) {
	for i := range n {
		require.NoError(p.t, p.orders.Add(p.t.Context(), Order(i)))
	}
}

func TestPanel(t *testing.T) {
	t.Parallel()
	run := func(name string, test func(*testing.T)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, test)
		})
	}

	run("ShowsWhatTheBatcherDoes", func(t *testing.T) {
		p := withPanels(t, newStore().write, batch.Config{MaxItems: 4, Linger: time.Hour})
		p.add(6)
		synctest.Wait()
		time.Sleep(1500 * time.Millisecond)
		shown := p.panel()
		assert.Equal(t, "batcher", shown.Kind)

		text, err := json.Marshal(shown.Stats())
		require.NoError(t, err)
		assert.JSONEq(t, `{
			"name": "orders", "state": "open", "limits": {"max_items": 4, "linger": "1h0m0s", "parallel": 1, "buffer": 40},
			"inside": 2, "buffered": 2, "in_flight": 0, "left": 0, "keys": 0, "waiting": 0, "slots": 0, "oldest": "1.5s", "pausing": 0,
			"journal": "off", "dead_letters": "off", "in_journal": 0, "writing": 0, "replayed": 0, "replay_left": 0, "unreadable": 0,
			"flushes": {"count": 1, "bytes": 0, "linger": 0, "room": 0, "manual": 0, "drain": 0},
			"ledger": {"offered": 6, "accepted": 6, "rejected": 0, "done": 4, "failed": 0, "saved": 0, "dropped": 0, "lost": 0, "inside": 2}
		}`, string(text))

		values := map[string]float64{}
		for _, m := range shown.Metrics() {
			values[m.Name+m.Labels["trigger"]] = m.Value
		}
		assert.InDelta(t, 2, values["buffered_items"], 0)
		assert.InDelta(t, 1.5, values["oldest_batch_seconds"], 0)
		assert.InDelta(t, 1, values["flushescount"], 0)
		p.RequireStop()
	})

	run("CloserLookIsTheLogOfFlushes", func(t *testing.T) {
		p := withPanels(t, newStore().write, batch.Config{MaxItems: 4, Linger: time.Hour})
		look := func() string {
			text, err := json.Marshal(p.panel().Inspect(t.Context()))
			require.NoError(t, err)
			return string(text)
		}
		assert.JSONEq(t, `{"flush_log": []}`, look())
		p.add(6)
		require.NoError(t, p.orders.Flush(t.Context()))
		now, err := json.Marshal(time.Now())
		require.NoError(t, err)
		assert.JSONEq(t, `{"flush_log": [
			{"at": `+string(now)+`, "trigger": "manual", "items": 2, "took": "0s", "attempts": 1, "outcome": "delivered"},
			{"at": `+string(now)+`, "trigger": "count", "items": 4, "took": "0s", "attempts": 1, "outcome": "delivered"}
		]}`, look())
		p.RequireStop()
	})

	run("HealthSaysWhatToDo", func(t *testing.T) {
		s := newStore()
		s.broken = true
		p := withPanels(t, s.write, batch.Config{MaxItems: 2, Buffer: 4})
		health := func() lifecycle.Health { return p.panel().Health(t.Context()) }
		assert.Equal(t, lifecycle.Up, health().Status)
		p.add(2)
		synctest.Wait()
		h := health()
		assert.Equal(t, lifecycle.Warning, h.Status)
		assert.Equal(t, "1 of 1 flushes failed and wait before they try again: unavailable: the store is down; "+
			"look at what the sink calls, or at the dead letters' journal", h.Reason)
		s.mu.Lock()
		s.broken = false
		s.mu.Unlock()
		time.Sleep(time.Minute)
		assert.Equal(t, lifecycle.Up, health().Status)
		p.RequireStop()
		assert.Equal(t, lifecycle.OutOfService, health().Status)
	})

	run("HealthSaysThatItIsFull", func(t *testing.T) {
		release := make(chan struct{})
		p := withPanels(t, func(context.Context, []Order) error { <-release; return nil }, batch.Config{MaxItems: 2, Buffer: 4})
		var wg sync.WaitGroup
		for i := range 7 {
			wg.Go(func() { assert.NoError(t, p.orders.Add(t.Context(), Order(i))) })
		}
		synctest.Wait()
		h := p.panel().Health(t.Context())
		assert.Equal(t, lifecycle.Warning, h.Status)
		assert.Equal(t, "full: 4 of 4 items are inside, 1 of 1 flushes run, and 3 producers wait; "+
			"raise batchers.orders.parallel or batchers.orders.buffer, or make the sink faster", h.Reason)
		require.NoError(t, p.turn(map[string]any{"buffer": 20}))
		wg.Wait()
		assert.Equal(t, lifecycle.Up, p.panel().Health(t.Context()).Status)
		close(release)
		p.RequireStop()
	})

	run("FlushesWhenItIsToldTo", func(t *testing.T) {
		st := newStore()
		p := withPanels(t, func(ctx context.Context, orders []Order) error {
			time.Sleep(time.Second) // it waits for that
			return st.write(ctx, orders)
		}, batch.Config{MaxItems: 4, Linger: time.Hour})
		p.add(3)
		answer, entry, err := p.conductor.Act(t.Context(), "batch:orders", lifecycle.Act{Action: "flush", By: "alice"})
		require.NoError(t, err)
		text, err := json.Marshal(answer)
		require.NoError(t, err)
		assert.JSONEq(t, `{"inside": 0}`, string(text))
		assert.EqualValues(t, 3, p.orders.Stats().Ledger.Done)
		assert.EqualValues(t, 1, p.orders.Stats().Flushes.Manual)
		assert.Equal(t, "flush", entry.Action)

		st.mu.Lock()
		st.broken = true
		st.mu.Unlock()
		p.add(1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, _, err = p.conductor.Act(ctx, "batch:orders", lifecycle.Act{Action: "flush"})
		require.ErrorIs(t, err, context.DeadlineExceeded, "no longer than it was told to")
		st.mu.Lock()
		st.broken = false
		st.mu.Unlock()
		p.RequireStop()
		lifecycletest.AssertBalanced(t, p.conductor.Receipt())
	})

	run("TurnsLimitsAllOrNone", func(t *testing.T) {
		p := withPanels(t, newStore().write, batch.Config{MaxItems: 4, Buffer: 10, Linger: time.Hour})
		was := p.orders.Limits()
		require.ErrorContains(t, p.turn(map[string]any{"max_items": 11, "linger": "1s"}), "buffer: is 10, less than max_items (11)")
		require.ErrorContains(t, p.turn(map[string]any{"parallel": 0, "linger": "1s"}), "parallel")
		require.ErrorIs(t, p.turn(map[string]any{"linger": "1s", "flush_timeout": "1s"}), lifecycle.ErrCold)
		require.Equal(t, was, p.orders.Limits())

		p.add(1)
		require.NoError(t, p.turn(map[string]any{"max_items": 11.0, "buffer": 20.0, "linger": "2s", "parallel": 3.0}))
		assert.Equal(t, batch.Limits{MaxItems: 11, Buffer: 20, Linger: 2 * time.Second, Parallel: 3}, p.orders.Limits())
		time.Sleep(3 * time.Second)
		synctest.Wait()
		assert.EqualValues(t, 1, p.orders.Stats().Flushes.Linger)
		knobs, _, err := p.conductor.Knobs("batch:orders")
		require.NoError(t, err)
		assert.Equal(t, "batchers.orders.max_items", knobs[0].Key)
		assert.EqualValues(t, 11, knobs[0].Value, "as they are now")
		p.RequireStop()
	})
}

func TestPanelIsReadAndTurnedUnderLoad(t *testing.T) {
	t.Parallel()
	p := withPanels(t, func(context.Context, []Order) error { return nil }, batch.Config{MaxItems: 8, Buffer: 100})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				assert.NoError(t, p.orders.Add(t.Context(), Order(i)))
			}
		})
	}
	for i := range 50 {
		require.NoError(t, p.turn(map[string]any{"max_items": 1 + i%30, "parallel": 1 + i%4, "buffer": 50 + i}))
		p.panel()
	}
	cancel()
	wg.Wait()
	p.RequireStop()
	lifecycletest.AssertBalanced(t, p.conductor.Receipt())
}

// TestResizeInABareApplication: the panel needs a conductor, the limits do not.
func TestResizeInABareApplication(t *testing.T) {
	t.Parallel()
	var orders *batch.Batcher[Order]
	app := fxtest.New(t, batchmodule.Provide[Order]("orders", newStore().write, batch.Config{}), fx.Populate(&orders))
	app.RequireStart()
	require.NoError(t, orders.Resize(batch.Limits{MaxItems: 3}))
	assert.Equal(t, 3, orders.Limits().MaxItems)
	app.RequireStop()
}
