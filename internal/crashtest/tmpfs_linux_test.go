package crashtest

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRealDiskFull fills a file system of 16 MiB under the journals: work is
// refused then, what was accepted is done, and with room again work is taken.
func TestRealDiskFull(t *testing.T) {
	h := newHouse(t)
	disk := h.journals()
	h.receipts = "" // beside the journals, where there is no room for it either
	require.NoError(t, os.Mkdir(disk, 0o700))
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=16m"); err != nil {
		t.Skipf("a tmpfs can only be mounted with rights: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(disk, 0)) })
	c := column{"always", "process"}
	cfg := c.config(h, "sink: {latency: 1ms}\n")

	l := h.start(cfg)
	require.Equal(t, 50, l.post("lane", ids("before", 50)...))
	fill(t, filepath.Join(disk, "ballast"))
	const many = 500
	accepted := l.post("lane", large(ids("lane", many))...) + l.post("batch", large(ids("batch", many))...)
	require.Less(t, accepted, 2*many, "work was accepted that has no place on the disk")
	l.signal(syscall.SIGKILL)
	l.end()

	l = h.settleFull(cfg)
	require.NoError(t, os.Remove(filepath.Join(disk, "ballast")))
	require.Eventually(t, func() bool { return l.post("lane", "after") == 1 }, long, 50*time.Millisecond, "there is room again")
	l.signal(syscall.SIGTERM)
	require.Zero(t, l.end(), l.logs)
	assert.Empty(t, h.missing())
}

// fill leaves no byte.
func fill(t *testing.T, file string) {
	t.Helper()
	f, err := os.Create(file)
	require.NoError(t, err)
	block := make([]byte, 4096)
	for err == nil {
		_, err = f.Write(block)
	}
	require.NoError(t, f.Close())
	require.ErrorIs(t, err, syscall.ENOSPC)
}

// settleFull starts on the disk that is full, and waits for what an earlier
// life has left.
func (h *house) settleFull(cfg string) *life {
	h.t.Helper()
	l := h.start(cfg)
	require.Eventually(h.t, func() bool { return len(h.missing()) == 0 }, long, 10*time.Millisecond)
	return l
}
