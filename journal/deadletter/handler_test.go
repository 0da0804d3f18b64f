package deadletter_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/deadletter"
)

// serve gives a box at the control socket of a directory, as a service does.
func serve(t *testing.T, dir string, box deadletter.Box, limits deadletter.Limits) *deadletter.Client {
	t.Helper()
	ln, err := deadletter.Listen(dir)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := deadletter.Serve(ctx, ln, deadletter.Handler(box, limits)); err != nil {
			t.Error(err)
		}
	})
	c := deadletter.Dial(dir)
	t.Cleanup(func() {
		c.Close()
		stop()
		serving.Wait()
		require.NoFileExists(t, filepath.Join(dir, deadletter.SocketName))
	})
	return c
}

func TestService(t *testing.T) {
	t.Parallel()

	t.Run("ListsAndSendsAndDrops", func(t *testing.T) {
		t.Parallel()
		box := newBox(t, 6)
		lane := newLane(t, box, "m-2")
		c := serve(t, t.TempDir(), box, deadletter.Limits{})
		ctx := t.Context()

		want := all(t, deadletter.Filter{Key: "receiver-1"}.Of(box.All(ctx)))
		for i := range want {
			want[i].Seq = 0 // it is the box's own affair
		}
		require.Equal(t, want, all(t, c.All(ctx, deadletter.Filter{Key: "receiver-1"})))

		o := deadletter.Options{Filter: deadletter.Filter{IDs: []string{"m-1", "m-2"}}, DryRun: true}
		s, err := c.Redrive(ctx, o)
		require.NoError(t, err)
		require.Equal(t, deadletter.Summary{DryRun: true, Matched: 2, Done: 2}, s)
		require.Empty(t, lane.got)

		o.DryRun = false
		s, err = c.Redrive(ctx, o)
		require.NoError(t, err)
		require.Equal(t, []int{2, 1, 1}, []int{s.Matched, s.Done, s.Failed})
		require.Contains(t, s.Failures[0].Error, errRefused.Error())

		file := strings.ReplaceAll(export(t, deadletter.CSV, letter(3), letter(9)), `""3""`, `""Ada""`)
		s, err = c.SendBack(ctx, strings.NewReader(file), deadletter.CSV, deadletter.Options{})
		require.NoError(t, err)
		require.Equal(t, []int{2, 1, 1}, []int{s.Matched, s.Done, s.Failed})
		require.Equal(t, 3, s.Failures[0].Line)
		require.JSONEq(t, `{"to":"Ada"}`, string(lane.got[1].Payload))

		s, err = c.Drop(ctx, deadletter.Options{})
		require.NoError(t, err)
		require.Equal(t, deadletter.Summary{Matched: 4, Done: 4}, s)
		require.Empty(t, in(t, box))
		require.Empty(t, all(t, c.All(ctx, deadletter.Filter{})))
	})

	t.Run("ALetterThatIsHardlyOneIsListedAllTheSame", func(t *testing.T) {
		t.Parallel()
		box := newBox(t, 0)
		require.NoError(t, box.Put(t.Context(), journal.DeadLetter{ID: "x", Payload: []byte{0xff}}))
		got := all(t, serve(t, t.TempDir(), box, deadletter.Limits{}).All(t.Context(), deadletter.Filter{}))
		require.Equal(t, []string{"x"}, idsOf(got))
		require.Equal(t, []byte{0xff}, got[0].Payload)
	})

	t.Run("TellsHowItGoes", func(t *testing.T) {
		t.Parallel()
		box := newBox(t, 3)
		pace := time.NewTicker(220 * time.Millisecond) // slower than it tells
		defer pace.Stop()
		defer box.Receive("lane:sms", func(context.Context, journal.DeadLetter) error {
			<-pace.C
			return nil
		})()
		var told []int
		s, err := serve(t, t.TempDir(), box, deadletter.Limits{}).Redrive(t.Context(), deadletter.Options{Progress: func(n int) { told = append(told, n) }})
		require.NoError(t, err)
		require.Equal(t, 3, s.Done)
		require.NotEmpty(t, told)
		require.IsIncreasing(t, append([]int{0}, told...))
	})

	t.Run("TheEndOfTheServiceIsTold", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		box := newBox(t, 3)
		ctx, stop := context.WithCancel(t.Context())
		n := 0
		defer box.Receive("lane:sms", func(ctx context.Context, _ journal.DeadLetter) error {
			if n++; n == 2 {
				stop() // and the lane has no room
				<-ctx.Done()
				return context.Cause(ctx)
			}
			return nil
		})()
		ln, err := deadletter.Listen(dir)
		require.NoError(t, err)
		var serving sync.WaitGroup
		serving.Go(func() {
			if err := deadletter.Serve(ctx, ln, deadletter.Handler(box, deadletter.Limits{})); err != nil {
				t.Error(err)
			}
		})
		c := deadletter.Dial(dir)
		defer c.Close()
		s, err := c.Redrive(t.Context(), deadletter.Options{})
		require.ErrorContains(t, err, "cut short")
		require.Equal(t, 1, s.Done)
		serving.Wait()
		require.Equal(t, []string{"m-2", "m-3"}, in(t, box))
		_, err = c.Redrive(t.Context(), deadletter.Options{})
		require.Error(t, err, "nobody is there any more")
	})

	t.Run("TheTimeOfARequestIsBounded", func(t *testing.T) {
		t.Parallel()
		box := newBox(t, 2)
		defer box.Receive("lane:sms", func(ctx context.Context, _ journal.DeadLetter) error {
			<-ctx.Done() // there is never room
			return context.Cause(ctx)
		})()
		_, err := serve(t, t.TempDir(), box, deadletter.Limits{Time: 50 * time.Millisecond}).Redrive(t.Context(), deadletter.Options{})
		require.ErrorContains(t, err, "the request took more than 50ms")
		require.Len(t, in(t, box), 2)
	})

	t.Run("AFileThatIsTooLargeIsRefusedAsAWhole", func(t *testing.T) {
		t.Parallel()
		box := newBox(t, 2)
		lane := newLane(t, box)
		file := export(t, deadletter.JSONL, letter(1), letter(2))
		_, err := serve(t, t.TempDir(), box, deadletter.Limits{Body: int64(len(file) - 1)}).SendBack(t.Context(), strings.NewReader(file), deadletter.JSONL, deadletter.Options{})
		require.ErrorContains(t, err, "413")
		require.ErrorContains(t, err, "send it in parts")
		require.Empty(t, lane.got)
	})

	t.Run("AListThatBreaksOffIsAnError", func(t *testing.T) {
		t.Parallel()
		c := serve(t, t.TempDir(), broken{newBox(t, 2)}, deadletter.Limits{})
		var got []string
		var last error
		for l, err := range c.All(t.Context(), deadletter.Filter{}) {
			if last = err; err == nil {
				got = append(got, l.ID)
			}
		}
		require.Error(t, last, "half of the letters is not taken for the whole: %v", got)
	})

	t.Run("OneRequestAtATimeChangesTheBox", func(t *testing.T) {
		t.Parallel()
		box := newBox(t, 50)
		lane := newLane(t, box) // is not safe for two
		c := serve(t, t.TempDir(), box, deadletter.Limits{})
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				if _, err := c.Redrive(t.Context(), deadletter.Options{}); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		require.Len(t, lane.got, 50, "nothing is sent twice")
	})
}

// broken is a box whose disk fails after the first letter.
type broken struct{ *journal.DeadLetters }

func (b broken) All(ctx context.Context) iter.Seq2[journal.DeadLetter, error] {
	return func(yield func(journal.DeadLetter, error) bool) {
		for l, err := range b.DeadLetters.All(ctx) {
			_ = yield(l, err) && yield(journal.DeadLetter{}, errors.New("bad disk"))
			return
		}
	}
}

func TestHandlerRefuses(t *testing.T) {
	t.Parallel()
	box := newBox(t, 1)
	srv := httptest.NewServer(http.StripPrefix("/admin", deadletter.Handler(box, deadletter.Limits{})))
	t.Cleanup(srv.Close)
	for _, tt := range []struct {
		method, path, want string
		status             int
	}{
		{http.MethodPost, "/admin/deadletters/redrive", "all: there is no filter", http.StatusBadRequest},
		{http.MethodPost, "/admin/deadletters/drop?dry_run=true", "all: there is no filter", http.StatusBadRequest},
		{http.MethodPost, "/admin/deadletters/drop?since=x&dry_run=perhaps", "dry_run: is ", http.StatusBadRequest},
		{http.MethodPost, "/admin/deadletters/import", "format: is ", http.StatusBadRequest},
		{http.MethodPost, "/admin/deadletters/import?format=csv", "the file is empty", http.StatusBadRequest},
		{http.MethodGet, "/admin/deadletters?limit=many", "limit: is ", http.StatusBadRequest},
		{http.MethodGet, "/admin/deadletters?format=xlsx", "format: is ", http.StatusBadRequest},
		{http.MethodGet, "/admin/deadletters/drop?all=true", "", http.StatusMethodNotAllowed},
	} {
		t.Run(tt.method+tt.path, func(t *testing.T) {
			t.Parallel()
			req, err := http.NewRequestWithContext(t.Context(), tt.method, srv.URL+tt.path, nil)
			require.NoError(t, err)
			resp, err := srv.Client().Do(req)
			require.NoError(t, err)
			defer resp.Body.Close()
			require.Equal(t, tt.status, resp.StatusCode)
			if tt.want != "" {
				var e struct{ Error string }
				require.NoError(t, json.NewDecoder(resp.Body).Decode(&e))
				require.Contains(t, e.Error, tt.want)
			}
			require.Len(t, in(t, box), 1)
		})
	}

	t.Run("AndListsAsCSV", func(t *testing.T) {
		t.Parallel()
		resp, err := srv.Client().Get(srv.URL + "/admin/deadletters?format=csv")
		require.NoError(t, err)
		defer resp.Body.Close()
		require.Equal(t, "text/csv; charset=utf-8", resp.Header.Get("Content-Type"))
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, export(t, deadletter.CSV, letter(1)), string(text))
		var got bytes.Buffer
		_, err = deadletter.Export(&got, deadletter.CSV, deadletter.NewClient(srv.Client(), srv.URL+"/admin").All(t.Context(), deadletter.Filter{}))
		require.NoError(t, err)
		require.Equal(t, string(text), got.String())
	})
}

func TestListen(t *testing.T) {
	t.Parallel()

	for name, length := range map[string]int{"ShortPath": 0, "PathThatIsTooLongForASocket": 150} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), strings.Repeat("d", length))
			require.NoError(t, os.MkdirAll(dir, 0o700))
			c := serve(t, dir, newBox(t, 2), deadletter.Limits{})
			info, err := os.Stat(filepath.Join(dir, deadletter.SocketName))
			require.NoError(t, err)
			require.Equal(t, "Srw-------", info.Mode().String())
			require.Len(t, all(t, c.All(t.Context(), deadletter.Filter{})), 2)
		})
	}

	t.Run("TheSocketOfAProcessThatWasKilledIsReplaced", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, deadletter.SocketName), Net: "unix"})
		require.NoError(t, err)
		dead.SetUnlinkOnClose(false)
		require.NoError(t, dead.Close())
		require.Len(t, all(t, serve(t, dir, newBox(t, 1), deadletter.Limits{}).All(t.Context(), deadletter.Filter{})), 1)
	})

	t.Run("ADirectoryThatIsNotThereIsAnError", func(t *testing.T) {
		t.Parallel()
		for _, length := range []int{1, 150} {
			_, err := deadletter.Listen(filepath.Join(t.TempDir(), strings.Repeat("d", length)))
			require.ErrorContains(t, err, "deadletter: ")
		}
	})

	t.Run("AListenerThatFailsEndsServe", func(t *testing.T) {
		t.Parallel()
		ln, err := deadletter.Listen(t.TempDir())
		require.NoError(t, err)
		require.NoError(t, ln.Close())
		require.ErrorIs(t, deadletter.Serve(t.Context(), ln, http.NotFoundHandler()), net.ErrClosed)
	})

	t.Run("NobodyThereIsAnError", func(t *testing.T) {
		t.Parallel()
		c := deadletter.Dial(t.TempDir())
		for _, err := range c.All(t.Context(), deadletter.Filter{}) {
			require.Error(t, err)
		}
		_, err := c.Drop(t.Context(), deadletter.Options{})
		require.Error(t, err)
		require.Contains(t, fmt.Sprint(err), deadletter.SocketName)
	})
}
