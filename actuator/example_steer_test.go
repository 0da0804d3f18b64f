package actuator_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"

	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/actuator"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// A knob is tried, turned, and found in the audit.
func Example_knobs() {
	var degrees atomic.Int64
	degrees.Store(220)
	oven := &lifecycle.Panel{
		Kind: "oven",
		Knobs: func() []lifecycle.Knob {
			return []lifecycle.Knob{{Name: "degrees", Type: lifecycle.IntKnob, Value: degrees.Load(), Min: int64(50), Max: int64(250)}}
		},
		Turn: func(_ context.Context, values map[string]any) error {
			degrees.Store(values["degrees"].(int64))
			return nil
		},
	}
	var conductor *lifecycle.Conductor
	app := fx.New(lifecycle.Module(), fx.NopLogger, fx.Populate(&conductor),
		fx.Invoke(func(lc fx.Lifecycle) { lifecycle.Append(lc, lifecycle.Hook{Name: "oven", Panel: oven}) }))
	act, err := actuator.New(conductor, actuator.Config{}, actuator.WithCaller(func(*http.Request) (by, from string) { return "alice", "kitchen" }))
	if err != nil {
		fmt.Println(err)
		return
	}
	turn := func(query, body string) {
		r := httptest.NewRequestWithContext(context.Background(), http.MethodPatch, "/actuator/ovens/oven/knobs"+query, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		act.ServeHTTP(w, r)
		fmt.Println(w.Code, degrees.Load())
	}

	_ = app.Start(context.Background())
	turn("?dryRun=true", `{"degrees": 180}`)
	turn("", `{"degrees": 180}`)
	turn("", `{"degrees": 1800}`)
	for _, entry := range conductor.Audit() {
		fmt.Println(entry.By, entry.From, entry.Before, entry.After, entry.Error != "")
	}
	_ = app.Stop(context.Background())
	_ = act.Stop(context.Background())

	// Output:
	// 200 220
	// 200 180
	// 422 180
	// alice kitchen map[degrees:220] map[degrees:180] false
	// alice kitchen map[] map[] true
}
