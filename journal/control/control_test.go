package control_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/control"
	"github.com/lastcall-go/lastcall/journal/deadletter"
	"github.com/lastcall-go/lastcall/journal/filejournal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// service is one that holds a directory and answers at its control socket.
type service struct {
	dir  *filejournal.Directory
	lane journal.Journal
	box  *journal.DeadLetters
	stop func()
}

// start starts one with n entries in its lane, and n letters in its box.
func start(t *testing.T, dir string, n int) *service {
	t.Helper()
	d, err := filejournal.Open(filejournal.Config{Dir: dir, SegmentBytes: 64 << 10})
	require.NoError(t, err)
	s := &service{dir: d, box: journal.NewDeadLetters(d)}
	s.lane, err = d.Open(t.Context(), "lane:sms")
	require.NoError(t, err)
	for i := range n {
		_, err := s.lane.Append(t.Context(), journal.Entry{ID: fmt.Sprintf("e-%d", i), Payload: []byte("{}")})
		require.NoError(t, err)
		require.NoError(t, s.box.Put(t.Context(), journal.DeadLetter{ID: fmt.Sprintf("m-%d", i), Component: "lane:sms", Codec: "json"}))
	}
	ln, err := control.Listen(dir)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := control.Serve(ctx, ln, control.Handler(d, s.box)); err != nil {
			t.Error(err)
		}
	})
	s.stop = func() {
		cancel()
		serving.Wait()
	}
	t.Cleanup(func() {
		s.stop()
		require.NoFileExists(t, filepath.Join(dir, control.SocketName))
		require.NoError(t, s.box.Close())
		require.NoError(t, d.Close())
	})
	return s
}

func dial(t *testing.T, dir string) *control.Client {
	t.Helper()
	c := control.Dial(dir)
	t.Cleanup(c.Close)
	return c
}

func letters(t *testing.T, c *control.Client) (ids []string) {
	t.Helper()
	for l, err := range c.All(t.Context(), deadletter.Filter{}) {
		require.NoError(t, err)
		ids = append(ids, l.ID)
	}
	return ids
}

func TestService(t *testing.T) {
	t.Parallel()

	t.Run("TellsOfItsJournals", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		s := start(t, dir, 3)
		require.NoError(t, s.lane.Ack(t.Context(), journal.Span{First: 2, Last: 2}))
		c := dial(t, dir)
		all, err := c.Inspect(t.Context())
		require.NoError(t, err)
		require.Len(t, all, 2)
		one, err := c.Inspect(t.Context(), "lane:sms")
		require.NoError(t, err)
		require.Equal(t, all[1:], one)
		require.Equal(t, []int{3, 2, 1}, []int{one[0].Entries, one[0].Live, one[0].Acknowledged})
		require.Equal(t, filejournal.Active, one[0].Segments[0].State)
		_, err = c.Inspect(t.Context(), "lane:smss")
		require.ErrorContains(t, err, "404")
		require.ErrorContains(t, err, `"lane:smss" is not open in this process; those that are: deadletters, lane:sms`)
	})

	t.Run("GivesTheEntriesOfOne", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		s := start(t, dir, 2)
		c := dial(t, dir)
		for _, format := range []deadletter.Format{deadletter.CSV, deadletter.JSONL} {
			var got, want bytes.Buffer
			require.NoError(t, c.Export(t.Context(), &got, format, "lane:sms"))
			_, err := deadletter.ExportEntries(&want, format, s.lane.Replay(t.Context()))
			require.NoError(t, err)
			require.Equal(t, want.String(), got.String())
			require.ErrorContains(t, c.Export(t.Context(), &got, format, "x"), "not open")
		}
		require.ErrorContains(t, c.Export(t.Context(), new(bytes.Buffer), "xlsx", "lane:sms"), "400")
	})

	t.Run("AJournalThatIsClosedIsNotThere", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		s := start(t, dir, 1)
		require.NoError(t, s.lane.Close())
		require.ErrorContains(t, dial(t, dir).Export(t.Context(), new(bytes.Buffer), deadletter.JSONL, "lane:sms"), "not open")
	})

	t.Run("AnswersThatBreakOffAreErrors", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		ln, err := control.Listen(dir)
		require.NoError(t, err)
		ctx, stop := context.WithCancel(t.Context())
		var serving sync.WaitGroup
		serving.Go(func() {
			if err := control.Serve(ctx, ln, control.Handler(broken{}, journal.NewDeadLetters(nil))); err != nil {
				t.Error(err)
			}
		})
		c := dial(t, dir)
		require.ErrorContains(t, c.Export(t.Context(), new(bytes.Buffer), deadletter.JSONL, "x"), "broke off")
		_, err = c.Inspect(t.Context())
		require.ErrorContains(t, err, "500")
		require.ErrorContains(t, err, errDisk.Error())
		stop()
		serving.Wait()
	})

	t.Run("SendsAndDropsLetters", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		s := start(t, dir, 3)
		var got []string
		defer s.box.Receive("lane:sms", func(_ context.Context, l journal.DeadLetter) error {
			got = append(got, l.ID+string(l.Payload))
			return nil
		}, nil)()
		c := dial(t, dir)
		require.Equal(t, []string{"m-0", "m-1", "m-2"}, letters(t, c))
		file := strings.NewReader("id,component,payload\nm-1,lane:sms,{}\n")
		sum, err := c.SendBack(t.Context(), file, deadletter.CSV, deadletter.Options{})
		require.NoError(t, err)
		require.Equal(t, 1, sum.Done)
		require.Equal(t, []string{"m-1{}"}, got)
		_, err = c.Drop(t.Context(), deadletter.Options{Filter: deadletter.Filter{IDs: []string{"m-0"}}})
		require.NoError(t, err)
		require.Equal(t, []string{"m-2"}, letters(t, c))
	})

	t.Run("TheEndIsToldToWhoIsBeingServed", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		s := start(t, dir, 3)
		n := 0
		defer s.box.Receive("lane:sms", func(ctx context.Context, _ journal.DeadLetter) error {
			if n++; n < 2 {
				return nil
			}
			go s.stop()
			<-ctx.Done() // the lane has no room
			return context.Cause(ctx)
		}, nil)()
		c := dial(t, dir)
		sum, err := c.Redrive(t.Context(), deadletter.Options{})
		require.ErrorContains(t, err, "cut short")
		require.Equal(t, 1, sum.Done)
		s.stop()
		n, err = s.box.Len(t.Context())
		require.NoError(t, err)
		require.Equal(t, 2, n)
		_, err = c.Redrive(t.Context(), deadletter.Options{})
		require.Error(t, err, "nobody is there any more")
	})
}

// broken are journals on a disk that fails after the first entry.
type broken struct{}

var errDisk = errors.New("bad disk")

func (broken) Inspect(context.Context, ...string) ([]filejournal.Inspection, error) {
	return nil, errDisk
}

func (broken) Entries(context.Context, string) (iter.Seq2[journal.Entry, error], error) {
	return func(yield func(journal.Entry, error) bool) {
		_ = yield(journal.Entry{ID: "1", Payload: make([]byte, 1<<20)}, nil) && yield(journal.Entry{}, errDisk)
	}, nil
}

func TestListen(t *testing.T) {
	t.Parallel()

	for name, length := range map[string]int{"ShortPath": 0, "PathThatIsTooLongForASocket": 150} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), strings.Repeat("d", length))
			require.NoError(t, os.MkdirAll(dir, 0o700))
			start(t, dir, 2)
			info, err := os.Stat(filepath.Join(dir, control.SocketName))
			require.NoError(t, err)
			require.Equal(t, "Srw-------", info.Mode().String())
			require.Len(t, letters(t, dial(t, dir)), 2)
		})
	}

	t.Run("TheSocketOfAProcessThatWasKilledIsReplaced", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, control.SocketName), Net: "unix"})
		require.NoError(t, err)
		dead.SetUnlinkOnClose(false)
		require.NoError(t, dead.Close())
		start(t, dir, 1)
		require.Len(t, letters(t, dial(t, dir)), 1)
	})

	t.Run("WhatIsNoSocketIsLeftAlone", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		path := filepath.Join(dir, control.SocketName)
		require.NoError(t, os.WriteFile(path, []byte("all that I know"), 0o600))
		_, err := control.Listen(dir)
		require.ErrorContains(t, err, "is no socket; take it away")
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, "all that I know", string(text))
	})

	t.Run("NothingElseStays", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		ln, err := control.Listen(dir)
		require.NoError(t, err)
		there, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Len(t, there, 1)
		require.NoError(t, ln.Close())
		there, err = os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, there)
	})

	t.Run("ADirectoryThatIsNotThereIsAnError", func(t *testing.T) {
		t.Parallel()
		for _, length := range []int{1, 150} {
			_, err := control.Listen(filepath.Join(t.TempDir(), strings.Repeat("d", length)))
			require.ErrorContains(t, err, "control: ")
		}
	})

	t.Run("AListenerThatFailsEndsServe", func(t *testing.T) {
		t.Parallel()
		ln, err := control.Listen(t.TempDir())
		require.NoError(t, err)
		require.NoError(t, ln.Close())
		require.ErrorIs(t, control.Serve(t.Context(), ln, http.NotFoundHandler()), net.ErrClosed)
	})

	t.Run("ServeSaysOfARequestThatDoesNotEnd", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		ln, err := control.Listen(dir)
		require.NoError(t, err)
		ctx, stop := context.WithCancel(t.Context())
		end, ended := make(chan struct{}), make(chan struct{})
		serving := make(chan error, 1)
		go func() {
			serving <- control.Serve(ctx, ln, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				defer close(ended)
				stop()
				<-end
			}))
		}()
		_, err = dial(t, dir).Inspect(t.Context())
		require.Error(t, err)
		require.ErrorContains(t, <-serving, "a request does not end though its context has")
		close(end)
		<-ended
	})

	t.Run("NobodyThereIsAnError", func(t *testing.T) {
		t.Parallel()
		c := dial(t, t.TempDir())
		for _, err := range c.All(t.Context(), deadletter.Filter{}) {
			require.Error(t, err)
		}
		_, err := c.Drop(t.Context(), deadletter.Options{})
		require.ErrorContains(t, err, control.SocketName)
		_, err = c.Inspect(t.Context())
		require.ErrorContains(t, err, control.SocketName)
	})
}

func Example() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	dir, err := os.MkdirTemp("", "journal")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()

	// The service.
	d, err := filejournal.Open(filejournal.Config{Dir: dir})
	if err != nil {
		fmt.Println(err)
		return
	}
	box := journal.NewDeadLetters(d)
	if err := box.Put(ctx, journal.DeadLetter{ID: "m-1", Component: "lane:sms"}); err != nil {
		fmt.Println(err)
	}
	ln, err := control.Listen(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = control.Serve(ctx, ln, control.Handler(d, box)) })

	// A person, from another process.
	c := control.Dial(dir)
	sum, err := c.Drop(ctx, deadletter.Options{Filter: deadletter.Filter{IDs: []string{"m-1"}}})
	fmt.Println(sum.Done, "dropped", err)
	c.Close()

	stop()
	serving.Wait()
	_ = box.Close()
	fmt.Println(d.Close())
	// Output:
	// 1 dropped <nil>
	// <nil>
}
