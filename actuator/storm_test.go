package actuator_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/actuator"
	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// TestViewersDoNotDisturbALife asks for everything all the time, from before
// the start until after the stop.
func TestViewersDoNotDisturbALife(t *testing.T) {
	looked := make(chan struct{})              // never closed
	pause := func(ctx context.Context) error { // until somebody has looked meanwhile
		select {
		case <-looked:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	var hooks []lifecycle.Hook
	for i := range 4 {
		h := bar(fmt.Sprintf("bar:%d", i))
		h.OnStart, h.OnStop, h.PreDestroy = pause, pause, pause
		hooks = append(hooks, h)
	}
	a, conductor := app(t, hooks...)
	act := over(t, conductor, actuator.Config{})
	assert.NoError(t, act.Start(t.Context()))

	var viewers sync.WaitGroup
	answers := make([]int, 4)
	for v := range answers {
		viewers.Go(func() {
			for done := false; !done; {
				select {
				case <-conductor.When(lifecycle.Finished):
					done = true // once more
				default:
				}
				answers[v] += round(t, act)
				select {
				case looked <- struct{}{}:
				default:
				}
			}
		})
	}
	// Each pause lasts as long as a round of questions, on any machine.
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	require.NoError(t, a.Start(ctx))
	require.NoError(t, a.Stop(ctx))
	viewers.Wait()
	for _, n := range answers {
		assert.Positive(t, n)
	}
	assert.True(t, conductor.Receipt().Clean(), "%s", conductor.Receipt())
}

// round asks for everything that is read and ends, once.
func round(t *testing.T, act *actuator.Actuator) int {
	t.Helper()
	answers := 0
	for _, e := range act.Endpoints() {
		if e.Method != http.MethodGet || e.Path == "/loggers/{name}" {
			continue // it changes something, or there is none
		}
		path := e.Path
		if !e.Root {
			path = actuator.DefaultBasePath + path
		}
		path = strings.NewReplacer("{kind}", "bars", "{name}", "bar:3", "{requiredMetricName}", "lastcall_ready").Replace(path)
		w := httptest.NewRecorder()
		act.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path+"?inspect=0", http.NoBody))
		assert.Contains(t, []int{http.StatusOK, http.StatusAccepted, http.StatusServiceUnavailable}, w.Code, "%s: %s", path, w.Body)
		answers++
	}
	return answers
}

// BenchmarkScrape is what Prometheus costs with a thousand components.
func BenchmarkScrape(b *testing.B) { benchmark(b, "/actuator/prometheus") }

// BenchmarkComponents is what a dashboard costs with a thousand components.
func BenchmarkComponents(b *testing.B) { benchmark(b, "/actuator/components") }

// BenchmarkFeed is one picture of the feed, with a thousand components.
func BenchmarkFeed(b *testing.B) { benchmark(b, "/actuator/feed") }

func benchmark(b *testing.B, path string) {
	b.Helper()
	var hooks []lifecycle.Hook
	for i := range 1000 {
		h := bar(fmt.Sprintf("bar:%d", i))
		h.Gate = intake.New(h.Name)
		h.OnStart = nil
		hooks = append(hooks, h)
	}
	act := running(b, actuator.Config{}, hooks...)
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		act.ServeHTTP(w, httptest.NewRequestWithContext(b.Context(), http.MethodGet, path, http.NoBody))
		if w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}
