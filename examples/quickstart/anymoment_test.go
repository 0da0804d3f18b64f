package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/intake"
)

const (
	envChild = "QUICKSTART_TEST_CHILD"

	moments = 20
	apart   = 60 * time.Millisecond  // the sample takes about a second here
	second  = 200 * time.Millisecond // after the first signal was heard; a copy of it would come sooner

	childLimit = 2 * time.Minute // of any child's life; never reached by a test that passes
)

// TestStoppedAtAnyMoment runs the real program as a child, with the sample,
// and stops it at twenty different moments, from before it has started to
// after the last row. At every second moment, which counts from when it has
// started, a second signal follows, and the provider is too slow to come to an
// end by then: there are leftovers. Each time every accepted row must be in
// exactly one file.
func TestStoppedAtAnyMoment(t *testing.T) {
	var leftover atomic.Int64
	t.Cleanup(func() {
		assert.Positive(t, leftover.Load(), "the second signals should have left something over")
	})
	for i := range moments {
		t.Run(fmt.Sprintf("After%v", time.Duration(i)*apart), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			said := runAndStop(t, dir, time.Duration(i)*apart, i%2 == 1)
			got := readOutbox(t, dir)
			accepted := acceptedRows(t, dir)
			assert.Equal(t, accepted, got.delivered+got.failed+got.leftover, said)
			assert.Len(t, got.receivers, accepted, "no row is in two files")
			leftover.Add(int64(got.leftover))
			t.Logf("accepted %d = delivered %d + failed %d + left over %d", accepted, got.delivered, got.failed, got.leftover)
		})
	}
}

func runAndStop(t *testing.T, dir string, after time.Duration, twice bool) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), childLimit)
	defer cancel()
	latency := "2ms"
	if twice {
		latency = "100ms"
	}
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), envChild+"=1",
		"LASTCALL_HTTP_ADDR=127.0.0.1:0",
		"LASTCALL_QUICKSTART_OUT="+dir,
		"LASTCALL_QUICKSTART_LATENCY="+latency,
		"LASTCALL_LIFECYCLE_GRACE=10s", // a busy machine saves slowly
		"LASTCALL_LIFECYCLE_STOP_TIMEOUT=40s",
		"LASTCALL_LIFECYCLE_RESERVE=20s",
		"LASTCALL_LIFECYCLE_RECEIPT_FILE="+filepath.Join(dir, "receipt.json"))
	var out said
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())

	if twice {
		out.await(t, `"msg":"started"`)
	}
	<-time.After(after)
	signal(t, cmd)
	if twice {
		out.await(t, `"msg":"stopping"`)
		<-time.After(second)
		signal(t, cmd)
	}
	err := cmd.Wait()
	// 0: stopped cleanly; 1: told to stop during start; -1: killed, before the
	// program listened to signals.
	assert.Contains(t, []int{0, 1, -1}, cmd.ProcessState.ExitCode(), "%v\n%s", err, out.String())
	return out.String()
}

// said is what a child has said so far.
type said struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func (s *said) await(t *testing.T, word string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(s.String(), word) }, childLimit, time.Millisecond)
}

// signal tolerates a child that has ended.
func signal(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Signal(syscall.SIGTERM); !errors.Is(err, os.ErrProcessDone) {
		require.NoError(t, err)
	}
}

// acceptedRows is what the lanes say they have accepted. There is no receipt
// when the signal came before the program listened to it; then nothing can
// have been accepted.
func acceptedRows(t *testing.T, dir string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "receipt.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	require.NoError(t, err)
	var receipt struct {
		Gates []struct {
			Name   string
			Ledger intake.Ledger
		}
	}
	require.NoError(t, json.Unmarshal(text, &receipt))
	accepted := 0
	for _, g := range receipt.Gates {
		assert.True(t, g.Ledger.Balanced(), "%s: %s", g.Name, g.Ledger)
		if strings.HasPrefix(g.Name, "lane:") {
			accepted += int(g.Ledger.Accepted)
		}
	}
	return accepted
}

type outboxFiles struct {
	delivered, failed, leftover int
	receivers                   map[string]bool // each has one row in the sample
}

func readOutbox(t *testing.T, dir string) outboxFiles {
	t.Helper()
	got := outboxFiles{receivers: map[string]bool{}}
	runs, err := filepath.Glob(filepath.Join(dir, "*", "delivered.jsonl"))
	require.NoError(t, err)
	if len(runs) == 0 {
		return got // stopped before it had started
	}
	dir = filepath.Dir(runs[0])
	got.delivered = got.readLines(t, filepath.Join(dir, "delivered.jsonl"))
	got.failed = got.readLines(t, filepath.Join(dir, "failed.jsonl"))

	f, err := os.Open(filepath.Join(dir, "leftover.csv"))
	if errors.Is(err, fs.ErrNotExist) {
		return got
	}
	require.NoError(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	got.leftover = len(rows)
	for _, row := range rows {
		got.receivers[row[0]] = true
	}
	return got
}

func (got outboxFiles) readLines(t *testing.T, name string) (n int) {
	t.Helper()
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	require.NoError(t, err)
	defer f.Close()
	lines := bufio.NewScanner(f)
	for ; lines.Scan(); n++ {
		var m Message
		require.NoError(t, json.Unmarshal(lines.Bytes(), &m), "a whole line: %s", lines.Text())
		got.receivers[m.Receiver] = true
	}
	require.NoError(t, lines.Err())
	return n
}
