package drill_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/drill"
)

// TestDishonestProgramsAreFound: each breaks its word in another way.
func TestDishonestProgramsAreFound(t *testing.T) {
	t.Parallel()

	t.Run("AnswersBeforeItWritesDown", func(t *testing.T) {
		t.Parallel()
		cfg := config(t, "forgetful", drill.Sigkill(times(5, 100)))
		cfg.Settle.Patience = 500 * time.Millisecond
		report, err := run(t, cfg)
		require.ErrorIs(t, err, drill.ErrLost)
		assert.NotEmpty(t, report.Lost)
		assert.ErrorContains(t, err, report.Lost[0])
		assert.Contains(t, report.String(), "WRONG:\naccepted work was lost")
		delivered := readLines(filepath.Join(dirOf(cfg), "delivered"))
		assert.NotContains(t, delivered, report.Lost[0])
	})

	t.Run("DeliversTwice", func(t *testing.T) {
		t.Parallel()
		report, err := run(t, config(t, "doubling", drill.Sigterm(2).AtMost(0)))
		require.ErrorIs(t, err, drill.ErrDuplicated)
		assert.NotErrorIs(t, err, drill.ErrLost)
		assert.Equal(t, report.Total.Duplicated, report.Total.Repeated, "no kill is to blame")
		assert.Contains(t, report.String(), fmt.Sprintf("%d > 0", report.Total.MostDuplicated))
		assert.Equal(t, report.Total.Accepted+report.Total.UnknownDelivered, report.Total.Duplicated)
	})

	t.Run("DeliversWhatItRefused", func(t *testing.T) {
		t.Parallel()
		report, err := run(t, config(t, "two-faced", drill.Sigterm(2)))
		require.ErrorIs(t, err, drill.ErrRefusedDelivered)
		assert.Positive(t, report.Total.RefusedDelivered)
	})

	t.Run("ExitsWithAWrongCode", func(t *testing.T) {
		t.Parallel()
		report, err := run(t, config(t, "exit7", drill.Sigterm(2)))
		require.ErrorIs(t, err, drill.ErrExit)
		assert.Equal(t, []drill.ExitCount{{Code: 7, Runs: 2}}, report.Kinds[0].Exits)
		assert.Zero(t, report.Total.Lost)

		k := drill.Sigterm(2)
		k.Exits = []int{7}
		_, err = run(t, config(t, "exit7", k))
		found := (*drill.LifeError)(nil)
		require.ErrorAs(t, err, &found)
		assert.Equal(t, "settling", found.Kill, "the code is allowed for the kill")
	})

	t.Run("IgnoresSIGTERM", func(t *testing.T) {
		t.Parallel()
		k := drill.Sigterm(1)
		k.Grace = 100 * time.Millisecond
		cfg := config(t, "stubborn", k)
		cfg.Settle.Grace = 100 * time.Millisecond
		report, err := run(t, cfg)
		require.ErrorIs(t, err, drill.ErrHung)
		assert.Equal(t, []drill.ExitCount{{Code: 137, Runs: 2}}, report.Total.Exits)
		assert.Zero(t, report.Total.Lost)
	})

	t.Run("DiesByItself", func(t *testing.T) {
		t.Parallel()
		cfg := config(t, "dying", drill.Sigkill(2))
		cfg.Kills[0] = cfg.Kills[0].Between(time.Hour, time.Hour)
		cfg.Settle = drill.Settle{Quiet: time.Hour, Patience: time.Hour}
		report, err := run(t, cfg)
		require.ErrorIs(t, err, drill.ErrDied)
		require.ErrorIs(t, err, drill.ErrUnsettled)
		assert.ErrorContains(t, err, "the disk is on fire")
		assert.Equal(t, []drill.ExitCount{{Code: 2, Runs: 2}}, report.Kinds[0].Exits)
		assert.False(t, report.Settled)
	})

	t.Run("IsNeverReady", func(t *testing.T) {
		t.Parallel()
		cfg := config(t, "mute", drill.Sigkill(10))
		cfg.Program.ReadyTimeout = 100 * time.Millisecond
		report, err := run(t, cfg)
		require.ErrorIs(t, err, drill.ErrNotReady)
		assert.Equal(t, 3, report.Total.Runs, "it is given up")
		assert.False(t, report.Settled)
	})

	t.Run("IsNeverReadyAndHasSaidWhy", func(t *testing.T) {
		t.Parallel()
		cfg := config(t, "mute", drill.Sigkill(10))
		cfg.Program.ReadyLine = "still"
		cfg.Program.Ready = func(context.Context, *drill.Child) error { return errors.New("no answer") }
		_, err := run(t, cfg)
		require.ErrorIs(t, err, drill.ErrNotReady)
		assert.ErrorContains(t, err, "no answer")
		assert.ErrorContains(t, err, "still loading")
	})

	t.Run("DiesBeforeItIsReady", func(t *testing.T) {
		t.Parallel()
		report, err := run(t, config(t, "failing", drill.Sigkill(10)))
		require.ErrorIs(t, err, drill.ErrDied)
		assert.ErrorContains(t, err, "no configuration")
		assert.Equal(t, 3, report.Total.Runs)
	})

	t.Run("CannotBeStarted", func(t *testing.T) {
		t.Parallel()
		cfg := config(t, "", drill.Sigkill(10))
		cfg.Program.Path = filepath.Join(t.TempDir(), "nothing")
		report, err := run(t, cfg)
		require.ErrorIs(t, err, drill.ErrNotReady)
		require.ErrorIs(t, err, os.ErrNotExist)
		assert.Equal(t, []drill.ExitCount{{Code: -1, Runs: 3}}, report.Total.Exits)
	})

	t.Run("LeavesAReceiptThatDoesNotBalance", func(t *testing.T) {
		t.Parallel()
		cfg := config(t, "receipted", drill.Sigterm(2), drill.Sigkill(1))
		cfg.Program.Receipt, cfg.Program.ReceiptGate = filepath.Join(dirOf(cfg), "receipt.json"), "lane:sms"
		report, err := run(t, cfg)
		require.ErrorIs(t, err, drill.ErrReceipt)
		assert.ErrorContains(t, err, "lane:sms does not balance")
		assert.ErrorContains(t, err, "lane:sms counts 1 accepted, the load saw")
		assert.ErrorContains(t, err, "its total is {Accepted:1 Done:1 ")
		assert.ErrorContains(t, err, "its exit code is 3, the program's 0")
		assert.ErrorContains(t, err, "it says clean, with exit code 3 and the errors [batch:rows: timed out]")
		assert.Equal(t, 3, report.Total.Receipts, "a killed life leaves none")
		assert.Equal(t, 3, report.Total.Unbalanced)
		for _, l := range report.Lives {
			assert.Equal(t, l.Kill == "SIGKILL", len(l.Errs) == 0, l.Kill)
		}
	})

	t.Run("LeavesTheReceiptOfAnotherLife", func(t *testing.T) {
		t.Parallel()
		cfg := config(t, "honest", drill.Sigterm(1))
		cfg.Program.Receipt = filepath.Join(dirOf(cfg), "receipt.json")
		require.NoError(t, os.WriteFile(cfg.Program.Receipt, []byte(`{"began": "2020-01-01T00:00:00Z"}`), 0o600))
		report, err := run(t, cfg)
		require.ErrorIs(t, err, drill.ErrReceipt)
		assert.ErrorContains(t, err, "of an earlier life")
		assert.Zero(t, report.Total.Receipts)
	})

	t.Run("LeavesNoReceipt", func(t *testing.T) {
		t.Parallel()
		cfg := config(t, "honest", drill.Sigterm(1))
		cfg.Program.Receipt = filepath.Join(dirOf(cfg), "receipt.json")
		report, err := run(t, cfg)
		require.ErrorIs(t, err, drill.ErrReceipt)
		assert.Zero(t, report.Total.Receipts)
	})
}
