package filejournal_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/filejournal"
)

const childVar = "LASTCALL_JOURNAL_CHILD"

// TestMain is the child of the tests that kill one.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childVar); dir != "" {
		if err := child(dir); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// child appends and acknowledges until it is killed, and says so line by
// line: "appended ID" when Append has returned, "acking ID" before Ack is
// called and "acked ID" after. In a life that finds entries it begins with a
// replay, during which it may be killed as well.
func child(dir string) error {
	var sync filejournal.Sync
	if err := sync.UnmarshalText([]byte(os.Getenv("LASTCALL_JOURNAL_SYNC"))); err != nil {
		return err
	}
	d, err := filejournal.Open(killed(dir, sync))
	if err != nil {
		return err
	}
	ctx := context.Background()
	j, err := d.Open(ctx, "child")
	if err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(uint64(os.Getpid()), 1))
	for e, err := range j.Replay(ctx) {
		if err != nil {
			return err
		}
		say("replayed", e.ID)
		if random.IntN(2) == 0 {
			if err := finish(ctx, j, e.ID, e.Span()); err != nil {
				return err
			}
		}
	}
	say("ready", "")
	return work(ctx, j)
}

// killed is a journal of which each life fills a part, so that it is compacted
// when it is opened and while it is appended to.
func killed(dir string, sync filejournal.Sync) filejournal.Config {
	return filejournal.Config{Dir: dir, Sync: sync, SegmentBytes: 64 << 10, MaxBytes: 1 << 20, WhenFull: filejournal.Block}
}

func work(ctx context.Context, j journal.Journal) error {
	failed := make(chan error, 1)
	for w := range 4 {
		go func() {
			random := rand.New(rand.NewPCG(uint64(w), uint64(os.Getpid())))
			for n := 0; ; n++ {
				id := fmt.Sprintf("%d-%d-%d", os.Getpid(), w, n)
				payload := bytes.Repeat([]byte(id), 1+random.IntN(60))
				span, err := j.Append(ctx, journal.Entry{ID: id, Payload: payload}, journal.Entry{ID: id + "b", Payload: payload})
				if err == nil {
					say("appended", id)
					say("appended", id+"b")
					if random.IntN(10) > 0 {
						err = finish(ctx, j, id, journal.Span{First: span.First, Last: span.First})
					}
					if err == nil && random.IntN(20) > 0 {
						err = finish(ctx, j, id+"b", journal.Span{First: span.Last, Last: span.Last})
					}
				}
				if err != nil {
					failed <- err
				}
			}
		}()
	}
	return <-failed
}

func finish(ctx context.Context, j journal.Journal, id string, span journal.Span) error {
	say("acking", id)
	if err := j.Ack(ctx, span); err != nil {
		return err
	}
	say("acked", id)
	return nil
}

// say writes a line with one call: it is there or not.
func say(what, id string) { _, _ = os.Stdout.WriteString(what + " " + id + "\n") }

// TestKill kills a child at random moments, while it replays, appends,
// acknowledges, begins and recycles segments, and holds what the next life
// finds to what the child said.
func TestKill(t *testing.T) {
	t.Parallel()
	kills := 20
	if os.Getenv("LONG_TESTS") != "" {
		kills = 1000
	}
	if testing.Short() {
		kills = 3
	}
	for _, sync := range syncs {
		t.Run(sync.String(), func(t *testing.T) {
			t.Parallel()
			v := &victim{t: t, dir: t.TempDir(), sync: sync, state: map[string]string{}}
			random := rand.New(rand.NewPCG(1, 2))
			for range kills {
				v.liveAndDie(random.IntN(300), time.Duration(random.IntN(5000))*time.Microsecond)
				v.check()
			}
			t.Logf("kills %d, appended %d, acknowledged %d, lost 0, replayed though acknowledged %d", kills, v.appended, v.acked, v.again)
			require.Positive(t, v.appended)
			require.Zero(t, v.again)
		})
	}
}

type victim struct {
	t    *testing.T
	dir  string
	sync filejournal.Sync

	state                  map[string]string // by id: appended, acking, acked
	appended, acked, again int
}

// liveAndDie kills a child a moment after it has said so many lines, however long
// its disk takes for that.
func (v *victim) liveAndDie(lines int, after time.Duration) {
	t := v.t
	cmd := childCommand(t.Context(), v.dir, v.sync)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var reader sync.WaitGroup
	said := make(chan struct{})
	reader.Go(func() { v.listen(out, 1+lines, said) }) // one says that it is up
	<-said
	timer := time.NewTimer(after)
	<-timer.C
	require.NoError(t, cmd.Process.Kill())
	reader.Wait()
	_ = cmd.Wait() // killed
}

func childCommand(ctx context.Context, dir string, sync filejournal.Sync) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childVar+"="+dir, "LASTCALL_JOURNAL_SYNC="+sync.String())
	cmd.Stderr = os.Stderr
	return cmd
}

// listen closes said after so many lines, or after the last.
func (v *victim) listen(out io.Reader, n int, said chan struct{}) {
	tell := sync.OnceFunc(func() { close(said) })
	defer tell()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if n--; n == 0 {
			tell()
		}
		what, id, _ := strings.Cut(lines.Text(), " ")
		switch what {
		case "appended":
			v.appended++
			v.state[id] = what
		case "acking", "acked":
			v.state[id] = what
			if what == "acked" {
				v.acked++
			}
		case "error":
			v.t.Errorf("the child: %s", id)
		}
	}
}

// check opens what the child has left.
func (v *victim) check() {
	t := v.t
	d, err := filejournal.Open(killed(v.dir, v.sync))
	require.NoError(t, err)
	opened, err := d.Open(t.Context(), "child")
	require.NoError(t, err)
	found := map[string]bool{}
	for e, err := range opened.Replay(t.Context()) {
		require.NoError(t, err)
		require.False(t, found[e.ID], "%s comes twice", e.ID)
		found[e.ID] = true
		id := strings.TrimSuffix(e.ID, "b")
		require.True(t, len(e.Payload) > 0 && len(e.Payload)%len(id) == 0 && strings.HasPrefix(string(e.Payload), id))
		if v.state[e.ID] == "acked" {
			v.again++
		}
	}
	if err := opened.(*filejournal.Journal).Health().Err(); !errors.Is(err, journal.ErrFull) {
		require.NoError(t, err)
	}
	for id, state := range v.state {
		if state == "appended" {
			require.True(t, found[id], "%s was accepted and is lost", id)
		}
		if !found[id] {
			delete(v.state, id)
		}
	}
	d.Crash()
}

// TestTwoProcesses: one holds the directory, the other is told who.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	cfg := filejournal.Config{Dir: t.TempDir()}
	d := open(t, cfg)

	out, err := childCommand(t.Context(), cfg.Dir, filejournal.SyncProcess).Output()
	require.Error(t, err)
	require.Contains(t, string(out), "locked")
	require.Contains(t, string(out), "process "+strconv.Itoa(os.Getpid()))

	_, err = filejournal.Open(cfg)
	require.ErrorIs(t, err, journal.ErrLocked)
	require.ErrorContains(t, err, cfg.Dir)

	require.NoError(t, d.Close())
	again, err := filejournal.Open(cfg)
	require.NoError(t, err)
	require.NoError(t, again.Close())
}

// TestReadOnlyDirectory is refused at once, and by name.
func TestReadOnlyDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := dir + "/file"
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := filejournal.Open(filejournal.Config{Dir: file + "/journal"})
	require.ErrorContains(t, err, file)
	if os.Getuid() == 0 {
		t.Skip("root may write anywhere")
	}
	require.NoError(t, os.Chmod(dir, 0o500))
	_, err = filejournal.Open(filejournal.Config{Dir: dir})
	require.ErrorIs(t, err, os.ErrPermission)
}
