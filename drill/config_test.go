package drill_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/drill"
)

func TestConfig(t *testing.T) {
	t.Parallel()

	t.Run("EveryWrongFieldIsReported", func(t *testing.T) {
		t.Parallel()
		cfg := drill.Config{
			Program: drill.Program{ReadyTimeout: -1, ReceiptGate: "lane:sms"},
			Load:    drill.Load{Generators: -1, Pause: -1},
			Pause:   -1,
			Settle:  drill.Settle{Quiet: -1, Patience: -1, Timeout: -1, Grace: -1},
			Kills: []drill.Kill{
				{Runs: -1, Grace: -1, Accepted: -1, MaxDuplicates: -2},
				{FromExec: true, Accepted: 1, Steps: []drill.Step{{Signal: 0}, {Signal: syscall.SIGTERM, From: 2, To: 1}}},
			},
		}
		report, err := drill.Run(t.Context(), cfg)
		assert.Nil(t, report)
		for _, want := range []string{
			"program.path: is empty", "program.ready_timeout: is -1ns", `program.receipt_gate: is "lane:sms"`,
			"load.offer: is nil", "load.generators: is -1", "load.pause: is -1ns",
			"outcome.delivered: is nil", "\npause: is -1ns",
			"settle.quiet: is -1ns", "settle.patience: is -1ns", "settle.timeout: is -1ns", "settle.grace: is -1ns",
			"kills[0].runs: is -1", "kills[0].grace: is -1ns", "kills[0].max_duplicates: is -2", "kills[0].accepted: is -1", "kills[1].accepted: is 1, must be 0 with from_exec",
			"kills[0].steps: are empty",
			"kills[1].steps[0].signal: is 0", "kills[1].steps[1]: is from 2ns to 1ns",
		} {
			assert.ErrorContains(t, err, want)
		}
	})

	t.Run("DefaultsAreFilledIn", func(t *testing.T) {
		t.Parallel()
		cfg := drill.Config{Kills: []drill.Kill{{Steps: []drill.Step{{Signal: syscall.SIGTERM}, {Signal: syscall.SIGKILL}}}}}
		full := cfg.WithDefaults()
		assert.Equal(t, "terminated, killed", full.Kills[0].Name)
		assert.Equal(t, 1, full.Kills[0].Runs)
		assert.Empty(t, cfg.Kills[0].Name, "the caller's kills are left alone")
		assert.NotZero(t, full.Seed)
		assert.Equal(t, full, full.WithDefaults())
		assert.Len(t, drill.Config{}.WithDefaults().Kills, 2)
	})

	t.Run("BetweenUnderAndAtMostLeaveTheKillAlone", func(t *testing.T) {
		t.Parallel()
		k := drill.SigkillInStop(3)
		changed := k.Between(time.Second, time.Minute).AtMost(7)
		assert.Equal(t, drill.Step{Signal: syscall.SIGTERM, From: time.Second, To: time.Minute}, changed.Steps[0])
		assert.Equal(t, k.Steps[1], changed.Steps[1])
		assert.Equal(t, 7, changed.MaxDuplicates)
		assert.Equal(t, drill.NoDuplicates, k.AtMost(0).MaxDuplicates)
		assert.Equal(t, 3, k.Under(3).Accepted)
		assert.Equal(t, drill.SigkillInStop(3), k)
		assert.Equal(t, drill.Kill{}, drill.Kill{}.Between(1, 2))
	})
}

// TestSeed: the same seed makes the same plan, another makes another.
func TestSeed(t *testing.T) {
	t.Parallel()
	type turn struct {
		kill    string
		moments []time.Duration
	}
	drillWith := func(seed uint64) (plan []turn) {
		// A program that cannot be started lives through its plan at no cost.
		cfg := config(t, "", drill.Sigkill(1), drill.SigtermTwice(1), drill.SigkillInStop(1))
		cfg.Program.Path = t.TempDir()
		cfg.Seed = seed
		report, err := drill.Run(t.Context(), cfg)
		require.ErrorIs(t, err, drill.ErrNotReady)
		assert.Contains(t, report.String(), "seed ")
		for _, l := range report.Lives {
			plan = append(plan, turn{l.Kill, l.Moments})
		}
		return plan
	}
	first := drillWith(1)
	require.Len(t, first, 3)
	assert.Equal(t, first, drillWith(1))
	assert.NotEqual(t, first, drillWith(2))
	for _, turn := range first {
		assert.LessOrEqual(t, 5*time.Millisecond, turn.moments[0])
		assert.LessOrEqual(t, turn.moments[0], 40*time.Millisecond)
	}
}

// TestAnswer: the zero value promises nothing.
func TestAnswer(t *testing.T) {
	t.Parallel()
	var zero drill.Answer
	assert.Equal(t, drill.Unknown, zero)
	assert.Equal(t, "unknown accepted refused", drill.Unknown.String()+" "+drill.Accepted.String()+" "+drill.Refused.String())
}

// refuse is a load that speaks to nobody.
func refuse(context.Context, *drill.Child, string) drill.Answer { return drill.Refused }

func TestLoadThatNobodyHeardProvesNothing(t *testing.T) {
	t.Parallel()
	cfg := config(t, "honest", drill.Sigterm(1))
	cfg.Kills[0].Accepted = 0
	cfg.Load.Offer = refuse
	_, err := run(t, cfg)
	require.ErrorIs(t, err, drill.ErrNoWork)
}
