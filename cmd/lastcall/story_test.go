package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/control"
	"github.com/lastcall-go/lastcall/journal/filejournal"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

const (
	shopVar = "LASTCALL_TEST_SHOP" // a service with a lane of pool, in this directory
	workVar = "LASTCALL_TEST_WORK" // and it submits this
)

type message struct {
	To   string `json:"to"`
	Text string `json:"text"`
}

// shopMain is a service whose messages need a receiver.
func shopMain(dir string) error {
	ctx := context.Background()
	d, err := filejournal.Open(filejournal.Config{Dir: dir, SegmentBytes: 64 << 10})
	if err != nil {
		return err
	}
	box := journal.NewDeadLetters(d)
	p, err := pool.New("messages", pool.Config{Workers: 2})
	if err != nil {
		return err
	}
	lane, err := pool.NewLane(p, "sms", func(ctx context.Context, m message) error {
		if m.To == "" {
			return pool.Permanent(errors.New("it has no receiver"))
		}
		it, _ := pool.ItemOf(ctx)
		fmt.Println("sent", it.ID, m.To)
		return nil
	}, pool.LaneConfig{Journal: journal.Always, MaxAge: time.Hour}, pool.WithJournal[message](d), pool.WithDeadLetters[message](box),
		pool.WithID(func(m message) string { return m.Text }), pool.WithLabel(func(m message) string { return "order " + m.Text }))
	if err != nil {
		return err
	}
	if err := errors.Join(p.Start(ctx), lane.Start(ctx)); err != nil {
		return err
	}
	ln, err := control.Listen(dir)
	if err != nil {
		return err
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = control.Serve(ctx, ln, control.Handler(d, box)) })
	for i, to := range strings.Fields(os.Getenv(workVar)) {
		if err := lane.Submit(ctx, message{To: strings.Trim(to, "-"), Text: fmt.Sprintf("m-%d", i)}); err != nil {
			return err
		}
	}
	fmt.Println("ready")
	serving.Wait() // until it is killed
	return nil
}

func startShop(t *testing.T, dir, work string) *service {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), shopVar+"="+dir, workVar+"="+work)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	return &service{cmd, bufio.NewScanner(out), io.NopCloser(nil)}
}

// sent reads what the shop says until it has sent n messages and is ready.
func (s *service) sent(t *testing.T, n int, ready bool) map[string]string {
	t.Helper()
	all := map[string]string{}
	for len(all) < n || ready {
		line := s.line(t)
		if line == "ready" {
			ready = false
			continue
		}
		words := strings.Fields(line)
		require.Equal(t, "sent", words[0], line)
		require.Empty(t, all[words[1]], "%s is sent twice", words[1])
		all[words[1]] = words[2]
	}
	return all
}

// TestAPersonMendsWhatFailed is the whole way: work that fails for good in a
// lane, a file that is edited, half of it sent to the service while it runs and
// half after it was killed, and everything is done.
func TestAPersonMendsWhatFailed(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "journal")
	shop := startShop(t, dir, "Ada - Bob - - Eve")
	require.Equal(t, map[string]string{"m-0": "Ada", "m-2": "Bob", "m-5": "Eve"}, shop.sent(t, 3, true))
	require.Eventually(t, func() bool { return len(ids(t, dir)) == 3 }, waitLong, waitShort)
	r := lastcall(t, dir, "deadletters", "list", "--key", "order m-1", "--reason", "permanent")
	require.Contains(t, r.out, "it has no receiver")

	file := filepath.Join(t.TempDir(), "letters.csv")
	require.Equal(t, exitOK, lastcall(t, dir, "deadletters", "export", "--file", file).code)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(string(text), `""to"":""""`, `""to"":""Dan""`)), 0o600))

	r = lastcall(t, dir, "deadletters", "import", file, "--key", "order m-1")
	require.Equal(t, exitOK, r.code, r.err)
	require.Equal(t, map[string]string{"m-1": "Dan"}, shop.sent(t, 1, false))
	r = lastcall(t, dir, "deadletters", "redrive", "m-3") // as it is, it fails again
	require.Equal(t, exitOK, r.code, r.err)
	require.Eventually(t, func() bool { return len(ids(t, dir)) == 2 }, waitLong, waitShort)

	shop.kill(t)
	r = lastcall(t, dir, "journal", "verify")
	require.Equal(t, exitOK, r.code, r.out)
	r = lastcall(t, dir, "deadletters", "import", file)
	require.Equal(t, exitPartly, r.code, r.err)
	require.Contains(t, r.out, "sent 2 of 3 dead letters")
	require.Contains(t, r.err, "lane:sms m-1: it is not in the box")
	require.Empty(t, ids(t, dir))

	shop = startShop(t, dir, "")
	require.Equal(t, map[string]string{"m-3": "Dan", "m-4": "Dan"}, shop.sent(t, 2, true))
	require.Empty(t, ids(t, dir))
	shop.kill(t)
}

// TestExpiredWorkThatIsSentAgainIsDone: to its lane it is new work, wherever it is
// sent from, and not as old as it was.
func TestExpiredWorkThatIsSentAgainIsDone(t *testing.T) {
	t.Parallel()
	expired := letter(1)
	expired.Reason = journal.ReasonExpired // accepted long ago
	second := letter(2)
	second.Reason = journal.ReasonExpired
	dir := leave(t, 0, expired, second)
	r := lastcall(t, dir, "deadletters", "redrive", "m-1")
	require.Equal(t, exitOK, r.code, r.err)
	shop := startShop(t, dir, "")
	require.Equal(t, map[string]string{"m-1": "1"}, shop.sent(t, 1, true))
	r = lastcall(t, dir, "deadletters", "redrive", "m-2")
	require.Equal(t, exitOK, r.code, r.err)
	require.Equal(t, map[string]string{"m-2": "2"}, shop.sent(t, 1, false))
	require.Empty(t, ids(t, dir))
	shop.kill(t)
}

// TestKilledInTheMiddleOfSending kills the command itself while it puts letters
// into a journal: what was not sent is still in the box, and at most one letter
// for each kill is sent twice.
func TestKilledInTheMiddleOfSending(t *testing.T) {
	t.Parallel()
	const group = 2000
	n := group
	dir := leave(t, 0, letters(n)...)
	random := rand.New(rand.NewPCG(1, 2))
	kills, midway := 0, 0
	for after, before := 5*time.Millisecond, n; midway < 3; {
		require.Less(t, kills, 100, "only %d of them were midway", midway)
		cmd := exec.CommandContext(t.Context(), os.Args[0], "deadletters", "redrive", "--all", "--dir", dir)
		cmd.Env = append(os.Environ(), commandVar+"=1")
		require.NoError(t, cmd.Start())
		moment := time.NewTimer(after + time.Duration(random.IntN(20))*time.Millisecond)
		<-moment.C
		require.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait() // killed
		kills++
		switch left := len(ids(t, dir)); left {
		case 0:
			// It was too fast: again, with others.
			put(t, dir, letters(n + group)[n:]...)
			n, before, after = n+group, group, max(after/2, time.Millisecond)
		case before:
			after *= 2 // it had not begun
		default:
			midway, before = midway+1, left
		}
	}
	r := lastcall(t, dir, "deadletters", "redrive", "--all")
	require.Equal(t, exitOK, r.code, r.err)
	require.Empty(t, ids(t, dir))
	sent := map[string]int{}
	for _, line := range lane(t, dir) {
		id, _, _ := strings.Cut(line, " ")
		sent[id]++
	}
	require.Len(t, sent, n, "nothing is lost")
	twice := 0
	for _, times := range sent {
		twice += times - 1
	}
	require.LessOrEqual(t, twice, kills)
	t.Logf("killed %d times, %d of them midway; %d sent, %d twice", kills, midway, len(sent), twice)
}
