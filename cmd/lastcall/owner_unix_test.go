//go:build unix

package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOwnedBy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, ownedBy(dir, os.Geteuid()))
	require.ErrorContains(t, ownedBy(dir, os.Geteuid()+1), "belongs to another user")
	require.ErrorContains(t, ownedBy(dir, os.Geteuid()+1), "run it as user ")
	require.NoError(t, ownedBy(filepath.Join(dir, "none"), os.Geteuid()))
}

// TestFilesOfAnotherUserAreOnlyRead: what root makes in the directory of a
// service, the service cannot read.
func TestFilesOfAnotherUserAreOnlyRead(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	dir := leave(t, 0, letters(2)...)
	file := filepath.Join(t.TempDir(), "letters.csv")
	require.Equal(t, exitOK, lastcall(t, dir, "deadletters", "export", "--file", file).code)
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, 65534, 65534)
	}))
	before := fingerprint(t, dir)
	for _, args := range [][]string{
		{"redrive", "--all"}, {"import", file}, {"drop", "--all", "--yes"}, {"redrive", "--all", "--dry-run"},
	} {
		r := lastcall(t, dir, append([]string{"deadletters"}, args...)...)
		require.Equal(t, exitFailed, r.code, r.out)
		require.Contains(t, r.err, "run it as user ")
	}
	require.Equal(t, before, fingerprint(t, dir))
	require.Len(t, ids(t, dir), 2, "they can be read")

	s := startService(t, dir, true)
	r := lastcall(t, dir, "deadletters", "redrive", "m-1")
	require.Equal(t, exitOK, r.code, "it is the service that writes: %s", r.err)
	s.line(t)
	s.stop(t)
}
