//go:build unix

package lifecycle_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// TestReceiptFileIsAPipe: to open it would wait for somebody to write.
func TestReceiptFileIsAPipe(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "receipt.json")
	require.NoError(t, syscall.Mkfifo(file, 0o600))
	_, last := living(t, file)
	assert.Equal(t, lifecycle.RunUnknown, last.State)
	assert.Contains(t, last.Problem, "is no receipt")
}
