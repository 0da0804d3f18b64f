package actuator_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/actuator"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// said is one message of a feed.
type said struct {
	event string
	data  object
}

// messages are those of a body.
func messages(t *testing.T, body string) (all []said) {
	t.Helper()
	s := &stream{tb: t, scan: bufio.NewScanner(strings.NewReader(body))}
	s.scan.Buffer(nil, 16<<20)
	for m, ok := s.next(); ok; m, ok = s.next() {
		var data object
		require.NoError(t, json.Unmarshal([]byte(m.data), &data), m.data)
		all = append(all, said{m.event, data})
	}
	return all
}

func of(all []said, event string) (data []object) {
	for _, m := range all {
		if m.event == event {
			data = append(data, m.data)
		}
	}
	return data
}

// components are those of a picture, by name, and their names in its order.
func components(picture object) (byName map[string]object, names []string) {
	byName = map[string]object{}
	for _, c := range picture["components"].([]any) {
		name := c.(object)["name"].(string)
		byName[name], names = c.(object), append(names, name)
	}
	return byName, names
}

// viewer watches the feed in a bubble until it is told to leave.
type viewer struct {
	w     *httptest.ResponseRecorder
	leave context.CancelFunc
	gone  chan struct{}
}

func view(t *testing.T, act http.Handler) *viewer {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	v := &viewer{httptest.NewRecorder(), cancel, make(chan struct{})}
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/actuator/feed", http.NoBody)
	r.Header.Set("Accept", "text/event-stream")
	go func() { // ends with leave, or with the feed
		defer close(v.gone)
		act.ServeHTTP(v.w, r)
	}()
	return v
}

// seen ends the view, and is what it has seen.
func (v *viewer) seen(t *testing.T) []said {
	t.Helper()
	v.leave()
	<-v.gone
	return messages(t, v.w.Body.String())
}

func bubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

// counting is a component that counts how often it is looked at.
func counting(name string, looks *atomic.Int64) lifecycle.Hook {
	return lifecycle.Hook{Name: name, Panel: &lifecycle.Panel{Kind: "counter", Metrics: func() []lifecycle.Metric {
		return []lifecycle.Metric{{Name: "looks", Help: "How often.", Type: lifecycle.Counter, Value: float64(looks.Add(1))}}
	}}}
}

const (
	almost = 100 * time.Millisecond // more than enough for what takes no time in a bubble
	every  = time.Second
)

func TestFeed(t *testing.T) {
	bubble(t, "SaysHelloShowsAllAndThenWhatChanges", func(t *testing.T) {
		b := newBox()
		act := running(t, actuator.Config{}, b.hook(), lifecycle.Hook{Name: "idle"})
		time.Sleep(time.Minute) // what has happened at the start is not news
		v := view(t, act)
		time.Sleep(every + almost)
		work, err := b.gate.Enter(t.Context())
		require.NoError(t, err)
		time.Sleep(every)
		all := v.seen(t)
		work.Done()

		require.Len(t, all, 5)
		require.Equal(t, "hello", all[0].event)
		require.Equal(t, "bye", all[4].event)
		hello := all[0].data
		process, _, _ := strings.Cut(get(t, act, "/actuator/events", http.StatusOK)["last"].(string), ".")
		assert.Equal(t, process, hello["process"])
		assert.EqualValues(t, 1000, hello["every_ms"])
		assert.Equal(t, false, hello["read_only"])
		assert.Equal(t, "/actuator", hello["base_path"])
		ids := map[any]bool{}
		for _, e := range hello["endpoints"].([]any) {
			ids[e.(object)["id"]] = true
		}
		assert.True(t, ids["knobs"])
		assert.False(t, ids["shutdown"], "it is off")

		whole, order := components(all[1].data)
		assert.Equal(t, []string{"idle", "box:sms"}, order, "in the order of the stop")
		assert.Equal(t, true, all[1].data["full"])
		assert.Equal(t, "running", all[1].data["state"])
		assert.Equal(t, "running", all[1].data["stage"])
		assert.Equal(t, true, all[1].data["ready"])
		assert.NotContains(t, all[1].data, "progress")
		assert.Equal(t, "box", whole["box:sms"]["kind"])
		assert.Equal(t, "started", whole["box:sms"]["state"])
		assert.Equal(t, "UP", whole["box:sms"]["health"])
		assert.Equal(t, "open", whole["box:sms"]["gate"])
		assert.EqualValues(t, 6, whole["box:sms"]["knobs"])
		assert.Equal(t, []any{}, whole["box:sms"]["alarms"])

		assert.Equal(t, false, all[2].data["full"])
		assert.Empty(t, all[2].data["components"], "nothing has changed")
		changed, order := components(all[3].data)
		assert.Equal(t, []string{"box:sms"}, order)
		assert.EqualValues(t, 1, all[3].data["inside"])
		assert.EqualValues(t, 1, changed["box:sms"]["ledger"].(object)["inside"])
	})

	bubble(t, "NumbersAreWrittenSoThatJSONHasThem", func(t *testing.T) {
		act := running(t, actuator.Config{}, lifecycle.Hook{Name: "odd", Panel: &lifecycle.Panel{Kind: "odd", Metrics: func() []lifecycle.Metric {
			return []lifecycle.Metric{
				{Name: "busy_workers", Help: "How many.", Value: 2},
				{Name: "share", Value: math.NaN()},
				{Name: "sent", Type: lifecycle.Counter, Value: 3, Labels: map[string]string{"to": `a"b`, "how": "sms", "api_key": "canary"}},
				{Name: "wait_seconds", Type: lifecycle.Distribution, Count: 4, Sum: 0.5, Buckets: map[float64]uint64{1: 4, 0.001: 3, math.Inf(1): 4}},
				{Name: "none_seconds", Type: lifecycle.Distribution, Buckets: map[float64]uint64{1: 0}},
			}
		}}})
		v := view(t, act)
		time.Sleep(almost)
		all := v.seen(t)
		odd, _ := components(of(all, "picture")[0])
		assert.Equal(t, object{"busy_workers": 2.0, "share": nil, `sent{api_key=******,how=sms,to=a"b}`: 3.0}, odd["odd"]["metrics"])
		assert.Equal(t, object{
			"wait_seconds": object{"count": 4.0, "sum": 0.5, "buckets": []any{[]any{0.001, 3.0}, []any{1.0, 4.0}}},
			"none_seconds": object{"count": 0.0, "sum": 0.0, "buckets": []any{}},
		}, odd["odd"]["dist"])
		legend := of(all, "hello")[0]["legend"].(object)["odd"].(object)
		assert.Equal(t, object{"help": "How many.", "type": "gauge"}, legend["busy_workers"])
		assert.Equal(t, "distribution", legend["wait_seconds"].(object)["type"])
	})

	bubble(t, "WhatStandsOnWhatAndWhatIsRaised", func(t *testing.T) {
		a, conductor := app(t,
			lifecycle.Hook{Name: "store"},
			lifecycle.Hook{Name: "desk", After: []string{"store"}, Panel: &lifecycle.Panel{
				Actions: []lifecycle.Action{{Name: "ring", Do: func(context.Context, map[string]any) (any, error) { return nil, nil }}},
			}})
		raised := map[string][]string{"desk": {"queue"}}
		var mu sync.Mutex
		act := over(t, conductor, actuator.Config{}, actuator.WithRaised(func() map[string][]string {
			mu.Lock()
			defer mu.Unlock()
			return raised
		}))
		a.RequireStart()
		defer a.RequireStop()
		v := view(t, act)
		time.Sleep(almost)
		mu.Lock()
		raised = nil
		mu.Unlock()
		time.Sleep(every)
		pictures := of(v.seen(t), "picture")
		shown, _ := components(pictures[0])
		assert.Equal(t, []any{"store"}, shown["desk"]["stands_on"])
		assert.Equal(t, []any{"ring"}, shown["desk"]["actions"])
		assert.Equal(t, []any{"queue"}, shown["desk"]["alarms"])
		assert.Equal(t, []any{}, shown["store"]["alarms"])
		shown, order := components(pictures[1])
		assert.Equal(t, []string{"desk"}, order)
		assert.Equal(t, []any{}, shown["desk"]["alarms"])
	})

	bubble(t, "DrainOfARunningApplicationIsShown", func(t *testing.T) {
		a, conductor := app(t, newBox().hook())
		act := over(t, conductor, actuator.Config{})
		a.RequireStart()
		defer a.RequireStop()
		require.NoError(t, conductor.Drain("ada", "here"))
		time.Sleep(every)
		picture := get(t, act, "/actuator/feed", http.StatusOK)["picture"].(object)
		assert.Equal(t, "running", picture["state"])
		assert.Equal(t, "drained", picture["stage"])
		assert.Equal(t, false, picture["ready"])
		assert.Contains(t, picture, "progress")
		require.NoError(t, conductor.Undrain("ada", "here"))
		picture = get(t, act, "/actuator/feed", http.StatusOK)["picture"].(object)
		assert.Equal(t, "running", picture["stage"])
		assert.NotContains(t, picture, "progress")
	})

	bubble(t, "SaysHelloAgainWhenTheLegendGrows", func(t *testing.T) {
		var late atomic.Bool
		act := running(t, actuator.Config{}, lifecycle.Hook{Name: "odd", Panel: &lifecycle.Panel{Metrics: func() []lifecycle.Metric {
			if late.Load() {
				return []lifecycle.Metric{{Name: "late"}}
			}
			return nil
		}}})
		v := view(t, act)
		time.Sleep(2 * every)
		late.Store(true)
		time.Sleep(2 * every)
		hellos := of(v.seen(t), "hello")
		require.Len(t, hellos, 2)
		assert.Contains(t, hellos[1]["legend"].(object)["component"], "late")
	})

	bubble(t, "AllViewersShareOneLookAndWithoutThemThereIsNone", func(t *testing.T) {
		var looks atomic.Int64
		act := running(t, actuator.Config{}, counting("counter", &looks))
		time.Sleep(time.Minute)
		assert.Zero(t, looks.Load(), "nobody watches")
		var viewers []*viewer
		for range 50 {
			viewers = append(viewers, view(t, act))
		}
		time.Sleep(9*every + almost)
		for _, v := range viewers {
			assert.Len(t, of(v.seen(t), "picture"), 10)
		}
		assert.EqualValues(t, 10, looks.Load())
		time.Sleep(time.Minute)
		assert.EqualValues(t, 10, looks.Load(), "nobody watches any more")
		again := view(t, act)
		time.Sleep(almost)
		pictures := of(again.seen(t), "picture")
		require.Len(t, pictures, 1)
		assert.Equal(t, true, pictures[0]["full"], "whoever comes later sees all")
	})

	bubble(t, "WhatHappensIsToldAndShownSoon", func(t *testing.T) {
		b := newBox()
		act := running(t, actuator.Config{}, b.hook())
		v := view(t, act)
		time.Sleep(almost)
		send(t, act, http.MethodPatch, boxKnobs, `{"workers":8}`)
		time.Sleep(300 * time.Millisecond)
		all := v.seen(t)
		events := of(all, "event")
		require.Len(t, events, 1)
		assert.Equal(t, "knobs", events[0]["kind"])
		assert.Len(t, of(all, "picture"), 2, "it has not waited for its turn")
	})

	bubble(t, "SlowViewerHoldsNobodyAndGetsAllWhenItComesBack", func(t *testing.T) {
		var looks atomic.Int64
		act := running(t, actuator.Config{}, counting("counter", &looks))
		slow := &stuck{ResponseRecorder: httptest.NewRecorder(), after: 2, free: make(chan struct{})}
		ctx, cancel := context.WithCancel(t.Context())
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/actuator/feed", http.NoBody)
		r.Header.Set("Accept", "text/event-stream")
		gone := make(chan struct{})
		go func() { // ends with its context
			defer close(gone)
			act.ServeHTTP(slow, r)
		}()
		v := view(t, act)
		time.Sleep(9*every + almost)
		assert.Len(t, of(v.seen(t), "picture"), 10)
		close(slow.free)
		time.Sleep(every)
		cancel()
		<-gone
		pictures := of(messages(t, slow.Body.String()), "picture")
		require.Len(t, pictures, 4, "the first, the one it was stuck in, the latest, and the next")
		var full []any
		for _, p := range pictures {
			full = append(full, p["full"])
		}
		assert.Equal(t, []any{true, false, true, false}, full)
	})

	bubble(t, "HealthThatHangsDelaysNoPicture", func(t *testing.T) {
		var asked atomic.Int64
		act := running(t, actuator.Config{},
			lifecycle.Hook{Name: "hangs", Panel: &lifecycle.Panel{Health: func(ctx context.Context) lifecycle.Health {
				<-ctx.Done()
				time.Sleep(4 * time.Second)
				return lifecycle.Health{Status: lifecycle.Up}
			}}},
			lifecycle.Hook{Name: "warns", Panel: &lifecycle.Panel{Health: func(context.Context) lifecycle.Health {
				asked.Add(1)
				return lifecycle.Health{Status: lifecycle.Warning, Reason: "dial postgres://app:canary@db/x"}
			}}})
		v := view(t, act)
		time.Sleep(10*every + almost)
		pictures := of(v.seen(t), "picture")
		assert.Len(t, pictures, 11)
		assert.InDelta(t, 200, pictures[1]["at"].(float64)-pictures[0]["at"].(float64), 1, "the second comes soon, with the health that the first could not know")
		var hangs []any
		for _, p := range pictures {
			shown, _ := components(p)
			if c, there := shown["hangs"]; there {
				hangs = append(hangs, c["health"], c["reason"])
			}
			if c, there := shown["warns"]; there && p["full"] == false {
				assert.Equal(t, "WARNING", c["health"])
				assert.Equal(t, "dial postgres://app:******@db/x", c["reason"])
			}
		}
		assert.Equal(t, []any{
			"UNKNOWN", "it has not answered yet",
			"UNKNOWN", "it was asked and has not answered within 1s",
			"UP", nil,
		}, hangs)
		assert.LessOrEqual(t, asked.Load(), int64(3), "at most every 5 s")
	})

	bubble(t, "PanelThatHangsKeepsNoEventFromAnybody", func(t *testing.T) {
		free := make(chan struct{})
		act := running(t, actuator.Config{}, newBox().hook(),
			lifecycle.Hook{Name: "hangs", Panel: &lifecycle.Panel{Metrics: func() []lifecycle.Metric { <-free; return nil }}})
		v := view(t, act)
		time.Sleep(almost)
		send(t, act, http.MethodPatch, boxKnobs, `{"workers":8}`)
		time.Sleep(16 * time.Second)
		v.leave()
		<-v.gone
		close(free)
		assert.Contains(t, v.w.Body.String(), "event: event\n")
		assert.Contains(t, v.w.Body.String(), ": heartbeat\n\n")
	})

	bubble(t, "MoreViewersThanThereCanBeAreRefused", func(t *testing.T) {
		act := running(t, actuator.Config{})
		var viewers []*viewer
		for range 256 {
			viewers = append(viewers, view(t, act))
		}
		synctest.Wait()
		assert.Equal(t, http.StatusServiceUnavailable, ask(t, act, http.MethodGet, "/actuator/feed", "Accept", "text/event-stream").Code)
		for _, v := range viewers {
			v.seen(t)
		}
		v := view(t, act)
		time.Sleep(almost)
		assert.NotEmpty(t, v.seen(t), "there is room again")
	})

	bubble(t, "EndsWhenTheActuatorIsStopped", func(t *testing.T) {
		a, conductor := app(t)
		a.RequireStart()
		defer a.RequireStop()
		act, err := actuator.New(conductor, actuator.Config{})
		require.NoError(t, err)
		v := view(t, act)
		time.Sleep(almost)
		require.NoError(t, act.Stop(t.Context()))
		<-v.gone
		all := v.seen(t)
		assert.Equal(t, "bye", all[len(all)-1].event)
		late := messages(t, ask(t, act, http.MethodGet, "/actuator/feed", "Accept", "text/event-stream").Body.String())
		require.Len(t, late, 1, "a late one is told at once")
		assert.Equal(t, "bye", late[0].event)
	})

	t.Run("WhoDoesNotNameTheStreamGetsOnePicture", func(t *testing.T) {
		b := newBox()
		act := running(t, actuator.Config{}, b.hook())
		for _, accept := range []string{"*/*", "application/json"} {
			once := decoded(t, ask(t, act, http.MethodGet, "/actuator/feed", "Accept", accept))
			assert.Contains(t, once["hello"], "process", accept)
			shown, _ := components(once["picture"].(object))
			assert.Contains(t, shown, "box:sms", accept)
		}
	})

	t.Run("NameIsThatOfInfo", func(t *testing.T) {
		act := running(t, actuator.Config{Info: map[string]any{"build": map[string]any{"name": "shop"}}})
		assert.Equal(t, "shop", get(t, act, "/actuator/feed", http.StatusOK)["hello"].(object)["name"])
		assert.Equal(t, "shop", get(t, act, "/actuator/info", http.StatusOK)["build"].(object)["name"])
		assert.Equal(t, "actuator.test", get(t, running(t, actuator.Config{}), "/actuator/feed", http.StatusOK)["hello"].(object)["name"])
	})

	t.Run("WhoAsksForTheHeadGetsThatAlone", func(t *testing.T) {
		w := ask(t, running(t, actuator.Config{}), http.MethodHead, "/actuator/feed", "Accept", "text/event-stream")
		assert.Equal(t, "text/event-stream", w.Header().Get("Content-Type"))
		assert.Empty(t, w.Body.String())
	})
}

// stuck is a client that does not read, from some picture on, until it is free.
type stuck struct {
	*httptest.ResponseRecorder
	after int // pictures
	free  chan struct{}

	mu   sync.Mutex
	seen int
}

func (s *stuck) Write(p []byte) (int, error) {
	s.mu.Lock()
	if strings.HasPrefix(string(p), "event: picture") {
		s.seen++
	}
	wait := s.seen >= s.after
	s.mu.Unlock()
	if wait {
		<-s.free
	}
	return s.ResponseRecorder.Write(p)
}

func TestFeedOfAStop(t *testing.T) {
	t.Run("ShowsItToTheReceiptAndHoldsNothing", func(t *testing.T) {
		b := newBox()
		a, conductor := app(t, b.hook(), lifecycle.Hook{Name: "ends badly", OnStop: func(context.Context) error {
			return fmt.Errorf("close postgres://app:canary-secret@db/x: %w", errRefused)
		}})
		act := over(t, conductor, actuator.Config{})
		srv := serving(t, act)
		a.RequireStart()
		work, err := b.gate.Enter(t.Context())
		require.NoError(t, err)
		s := watch(t, srv.Client(), srv.URL+"/actuator/feed", "")
		s.until(`"full":true`)
		stopped := make(chan error, 1)
		go func() { // ends with the stop
			ctx, cancel := context.WithTimeout(context.Background(), a.StopTimeout())
			defer cancel()
			stopped <- a.Stop(ctx)
		}()
		var drain object
		require.NoError(t, json.Unmarshal([]byte(s.until(`"stage":"draining"`).data), &drain))
		assert.EqualValues(t, 1, drain["inside"])
		assert.Equal(t, false, drain["ready"])
		work.Done()
		rest, err := io.ReadAll(s.body)
		require.NoError(t, err, "it ends by itself")
		require.Error(t, <-stopped)
		assert.Less(t, conductor.Receipt().Took, conductor.Receipt().Timeout/2, "nobody has waited for a viewer")

		// What the scanner has read ahead is a part of a message at most.
		_, text, _ := strings.Cut(string(rest), "\n\n")
		all := messages(t, text)
		require.Greater(t, len(all), 2)
		last := all[len(all)-3:]
		assert.Equal(t, "picture", last[0].event)
		assert.Equal(t, "stopped", last[0].data["state"])
		assert.Equal(t, "receipt", last[1].event)
		assert.Equal(t, false, last[1].data["clean"])
		assert.Equal(t, "bye", last[2].event)
		assert.NotContains(t, string(rest), "canary-secret")
		assert.Contains(t, string(rest), "postgres://app:******@db/x")
	})

	t.Run("WhoComesAfterItSeesHowItEnded", func(t *testing.T) {
		a, conductor := app(t, newBox().hook())
		act := over(t, conductor, actuator.Config{})
		a.RequireStart().RequireStop()
		var events []string
		for _, m := range messages(t, ask(t, act, http.MethodGet, "/actuator/feed", "Accept", "text/event-stream").Body.String()) {
			if len(events) == 0 || events[len(events)-1] != m.event { // one picture, or two
				events = append(events, m.event)
			}
		}
		assert.Equal(t, []string{"hello", "picture", "receipt", "bye"}, events)
	})

	t.Run("WhoComesBeforeTheStartSeesIt", func(t *testing.T) {
		a, conductor := app(t, newBox().hook())
		act := over(t, conductor, actuator.Config{})
		srv := serving(t, act)
		s := watch(t, srv.Client(), srv.URL+"/actuator/feed", "")
		s.until(`"state":"constructed"`)
		a.RequireStart()
		defer a.RequireStop()
		s.until(`"state":"started"`)
	})
}
