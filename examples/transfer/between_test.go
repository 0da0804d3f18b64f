package main

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestBetweenTheWrites kills the program when money is in transit, once with
// the journal and once without. The second shows how the drill would fail.
func TestBetweenTheWrites(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, journal string
		want          Audit
	}{
		{"WithTheJournalTheTransferIsCompleted", "always", Audit{Sum: 300_000, Opening: 300_000, Whole: 2, Conserved: true}},
		{"WithoutTheJournalMoneyIsStuck", "off", Audit{Sum: 299_750, InTransit: 250, Opening: 300_000, Whole: 1, Half: 1, Conserved: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			mode := "LASTCALL_LANES_TRANSFERS_JOURNAL=" + tt.journal
			l := startLife(t, dir, mode, "LASTCALL_TRANSFER_PAUSE=1h")
			l.post(`{"id":"1","from":"alice","to":"bob","amount":250}`)
			require.Eventually(t, func() bool { return l.audit().InTransit == 250 }, childLimit, time.Millisecond)
			l.kill()

			l = startLife(t, dir, mode, "LASTCALL_TRANSFER_PAUSE=0s")
			l.post(`{"id":"2","from":"alice","to":"carol","amount":1}`) // is taken after the replay
			l.stop()                                                    // waits for both
			got := auditOf(t, dir)
			got.Balances = nil
			assert.Equal(t, tt.want, got)
		})
	}
}

const childLimit = time.Minute // of any life; never reached by a test that passes

// life is the program from its start to its death.
type life struct {
	client
	cmd *exec.Cmd
	log strings.Builder
}

func startLife(t *testing.T, dir string, env ...string) *life {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), childLimit)
	t.Cleanup(cancel)
	l := &life{cmd: exec.CommandContext(ctx, os.Args[0])}
	l.cmd.Env = append(os.Environ(), childEnv(dir, env...)...)
	l.cmd.Stderr = &l.log
	out, err := l.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, l.cmd.Start())
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		_ = l.cmd.Wait() // how it ended is in the log
		require.Fail(t, "the program did not start", "%s", &l.log)
	}
	l.client = client{t, "http://" + strings.TrimPrefix(lines.Text(), listening)}
	return l
}

func (l *life) kill() {
	l.t.Helper()
	require.NoError(l.t, l.cmd.Process.Kill())
	require.ErrorContains(l.t, l.cmd.Wait(), "signal: killed", "it ended by itself:\n%s", &l.log)
}

func (l *life) stop() {
	l.t.Helper()
	require.NoError(l.t, l.cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(l.t, l.cmd.Wait(), "%s", &l.log)
}
