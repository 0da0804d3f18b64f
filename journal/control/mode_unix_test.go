//go:build unix

package control_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/journal/control"
)

// TestNobodyElseMayEverOpenTheSocket changes the mask of the process: it runs
// alone.
func TestNobodyElseMayEverOpenTheSocket(t *testing.T) { //nolint:paralleltest // see above
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	dir := t.TempDir()
	stop, stopped := make(chan struct{}), make(chan struct{})
	var seen []os.FileMode
	go func() {
		defer close(stopped)
		for {
			if info, err := os.Lstat(filepath.Join(dir, control.SocketName)); err == nil && info.Mode().Perm() != 0o600 {
				seen = append(seen, info.Mode())
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	for deadline := time.Now().Add(200 * time.Millisecond); time.Now().Before(deadline); {
		ln, err := control.Listen(dir)
		require.NoError(t, err)
		require.NoError(t, ln.Close())
	}
	close(stop)
	<-stopped
	require.Empty(t, seen)
}
