package deadletter_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/deadletter"
)

// serve gives a box over HTTP, and returns the other end.
func serve(t *testing.T, box deadletter.Box) *deadletter.Client {
	t.Helper()
	return dial(t, deadletter.Handler(box))
}

func dial(t *testing.T, h http.Handler) *deadletter.Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return deadletter.NewClient(srv.Client(), srv.URL)
}

func TestHandler(t *testing.T) {
	t.Parallel()

	t.Run("ListsAndSendsAndDrops", func(t *testing.T) {
		t.Parallel()
		box := newBox(t, 6)
		lane := newLane(t, box, "m-2")
		c := serve(t, box)
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
		require.Equal(t, []int{2, 1, 1}, []int{s.Matched, s.Done, s.Missing})
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
		got := all(t, serve(t, box).All(t.Context(), deadletter.Filter{}))
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
		}, nil)()
		var told []int
		s, err := serve(t, box).Redrive(t.Context(), deadletter.Options{Progress: func(n int) { told = append(told, n) }})
		require.NoError(t, err)
		require.Equal(t, 3, s.Done)
		require.NotEmpty(t, told)
		require.IsIncreasing(t, append([]int{0}, told...))
	})

	t.Run("TheTimeOfARequestIsBounded", func(t *testing.T) {
		t.Parallel()
		box := newBox(t, 2)
		defer box.Receive("lane:sms", func(ctx context.Context, _ journal.DeadLetter) error {
			<-ctx.Done() // there is never room
			return context.Cause(ctx)
		}, nil)()
		_, err := dial(t, deadletter.NarrowHandler(box, 1<<20, 50*time.Millisecond)).Redrive(t.Context(), deadletter.Options{})
		require.ErrorContains(t, err, "the request took more than 50ms")
		require.Len(t, in(t, box), 2)
	})

	t.Run("AFileThatIsTooLargeIsRefusedAsAWhole", func(t *testing.T) {
		t.Parallel()
		box := newBox(t, 2)
		lane := newLane(t, box)
		file := export(t, deadletter.JSONL, letter(1), letter(2))
		_, err := dial(t, deadletter.NarrowHandler(box, int64(len(file)-1), time.Minute)).SendBack(t.Context(), strings.NewReader(file), deadletter.JSONL, deadletter.Options{})
		require.ErrorContains(t, err, "413")
		require.ErrorContains(t, err, "send it in parts")
		require.Empty(t, lane.got)
	})

	t.Run("AListThatBreaksOffIsAnError", func(t *testing.T) {
		t.Parallel()
		c := serve(t, broken{newBox(t, 2)})
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
		c := serve(t, box)
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				if _, err := c.Redrive(t.Context(), deadletter.Options{}); err != nil && !strings.Contains(err.Error(), "409") {
					t.Error(err)
				}
			})
		}
		both.Wait()
		require.Len(t, lane.got, 50, "nothing is sent twice")
	})

	t.Run("WhoComesWhileAnotherChangesTheBoxIsToldAtOnce", func(t *testing.T) {
		t.Parallel()
		box := newBox(t, 3)
		begun, full := make(chan struct{}), make(chan struct{})
		defer box.Receive("lane:sms", func(context.Context, journal.DeadLetter) error {
			close(begun)
			<-full
			return nil
		}, nil)()
		c := serve(t, box)
		one := deadletter.Options{Filter: deadletter.Filter{Limit: 1}}
		var first sync.WaitGroup
		first.Go(func() {
			if _, err := c.Redrive(t.Context(), one); err != nil {
				t.Error(err)
			}
		})
		<-begun
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := c.Drop(ctx, one)
		require.ErrorContains(t, err, "409")
		require.ErrorContains(t, err, "another is changing the box; try again when that has ended")
		one.DryRun = true
		s, err := c.Drop(ctx, one)
		require.NoError(t, err, "who only looks is not in the way")
		require.Equal(t, 1, s.Done)
		close(full)
		first.Wait()
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
	srv := httptest.NewServer(http.StripPrefix("/admin", deadletter.Handler(box)))
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
