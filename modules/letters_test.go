package modules_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/actuator/management"
	"github.com/lastcall-go/lastcall/app"
	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/modules"
	"github.com/lastcall-go/lastcall/poolmodule"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// served is a running application that is asked at its management server.
type served struct {
	shown
	server *management.Server
}

func serveAt(t *testing.T, yaml string, opts ...fx.Option) *served {
	t.Helper()
	s := &served{shown: shown{t: t}}
	opts = append(opts, modules.Default(), sources(yaml, anyPort), silent, fx.Populate(&s.server, &s.conductor))
	s.app = app.New(opts...)
	require.NoError(t, s.app.Err())
	require.NoError(t, s.app.Start(context.Background()))
	return s
}

func (s *served) get(path string, status int) map[string]any {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+s.server.Addr().String()+path, http.NoBody)
	require.NoError(s.t, err)
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	require.NoError(s.t, err)
	defer func() { require.NoError(s.t, resp.Body.Close()) }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	require.Equal(s.t, status, resp.StatusCode, "%s: %s", path, text)
	var got map[string]any
	require.NoError(s.t, json.Unmarshal(text, &got), "%s", text)
	return got
}

func (s *served) post(path, body string, status int) map[string]any {
	s.t.Helper()
	is, text := post(s.t, s.server, path, body)
	require.Equal(s.t, status, is, "%s: %s", path, text)
	var got map[string]any
	require.NoError(s.t, json.Unmarshal([]byte(text), &got), "%s", text)
	return got
}

const (
	lettersPath = "/actuator/deadletters/deadletters/letters"
	redrivePath = "/actuator/deadletters/deadletters/actions/redrive"
	dropPath    = "/actuator/deadletters/deadletters/actions/drop"
)

func TestDeadLettersAreListed(t *testing.T) {
	t.Parallel()
	var box *journal.DeadLetters
	s := serveAt(t, "journal: {dir: "+t.TempDir()+"}", fx.Populate(&box))
	assert.Equal(t, map[string]any{"box": "deadletters", "total": 0.0, "letters": []any{}}, s.get(lettersPath, http.StatusOK))
	died := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	put := func(id, component string, reason journal.Reason, payload string) {
		require.NoError(t, box.Put(t.Context(), journal.DeadLetter{
			ID: id, Component: component, Reason: reason, Attempts: 3, Died: died, Last: "down", Codec: "json", Payload: []byte(payload),
		}))
		died = died.Add(time.Hour)
	}
	put("a1", "lane:sms", journal.ReasonRetries, `"anna"`)
	put("a2", "lane:sms", journal.ReasonPanic, "\xff")
	put("b1", "batch:orders", journal.ReasonPoison, "tea")

	all := s.get(lettersPath, http.StatusOK)
	assert.InDelta(t, 3, all["total"], 0)
	assert.NotContains(t, all, "more")
	require.Len(t, all["letters"], 3)
	assert.Equal(t, map[string]any{
		"seq": 1.0, "id": "a1", "component": "lane:sms", "reason": "retries", "attempts": 3.0,
		"died": "2026-11-01T00:00:00Z", "last_error": "down", "codec": "json",
	}, all["letters"].([]any)[0], "without the work itself")

	ids := func(query string) (ids []any) {
		for _, l := range s.get(lettersPath+"?"+query, http.StatusOK)["letters"].([]any) {
			ids = append(ids, l.(map[string]any)["id"])
		}
		return ids
	}
	assert.Equal(t, []any{"a1", "a2"}, ids("component=lane:sms"))
	assert.Equal(t, []any{"b1"}, ids("reason=poison"))
	assert.Equal(t, []any{"a1", "b1"}, ids("id=a1&id=b1"))
	assert.Equal(t, []any{"a2", "b1"}, ids("since=2026-11-01T01:00:00Z"))
	assert.Empty(t, ids("key=nobody"))
	first := s.get(lettersPath+"?limit=1&payload=true", http.StatusOK)
	assert.Equal(t, true, first["more"])
	assert.Equal(t, `"anna"`, first["letters"].([]any)[0].(map[string]any)["payload"])
	second := s.get(lettersPath+"?id=a2&payload", http.StatusOK)["letters"].([]any)[0].(map[string]any)
	assert.Equal(t, "/w==", second["payload_base64"], "what is no text")

	for _, query := range []string{"limit=0", "limit=1001", "limit=-1", "limit=x", "since=yesterday", "reason=bored", "payload=maybe"} {
		s.get(lettersPath+"?"+query, http.StatusBadRequest)
	}
	s.get("/actuator/deadletters/nobody/letters", http.StatusNotFound)
	assert.Len(t, s.get("/actuator/deadletters", http.StatusOK)["components"], 1)
	s.stop()
}

func TestDeadLettersAreSentAgainAndDropped(t *testing.T) {
	t.Parallel()
	var box *journal.DeadLetters
	s := serveAt(t, "journal: {dir: "+t.TempDir()+"}", fx.Populate(&box))
	got := make(chan string, 10)
	leave := box.Receive("lane:sms", func(_ context.Context, l journal.DeadLetter) error { got <- l.ID; return nil }, nil)
	defer leave()

	none := s.post(redrivePath, `{"all": true}`, http.StatusOK)
	assert.InDelta(t, 0, none["answer"].(map[string]any)["matched"], 0)
	assert.False(t, box.Stats().Open, "to ask makes no box")

	for _, id := range []string{"a1", "a2", "a3"} {
		require.NoError(t, box.Put(t.Context(), journal.DeadLetter{ID: id, Component: "lane:sms", Reason: journal.ReasonRetries, Codec: "json", Payload: []byte("{}"), Died: time.Now()}))
	}
	require.NoError(t, box.Put(t.Context(), journal.DeadLetter{ID: "b1", Component: "batch:gone", Reason: journal.ReasonPoison, Codec: "json", Died: time.Now().Add(-time.Hour)}))

	refused := s.post(redrivePath, `{}`, http.StatusUnprocessableEntity)
	assert.Contains(t, refused["detail"], "all=true")
	s.post(redrivePath, `{"reason": "bored"}`, http.StatusUnprocessableEntity)
	s.post(redrivePath, `{"limit": -1}`, http.StatusUnprocessableEntity)

	dry := s.post(redrivePath+"?dryRun=true", `{"all": true}`, http.StatusOK)["answer"].(map[string]any)
	assert.Equal(t, true, dry["dry_run"])
	assert.InDelta(t, 3, dry["done"], 0)
	assert.InDelta(t, 1, dry["failed"], 0, "nobody takes it")
	assert.Equal(t, 4, box.Stats().Letters)

	sent := s.post(redrivePath, `{"component": "lane:sms", "limit": 1}`, http.StatusOK)
	assert.InDelta(t, 1, sent["answer"].(map[string]any)["done"], 0)
	assert.Equal(t, "redrive", sent["entry"].(map[string]any)["action"])
	assert.Equal(t, "a1", <-got)
	sent = s.post(redrivePath, `{"id": "a3"}`, http.StatusOK)
	assert.InDelta(t, 1, sent["answer"].(map[string]any)["done"], 0)
	assert.Equal(t, "a3", <-got)

	old := s.post(dropPath, `{"older_than": "30m"}`, http.StatusOK)["answer"].(map[string]any)
	assert.InDelta(t, 1, old["done"], 0)
	assert.Equal(t, 1, box.Stats().Letters)
	s.post(dropPath+"?dryRun=true", `{"all": true}`, http.StatusOK)
	assert.Equal(t, 1, box.Stats().Letters)
	s.post(dropPath, `{"all": true}`, http.StatusOK)
	assert.Zero(t, box.Stats().Letters)
	assert.Len(t, s.conductor.Audit(), 8, "refusals too, dry runs not")
	s.stop()
}

func TestRedriveThatIsCutShortSaysHowFarItCame(t *testing.T) {
	t.Parallel()
	s := show(t, sources("journal: {dir: "+t.TempDir()+"}", nil))
	ctx, cancel := context.WithCancel(t.Context())
	leave := s.box.Receive("lane:sms", func(_ context.Context, l journal.DeadLetter) error {
		if l.ID == "a2" {
			cancel()
			<-ctx.Done()
			return context.Cause(ctx)
		}
		return nil
	}, nil)
	defer leave()
	for _, id := range []string{"a1", "a2", "a3"} {
		require.NoError(t, s.box.Put(t.Context(), journal.DeadLetter{ID: id, Component: "lane:sms", Codec: "json"}))
	}
	_, _, err := s.conductor.Act(ctx, "deadletters", lifecycle.Act{Action: "redrive", Args: map[string]any{"all": true}})
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "cut short after 1 of the letters")
	assert.Equal(t, 2, s.box.Stats().Letters)
	s.stop()
}

func TestJournalsAreShown(t *testing.T) {
	t.Parallel()

	t.Run("WhereNobodyWrites", func(t *testing.T) {
		t.Parallel()
		s := serveAt(t, "")
		assert.Equal(t, map[string]any{"open": false, "journals": []any{}}, s.get("/actuator/journal", http.StatusOK))
		_, there := s.conductor.Component("journal")
		assert.False(t, there, "to show them makes none")
		s.get(lettersPath, http.StatusNotFound)
		s.stop()
	})

	t.Run("WithWhatTheyWithstandAndHowTheReplayGoes", func(t *testing.T) {
		t.Parallel()
		source := "journal: {dir: " + t.TempDir() + ", sync: 50ms}\nlanes: {mail: {journal: always}}"
		release := make(chan struct{})
		var lane *pool.Lane[string]
		one := fx.Options(
			poolmodule.Provide("mail", pool.Config{Workers: 1}),
			poolmodule.Lane[string]("mail", "mail", func(ctx context.Context, _ string) error {
				select {
				case <-release:
					return nil
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			}),
			fx.Populate(&lane))
		mail := func(s *served) map[string]any {
			all := s.get("/actuator/journal", http.StatusOK)
			assert.Equal(t, true, all["open"])
			assert.Equal(t, "kill -9 loses nothing; power loss up to 50ms", all["guarantee"])
			require.Len(t, all["journals"], 1)
			return all["journals"].([]any)[0].(map[string]any)
		}

		first := serveAt(t, source, one)
		for range 3 {
			require.NoError(t, lane.Submit(t.Context(), "anna"))
		}
		shown := mail(first)
		assert.Positive(t, shown["bytes"])
		assert.Equal(t, "work is written down before it is accepted: kill -9 loses nothing; power loss up to 50ms", shown["guarantee"])
		for field, want := range map[string]any{
			"name": "lane:mail", "mode": "always", "pending": 3.0, "recovered": 0.0, "max_bytes": float64(1 << 30), "taken": true,
			"replay": map[string]any{"entered": 0.0, "left": 0.0, "unreadable": 0.0, "over": true},
		} {
			assert.Equal(t, want, shown[field], field)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		_ = first.app.Stop(ctx) // it leaves work over

		close(release)
		next := serveAt(t, source, one)
		require.Eventually(t, func() bool {
			shown = mail(next)
			return shown["pending"] == 0.0 && shown["replay"].(map[string]any)["entered"] == 3.0
		}, time.Minute, 10*time.Millisecond)
		assert.InDelta(t, 3, shown["recovered"], 0)
		assert.Equal(t, true, shown["replay"].(map[string]any)["over"])
		next.stop()
	})
}
