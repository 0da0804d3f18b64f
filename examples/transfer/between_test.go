package main

import (
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/drill"
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

const childLimit = time.Minute // of what is waited for; never reached by a test that passes

// life is the program from its start to its death.
type life struct {
	client
	child *drill.Child
}

func startLife(t *testing.T, dir string, env ...string) *life {
	t.Helper()
	child, err := drill.Start(t.Context(), drill.Program{Path: os.Args[0], Env: childEnv(dir, env...), ReadyLine: listening})
	require.NoError(t, err)
	return &life{client{t, "http://" + child.Line}, child}
}

func (l *life) kill() { l.end(syscall.SIGKILL, 128+int(syscall.SIGKILL)) }

func (l *life) stop() { l.end(syscall.SIGTERM, 0) }

func (l *life) end(sig syscall.Signal, want int) {
	l.t.Helper()
	require.NoError(l.t, l.child.Signal(sig))
	require.Equal(l.t, want, l.child.Wait(), "%q", l.child.Output())
}
