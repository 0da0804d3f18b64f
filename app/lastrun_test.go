package app_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// TestLastRun: how a process has ended, its next start says.
func TestLastRun(t *testing.T) {
	t.Parallel()
	killedSays := func(c *child) string {
		return fmt.Sprintf("last run: killed (pid %d, running since ", c.cmd.Process.Pid)
	}

	t.Run("Kill9IsToldOnce", func(t *testing.T) {
		t.Parallel()
		file := receiptFile(t)
		victim := startChild(t, "idle", "lastcall", file.give)
		victim.await("waiting")
		victim.kill()

		end := file.runAndStop()
		assert.Contains(t, end.stderr, killedSays(victim))
		assert.Contains(t, end.stderr, `"level":"warn"`)
		end = file.runAndStop()
		assert.NotContains(t, end.stderr, "killed")
		assert.Contains(t, end.stderr, `"msg":"last stop: SIGTERM, `)
		assert.Contains(t, end.stderr, " 0 saved, 0 lost\"")
	})

	t.Run("Kill9IsInTheListOfRuns", func(t *testing.T) {
		t.Parallel()
		file := receiptFile(t)
		file.runAndStop()
		victim := startChild(t, "idle", "lastcall", file.give)
		victim.await("waiting")
		victim.kill()
		file.runAndStop()
		file.runAndStop()
		list, err := os.ReadFile(strings.TrimSuffix(file.file, ".json") + ".runs.jsonl")
		require.NoError(t, err)
		lines := strings.Split(strings.TrimSpace(string(list)), "\n")
		require.Len(t, lines, 3)
		var run lifecycle.LastRun
		require.NoError(t, json.Unmarshal([]byte(lines[1]), &run))
		assert.Equal(t, lifecycle.RunKilled, run.State)
		assert.Equal(t, victim.cmd.Process.Pid, run.PID)
		for _, i := range []int{0, 2} {
			require.NoError(t, json.Unmarshal([]byte(lines[i]), &run))
			assert.Equal(t, lifecycle.RunStopped, run.State)
			assert.True(t, run.Receipt.Clean())
		}
	})

	t.Run("ThirdSignalIsAKill", func(t *testing.T) {
		t.Parallel()
		file := receiptFile(t)
		c := startChild(t, "stubbornStop", "lastcall", file.give)
		c.await("waiting")
		c.signal(syscall.SIGTERM)
		c.await("stubborn is stopping")
		c.signal(syscall.SIGTERM)
		c.await("destroying")
		c.signal(syscall.SIGTERM)
		require.Equal(t, 128+int(syscall.SIGTERM), c.wait().code)
		assert.Contains(t, file.runAndStop().stderr, killedSays(c))
	})

	t.Run("KillDuringTheStartIsAKill", func(t *testing.T) {
		t.Parallel()
		file := receiptFile(t)
		c := startChild(t, "slowStart", "lastcall", file.give)
		c.await("slow is starting")
		c.kill()
		assert.Contains(t, file.runAndStop().stderr, killedSays(c))
	})

	t.Run("FailedStartsAndQuestionsBetweenDoNotHideIt", func(t *testing.T) {
		t.Parallel()
		file := receiptFile(t)
		victim := startChild(t, "idle", "lastcall", file.give)
		victim.await("waiting")
		victim.kill()

		before := file.read()
		require.Equal(t, lifecycle.ExitClean, startChild(t, "instead", "lastcall", file.give).wait().code)
		assert.Equal(t, before, file.read(), "--help and its like touch nothing")

		for _, program := range []string{"failingStart", "failingStart", "failingNew"} {
			end := startChild(t, program, "lastcall", file.give).wait()
			require.Equal(t, lifecycle.ExitStartFailed, end.code)
		}
		end := file.runAndStop()
		assert.Contains(t, end.stderr, "last run: was never up: new failed: ")
		assert.Contains(t, end.stderr, fmt.Sprintf("the run before: killed (pid %d", victim.cmd.Process.Pid))
		assert.NotContains(t, file.runAndStop().stderr, "killed")
	})

	t.Run("SecondProcessWithTheSameFileIsTold", func(t *testing.T) {
		t.Parallel()
		file := receiptFile(t)
		c := startChild(t, "idle", "lastcall", file.give)
		c.await("waiting")
		marker := file.read()
		assert.Contains(t, file.runAndStop().stderr, fmt.Sprintf("another process runs with this receipt file (pid %d", c.cmd.Process.Pid))

		elsewhere := strings.Replace(marker, `"host": "`, `"host": "not-`, 1)
		require.NotEqual(t, marker, elsewhere)
		require.NoError(t, os.WriteFile(file.file, []byte(elsewhere), 0o600))
		assert.Contains(t, file.runAndStop().stderr, killedSays(c), "numbers of another machine say nothing here")
		c.signal(syscall.SIGTERM)
		assert.Equal(t, lifecycle.ExitClean, c.wait().code)
	})
}

// kill ends the child without a word, and waits until it is gone.
func (c *child) kill() {
	c.t.Helper()
	require.NoError(c.t, c.cmd.Process.Kill())
	require.Equal(c.t, -1, c.wait().code)
}

// receiptInTest is the receipt file that children share.
type receiptInTest struct {
	t    *testing.T
	file string
}

func receiptFile(t *testing.T) receiptInTest {
	t.Helper()
	return receiptInTest{t, filepath.Join(t.TempDir(), "receipt.json")}
}

func (r receiptInTest) give(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, envReceipt+"="+r.file) }

func (r receiptInTest) read() string {
	r.t.Helper()
	text, err := os.ReadFile(r.file)
	require.NoError(r.t, err)
	return string(text)
}

// runAndStop is one whole life.
func (r receiptInTest) runAndStop() ended {
	r.t.Helper()
	c := startChild(r.t, "idle", "lastcall", r.give)
	c.await("waiting")
	c.signal(syscall.SIGTERM)
	end := c.wait()
	require.Equal(r.t, lifecycle.ExitClean, end.code, end.stderr)
	return end
}
