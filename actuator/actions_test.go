package actuator_test

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/actuator"
	"github.com/lastcall-go/lastcall/lifecycle"
)

const boxActions = "/actuator/components/box:sms/actions"

// actingBox is a box that can be emptied.
func actingBox(empty func(context.Context, map[string]any) (any, error)) lifecycle.Hook {
	h := newBox().hook()
	h.Panel.Actions = []lifecycle.Action{{
		Name: "empty", Help: "Empties it.", Do: empty,
		Args: []lifecycle.Knob{
			{Name: "into", Type: lifecycle.TextKnob},
			{Name: "limit", Type: lifecycle.IntKnob, Value: 10, Min: 1, Max: 100},
		},
	}}
	return h
}

func emptied(_ context.Context, args map[string]any) (any, error) {
	return map[string]any{"emptied": args["limit"], "password": "canary-secret"}, nil
}

// brokenJSON panics where it is encoded.
type brokenJSON struct{}

func (brokenJSON) MarshalJSON() ([]byte, error) { panic("boom") }

func TestActions(t *testing.T) {
	t.Run("AreListedWithTheirArguments", func(t *testing.T) {
		act := running(t, actuator.Config{}, actingBox(emptied), lifecycle.Hook{Name: "bare"})
		list := get(t, act, boxActions, http.StatusOK)
		want := object{"name": "empty", "help": "Empties it.", "args": []any{
			object{"name": "into", "type": "text", "value": nil},
			object{"name": "limit", "type": "int", "value": 10.0, "min": 1.0, "max": 100.0},
		}}
		assert.Equal(t, object{"component": "box:sms", "actions": []any{want}}, list)
		assert.Equal(t, list, get(t, act, "/actuator/boxs/box:sms/actions", http.StatusOK))
		assert.Equal(t, []any{want}, get(t, act, "/actuator/components/box:sms", http.StatusOK)["actions"])
		assert.Equal(t, []any{}, get(t, act, "/actuator/components/bare/actions", http.StatusOK)["actions"])
		get(t, act, "/actuator/components/nobody/actions", http.StatusNotFound)
	})

	t.Run("AreDoneAndTheAuditSaysByWhom", func(t *testing.T) {
		a, conductor := app(t, actingBox(emptied))
		a.RequireStart()
		defer a.RequireStop()
		act := over(t, conductor, actuator.Config{}, actuator.WithCaller(func(*http.Request) (string, string) { return "alice", "10.0.0.7:1" }))
		w := send(t, act, http.MethodPost, "/actuator/boxs/box:sms/actions/empty", `{"into": "bin", "limit": 9007199254740993}`)
		require.Equal(t, http.StatusUnprocessableEntity, w.Code, "%s", w.Body)
		assert.Contains(t, decoded(t, w)["arguments"].(object)["limit"], "9007199254740993", "no digit is lost")
		w = send(t, act, http.MethodPost, boxActions+"/empty", `{"into": "bin"}`)
		require.Equal(t, http.StatusOK, w.Code, "%s", w.Body)
		assert.NotContains(t, w.Body.String(), "canary-secret")
		body := decoded(t, w)
		assert.InDelta(t, 10, body["answer"].(object)["emptied"], 0)
		entry := body["entry"].(object)
		assert.Equal(t, "empty", entry["action"])
		assert.Equal(t, object{"into": "bin", "limit": 10.0}, entry["after"])
		assert.Equal(t, "alice", entry["by"])
		entries := get(t, act, "/actuator/audit", http.StatusOK)["entries"].([]any)
		require.Len(t, entries, 2)
		assert.Equal(t, entry, entries[0])
	})

	t.Run("NeedNoBodyWhereNothingMustBeGiven", func(t *testing.T) {
		h := actingBox(emptied)
		h.Panel.Actions[0].Args[0].Value = "bin"
		act := running(t, actuator.Config{}, h)
		assert.Equal(t, http.StatusOK, ask(t, act, http.MethodPost, boxActions+"/empty").Code)
		w := send(t, act, http.MethodPost, boxActions+"/empty", `{}`, "Content-Type", "text/plain")
		assert.Equal(t, http.StatusUnsupportedMediaType, w.Code)
	})

	t.Run("WrongOnesAreRefused", func(t *testing.T) {
		did := 0
		act := running(t, actuator.Config{}, actingBox(func(context.Context, map[string]any) (any, error) { did++; return nil, nil }))
		for _, tt := range []struct {
			path, body string
			want       int
		}{
			{"/empty", `{}`, http.StatusUnprocessableEntity},
			{"/empty", `{"into": "bin", "limt": 4}`, http.StatusUnprocessableEntity},
			{"/empty", `{"into": 5}`, http.StatusUnprocessableEntity},
			{"/empty", `[]`, http.StatusBadRequest},
			{"/empty", `{"into": "bin"} {}`, http.StatusBadRequest},
			{"/empty?dryrun=true", `{"into": "bin"}`, http.StatusBadRequest},
			{"/empty?timeout=1h", `{"into": "bin"}`, http.StatusBadRequest},
			{"/fill", `{"into": "bin"}`, http.StatusNotFound},
			{"/empty", `{"into": "` + strings.Repeat("x", 2000) + `"}`, http.StatusUnprocessableEntity},
		} {
			w := send(t, act, http.MethodPost, boxActions+tt.path, tt.body)
			assert.Equal(t, tt.want, w.Code, "%s %s: %s", tt.path, tt.body, w.Body)
		}
		w := send(t, act, http.MethodPost, boxActions+"/empty?dryRun=true", `{"into": "bin"}`)
		require.Equal(t, http.StatusOK, w.Code)
		assert.InDelta(t, 10, decoded(t, w)["entry"].(object)["after"].(object)["limit"], 0)
		assert.Zero(t, did)
	})

	t.Run("WhatGoesWrongHasItsStatus", func(t *testing.T) {
		var empty func(context.Context, map[string]any) (any, error)
		act := running(t, actuator.Config{}, actingBox(func(ctx context.Context, args map[string]any) (any, error) { return empty(ctx, args) }))
		empty = func(context.Context, map[string]any) (any, error) { return nil, errors.New("the lid is stuck") }
		w := send(t, act, http.MethodPost, boxActions+"/empty", `{"into": "bin"}`)
		assert.Equal(t, http.StatusUnprocessableEntity, w.Code)
		assert.Contains(t, w.Body.String(), "the lid is stuck")
		empty = func(context.Context, map[string]any) (any, error) { panic("canary-panic") }
		w = send(t, act, http.MethodPost, boxActions+"/empty", `{"into": "bin"}`)
		assert.Equal(t, http.StatusInternalServerError, w.Code)
		assert.NotContains(t, w.Body.String(), "canary-panic")
	})

	t.Run("DoneIsToldWhateverComesOfTheAnswer", func(t *testing.T) {
		var answer any
		h := actingBox(func(context.Context, map[string]any) (any, error) { return answer, nil })
		h.Panel.Actions[0].Rehearse = h.Panel.Actions[0].Do
		act := running(t, actuator.Config{}, h)
		for _, answer = range []any{math.NaN(), make(chan int), brokenJSON{}} {
			w := send(t, act, http.MethodPost, boxActions+"/empty", `{"into": "bin"}`)
			assert.Equal(t, http.StatusInternalServerError, w.Code)
			assert.Contains(t, decoded(t, w)["detail"], "it was done, and is entry ")
			w = send(t, act, http.MethodPost, boxActions+"/empty?dryRun=true", `{"into": "bin"}`)
			assert.Equal(t, http.StatusInternalServerError, w.Code)
			assert.Contains(t, decoded(t, w)["detail"], "nothing was done")
		}
		answer = nil
		w := send(t, act, http.MethodPost, boxActions+"/empty", `{"into": "bin"}`, "Accept", "text/html")
		assert.Equal(t, http.StatusOK, w.Code, "406 would say that it was not done: %s", w.Body)
		assert.NotContains(t, decoded(t, w), "answer")
	})

	t.Run("TakeNoLongerThanIsSaid", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a, conductor := app(t, actingBox(func(ctx context.Context, _ map[string]any) (any, error) { <-ctx.Done(); return nil, ctx.Err() }))
			a.RequireStart()
			act := over(t, conductor, actuator.Config{})
			began := time.Now()
			w := send(t, act, http.MethodPost, boxActions+"/empty?timeout=90s", `{"into": "bin"}`)
			assert.Equal(t, http.StatusGatewayTimeout, w.Code, "%s", w.Body)
			assert.Equal(t, 90*time.Second, time.Since(began))
			a.RequireStop()
			w = send(t, act, http.MethodPost, boxActions+"/empty", `{"into": "bin"}`)
			assert.Equal(t, http.StatusConflict, w.Code, "nothing is done any more")
		})
	})
}

func TestRollback(t *testing.T) {
	turnTo := func(t *testing.T, act *actuator.Actuator, workers string) {
		t.Helper()
		require.Equal(t, http.StatusOK, send(t, act, http.MethodPatch, boxKnobs, `{"workers": `+workers+`}`).Code)
	}

	t.Run("TakesAChangeBack", func(t *testing.T) {
		b := newBox()
		act := running(t, actuator.Config{}, b.hook())
		turnTo(t, act, "8")
		w := ask(t, act, http.MethodPost, "/actuator/audit/1/rollback?dryRun=true")
		require.Equal(t, http.StatusOK, w.Code, "%s", w.Body)
		assert.Equal(t, object{"workers": 4.0}, decoded(t, w)["after"])
		assert.Equal(t, int64(8), b.value("workers"))
		w = ask(t, act, http.MethodPost, "/actuator/audit/1/rollback")
		require.Equal(t, http.StatusOK, w.Code, "%s", w.Body)
		assert.Equal(t, `"3"`, w.Header().Get("ETag"))
		assert.InDelta(t, 1, decoded(t, w)["undoes"], 0)
		assert.Equal(t, int64(4), b.value("workers"))
	})

	t.Run("IsRefusedWhereThereIsNothingToTakeBack", func(t *testing.T) {
		b := newBox()
		act := running(t, actuator.Config{}, b.hook())
		turnTo(t, act, "8")
		turnTo(t, act, "9")
		send(t, act, http.MethodPatch, boxKnobs, `{"workers": 0}`)
		for path, want := range map[string]int{
			"1/rollback":             http.StatusPreconditionFailed,
			"3/rollback":             http.StatusConflict,
			"99/rollback":            http.StatusNotFound,
			"0/rollback":             http.StatusNotFound,
			"x/rollback":             http.StatusNotFound,
			"2/rollback?ttl=1s":      http.StatusBadRequest,
			"2/rollback?dryRun=what": http.StatusBadRequest,
		} {
			w := ask(t, act, http.MethodPost, "/actuator/audit/"+path)
			assert.Equal(t, want, w.Code, "%s: %s", path, w.Body)
		}
		assert.Equal(t, int64(9), b.value("workers"))
	})
}

// shelf keeps what it is given, or fails.
type shelf struct {
	kept map[string]any
	err  error
}

func (s *shelf) Keep(_ context.Context, values map[string]any, _ string) (map[string]any, error) {
	s.kept = values
	return nil, s.err
}

func TestKnobsPersist(t *testing.T) {
	b, s := newBox(), &shelf{}
	a, conductor := app(t, b.hook())
	a.RequireStart()
	defer a.RequireStop()
	act := over(t, conductor, actuator.Config{})
	w := send(t, act, http.MethodPatch, boxKnobs+"?persist=true", `{"workers": 8}`)
	assert.Equal(t, http.StatusConflict, w.Code, "nobody keeps it: %s", w.Body)
	assert.Contains(t, w.Body.String(), "start with a configuration file")

	conductor.PersistIn(s)
	w = send(t, act, http.MethodPatch, boxKnobs+"?persist=true", `{"workers": 8}`)
	require.Equal(t, http.StatusOK, w.Code, "%s", w.Body)
	assert.Equal(t, true, decoded(t, w)["persisted"])
	assert.Equal(t, map[string]any{"boxes.sms.workers": int64(8)}, s.kept)

	w = send(t, act, http.MethodPatch, boxKnobs+"?persist=true", `{"share": 1}`)
	assert.Equal(t, http.StatusUnprocessableEntity, w.Code, "it has no key: %s", w.Body)
	w = send(t, act, http.MethodPatch, boxKnobs+"?persist=true&ttl=1m", `{"workers": 9}`)
	assert.Equal(t, http.StatusUnprocessableEntity, w.Code, "%s", w.Body)
	w = send(t, act, http.MethodPatch, boxKnobs+"?persist=maybe", `{"workers": 9}`)
	assert.Equal(t, http.StatusBadRequest, w.Code)

	s.err = errors.New("the disk is full")
	w = send(t, act, http.MethodPatch, boxKnobs+"?persist=true", `{"workers": 9}`)
	assert.Equal(t, http.StatusConflict, w.Code)
	assert.Contains(t, w.Body.String(), "the disk is full")
	assert.Equal(t, int64(8), b.value("workers"), "it was taken back")
}
