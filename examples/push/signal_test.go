//go:build unix

package main

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDemoThatIsStoppedLeavesNobody: a SIGTERM to the demonstration alone ends
// the platform and the provider too.
func TestDemoThatIsStoppedLeavesNobody(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(os.Args[0], "--rows=1000")
	cmd.Env = append(os.Environ(), envChild+"=1", "TMPDIR="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the children will be in it
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	defer func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }()

	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "SIGTERM") {
	}
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM)) // the platform is about to stop
	var rest []string
	for lines.Scan() {
		rest = append(rest, lines.Text())
	}
	require.ErrorContains(t, cmd.Wait(), "exit status 1")
	assert.NotEmpty(t, rest)
	assert.Contains(t, rest[len(rest)-1], "remove it when you have looked")
	assert.ErrorIs(t, syscall.Kill(-cmd.Process.Pid, 0), syscall.ESRCH, "somebody is left")
}
