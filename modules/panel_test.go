package modules_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/app"
	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/lifecycle/lifecycletest"
	"github.com/lastcall-go/lastcall/modules"
)

// shown is a running application whose panels are looked at.
type shown struct {
	t         *testing.T
	app       *app.App
	conductor *lifecycle.Conductor
	box       *journal.DeadLetters
}

func show(t *testing.T, opts ...fx.Option) *shown {
	t.Helper()
	s := &shown{t: t}
	s.app = app.New(append(opts, modules.Default(), silent, fx.Populate(&s.conductor, &s.box))...)
	require.NoError(t, s.app.Err())
	require.NoError(t, s.app.Start(context.Background()))
	return s
}

func (s *shown) stop() { require.NoError(s.t, s.app.Stop(context.Background())) }

func (s *shown) panel(name string) *lifecycle.Panel {
	s.t.Helper()
	c, ok := s.conductor.Component(name)
	require.True(s.t, ok)
	require.True(s.t, lifecycletest.AssertPanel(s.t, c))
	return c.Panel
}

func (s *shown) health(name string) lifecycle.Health {
	s.t.Helper()
	return s.panel(name).Health(context.Background())
}

// journal is what the panel of the directory shows of one journal.
func (s *shown) journal(name string) map[string]any {
	s.t.Helper()
	for _, j := range inJSON(s.t, s.panel("journal").Stats())["journals"].([]any) {
		if j := j.(map[string]any); j["name"] == name {
			return j
		}
	}
	require.Fail(s.t, "the panel does not show the journal", name)
	return nil
}

func (s *shown) metric(component, name, journal string) float64 {
	s.t.Helper()
	for _, m := range s.panel(component).Metrics() {
		if m.Name == name && m.Labels["journal"] == journal {
			return m.Value
		}
	}
	require.Fail(s.t, "there is no such metric", name)
	return 0
}

func inJSON(t *testing.T, v any) map[string]any {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	var got map[string]any
	require.NoError(t, json.Unmarshal(text, &got))
	return got
}

func TestJournalPanel(t *testing.T) {
	t.Parallel()

	t.Run("IsUpWhereNobodyWrites", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "journal")
		s := show(t, sources("journal: {dir: "+dir+", sync: 50ms}", nil))
		assert.Equal(t, lifecycle.Up, s.health("journal").Status)
		assert.Equal(t, lifecycle.Up, s.health("deadletters").Status)
		assert.Equal(t, map[string]any{
			"dir": dir, "open": false, "journals": []any{}, "guarantee": "kill -9 loses nothing; power loss up to 50ms",
		}, inJSON(t, s.panel("journal").Stats()))
		assert.NoDirExists(t, dir, "a look makes nothing")
		s.stop()
	})

	t.Run("ShowsEachJournal", func(t *testing.T) {
		t.Parallel()
		s := show(t, sources("journal: {dir: "+t.TempDir()+"}", nil), writer("lane:sms", appendOne))
		panel := s.panel("journal")
		assert.Equal(t, "journal", panel.Kind)
		sms := s.journal("lane:sms")
		assert.Equal(t, true, sms["taken"])
		health := sms["health"].(map[string]any)
		for field, want := range map[string]any{"recovered": 0.0, "entries": 1.0, "max_bytes": float64(1 << 30)} {
			assert.Equal(t, want, health[field], field)
		}
		assert.InDelta(t, 1, s.metric("journal", "entries", "lane:sms"), 0)
		assert.Positive(t, s.metric("journal", "files_bytes", "lane:sms"))
		for _, k := range panel.Knobs() {
			assert.True(t, k.Cold)
			assert.Equal(t, "journal."+k.Name, k.Key)
		}
		s.stop()
		assert.False(t, inJSON(t, panel.Stats())["open"].(bool), "after the end too it can be asked")
	})

	t.Run("IsDownWhileAJournalIsFull", func(t *testing.T) {
		t.Parallel()
		var j journal.Journal
		s := show(t, sources("journal: {dir: "+t.TempDir()+", segment_bytes: 64KiB, max_bytes: 128KiB}", nil),
			writer("lane:sms", func(opened journal.Journal) error { j = opened; return nil }))
		assert.Equal(t, lifecycle.Up, s.health("journal").Status)
		load := journal.Entry{Payload: bytes.Repeat([]byte("tea"), 10_000)}
		var spans []journal.Span
		for {
			span, err := j.Append(t.Context(), load)
			if err != nil {
				require.ErrorIs(t, err, journal.ErrFull)
				break
			}
			spans = append(spans, span)
		}
		h := s.health("journal")
		assert.Equal(t, lifecycle.Down, h.Status)
		assert.True(t, strings.HasPrefix(h.Reason, "lane:sms: work is refused, or lost at a stop: "), h.Reason)
		assert.Contains(t, h.Reason, "raise journal.max_bytes")
		assert.InDelta(t, 1, s.metric("journal", "refusing", "lane:sms"), 0)
		assert.Contains(t, s.journal("lane:sms")["refuses"], "full")

		require.NoError(t, j.Ack(t.Context(), spans...))
		require.Eventually(t, func() bool {
			span, err := j.Append(t.Context(), load)
			return err == nil && j.Ack(t.Context(), span) == nil
		}, time.Minute, time.Millisecond)
		assert.Equal(t, lifecycle.Up, s.health("journal").Status)
		s.stop()
	})

	t.Run("WarnsOfDamage", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		source := sources("journal: {dir: "+dir+"}", nil)
		run(t, source, modules.Default(), writer("lane:sms", func(j journal.Journal) error {
			_, err := j.Append(context.Background(), journal.Entry{Payload: []byte("tea")}, journal.Entry{Payload: []byte("cake")})
			return err
		}))
		spoil(t, dir, "tea")
		s := show(t, source, writer("lane:sms", func(journal.Journal) error { return nil }))
		h := s.health("journal")
		assert.Equal(t, lifecycle.Warning, h.Status)
		assert.Contains(t, h.Reason, "lane:sms: damaged in 1 places")
		assert.InDelta(t, 1, s.metric("journal", "damaged_places", "lane:sms"), 0)
		damage := s.journal("lane:sms")["health"].(map[string]any)["damage"].([]any)
		assert.Contains(t, damage[0].(map[string]any), "quarantine")
		s.stop()
	})

	t.Run("WarnsOfWhatNobodyAsksFor", func(t *testing.T) {
		t.Parallel()
		source := sources("journal: {dir: "+t.TempDir()+"}", nil)
		run(t, source, modules.Default(), writer("lane:sms", appendOne))
		s := show(t, source)
		var h lifecycle.Health
		require.Eventually(t, func() bool { h = s.health("journal"); return h.Status != lifecycle.Up }, time.Minute, time.Millisecond)
		assert.Equal(t, lifecycle.Warning, h.Status)
		assert.Equal(t, "lane:sms: nobody has asked for the 1 entries in it; was its component renamed, or its journal switched off?", h.Reason)
		assert.Equal(t, false, s.journal("lane:sms")["taken"])
		s.stop()
	})
}

// spoil changes what the journals of the directory hold.
func spoil(t *testing.T, dir, text string) {
	t.Helper()
	found := false
	require.NoError(t, filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if at := bytes.Index(content, []byte(text)); err == nil && at >= 0 {
			found = true
			content[at]++
			return os.WriteFile(path, content, info.Mode())
		}
		return err
	}))
	require.True(t, found)
}

func TestDeadLetterBoxPanel(t *testing.T) {
	t.Parallel()
	source := sources("journal: {dir: "+t.TempDir()+"}", nil)
	s := show(t, source)
	panel := s.panel("deadletters")
	assert.Equal(t, "deadletter", panel.Kind)
	assert.Equal(t, map[string]any{"open": false, "letters": 0.0, "put": 0.0, "underway": 0.0, "receivers": []any{}}, inJSON(t, panel.Stats()))

	leave := s.box.Receive("lane:sms", func(context.Context, journal.DeadLetter) error { return nil }, nil)
	defer leave()
	died := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for range 25 {
		require.NoError(t, s.box.Put(t.Context(), journal.DeadLetter{
			ID: "a1", Component: "lane:sms", Key: "anna", Reason: journal.ReasonRetries, Attempts: 3, Died: died, Last: "down", Payload: []byte("private"),
		}))
	}
	require.NoError(t, s.box.Put(t.Context(), journal.DeadLetter{ID: "b1", Component: "batch:orders", Reason: journal.ReasonPoison, Payload: []byte("private")}))

	assert.Equal(t, map[string]any{"open": true, "letters": 26.0, "put": 26.0, "underway": 0.0, "receivers": []any{"lane:sms"}}, inJSON(t, panel.Stats()))
	h := s.health("deadletters")
	assert.Equal(t, lifecycle.Warning, h.Status)
	assert.Equal(t, "26 dead letters wait for somebody to look at them (lastcall deadletters list); send them again or drop them", h.Reason)

	got := inJSON(t, panel.Inspect(t.Context()))
	assert.InDelta(t, 26, got["read"], 0)
	assert.Equal(t, map[string]any{"lane:sms": 25.0, "batch:orders": 1.0}, got["by_component"])
	assert.Equal(t, map[string]any{"retries": 25.0, "poison": 1.0}, got["by_reason"])
	oldest := got["oldest"].([]any)
	require.Len(t, oldest, 20)
	assert.Equal(t, map[string]any{
		"seq": 1.0, "id": "a1", "component": "lane:sms", "key": "anna", "reason": "retries", "attempts": 3.0,
		"died": "2026-11-01T00:00:00Z", "last_error": "down",
	}, oldest[0])

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	assert.Contains(t, inJSON(t, panel.Inspect(ended))["error"], context.Canceled.Error())
	s.stop()
	assert.InDelta(t, 26, inJSON(t, panel.Stats())["letters"], 0, "after the end too")

	next := show(t, source)
	c, _ := next.conductor.Component("deadletters")
	assert.Equal(t, map[string]any{"open": false, "letters": 26.0, "put": 0.0, "underway": 0.0, "receivers": []any{}},
		inJSON(t, c.Panel.Stats()), "of an earlier life, that nobody has opened")
	next.stop()
}
