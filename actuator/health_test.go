package actuator_test

import (
	"context"
	"errors"
	"net/http"
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

// says is a component that is as h says.
func says(name string, h lifecycle.Health) lifecycle.Hook {
	return asks(name, func(context.Context) lifecycle.Health { return h })
}

func asks(name string, check func(context.Context) lifecycle.Health) lifecycle.Hook {
	return lifecycle.Hook{Name: name, Panel: &lifecycle.Panel{Kind: "store", Health: check}}
}

func status(tb testing.TB, act http.Handler, target string, code int) string {
	tb.Helper()
	return get(tb, act, target, code)["status"].(string)
}

func TestHealthHasSpringsShape(t *testing.T) {
	act := running(t, actuator.Config{},
		lifecycle.Hook{Name: "plain"},
		says("db", lifecycle.Health{
			Status: lifecycle.Warning, Reason: "replica is late; see postgres://me:s3cret@db/x",
			Details: map[string]any{"lag": 3, "password": "s3cret"},
		}))
	body := get(t, act, "/actuator/health", http.StatusOK)
	assert.Equal(t, object{
		"status": "WARNING",
		"groups": []any{"liveness", "readiness"},
		"components": object{
			"livenessState":  object{"status": "UP"},
			"readinessState": object{"status": "UP"},
			"plain":          object{"status": "UP"},
			"db": object{"status": "WARNING", "details": object{
				"lag": 3.0, "password": "******", "reason": "replica is late; see postgres://me:******@db/x",
			}},
		},
	}, body)
	assert.Equal(t, body["components"].(object)["db"], get(t, act, "/actuator/health/db", http.StatusOK))
}

func TestTheWorstStatusIsThatOfAll(t *testing.T) {
	for _, tt := range []struct {
		give []lifecycle.Status
		want string
		code int
	}{
		{nil, "UP", http.StatusOK},
		{[]lifecycle.Status{lifecycle.Up, lifecycle.Warning}, "WARNING", http.StatusOK},
		{[]lifecycle.Status{lifecycle.Warning, lifecycle.Unknown}, "UNKNOWN", http.StatusOK},
		{[]lifecycle.Status{"", lifecycle.Up}, "UNKNOWN", http.StatusOK},
		{[]lifecycle.Status{"FINE", lifecycle.Up}, "UNKNOWN", http.StatusOK},
		{[]lifecycle.Status{lifecycle.Unknown, lifecycle.OutOfService}, "OUT_OF_SERVICE", http.StatusServiceUnavailable},
		{[]lifecycle.Status{lifecycle.OutOfService, lifecycle.Down, lifecycle.Up}, "DOWN", http.StatusServiceUnavailable},
	} {
		var hooks []lifecycle.Hook
		for _, s := range tt.give {
			hooks = append(hooks, says("x", lifecycle.Health{Status: s}))
		}
		act := running(t, actuator.Config{}, hooks...)
		assert.Equal(t, tt.want, status(t, act, "/actuator/health", tt.code), "%v", tt.give)
	}
}

func TestHealthGroups(t *testing.T) {
	down := lifecycle.Health{Status: lifecycle.Down}
	act := running(t, actuator.Config{Health: actuator.HealthConfig{Groups: map[string]actuator.HealthGroup{
		"stores":    {Include: []string{"store:*"}, Exclude: []string{"store:b"}},
		"nothing":   {Include: []string{"nobody"}},
		"readiness": {Include: []string{"readinessState", "store:b"}},
		"all":       {},
	}}}, says("store:a", lifecycle.Health{Status: lifecycle.Up}), says("store:b", down), says("store:c", down))

	assert.Equal(t, []any{"all", "liveness", "nothing", "readiness", "stores"},
		get(t, act, "/actuator/health", http.StatusServiceUnavailable)["groups"])
	stores := get(t, act, "/actuator/health/stores", http.StatusServiceUnavailable)
	assert.Equal(t, object{"store:a": object{"status": "UP"}, "store:c": object{"status": "DOWN"}}, stores["components"])
	assert.Len(t, get(t, act, "/actuator/health/all", http.StatusServiceUnavailable)["components"], 5)
	assert.Equal(t, "UNKNOWN", status(t, act, "/actuator/health/nothing", http.StatusOK))
	assert.Equal(t, "DOWN", status(t, act, "/actuator/health/readiness", http.StatusServiceUnavailable))
	get(t, act, "/actuator/health/nonsense", http.StatusNotFound)

	t.Run("AComponentThatIsDownDoesNotGetTheProcessKilled", func(t *testing.T) {
		assert.Equal(t, "UP", status(t, act, "/actuator/health/liveness", http.StatusOK))
		assert.Equal(t, "UP\n", ask(t, act, http.MethodGet, "/livez").Body.String())
		assert.Equal(t, "UP\n", ask(t, act.Livez(), http.MethodGet, "/anywhere").Body.String())
	})
	t.Run("ReadyzIsTheGroup", func(t *testing.T) {
		for _, h := range []http.Handler{act, act.Readyz()} {
			w := ask(t, h, http.MethodGet, "/readyz")
			assert.Equal(t, http.StatusServiceUnavailable, w.Code)
			assert.Equal(t, "DOWN\n", w.Body.String())
			assert.Equal(t, "text/plain; charset=utf-8", w.Header().Get("Content-Type"))
		}
	})
}

func TestStrangersSeeOneWord(t *testing.T) {
	_, conductor := app(t, says("db", lifecycle.Health{Status: lifecycle.Up}))
	strangers := actuator.WithAuthorized(func(r *http.Request) bool { return r.Header.Get("Friend") != "" })
	act := over(t, conductor, actuator.Config{}, strangers)

	body := get(t, act, "/actuator/health", http.StatusServiceUnavailable)
	assert.NotContains(t, body, "components")
	assert.Equal(t, []any{"liveness", "readiness"}, body["groups"])
	assert.Equal(t, object{"status": "OUT_OF_SERVICE"}, get(t, act, "/actuator/health/readiness", http.StatusServiceUnavailable))
	get(t, act, "/actuator/health/db", http.StatusNotFound)
	friend := ask(t, act, http.MethodGet, "/actuator/health", "Friend", "yes")
	assert.Contains(t, decoded(t, friend), "components")

	always := over(t, conductor, actuator.Config{Health: actuator.HealthConfig{Details: actuator.Always}}, strangers)
	assert.Contains(t, get(t, always, "/actuator/health", http.StatusServiceUnavailable), "components")
	never := over(t, conductor, actuator.Config{Health: actuator.HealthConfig{Details: actuator.Never}})
	assert.NotContains(t, get(t, never, "/actuator/health", http.StatusServiceUnavailable), "components")
}

func TestHealthThroughALife(t *testing.T) {
	var act *actuator.Actuator
	during := map[string]object{}
	look := func(when string) func(context.Context) error {
		return func(context.Context) error {
			during[when] = decoded(t, ask(t, act, http.MethodGet, "/actuator/health"))["components"].(object)
			return nil
		}
	}
	var asked atomic.Int32
	hook := asks("db", func(context.Context) lifecycle.Health {
		asked.Add(1)
		return lifecycle.Health{Status: lifecycle.Up}
	})
	hook.OnStart, hook.OnStop = look("start"), look("stop")
	a, conductor := app(t, hook)
	act = over(t, conductor, actuator.Config{})

	assert.Equal(t, "OUT_OF_SERVICE", status(t, act, "/actuator/health/db", http.StatusServiceUnavailable))
	a.RequireStart()
	assert.Zero(t, asked.Load(), "who has not started is not asked")
	assert.Equal(t, "UP", status(t, act, "/actuator/health/db", http.StatusOK))
	a.RequireStop()
	assert.Equal(t, "OUT_OF_SERVICE", status(t, act, "/actuator/health/db", http.StatusServiceUnavailable))
	assert.EqualValues(t, 1, asked.Load(), "who is being stopped is not asked")
	assert.Equal(t, object{"status": "OUT_OF_SERVICE", "details": object{"reason": "it is starting"}}, during["start"]["db"])
	assert.Equal(t, object{"status": "OUT_OF_SERVICE", "details": object{"reason": "the application is starting"}}, during["start"]["readinessState"])
	assert.Equal(t, object{"status": "OUT_OF_SERVICE", "details": object{"reason": "it is stopping"}}, during["stop"]["db"])
	assert.Equal(t, object{"status": "UP"}, during["stop"]["livenessState"])
}

func TestFailedStartIsDown(t *testing.T) {
	a, conductor := app(t, lifecycle.Hook{Name: "db", OnStart: func(context.Context) error { return errors.New("no route to postgres://u:s3cret@db") }})
	act := over(t, conductor, actuator.Config{})
	require.Error(t, a.Start(t.Context()))
	assert.Equal(t, object{"status": "DOWN", "details": object{"reason": "lifecycle: start db: no route to postgres://u:******@db"}},
		get(t, act, "/actuator/health/db", http.StatusServiceUnavailable))
}

func TestHealthIsNoFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		act := running(t, actuator.Config{}, asks("db", func(ctx context.Context) lifecycle.Health {
			asked.Add(1)
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
			}
			return lifecycle.Health{Status: lifecycle.Up}
		}))
		var viewers sync.WaitGroup
		for range 50 {
			viewers.Go(func() { status(t, act, "/actuator/health", http.StatusOK) })
		}
		viewers.Wait()
		assert.EqualValues(t, 1, asked.Load(), "many ask, one is called")
		time.Sleep(999 * time.Millisecond)
		status(t, act, "/actuator/health", http.StatusOK)
		assert.EqualValues(t, 1, asked.Load(), "the answer holds")
		time.Sleep(time.Millisecond)
		status(t, act, "/actuator/health", http.StatusOK)
		assert.EqualValues(t, 2, asked.Load(), "for a second")
	})
}

func TestHealthThatHangsIsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		mend := make(chan struct{})
		act := running(t, actuator.Config{Health: actuator.HealthConfig{Timeout: 2 * time.Second}},
			says("cache", lifecycle.Health{Status: lifecycle.Up}),
			asks("db", func(context.Context) lifecycle.Health {
				asked.Add(1)
				<-mend
				return lifecycle.Health{Status: lifecycle.Up}
			}))
		began := time.Now()
		body := get(t, act, "/actuator/health", http.StatusOK)
		assert.Equal(t, "UNKNOWN", body["status"])
		assert.Equal(t, object{"status": "UP"}, body["components"].(object)["cache"], "the others are not taken with it")
		assert.Less(t, time.Since(began), 3*time.Second)

		time.Sleep(time.Minute)
		began = time.Now()
		details := get(t, act, "/actuator/health/db", http.StatusOK)["details"].(object)
		assert.Contains(t, details["reason"], "it was asked 1m2.05s ago")
		assert.Zero(t, time.Since(began), "nobody waits for it again")
		assert.EqualValues(t, 1, asked.Load(), "it is not called again while it hangs")

		stop, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, act.Stop(stop), context.DeadlineExceeded)
		close(mend)
		require.NoError(t, act.Stop(t.Context()))
	})
}

func TestHealthAfterStopIsAnswered(t *testing.T) {
	act := running(t, actuator.Config{}, says("db", lifecycle.Health{Status: lifecycle.Up}))
	require.NoError(t, act.Stop(t.Context()))
	assert.Equal(t, "UNKNOWN", status(t, act, "/actuator/health/db", http.StatusOK))
}

func TestClientThatGoesAwayTakesNothingWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		act := running(t, actuator.Config{}, asks("db", func(ctx context.Context) lifecycle.Health {
			select {
			case <-time.After(500 * time.Millisecond):
				return lifecycle.Health{Status: lifecycle.Up}
			case <-ctx.Done():
				return lifecycle.Health{Status: lifecycle.Down}
			}
		}))
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "/actuator/health/db", http.NoBody)
		require.NoError(t, err)
		began := time.Now()
		assert.Equal(t, "UNKNOWN", decoded(t, serve(act, r))["status"])
		assert.Equal(t, 100*time.Millisecond, time.Since(began))
		assert.Equal(t, "UP", status(t, act, "/actuator/health/db", http.StatusOK))
	})
}

func TestHealthWithoutCacheIsAskedEachTime(t *testing.T) {
	var asked atomic.Int32
	act := running(t, actuator.Config{Health: actuator.HealthConfig{Cache: -1}}, asks("db", func(context.Context) lifecycle.Health {
		asked.Add(1)
		return lifecycle.Health{Status: lifecycle.Up}
	}))
	for range 3 {
		status(t, act, "/actuator/health", http.StatusOK)
	}
	assert.EqualValues(t, 3, asked.Load())
}

func TestListOfAKindDoesNotWaitForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		act := running(t, actuator.Config{}, bar("bar:a"), asks("db", func(ctx context.Context) lifecycle.Health {
			<-ctx.Done()
			return lifecycle.Health{}
		}))
		began := time.Now()
		get(t, act, "/actuator/bars", http.StatusOK)
		assert.Zero(t, time.Since(began))
		get(t, act, "/actuator/components", http.StatusOK)
		assert.Equal(t, time.Second, time.Since(began))
	})
}
