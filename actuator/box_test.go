package actuator_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// box is a component with knobs of every sort.
type box struct {
	gate *intake.Gate

	mu     sync.Mutex
	values map[string]any
}

var errRefused = errors.New("more workers than shelves")

func newBox() *box {
	return &box{gate: intake.New("box:sms"), values: map[string]any{
		"workers": int64(4), "share": 0.5, "keep": true, "wait": time.Second, "policy": "block", "shelves": int64(100),
	}}
}

func (b *box) hook() lifecycle.Hook {
	return lifecycle.Hook{
		Name: "box:sms", Gate: b.gate,
		Panel: &lifecycle.Panel{
			Kind: "box", Knobs: b.knobs, Turn: b.turn,
			Stats: func() any {
				return map[string]any{"oldest_wait": "3s", "lanes": map[string]any{"oldest_item": "7s", "items": 1}, "password": "canary-secret"}
			},
		},
	}
}

func (b *box) knobs() []lifecycle.Knob {
	b.mu.Lock()
	defer b.mu.Unlock()
	return []lifecycle.Knob{
		{Name: "workers", Help: "How many work.", Key: "boxes.sms.workers", Type: lifecycle.IntKnob, Value: b.values["workers"], Min: int64(1), Max: int64(1000)},
		{Name: "share", Type: lifecycle.FloatKnob, Value: b.values["share"], Min: 0.0, Max: 1.0},
		{Name: "keep", Type: lifecycle.BoolKnob, Value: b.values["keep"]},
		{Name: "wait", Type: lifecycle.DurationKnob, Value: b.values["wait"], Min: time.Duration(0), Max: time.Minute},
		{Name: "policy", Type: lifecycle.ChoiceKnob, Value: b.values["policy"], Choices: []string{"block", "abort"}},
		{Name: "shelves", Type: lifecycle.IntKnob, Value: b.values["shelves"], Cold: true},
	}
}

func (b *box) turn(_ context.Context, values map[string]any) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if w, ok := values["workers"].(int64); ok && w > b.values["shelves"].(int64) {
		return errRefused
	}
	if values["workers"] == int64(13) {
		panic("thirteen")
	}
	maps.Copy(b.values, values)
	return nil
}

func (b *box) value(name string) any {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.values[name]
}

// send sends a JSON body.
func send(tb testing.TB, h http.Handler, method, target, body string, header ...string) *httptest.ResponseRecorder {
	tb.Helper()
	r := httptest.NewRequestWithContext(tb.Context(), method, target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return serve(h, r)
}
