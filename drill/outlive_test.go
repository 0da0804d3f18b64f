//go:build linux

package drill_test

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/drill"
)

// TestNothingOutlivesTheDrill: neither the child nor what it has started.
func TestNothingOutlivesTheDrill(t *testing.T) {
	t.Parallel()
	gone := func(t *testing.T, cfg drill.Config, starts int) {
		t.Helper()
		pids := readLines(filepath.Join(dirOf(cfg), "pids"))
		assert.Len(t, pids, starts)
		for _, text := range pids {
			pid, err := strconv.Atoi(text)
			require.NoError(t, err)
			assert.Eventually(t, func() bool { return isGone(pid) }, time.Minute, time.Millisecond)
		}
	}

	t.Run("WhenItHasEnded", func(t *testing.T) {
		t.Parallel()
		cfg := config(t, "parent", drill.Sigkill(2), drill.Sigterm(1))
		_, err := run(t, cfg)
		require.NoError(t, err)
		gone(t, cfg, 4)
	})

	t.Run("WhenItsContextEnds", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		enough := errors.New("enough")
		cfg := config(t, "parent", drill.Sigkill(2))
		cfg.Kills[0] = cfg.Kills[0].Between(time.Hour, time.Hour)
		cfg.Load.Offer = func(ctx context.Context, child *drill.Child, id string) drill.Answer {
			defer cancel(enough)
			return post(ctx, child, id)
		}
		report, err := drill.Run(ctx, cfg)
		require.ErrorIs(t, err, enough)
		assert.NotErrorIs(t, err, drill.ErrDied, "it was not its fault")
		assert.False(t, report.Settled)
		assert.Equal(t, 1, report.Total.Runs)
		gone(t, cfg, 1)
	})

	t.Run("WhenItsProcessIsKilled", func(t *testing.T) {
		t.Parallel()
		cfg := config(t, "driller")
		cmd := exec.CommandContext(t.Context(), cfg.Program.Path)
		cmd.Env = append(os.Environ(), cfg.Program.Env...)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		line, err := bufio.NewReader(out).ReadString('\n')
		require.NoError(t, err)
		assert.Equal(t, "up\n", line)
		require.NoError(t, cmd.Process.Kill())
		require.Error(t, cmd.Wait())
		gone(t, cfg, 1)
	})
}
