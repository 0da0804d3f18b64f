package intake_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/intake"
)

// model is what a gate must be like: a set of pauses, and how far it is on the
// road to its end.
type model struct {
	pauses []*pause // all there ever were
	road   intake.State
}

type pause struct {
	resume func()
	ended  bool
}

func (m *model) state() intake.State {
	if m.road != intake.Open {
		return m.road
	}
	for _, p := range m.pauses {
		if !p.ended {
			return intake.Paused
		}
	}
	return intake.Open
}

func (m *model) end(p *pause) {
	p.resume()
	p.ended = true
}

// steps are everything that can be done to a gate. Each returns false where
// there is nothing to do it to.
var steps = []struct {
	name string
	do   func(*intake.Gate, *model) bool
}{
	{"pause", func(g *intake.Gate, m *model) bool {
		m.pauses = append(m.pauses, &pause{resume: g.Pause()})
		return true
	}},
	{"resume the first", func(_ *intake.Gate, m *model) bool {
		if len(m.pauses) == 0 {
			return false
		}
		m.end(m.pauses[0]) // perhaps once more
		return true
	}},
	{"resume the last", func(_ *intake.Gate, m *model) bool {
		if len(m.pauses) < 2 {
			return false
		}
		m.end(m.pauses[len(m.pauses)-1])
		return true
	}},
	{"drain", func(g *intake.Gate, m *model) bool {
		g.Drain()
		m.road = max(m.road, intake.Draining)
		return true
	}},
	{"close", func(g *intake.Gate, m *model) bool {
		g.Close()
		m.road = intake.Closed
		return true
	}},
}

// TestEveryOrderOfPausesResumesDrainsAndCloses walks through all of them, and
// asks the gate after each step everything that can be asked.
func TestEveryOrderOfPausesResumesDrainsAndCloses(t *testing.T) {
	t.Parallel()
	const length = 6
	walks := 0
	var path [length]int
	for {
		if walk(t, path[:]) {
			walks++
		}
		if t.Failed() {
			return
		}
		i := length - 1
		for ; i >= 0; i-- { // the next path
			if path[i]++; path[i] < len(steps) {
				break
			}
			path[i] = 0
		}
		if i < 0 {
			break
		}
	}
	assert.Greater(t, walks, 2_000)
}

// walk takes one path. false: a step of it cannot be done.
func walk(t *testing.T, path []int) bool {
	t.Helper()
	var g *intake.Gate
	told, toldOf := 0, intake.Open
	g = intake.New("gate", intake.OnChange(func() { told, toldOf = told+1, g.State() }))
	m := &model{}
	lineage, mark := intake.Mark(context.Background())
	defer mark.End()
	changes, names := 0, ""
	for _, step := range path {
		was, changed := g.Watch()
		left := g.Draining()
		before := m.state()
		if !steps[step].do(g, m) {
			return false
		}
		names += steps[step].name + ", "
		want := m.state()
		ok := true
		check := func(what string, holds bool) {
			if !holds {
				ok = false
				t.Errorf("%sand then %s; it is %v and should be %v", names, what, g.State(), want)
			}
		}
		check("the state is wrong", g.State() == want)
		check("the watch is wrong", was == before && over(changed) == (want != before))
		check("a channel of one who saw it open is wrong", before != intake.Open || over(left) == (want != intake.Open))
		check("Draining is wrong", over(g.Draining()) == (want != intake.Open))
		check("root work", refusedAs(g.Admit(context.Background()), want))
		if want == intake.Closed {
			check("lineage gets in", errors.Is(g.Admit(lineage), intake.ErrClosed))
		} else {
			check("lineage is kept out", g.Admit(lineage) == nil)
		}
		if want != before && (before != intake.Draining || want != intake.Closed) {
			changes++
			check("what was told is wrong", toldOf == want || want == intake.Closed && toldOf == intake.Draining)
		}
		check("it was told too often, or not", told == changes)
		if !ok {
			return true
		}
	}
	return true
}

func refusedAs(err error, s intake.State) bool {
	switch s {
	case intake.Open:
		return err == nil
	case intake.Paused:
		return errors.Is(err, intake.ErrPaused) && errors.Is(err, intake.ErrDraining)
	case intake.Draining:
		return errors.Is(err, intake.ErrDraining) && !errors.Is(err, intake.ErrPaused)
	default:
		return errors.Is(err, intake.ErrClosed) && !errors.Is(err, intake.ErrDraining)
	}
}

func over(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// mirror is a component that keeps what it knows of its gate under a lock of its
// own, as a pool does.
type mirror struct {
	gate *intake.Gate
	mu   sync.Mutex
	seen intake.State
}

func (m *mirror) look() {
	m.mu.Lock()
	defer m.mu.Unlock()
	runtime.Gosched()
	m.seen = m.gate.State()
}

// TestWhoIsToldKnowsInTheEnd has many pause and resume a gate, and one drain it.
// Whatever the order, nobody is left with an old picture: not who is told, nor
// who watches, nor who waits for it to open.
func TestWhoIsToldKnowsInTheEnd(t *testing.T) {
	t.Parallel()
	for round := range 300 {
		var m mirror
		m.gate = intake.New("gate", intake.OnChange(m.look))
		drains := round%2 == 0
		var wg, watching sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				for range rand.IntN(20) {
					resume := m.gate.Pause()
					runtime.Gosched()
					resume()
				}
				if drains && i == 0 {
					m.gate.Drain()
				}
			})
		}
		want := intake.Open
		if drains {
			want = intake.Draining
		}
		var last atomic.Int32
		over := make(chan struct{})
		watching.Go(func() {
			for {
				state, changed := m.gate.Watch()
				last.Store(int32(state))
				select {
				case <-changed:
				case <-over:
					return
				}
			}
		})
		for range 2 {
			watching.Go(func() {
				resume := m.gate.Pause()
				resume()
				// Nobody holds it for ever, so this comes to an end.
				if err := m.gate.AwaitOpen(context.Background()); err != nil {
					assert.True(t, drains)
					assert.ErrorIs(t, err, intake.ErrDraining)
				}
			})
		}
		wg.Wait()
		m.gate.Pause()()
		for intake.State(last.Load()) != want {
			runtime.Gosched()
		}
		close(over)
		watching.Wait()
		assert.Equal(t, want, m.gate.State())
		assert.Equal(t, want, m.seen)
	}
}

// TestNothingSlipsInWhilePaused is TestNothingSlipsInAfterDrain for a pause,
// again and again at the same gate.
func TestNothingSlipsInWhilePaused(t *testing.T) {
	t.Parallel()
	g := intake.New("http")
	over := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
				}
				if v, err := g.Enter(context.Background()); err == nil {
					v.Done()
				} else if !assert.ErrorIs(t, err, intake.ErrPaused) {
					return
				}
			}
		})
	}
	for range 20 {
		before := g.Ledger().Accepted
		for g.Ledger().Accepted == before {
			runtime.Gosched() // work gets in again
		}
		resume := g.Pause()
		paused := g.Ledger().Accepted
		runtime.Gosched()
		if !assert.Equal(t, paused, g.Ledger().Accepted) {
			break
		}
		resume()
	}
	close(over)
	wg.Wait()
	l := g.Ledger()
	require.True(t, l.Balanced(), "%s", l)
	require.Zero(t, l.Inside)
}

func TestAwaitOpen(t *testing.T) {
	t.Parallel()
	t.Run("ReturnsWhenTheLastHasResumed", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			g := intake.New("pool:sms")
			first, second := g.Pause(), g.Pause()
			_, err := g.Enter(t.Context())
			var refused *intake.Error
			require.ErrorAs(t, err, &refused)
			opened := make(chan error, 1)
			go func() { opened <- refused.AwaitOpen(t.Context()) }()
			first()
			synctest.Wait()
			assert.Empty(t, opened)
			second()
			require.NoError(t, <-opened)
			visit, err := g.Enter(t.Context())
			require.NoError(t, err)
			visit.Done()
		})
	})

	t.Run("OfferComesAgain", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			g := intake.New("pool:sms")
			calls := 0
			enter := func() error {
				calls++
				visit, err := g.Enter(t.Context())
				if err != nil {
					return fmt.Errorf("submit: %w", err)
				}
				visit.Done()
				return nil
			}
			require.NoError(t, intake.Offer(t.Context(), enter))
			resume := g.Pause()
			offered := make(chan error, 1)
			go func() { offered <- intake.Offer(t.Context(), enter) }()
			synctest.Wait()
			assert.Empty(t, offered)
			assert.Equal(t, 2, calls, "it does not spin")
			resume()
			require.NoError(t, <-offered)

			resume = g.Pause()
			ctx, cancel := context.WithCancel(t.Context())
			go func() { offered <- intake.Offer(ctx, enter) }()
			synctest.Wait()
			cancel()
			require.ErrorIs(t, <-offered, context.Canceled)

			go func() { offered <- intake.Offer(t.Context(), enter) }()
			synctest.Wait()
			g.Drain()
			resume()
			require.ErrorIs(t, <-offered, intake.ErrDraining)
			require.ErrorIs(t, intake.Offer(t.Context(), enter), intake.ErrDraining)
		})
	})

	t.Run("ReturnsTheRefusalOfAGateThatWillNotOpen", func(t *testing.T) {
		t.Parallel()
		g := intake.New("pool:sms")
		defer g.Pause()()
		opened := make(chan error, 1)
		go func() { opened <- g.AwaitOpen(t.Context()) }()
		g.Drain()
		require.ErrorIs(t, <-opened, intake.ErrDraining)
		require.NotErrorIs(t, g.AwaitOpen(t.Context()), intake.ErrPaused)
	})

	t.Run("ReturnsTheCauseOfItsContext", func(t *testing.T) {
		t.Parallel()
		g := intake.New("pool:sms")
		defer g.Pause()()
		ctx, cancel := context.WithCancelCause(t.Context())
		bored := errors.New("bored")
		cancel(bored)
		require.ErrorIs(t, g.AwaitOpen(ctx), bored)
	})

	t.Run("OfAnErrorThatNoGateHasMadeIsThatError", func(t *testing.T) {
		t.Parallel()
		err := &intake.Error{Gate: "mine", Err: intake.ErrPaused}
		require.Equal(t, error(err), err.AwaitOpen(t.Context()))
	})
}

func ExampleGate_Pause() {
	gate := intake.New("mailbox")

	resume := gate.Pause() // for maintenance
	_, err := gate.Enter(context.Background())
	fmt.Println(err)

	resume()
	letter, err := gate.Enter(context.Background())
	fmt.Println(err)

	letter.Done()
	gate.Close() // the stop
	// Output:
	// mailbox: paused: no new work is accepted until it is resumed, what is inside is finished
	// <nil>
}

func TestPauseOfWhoPanicsIsNone(t *testing.T) {
	t.Parallel()
	panics := true
	g := intake.New("gate", intake.OnChange(func() {
		if panics {
			panic("boom")
		}
	}))
	assert.PanicsWithValue(t, "boom", func() { g.Pause() })
	assert.Equal(t, intake.Open, g.State(), "nobody has what resumes it")
	panics = false
	resume := g.Pause()
	assert.Equal(t, intake.Paused, g.State())
	resume()
	assert.Equal(t, intake.Open, g.State())
}

// curious is a context that asks the gate it is shown to.
type curious struct {
	context.Context
	gate *intake.Gate
}

func (c curious) Value(key any) any {
	_ = c.gate.Ledger()
	return c.Context.Value(key)
}

// TestContextMayAskTheGate: no lock is held while the context is looked at, be
// it the one that work comes with, or one further out.
func TestContextMayAskTheGate(t *testing.T) {
	t.Parallel()
	g := intake.New("gate")
	first, err := g.Enter(curious{t.Context(), g})
	require.NoError(t, err)
	second, err := g.Enter(curious{first.Context(), g})
	require.NoError(t, err)
	second.Done() // whoever comes with it has the right of the first
	resume := g.Pause()
	third, err := g.Enter(curious{second.Context(), g})
	require.NoError(t, err)
	third.Done()
	first.Done()
	_, err = g.Enter(curious{second.Context(), g})
	require.ErrorIs(t, err, intake.ErrPaused)
	resume()
	last, err := g.Enter(curious{second.Context(), g})
	require.NoError(t, err)
	last.Done()
	assert.Equal(t, intake.Ledger{Offered: 5, Accepted: 4, Done: 4, Rejected: 1}, g.Ledger())
}
