package intake_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/lastcall-go/lastcall/intake"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// blind fails the test when anybody looks into the context.
type blind struct {
	context.Context
	t *testing.T
}

func (b blind) Value(any) any {
	b.t.Error("an open gate looked into the context")
	return nil
}

func TestGate(t *testing.T) {
	t.Parallel()

	t.Run("OpenGateAdmitsWithoutLookingAtTheContext", func(t *testing.T) {
		t.Parallel()
		g := intake.New("pool:sms")
		require.NoError(t, g.Admit(blind{t.Context(), t}))
		visit, err := g.Enter(blind{t.Context(), t})
		require.NoError(t, err)
		visit.Done()
	})

	t.Run("DrainingGateRefusesRootWorkByName", func(t *testing.T) {
		t.Parallel()
		g := intake.New("pool:sms")
		g.Drain()
		g.Drain()
		_, err := g.Enter(t.Context())
		require.ErrorIs(t, err, intake.ErrDraining)
		assert.ErrorContains(t, err, "pool:sms: draining")
		assert.Equal(t, intake.Ledger{Offered: 1, Rejected: 1}, g.Ledger())
	})

	t.Run("DrainingGateAdmitsLineageUntilTheWorkEnds", func(t *testing.T) {
		t.Parallel()
		server, pool := intake.New("http"), intake.New("pool")
		request, err := server.Enter(t.Context())
		require.NoError(t, err)
		pool.Drain()

		task, err := pool.Enter(request.Context())
		require.NoError(t, err, "work from inside accepted work is admitted")
		request.Done()
		require.ErrorIs(t, pool.Admit(request.Context()), intake.ErrDraining, "the request has ended, and its right with it")
		require.NoError(t, pool.Admit(task.Context()), "the task has not")
		task.Fail()
		require.ErrorIs(t, pool.Admit(task.Context()), intake.ErrDraining)
	})

	t.Run("InnerMarkThatEndedLeavesTheOuterOne", func(t *testing.T) {
		t.Parallel()
		g := intake.New("pool")
		g.Drain()
		outer, request := intake.Mark(t.Context())
		inner, flush := intake.Mark(outer)
		flush.End()
		require.NoError(t, g.Admit(inner))
		request.End()
		require.ErrorIs(t, g.Admit(inner), intake.ErrDraining)
	})

	t.Run("ClosedGateRefusesLineageToo", func(t *testing.T) {
		t.Parallel()
		g := intake.New("pool")
		ctx, mark := intake.Mark(t.Context())
		defer mark.End()
		g.Close()
		g.Drain()
		require.ErrorIs(t, g.Admit(ctx), intake.ErrClosed)
		assert.Equal(t, intake.Closed, g.State(), "a closed gate does not go back to draining")
	})

	t.Run("DrainAndCloseAreBothHeardOnDraining", func(t *testing.T) {
		t.Parallel()
		drained, closed := intake.New("a"), intake.New("b")
		drained.Drain()
		closed.Close()
		<-drained.Draining()
		<-closed.Draining()
	})

	t.Run("OnChangeIsCalledForADrainOnceAndMayAskTheGate", func(t *testing.T) {
		t.Parallel()
		calls := 0
		var g *intake.Gate
		g = intake.New("pool", intake.OnChange(func() {
			calls++
			assert.Equal(t, intake.Draining, g.State())
			assert.ErrorIs(t, g.Admit(t.Context()), intake.ErrDraining)
		}))
		assert.Zero(t, calls)
		g.Close()
		g.Drain()
		g.Close()
		assert.Equal(t, 1, calls)
	})

	t.Run("FirstEndOfAVisitDecidesItsColumn", func(t *testing.T) {
		t.Parallel()
		g := intake.New("http")
		for _, end := range []func(*intake.Visit){
			(*intake.Visit).Done, (*intake.Visit).Fail, (*intake.Visit).Save, (*intake.Visit).Lose,
		} {
			v, err := g.Enter(t.Context())
			require.NoError(t, err)
			end(v)
			v.Fail()
		}
		assert.Equal(t, intake.Ledger{Offered: 4, Accepted: 4, Done: 1, Failed: 1, Saved: 1, Lost: 1}, g.Ledger())
	})

	t.Run("CountedGateReportsTheComponentsOwnLedger", func(t *testing.T) {
		t.Parallel()
		want := intake.Ledger{Offered: 3, Accepted: 2, Rejected: 1, Done: 2}
		g := intake.New("pool", intake.Counted(func() intake.Ledger { return want }))
		assert.Equal(t, want, g.Ledger())
	})
}

// TestNothingSlipsInAfterDrain holds the sentence of Admit: whatever was
// admitted before a drain is in every snapshot taken after it.
func TestNothingSlipsInAfterDrain(t *testing.T) {
	t.Parallel()
	for range 200 {
		g := intake.New("http")
		var wg sync.WaitGroup
		busy := make(chan struct{}, 4)
		for range 4 {
			wg.Go(func() {
				for first := true; ; first = false {
					v, err := g.Enter(context.Background())
					if err != nil {
						return
					}
					v.Done()
					if first {
						busy <- struct{}{}
					}
				}
			})
		}
		for range 4 {
			<-busy // all are in the middle of it
		}
		g.Drain()
		after := g.Ledger().Accepted
		wg.Wait()
		end := g.Ledger()
		require.Equal(t, after, end.Accepted)
		require.True(t, end.Balanced(), "%s", end)
		require.Zero(t, end.Inside)
	}
}

func TestLedger(t *testing.T) {
	t.Parallel()
	balanced := intake.Ledger{Offered: 12, Accepted: 10, Rejected: 2, Done: 4, Failed: 1, Saved: 1, Dropped: 1, Lost: 1, Inside: 2}
	assert.True(t, balanced.Balanced())
	assert.EqualValues(t, 8, balanced.Finished())
	assert.Equal(t, "accepted 10 = done 4 + failed 1 + saved 1 + dropped 1 + lost 1 + inside 2 (rejected 2)", balanced.String())
	assert.True(t, balanced.Plus(balanced).Balanced())

	forgotten := balanced
	forgotten.Inside--
	assert.False(t, forgotten.Balanced())
	assert.Contains(t, forgotten.String(), "UNBALANCED")

	unanswered := balanced
	unanswered.Offered++
	assert.False(t, unanswered.Balanced())
}

func ExampleGate() {
	gate := intake.New("mailbox")

	letter, err := gate.Enter(context.Background())
	if err != nil {
		return
	}
	gate.Drain() // the stop begins

	_, err = gate.Enter(context.Background())
	fmt.Println("a stranger:", err)
	reply, err := gate.Enter(letter.Context())
	fmt.Println("from inside:", err)

	reply.Done()
	letter.Done()
	fmt.Println(gate.Ledger())
	// Output:
	// a stranger: mailbox: draining: no new work is accepted, what is inside is finished
	// from inside: <nil>
	// accepted 2 = done 2 + failed 0 + saved 0 (rejected 1)
}

func TestStateIsItsNameInText(t *testing.T) {
	t.Parallel()
	for _, want := range []intake.State{intake.Open, intake.Paused, intake.Draining, intake.Closed} {
		text, err := json.Marshal(want)
		require.NoError(t, err)
		require.JSONEq(t, `"`+want.String()+`"`, string(text))
		var got intake.State
		require.NoError(t, json.Unmarshal(text, &got))
		require.Equal(t, want, got)
	}
	var got intake.State
	require.ErrorContains(t, got.UnmarshalText([]byte("ajar")), `unknown state "ajar" of a gate; it is open, paused, draining or closed`)
}
