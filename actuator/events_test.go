package actuator_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/actuator"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// message is one of a stream.
type message struct{ id, event, data string }

// stream reads what a server sends, as a browser does.
type stream struct {
	tb   testing.TB
	body io.ReadCloser
	scan *bufio.Scanner
	last string // the id to come back with
}

// serving is a real server, closed when the readers have gone.
func serving(tb testing.TB, h http.Handler) *httptest.Server {
	tb.Helper()
	srv := httptest.NewServer(h)
	tb.Cleanup(srv.Close)
	return srv
}

// watch opens a stream.
func watch(tb testing.TB, client *http.Client, url, lastID string) *stream {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	tb.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	require.NoError(tb, err)
	r.Header.Set("Accept", "text/event-stream")
	if lastID != "" {
		r.Header.Set("Last-Event-ID", lastID)
	}
	resp, err := client.Do(r)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = resp.Body.Close() })
	require.Equal(tb, http.StatusOK, resp.StatusCode)
	require.Equal(tb, "text/event-stream", resp.Header.Get("Content-Type"))
	return &stream{tb: tb, body: resp.Body, scan: bufio.NewScanner(resp.Body), last: lastID}
}

// next is the next message; false: the stream has ended.
func (s *stream) next() (m message, ok bool) {
	for s.scan.Scan() {
		field, value, _ := strings.Cut(s.scan.Text(), ": ")
		switch {
		case s.scan.Text() == "":
			if m.data != "" {
				return m, true
			}
		case field == "id":
			m.id, s.last = value, value
		case field == "event":
			m.event = value
		case field == "data":
			m.data = value
		}
	}
	return m, false
}

// until reads until a message has the text in its data.
func (s *stream) until(text string) message {
	s.tb.Helper()
	for {
		m, ok := s.next()
		require.True(s.tb, ok, "the stream has ended before %q came", text)
		if strings.Contains(m.data, text) {
			return m
		}
	}
}

func TestEventsAsAList(t *testing.T) {
	b := newBox()
	act := running(t, actuator.Config{}, b.hook())
	all := get(t, act, "/actuator/events", http.StatusOK)
	events := all["events"].([]any)
	require.NotEmpty(t, events)
	assert.EqualValues(t, 1, events[0].(object)["seq"])
	assert.Equal(t, false, all["missed"])
	last := all["last"].(string)

	t.Run("SinceTheLastOneThereAreNone", func(t *testing.T) {
		none := get(t, act, "/actuator/events?since="+last, http.StatusOK)
		assert.Equal(t, []any{}, none["events"])
		assert.Equal(t, last, none["last"])
	})
	t.Run("OnlyWhatIsNew", func(t *testing.T) {
		send(t, act, http.MethodPatch, boxKnobs, `{"workers":8}`)
		fresh := get(t, act, "/actuator/events?since="+last, http.StatusOK)["events"].([]any)
		require.Len(t, fresh, 1)
		assert.Equal(t, "knobs", fresh[0].(object)["kind"])
		assert.Equal(t, "box:sms", fresh[0].(object)["component"])
	})
	t.Run("LimitKeepsTheNewest", func(t *testing.T) {
		few := get(t, act, "/actuator/events?limit=1", http.StatusOK)
		assert.Equal(t, "knobs", few["events"].([]any)[0].(object)["kind"])
		assert.Equal(t, true, few["missed"])
	})
	t.Run("NumberOfThisProcessWillDoAndOneOfAnotherIsTold", func(t *testing.T) {
		assert.EqualValues(t, 3, get(t, act, "/actuator/events?since=2", http.StatusOK)["events"].([]any)[0].(object)["seq"])
		other := get(t, act, "/actuator/events?since=3k2j1-4711.57", http.StatusOK)
		assert.Equal(t, true, other["missed"])
		assert.EqualValues(t, 1, other["events"].([]any)[0].(object)["seq"], "from the beginning")
	})
	t.Run("WhoDoesNotNameTheStreamGetsTheList", func(t *testing.T) {
		for _, accept := range []string{"*/*", "application/json", "text/event-stream;q=0.1, application/json"} {
			assert.Contains(t, decoded(t, ask(t, act, http.MethodGet, "/actuator/events", "Accept", accept)), "events", accept)
		}
	})
	t.Run("NonsenseIsRefused", func(t *testing.T) {
		for _, since := range []string{"x", "-1", "1.x", ".", "1.2.3", "99999999999999999999"} {
			get(t, act, "/actuator/events?since="+since, http.StatusBadRequest)
		}
	})
}

func TestEventStream(t *testing.T) {
	t.Run("TellsFromTheBeginningAndThenAsItHappens", func(t *testing.T) {
		act := running(t, actuator.Config{}, newBox().hook())
		srv := serving(t, act)
		s := watch(t, srv.Client(), srv.URL+"/actuator/events", "")
		assert.Contains(t, s.until(`"seq":1,`).data, `"kind":"state"`)
		s.until("running")
		send(t, act, http.MethodPatch, boxKnobs, `{"workers":8}`)
		assert.Contains(t, s.until(`"kind":"knobs"`).data, `"workers":8`)
	})

	t.Run("GoesOnAfterTheLastOneThatWasSeen", func(t *testing.T) {
		act := running(t, actuator.Config{}, newBox().hook())
		srv := serving(t, act)
		first := watch(t, srv.Client(), srv.URL+"/actuator/events", "")
		first.until("running")
		require.NoError(t, first.body.Close())
		for i := range 3 {
			send(t, act, http.MethodPatch, boxKnobs, fmt.Sprintf(`{"workers":%d}`, 100-i))
		}
		again := watch(t, srv.Client(), srv.URL+"/actuator/events", first.last)
		for i := range 3 {
			m, ok := again.next()
			require.True(t, ok)
			assert.Empty(t, m.event, "nothing was missed")
			assert.Contains(t, m.data, fmt.Sprintf(`"workers":%d`, 100-i))
		}
	})

	t.Run("TellsWhatWasMissed", func(t *testing.T) {
		act := running(t, actuator.Config{}, newBox().hook())
		srv := serving(t, act)
		first := watch(t, srv.Client(), srv.URL+"/actuator/events", "")
		first.until("running")
		require.NoError(t, first.body.Close())
		for i := range 1100 {
			send(t, act, http.MethodPatch, boxKnobs, fmt.Sprintf(`{"workers":%d}`, 20+i%2))
		}
		m, ok := watch(t, srv.Client(), srv.URL+"/actuator/events", first.last).next()
		require.True(t, ok)
		assert.Equal(t, "missed", m.event)
		assert.Contains(t, m.data, "100 events are not kept any more")
	})

	t.Run("AnotherProcessIsNotTakenForThisOne", func(t *testing.T) {
		act := running(t, actuator.Config{}, newBox().hook())
		srv := serving(t, act)
		s := watch(t, srv.Client(), srv.URL+"/actuator/events", "3k2j1-4711.2")
		m, ok := s.next()
		require.True(t, ok)
		assert.Equal(t, "missed", m.event)
		m, ok = s.next()
		require.True(t, ok)
		assert.Contains(t, m.data, `"seq":1,`)
		m, ok = s.next()
		require.True(t, ok)
		assert.Empty(t, m.event, "it is said once")
	})

	t.Run("ShowsTheStopToItsEndAndHoldsNothing", func(t *testing.T) {
		a, conductor := app(t, newBox().hook())
		act := over(t, conductor, actuator.Config{})
		srv := serving(t, act)
		a.RequireStart()
		s := watch(t, srv.Client(), srv.URL+"/actuator/events", "")
		s.until("running")
		stopped := make(chan error, 1)
		go func() { // ends with the stop
			ctx, cancel := context.WithTimeout(context.Background(), a.StopTimeout())
			defer cancel()
			stopped <- a.Stop(ctx)
		}()
		s.until(`"state":"stopped"`)
		m, ok := s.next()
		for ok && m.event == "" {
			m, ok = s.next()
		}
		assert.Equal(t, "end", m.event)
		_, ok = s.next()
		assert.False(t, ok, "it ends by itself")
		require.NoError(t, <-stopped)
		assert.Less(t, conductor.Receipt().Took, conductor.Receipt().Timeout/2, "nobody has waited for a reader")
		assert.Empty(t, conductor.Receipt().Leaks)
	})

	t.Run("EndsWhenTheActuatorIsStopped", func(t *testing.T) {
		a, conductor := app(t)
		a.RequireStart()
		defer a.RequireStop()
		act, err := actuator.New(conductor, actuator.Config{})
		require.NoError(t, err)
		srv := serving(t, act)
		s := watch(t, srv.Client(), srv.URL+"/actuator/events", "")
		s.until("running")
		require.NoError(t, act.Stop(t.Context()))
		m, ok := s.next()
		require.True(t, ok)
		assert.Equal(t, "end", m.event)
		_, ok = s.next()
		assert.False(t, ok)
		late := watch(t, srv.Client(), srv.URL+"/actuator/events", s.last)
		assert.Equal(t, "end", late.until("the server stops").event, "a late one is told at once")
	})

	t.Run("ReaderWhoDoesNotReadHoldsNoStop", func(t *testing.T) {
		a, conductor := app(t, newBox().hook())
		act := over(t, conductor, actuator.Config{})
		srv := serving(t, act)
		a.RequireStart()
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		require.NoError(t, err)
		defer func() { require.NoError(t, conn.Close()) }()
		_, err = io.WriteString(conn, "GET /actuator/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n")
		require.NoError(t, err)
		a.RequireStop()
		assert.Less(t, conductor.Receipt().Took, conductor.Receipt().Timeout/2)
	})

	t.Run("IsNotSilentForLong", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			act := running(t, actuator.Config{})
			w := httptest.NewRecorder()
			ctx, cancel := context.WithTimeout(t.Context(), 46*time.Second)
			defer cancel()
			r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/actuator/events", http.NoBody)
			r.Header.Set("Accept", "text/event-stream")
			act.ServeHTTP(w, r)
			assert.Equal(t, 3, strings.Count(w.Body.String(), ": heartbeat\n\n"))
			assert.Contains(t, w.Body.String(), "retry: 2000\n")
		})
	})

	t.Run("MoreThanThereCanBeAreRefused", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			act := running(t, actuator.Config{})
			ctx, cancel := context.WithCancel(t.Context())
			open := func() *httptest.ResponseRecorder {
				r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/actuator/events", http.NoBody)
				r.Header.Set("Accept", "text/event-stream")
				return serve(act, r)
			}
			for range 256 {
				go open()
			}
			synctest.Wait()
			assert.Equal(t, http.StatusServiceUnavailable, open().Code)
			cancel()
			synctest.Wait()
			assert.Equal(t, http.StatusOK, open().Code, "there is room again")
		})
	})

	t.Run("SecretsDoNotPass", func(t *testing.T) {
		a, conductor := app(t, lifecycle.Hook{Name: "db", OnStart: func(context.Context) error {
			return fmt.Errorf("dial postgres://app:canary-secret@db/x: %w", errRefused)
		}})
		act := over(t, conductor, actuator.Config{})
		require.Error(t, a.Start(t.Context()))
		assert.NotContains(t, ask(t, act, http.MethodGet, "/actuator/events").Body.String(), "canary-secret")
		w := ask(t, act, http.MethodGet, "/actuator/events", "Accept", "text/event-stream")
		assert.Contains(t, w.Body.String(), "postgres://app:")
		assert.NotContains(t, w.Body.String(), "canary-secret")
		for _, path := range []string{"/actuator/startup", "/actuator/shutdown-report", "/actuator/drain"} {
			assert.NotContains(t, ask(t, act, http.MethodGet, path).Body.String(), "canary-secret", path)
			assert.NotContains(t, ask(t, act, http.MethodGet, path, "Accept", "text/plain").Body.String(), "canary-secret", path)
		}
	})
}
