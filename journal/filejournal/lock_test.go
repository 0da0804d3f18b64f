package filejournal_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/filejournal"
)

// TestLockIsAFileOfItsOwn: who opens a directory writes into its LOCK, perhaps
// as another user than the one who has put it there.
func TestLockIsAFileOfItsOwn(t *testing.T) {
	t.Parallel()

	t.Run("ALinkInItsPlaceIsRefused", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		precious := filepath.Join(t.TempDir(), "precious")
		require.NoError(t, os.WriteFile(precious, []byte("all that I know"), 0o600))
		if err := os.Symlink(precious, filepath.Join(dir, "LOCK")); err != nil {
			t.Skip(err)
		}
		_, err := filejournal.Open(filejournal.Config{Dir: dir})
		require.ErrorContains(t, err, "is no regular file; take it away")
		text, err := os.ReadFile(precious)
		require.NoError(t, err)
		require.Equal(t, "all that I know", string(text))
	})

	t.Run("ALinkToNothingMakesNoFileThere", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		elsewhere := filepath.Join(t.TempDir(), "elsewhere")
		if err := os.Symlink(elsewhere, filepath.Join(dir, "LOCK")); err != nil {
			t.Skip(err)
		}
		_, err := filejournal.Open(filejournal.Config{Dir: dir})
		require.ErrorContains(t, err, "is no regular file")
		require.NoFileExists(t, elsewhere)
	})
}

// TestLockFileThatIsTakenAway: somebody tidies up, and a second process comes.
func TestLockFileThatIsTakenAway(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("a file that is open cannot be taken away")
	}
	dir := t.TempDir()
	d, err := filejournal.Open(filejournal.Config{Dir: dir})
	require.NoError(t, err)
	require.NoError(t, os.Remove(filepath.Join(dir, "LOCK")))
	_, err = filejournal.Open(filejournal.Config{Dir: dir})
	require.ErrorIs(t, err, journal.ErrLocked)
	require.ErrorIs(t, filejournal.HeldBy(dir), journal.ErrLocked)
	require.NoError(t, d.Close())
	d, err = filejournal.Open(filejournal.Config{Dir: dir})
	require.NoError(t, err)
	require.NoError(t, d.Close())
}
