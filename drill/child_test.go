package drill_test

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/drill"
)

func TestStart(t *testing.T) {
	t.Parallel()

	t.Run("ReadyProgramIsStoppedOrKilled", func(t *testing.T) {
		t.Parallel()
		for sig, want := range map[syscall.Signal]int{syscall.SIGTERM: 0, syscall.SIGKILL: 137} {
			child, err := drill.Start(t.Context(), config(t, "honest").Program)
			require.NoError(t, err)
			assert.Equal(t, drill.Accepted, post(t.Context(), child, "1"))
			assert.Equal(t, []string{"listening on " + child.Line}, child.Output())
			require.NoError(t, child.Signal(sig))
			for range 2 {
				assert.Equal(t, want, child.Wait())
			}
			assert.ErrorIs(t, child.Signal(sig), os.ErrProcessDone)
		}
	})

	t.Run("ProgramThatFailsShowsWhatItWrote", func(t *testing.T) {
		t.Parallel()
		_, err := drill.Start(t.Context(), config(t, "failing").Program)
		require.ErrorIs(t, err, drill.ErrDied)
		assert.ErrorContains(t, err, "\n    | no configuration")
	})

	t.Run("ProgramThatIsNotReadyIsKilled", func(t *testing.T) {
		t.Parallel()
		p := config(t, "mute").Program
		p.ReadyTimeout = 1
		_, err := drill.Start(t.Context(), p)
		require.ErrorIs(t, err, drill.ErrNotReady)
	})

	t.Run("ProgramThatIsNotThereIsAnError", func(t *testing.T) {
		t.Parallel()
		_, err := drill.Start(t.Context(), drill.Program{Path: filepath.Join(t.TempDir(), "nothing")})
		require.ErrorIs(t, err, drill.ErrNotReady)
		require.ErrorIs(t, err, os.ErrNotExist)
	})

	t.Run("EndOfTheContextKillsIt", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		child, err := drill.Start(ctx, config(t, "honest").Program)
		require.NoError(t, err)
		cancel()
		assert.Equal(t, 137, child.Wait())
	})
}
