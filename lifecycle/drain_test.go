package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"pgregory.net/rapid"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/lifecycle"
)

func TestDrain(t *testing.T) {
	t.Parallel()

	bubble(t, "RefusesNewWorkFinishesWhatIsInsideAndIsTakenBack", func(t *testing.T) {
		var order diary
		noting := func(name string) *intake.Gate {
			var g *intake.Gate
			g = intake.New(name, intake.OnChange(func() { order.add(name + " " + g.State().String()) }))
			return g
		}
		pool, http := noting("pool"), noting("http")
		a := build(t,
			hook(lifecycle.Hook{Name: "pool", Gate: pool}),
			hook(lifecycle.Hook{Name: "http", Gate: http, Band: lifecycle.Ingress}))
		require.NoError(t, a.start())
		request, err := http.Enter(t.Context())
		require.NoError(t, err)
		assert.Nil(t, a.Drained())

		began := time.Now()
		require.NoError(t, a.Drain("alice", "10.0.0.7:1"))
		assert.False(t, a.Ready())
		assert.Equal(t, lifecycle.Running, a.State())
		_, err = http.Enter(t.Context())
		require.ErrorIs(t, err, intake.ErrPaused)
		task, err := pool.Enter(request.Context())
		require.NoError(t, err, "work from inside is admitted")
		p := a.Progress()
		assert.Equal(t, lifecycle.StageDraining, p.Stage)
		assert.Equal(t, &lifecycle.Drained{By: "alice", From: "10.0.0.7:1", Since: began}, p.Drained)
		assert.Equal(t, []lifecycle.GateProgress{
			{Component: "http", Gate: "http", State: "paused", Inside: 1}, {Component: "pool", Gate: "pool", State: "paused", Inside: 1},
		}, p.Gates)
		request.Done()
		assert.Equal(t, lifecycle.StageDraining, a.Progress().Stage)
		task.Done()
		assert.Equal(t, lifecycle.StageDrained, a.Progress().Stage)

		require.NoError(t, a.Undrain("bob", ""))
		assert.True(t, a.Ready())
		assert.Equal(t, "running", a.Progress().Stage)
		assert.Nil(t, a.Progress().Drained)
		request, err = http.Enter(t.Context())
		require.NoError(t, err)
		request.Done()
		assert.Equal(t, []string{"http paused", "pool paused", "pool open", "http open"}, order.read())
		require.NoError(t, a.stop())
		assert.True(t, a.Receipt().Clean())
	})

	bubble(t, "IsInTheAuditAndAmongTheEvents", func(t *testing.T) {
		a := build(t)
		require.ErrorIs(t, a.Drain("alice", ""), lifecycle.ErrNotUp)
		require.NoError(t, a.start())
		require.NoError(t, a.Undrain("nobody", "who has nothing to undrain"))
		require.NoError(t, a.Drain("alice", "10.0.0.7:1"))
		require.NoError(t, a.Drain("bob", "who comes too late"))
		require.NoError(t, a.Undrain("", ""))
		require.NoError(t, a.stop())
		require.EqualError(t, a.Undrain("carol", ""), "lifecycle: undrain: the stop has begun: it drains by itself, and is not taken back")

		var told []string
		for _, entry := range a.Audit() {
			assert.Empty(t, entry.Component)
			if entry.Action == "undrain" && entry.Error == "" {
				assert.Contains(t, entry.From, "drain_test.go", "the line of code, where nobody says who asks")
			}
			told = append(told, entry.String())
		}
		assert.Equal(t, []string{
			"drain, by alice, refused: " + lifecycle.ErrNotUp.Error(),
			"drain, by alice",
			"undrain",
			"undrain, by carol, refused: the stop has begun: it drains by itself, and is not taken back",
		}, told)
		var events []string
		all, _ := a.Events().Since(0)
		for _, e := range all {
			if e.Kind == lifecycle.EventAction {
				assert.Equal(t, a.Audit()[len(events)], e.Data)
				events = append(events, e.Text)
			}
		}
		assert.Equal(t, told[:3], events, "the last comes after the last event")
	})

	bubble(t, "ThatNeverBecomesQuietCanBeUndone", func(t *testing.T) {
		gate := intake.New("desk")
		a := build(t, hook(lifecycle.Hook{Name: "desk", Gate: gate}))
		require.NoError(t, a.start())
		stuck, err := gate.Enter(t.Context())
		require.NoError(t, err)
		require.NoError(t, a.Drain("alice", ""))
		time.Sleep(24 * time.Hour)
		assert.Equal(t, lifecycle.StageDraining, a.Progress().Stage)
		require.NoError(t, a.Undrain("alice", ""))
		assert.True(t, a.Ready())
		require.NoError(t, gate.Admit(t.Context()))
		stuck.Done()
		require.NoError(t, a.stop())
	})

	bubble(t, "LeavesAPauseOfSomebodyElse", func(t *testing.T) {
		gate := intake.New("desk")
		a := build(t, hook(lifecycle.Hook{Name: "desk", Gate: gate}))
		require.NoError(t, a.start())
		resume := gate.Pause()
		require.NoError(t, a.Drain("alice", ""))
		require.NoError(t, a.Undrain("alice", ""))
		assert.True(t, a.Ready())
		assert.Equal(t, intake.Paused, gate.State())
		resume()
		assert.Equal(t, intake.Open, gate.State())
		require.NoError(t, a.stop())
	})

	bubble(t, "DuringTheStartHoldsForWhatIsStartedLater", func(t *testing.T) {
		gate := intake.New("desk")
		a := build(t,
			hook(lifecycle.Hook{Name: "slow", OnStart: sleeping(time.Minute)}),
			hook(lifecycle.Hook{Name: "desk", Gate: gate, OnStart: func(context.Context) error {
				assert.Equal(t, intake.Paused, gate.State())
				return nil
			}}))
		started := make(chan error)
		go func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			started <- a.Start(ctx, patience)
		}()
		synctest.Wait()
		require.NoError(t, a.Drain("alice", ""))
		assert.Equal(t, "starting", a.Progress().Stage)
		assert.NotNil(t, a.Progress().Drained)
		require.NoError(t, <-started)
		assert.True(t, come(a.When(lifecycle.Started)))
		assert.False(t, a.Ready())
		assert.Equal(t, lifecycle.StageDrained, a.Progress().Stage)
		require.NoError(t, a.Undrain("alice", ""))
		assert.True(t, a.Ready())
		require.NoError(t, gate.Admit(t.Context()))
		require.NoError(t, a.stop())
	})

	bubble(t, "IsNotOverBeforeTheLastGateIsPaused", func(t *testing.T) {
		var a house
		var stages []string
		look := intake.OnChange(func() { stages = append(stages, a.Progress().Stage) })
		a = build(t,
			hook(lifecycle.Hook{Name: "pool", Gate: intake.New("pool", look)}),
			hook(lifecycle.Hook{Name: "http", Gate: intake.New("http", look), Band: lifecycle.Ingress}))
		require.NoError(t, a.start())
		require.NoError(t, a.Drain("alice", ""))
		assert.Equal(t, lifecycle.StageDrained, a.Progress().Stage)
		require.NoError(t, a.Undrain("alice", ""))
		assert.Equal(t, []string{"draining", "draining", "draining", "draining"}, stages, "while a gate is open, work may come at any moment")
		require.NoError(t, a.stop())
	})

	bubble(t, "IsNoneWhereAComponentPanics", func(t *testing.T) {
		var panics any
		broken := intake.New("broken", intake.OnChange(func() {
			if panics != nil {
				panic(panics)
			}
		}))
		http := intake.New("http")
		a := build(t,
			hook(lifecycle.Hook{Name: "broken", Gate: broken}),
			hook(lifecycle.Hook{Name: "http", Gate: http, Band: lifecycle.Ingress}))
		require.NoError(t, a.start())
		panics = "boom"
		var panicked *lifecycle.PanicError
		err := a.Drain("alice", "")
		require.ErrorAs(t, err, &panicked)
		require.EqualError(t, err, "lifecycle: drain: broken: panic: boom")
		assert.True(t, a.Ready())
		assert.Equal(t, []intake.State{intake.Open, intake.Open}, []intake.State{http.State(), broken.State()})

		panics = nil
		require.NoError(t, a.Drain("alice", ""))
		assert.Equal(t, lifecycle.StageDrained, a.Progress().Stage)
		panics = "boom"
		err = a.Undrain("alice", "")
		require.ErrorAs(t, err, &panicked)
		require.ErrorContains(t, err, "the gates are open again")
		assert.True(t, a.Ready())
		assert.Equal(t, []intake.State{intake.Open, intake.Open}, []intake.State{http.State(), broken.State()})
		require.NoError(t, a.stop())
	})

	bubble(t, "IsNoChangeThatIsTakenBackByItsNumber", func(t *testing.T) {
		core, logs := observer.New(zap.WarnLevel)
		a := build(t)
		a.LogTo(zap.New(core))
		require.NoError(t, a.start())
		require.NoError(t, a.Drain("alice", ""))
		_, err := a.Rollback(t.Context(), 1, "bob", "", false)
		require.ErrorIs(t, err, lifecycle.ErrNoUndo)
		require.NoError(t, a.stop())
		require.Equal(t, 1, logs.Len())
		assert.Equal(t, "turn refused", logs.All()[0].Message)
	})

	bubble(t, "OfAStartThatFailsIsRolledBackAsEver", func(t *testing.T) {
		gate := intake.New("desk")
		var a house
		a = build(t, hook(lifecycle.Hook{Name: "desk", Gate: gate}), hook(lifecycle.Hook{Name: "broken", OnStart: func(context.Context) error {
			assert.NoError(t, a.Drain("alice", ""))
			return errBroken
		}}))
		require.ErrorIs(t, a.start(), errBroken)
		require.ErrorIs(t, a.Undrain("alice", ""), lifecycle.ErrStops)
		assert.Equal(t, intake.Draining, gate.State())
	})
}

func TestStopOfWhatIsDrained(t *testing.T) {
	t.Parallel()
	slow := func(d time.Duration) (*intake.Gate, func(*testing.T)) {
		gate := intake.New("desk")
		return gate, func(t *testing.T) {
			t.Helper()
			visit, err := gate.Enter(t.Context())
			require.NoError(t, err)
			time.AfterFunc(d, visit.Done)
		}
	}
	stages := func(a house) (names []string) {
		for _, s := range a.Receipt().Stages {
			assert.True(t, s.Reached)
			names = append(names, fmt.Sprint(s.Name, " at ", s.At.Round(time.Second)))
		}
		return names
	}
	for _, tt := range []struct {
		give         string
		drainsBefore time.Duration
		want         []string
	}{
		{"WasReadyUntilThen", 0, []string{"not ready at 0s", "pre-stop delay at 10s", "ingress closed at 10s", "quiet at 1m0s"}},
		{"IsDrainedJustBefore", 3 * time.Second, []string{"not ready at 0s", "pre-stop delay at 7s", "ingress closed at 7s", "quiet at 57s"}},
		{"IsDrainedLongBefore", 20 * time.Second, []string{"not ready at 0s", "ingress closed at 0s", "quiet at 40s"}},
		{"HasBecomeQuiet", 2 * time.Minute, []string{"not ready at 0s", "ingress closed at 0s", "quiet at 0s"}},
	} {
		bubble(t, tt.give, func(t *testing.T) {
			gate, enter := slow(time.Minute)
			a := build(t, configured(lifecycle.Config{PreStopDelay: 10 * time.Second}), hook(lifecycle.Hook{Name: "desk", Gate: gate}))
			require.NoError(t, a.start())
			enter(t)
			if tt.drainsBefore > 0 {
				require.NoError(t, a.Drain("alice", ""))
				time.Sleep(tt.drainsBefore)
			}
			require.NoError(t, a.stopIn(time.Hour))
			assert.Equal(t, tt.want, stages(a))
			receipt := a.Receipt()
			assert.True(t, receipt.Clean())
			assert.Equal(t, lifecycle.Cause{Kind: lifecycle.CauseStop}, receipt.Cause)
			assert.Equal(t, intake.Ledger{Offered: 1, Accepted: 1, Done: 1}, receipt.Gates[0].Ledger)
		})
	}

	bubble(t, "RefusesToTakeItBackAndNothingOpensAgain", func(t *testing.T) {
		gate, enter := slow(time.Minute)
		a := build(t, hook(lifecycle.Hook{Name: "desk", Gate: gate}))
		require.NoError(t, a.start())
		enter(t)
		require.NoError(t, a.Drain("alice", ""))
		stopped := make(chan error)
		go func() { stopped <- a.stopIn(time.Hour) }()
		synctest.Wait()
		require.ErrorIs(t, a.Undrain("alice", ""), lifecycle.ErrStops)
		require.ErrorIs(t, a.Drain("alice", ""), lifecycle.ErrStops)
		require.NotErrorIs(t, gate.Admit(t.Context()), intake.ErrPaused)
		require.ErrorIs(t, gate.Admit(t.Context()), intake.ErrDraining)
		assert.NotNil(t, a.Progress().Drained, "it was, before the stop")
		require.NoError(t, <-stopped)
	})
}

// TestDrainMachine drains and undrains an application at random, in which
// components pause and drain their own gates. The model says for each gate what
// it must be like.
func TestDrainMachine(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		const n = 3
		var gates [n]*intake.Gate
		var own [n][]func() // pauses by the component
		var ends [n]bool    // the component has drained its gate
		var lc fx.Lifecycle
		a := build(t, fx.Populate(&lc))
		drained, stopped := false, false
		for i := range n {
			gates[i] = intake.New(fmt.Sprint("gate ", i))
			lifecycle.Append(lc, lifecycle.Hook{Gate: gates[i], Band: rapid.SampledFrom([]lifecycle.Band{lifecycle.Ingress, lifecycle.Middle, lifecycle.Sink}).Draw(rt, "band")})
		}
		require.NoError(rt, a.start())
		which := func(rt *rapid.T) int { return rapid.IntRange(0, n-1).Draw(rt, "which") }
		rt.Repeat(map[string]func(*rapid.T){
			"drain": func(rt *rapid.T) {
				err := a.Drain("machine", "")
				if stopped {
					require.ErrorIs(rt, err, lifecycle.ErrStops)
					return
				}
				require.NoError(rt, err)
				drained = true
			},
			"undrain": func(rt *rapid.T) {
				err := a.Undrain("machine", "")
				if stopped {
					require.ErrorIs(rt, err, lifecycle.ErrStops)
					return
				}
				require.NoError(rt, err)
				drained = false
			},
			"pause": func(rt *rapid.T) {
				i := which(rt)
				own[i] = append(own[i], gates[i].Pause())
			},
			"resume": func(rt *rapid.T) {
				if i := which(rt); len(own[i]) > 0 {
					own[i][0]()
					own[i] = own[i][1:]
				}
			},
			"drain a gate": func(rt *rapid.T) {
				if i := which(rt); rapid.IntRange(0, 9).Draw(rt, "really") == 0 {
					gates[i].Drain()
					ends[i] = true
				}
			},
			"stop": func(rt *rapid.T) {
				if rapid.IntRange(0, 9).Draw(rt, "really") == 0 {
					require.NoError(rt, a.stop())
					stopped = true
				}
			},
			"": func(rt *rapid.T) {
				require.Equal(rt, !drained && !stopped, a.Ready())
				for i, g := range gates {
					want := intake.Open
					switch {
					case stopped || ends[i]:
						want = intake.Draining
					case drained || len(own[i]) > 0:
						want = intake.Paused
					}
					require.Equal(rt, want, g.State(), "gate %d", i)
				}
			},
		})
		require.NoError(rt, a.stop())
		require.True(rt, a.Receipt().Clean())
	})
}

// TestDrainStorm has many drain and undrain while work comes and a stop begins
// at any moment. No two of them get into each other's way, and the stop wins.
func TestDrainStorm(t *testing.T) {
	t.Parallel()
	for range 12 {
		gates := []*intake.Gate{intake.New("http"), intake.New("pool"), intake.New("batch")}
		a := build(t,
			hook(lifecycle.Hook{Name: "batch", Gate: gates[2]}),
			hook(lifecycle.Hook{Name: "pool", Gate: gates[1]}),
			hook(lifecycle.Hook{Name: "http", Gate: gates[0], Band: lifecycle.Ingress}))
		require.NoError(t, a.start())
		var turning, working sync.WaitGroup
		over := make(chan struct{})
		for _, g := range gates {
			working.Go(func() {
				for {
					select {
					case <-over:
						return
					default:
					}
					visit, err := g.Enter(context.Background())
					var refused *intake.Error
					switch {
					case err == nil:
						visit.Done()
					case errors.As(err, &refused) && refused.AwaitOpen(context.Background()) != nil:
						return // it will not open again
					}
					runtime.Gosched()
				}
			})
		}
		for range 4 {
			turning.Go(func() {
				for range 20 + rand.IntN(20) {
					turn := a.Drain
					if rand.IntN(2) == 0 {
						turn = a.Undrain
					}
					if err := turn("storm", ""); err != nil {
						assert.ErrorIs(t, err, lifecycle.ErrStops)
						return
					}
					_ = a.Progress()
				}
			})
		}
		stopsBeside := rand.IntN(2) == 0
		if !stopsBeside {
			turning.Wait()
			want := intake.Open
			if a.Drained() != nil {
				want = intake.Paused
			}
			for _, g := range gates {
				assert.Equal(t, want, g.State(), g.Name())
			}
		}
		require.NoError(t, a.stop())
		turning.Wait()
		for _, g := range gates {
			assert.Equal(t, intake.Draining, g.State(), "%s is not opened by who was late", g.Name())
		}
		close(over)
		working.Wait()
		assert.True(t, a.Receipt().Clean(), "%s", a.Receipt())
	}
}
