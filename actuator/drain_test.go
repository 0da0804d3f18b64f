package actuator_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"github.com/lastcall-go/lastcall/actuator"
	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// stoppable is an application that its actuator can stop, as app.Run would
// have it: the wish is followed by the stop.
type stoppable struct {
	*fxtest.App
	conductor *lifecycle.Conductor
	act       *actuator.Actuator
}

func canStop(tb testing.TB, hooks ...lifecycle.Hook) stoppable {
	tb.Helper()
	var s stoppable
	var sd fx.Shutdowner
	s.App = fxtest.New(tb, lifecycle.Module(), fx.NopLogger, fx.Populate(&s.conductor, &sd),
		fx.Invoke(func(lc fx.Lifecycle) {
			for _, h := range hooks {
				lifecycle.Append(lc, h)
			}
		}))
	s.act = over(tb, s.conductor, actuator.Config{Endpoints: map[string]bool{"shutdown": true}},
		actuator.WithShutdown(func(by string) error { return lifecycle.ShutdownBy(sd, by) }),
		actuator.WithCaller(func(*http.Request) (string, string) { return "alice", "10.0.0.7:1" }))
	s.RequireStart()
	return s
}

// stopIn is what follows a wish.
func (s stoppable) stopIn(d time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return s.Stop(ctx)
}

func TestDrain(t *testing.T) {
	t.Run("BeforeAnybodyHasAskedThereIsNothingToWaitFor", func(t *testing.T) {
		b := newBox()
		act := running(t, actuator.Config{}, b.hook())
		visit, err := b.gate.Enter(t.Context())
		require.NoError(t, err)
		body := get(t, act, "/actuator/drain", http.StatusAccepted)
		assert.EqualValues(t, 1, body["inside"])
		assert.Equal(t, false, body["quiet"])
		assert.Equal(t, "running", body["stage"])
		visit.Done()
		assert.Equal(t, false, get(t, act, "/actuator/drain", http.StatusAccepted)["quiet"], "empty for a moment is not quiet")
	})

	t.Run("OfAComponentThatPanicsIsNoConflict", func(t *testing.T) {
		gate := intake.New("broken", intake.OnChange(func() { panic("boom") }))
		act := running(t, actuator.Config{}, lifecycle.Hook{Name: "broken", Gate: gate})
		w := ask(t, act, http.MethodPost, "/actuator/drain")
		assert.Equal(t, http.StatusInternalServerError, w.Code, "%s", w.Body)
		get(t, act, "/actuator/drain", http.StatusAccepted)
	})

	t.Run("IsBegunAndEndedWhateverAnswerIsAccepted", func(t *testing.T) {
		act := running(t, actuator.Config{}, newBox().hook())
		w := ask(t, act, http.MethodPost, "/actuator/drain", "Accept", "text/html")
		assert.Equal(t, http.StatusAccepted, w.Code, "%s", w.Body)
		assert.Equal(t, http.StatusNotAcceptable, ask(t, act, http.MethodGet, "/actuator/drain", "Accept", "text/html").Code)
		w = ask(t, act, http.MethodDelete, "/actuator/drain", "Accept", "text/html")
		assert.Equal(t, http.StatusOK, w.Code, "%s", w.Body)
	})

	t.Run("HookThatPollsWaitsFromTheWishUntilItIsQuiet", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBox()
			s := canStop(t, b.hook(), lifecycle.Hook{Name: "slow", OnStop: func(context.Context) error {
				time.Sleep(2 * time.Second)
				return nil
			}})
			visit, err := b.gate.Enter(t.Context())
			require.NoError(t, err)
			w := send(t, s.act, http.MethodPost, "/actuator/shutdown", "")
			require.Equal(t, http.StatusOK, w.Code, "%s", w.Body)
			get(t, s.act, "/actuator/drain", http.StatusServiceUnavailable) // asked, not begun

			stopped := make(chan error, 1)
			go func() { stopped <- s.stopIn(15 * time.Second) }()
			time.Sleep(time.Second)
			w = ask(t, s.act, http.MethodGet, "/actuator/drain")
			require.Equal(t, http.StatusServiceUnavailable, w.Code)
			assert.Equal(t, "1", w.Header().Get("Retry-After"))
			body := decoded(t, w)
			assert.Equal(t, "draining", body["stage"])
			assert.Equal(t, []any{"box:sms: 1 inside"}, body["blocked_by"])
			assert.Equal(t, object{"box:sms": object{"oldest_wait": "3s", "lanes.oldest_item": "7s"}}, body["oldest"])
			assert.Equal(t, "alice (10.0.0.7:1)", body["cause"].(object)["by"])

			visit.Done()
			time.Sleep(time.Second)
			body = get(t, s.act, "/actuator/drain", http.StatusOK)
			assert.Equal(t, true, body["quiet"])
			assert.Contains(t, body["blocked_by"].([]any)[0], "of slow runs since")
			require.NoError(t, <-stopped)
			body = get(t, s.act, "/actuator/drain", http.StatusOK)
			assert.Equal(t, "stopped", body["state"])
			assert.Equal(t, lifecycle.Cause{Kind: lifecycle.CauseShutdown, By: "alice (10.0.0.7:1)"}, s.conductor.Receipt().Cause)
		})
	})

	t.Run("WhatIsLostIsNotQuiet", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBox()
			s := canStop(t, b.hook())
			visit, err := b.gate.Enter(t.Context())
			require.NoError(t, err)
			require.Error(t, s.stopIn(time.Second))
			body := get(t, s.act, "/actuator/drain", http.StatusServiceUnavailable)
			assert.EqualValues(t, 1, body["inside"])
			visit.Done()
		})
	})

	t.Run("IsBegunWatchedAndTakenBack", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBox()
			s := canStop(t, b.hook())
			visit, err := b.gate.Enter(t.Context())
			require.NoError(t, err)
			assert.Equal(t, "UP", get(t, s.act, "/actuator/health/readiness", http.StatusOK)["status"])

			w := send(t, s.act, http.MethodPost, "/actuator/drain", "")
			require.Equal(t, http.StatusAccepted, w.Code, "%s", w.Body)
			assert.Equal(t, "/actuator/drain", w.Header().Get("Location"))
			require.ErrorIs(t, b.gate.Admit(t.Context()), intake.ErrPaused)
			w = ask(t, s.act, http.MethodGet, "/actuator/drain")
			require.Equal(t, http.StatusServiceUnavailable, w.Code)
			assert.Equal(t, "1", w.Header().Get("Retry-After"))
			body := decoded(t, w)
			assert.Equal(t, "running", body["state"], "nothing is stopped")
			assert.Equal(t, "draining", body["stage"])
			assert.Equal(t, []any{"box:sms: 1 inside"}, body["blocked_by"])
			assert.Equal(t, object{"box:sms": object{"oldest_wait": "3s", "lanes.oldest_item": "7s"}}, body["oldest"])
			assert.Equal(t, "alice", body["drained"].(object)["by"])
			assert.NotContains(t, body, "cause")

			readiness := get(t, s.act, "/actuator/health/readiness", http.StatusServiceUnavailable)
			assert.Equal(t, "OUT_OF_SERVICE", readiness["status"])
			reason := readiness["components"].(object)["readinessState"].(object)["details"].(object)["reason"]
			assert.Contains(t, reason, "drained by alice from 10.0.0.7:1 since")
			assert.Equal(t, http.StatusServiceUnavailable, ask(t, s.act, http.MethodGet, "/readyz").Code)
			assert.Equal(t, http.StatusOK, ask(t, s.act, http.MethodGet, "/livez").Code)

			visit.Done()
			body = get(t, s.act, "/actuator/drain", http.StatusOK)
			assert.Equal(t, "drained", body["stage"])
			assert.Equal(t, true, body["quiet"])
			assert.Empty(t, body["blocked_by"])
			send(t, s.act, http.MethodPost, "/actuator/drain", "") // nothing changes

			for range 2 { // the second changes nothing
				w = send(t, s.act, http.MethodDelete, "/actuator/drain", "")
				require.Equal(t, http.StatusOK, w.Code, "%s", w.Body)
				assert.Equal(t, "running", decoded(t, w)["stage"])
			}
			get(t, s.act, "/actuator/drain", http.StatusAccepted)
			assert.Equal(t, "UP", get(t, s.act, "/actuator/health/readiness", http.StatusOK)["status"])
			require.NoError(t, b.gate.Admit(t.Context()))

			var done []any
			for _, entry := range get(t, s.act, "/actuator/audit", http.StatusOK)["entries"].([]any) {
				done = append(done, entry.(object)["action"], entry.(object)["by"], entry.(object)["from"])
			}
			assert.Equal(t, []any{"undrain", "alice", "10.0.0.7:1", "drain", "alice", "10.0.0.7:1"}, done)
			s.RequireStop()
			assert.True(t, s.conductor.Receipt().Clean())
		})
	})

	t.Run("IsNotTakenBackWhenItStops", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBox()
			s := canStop(t, b.hook())
			visit, err := b.gate.Enter(t.Context())
			require.NoError(t, err)
			require.Equal(t, http.StatusAccepted, send(t, s.act, http.MethodPost, "/actuator/drain", "").Code)
			stopped := make(chan error, 1)
			go func() { stopped <- s.stopIn(15 * time.Second) }()
			time.Sleep(time.Second)
			for _, method := range []string{http.MethodDelete, http.MethodPost} {
				w := send(t, s.act, method, "/actuator/drain", "")
				assert.Equal(t, http.StatusConflict, w.Code)
				assert.Contains(t, w.Body.String(), "the stop has begun")
			}
			get(t, s.act, "/actuator/drain", http.StatusServiceUnavailable)
			visit.Done()
			require.NoError(t, <-stopped)
			assert.Equal(t, http.StatusConflict, send(t, s.act, http.MethodDelete, "/actuator/drain", "").Code)
			get(t, s.act, "/actuator/drain", http.StatusOK)
		})
	})

	t.Run("CannotBeBegunBeforeTheStart", func(t *testing.T) {
		_, conductor := app(t)
		act := over(t, conductor, actuator.Config{})
		assert.Equal(t, http.StatusConflict, send(t, act, http.MethodPost, "/actuator/drain", "").Code)
	})

	t.Run("EstimateIsReckonedFromTheQuestionBefore", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBox()
			s := canStop(t, b.hook())
			var visits []*intake.Visit
			for range 100 {
				visit, err := b.gate.Enter(t.Context())
				require.NoError(t, err)
				visits = append(visits, visit)
			}
			leave := func(n int) {
				for _, visit := range visits[:n] {
					visit.Done()
				}
				visits = visits[n:]
			}
			look := func() any {
				body := get(t, s.act, "/actuator/drain", http.StatusServiceUnavailable)
				return body["estimate"]
			}
			require.Equal(t, http.StatusAccepted, send(t, s.act, http.MethodPost, "/actuator/drain", "").Code)
			assert.Nil(t, look(), "there is nothing to compare with")
			time.Sleep(time.Second)
			assert.Equal(t, "unknown", look())
			leave(10)
			time.Sleep(time.Second)
			assert.Equal(t, "18s", look(), "10 in 2 s, and 90 are left")
			for range 30 { // at last what was long ago counts no more
				leave(2)
				time.Sleep(time.Second)
				look()
			}
			assert.Equal(t, "15s", look(), "2 in a second, and 30 are left")
			time.Sleep(time.Hour)
			assert.Nil(t, look(), "an hour ago is not now")
			leave(len(visits))
			assert.NotContains(t, get(t, s.act, "/actuator/drain", http.StatusOK), "estimate")
			s.RequireStop()
		})
	})

	t.Run("UnknownWordsOfTheQueryChangeNothing", func(t *testing.T) {
		act := running(t, actuator.Config{})
		for method, query := range map[string]string{http.MethodPost: "?dryrun=true", http.MethodDelete: "?dryRun=true"} {
			w := send(t, act, method, "/actuator/drain"+query, "")
			assert.Equal(t, http.StatusBadRequest, w.Code, "%s", w.Body)
		}
		get(t, act, "/actuator/drain", http.StatusAccepted)
	})
}

func TestRehearsal(t *testing.T) {
	// work lets a gate finish so many per second until the context ends.
	work := func(ctx context.Context, g *intake.Gate, perSecond int) {
		tick := time.NewTicker(time.Second / time.Duration(perSecond))
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				visit, err := g.Enter(ctx)
				if err != nil {
					return
				}
				visit.Done()
			}
		}
	}
	rehearse := func(t *testing.T, inside, perSecond int) object {
		t.Helper()
		var answer object
		synctest.Test(t, func(t *testing.T) {
			b := newBox()
			s := canStop(t, b.hook())
			ctx, cancel := context.WithCancel(t.Context())
			var visits []*intake.Visit
			for range inside {
				visit, err := b.gate.Enter(ctx)
				require.NoError(t, err)
				visits = append(visits, visit)
			}
			if perSecond > 0 {
				go work(ctx, b.gate, perSecond)
			}
			answer = get(t, s.act, "/actuator/drain?dryRun=true&over=10s", http.StatusOK)
			assert.Equal(t, lifecycle.Running, s.conductor.State(), "nothing is stopped")
			cancel()
			for _, visit := range visits {
				visit.Done()
			}
			s.RequireStop()
		})
		return answer
	}

	t.Run("SaysHowLongWhatIsInsideTakesToLeave", func(t *testing.T) {
		answer := rehearse(t, 50, 10)
		gate := answer["gates"].([]any)[0].(object)
		assert.InDelta(t, 10, gate["done_per_second"], 0.2)
		took, err := time.ParseDuration(answer["estimate"].(string))
		require.NoError(t, err)
		assert.InDelta(t, 5, took.Seconds(), 0.2)
		assert.Equal(t, "15s", answer["stop_timeout"])
		assert.Equal(t, "12s", answer["wait_time"])
		assert.Equal(t, "yes", answer["fits"])
	})
	t.Run("SaysWhenItDoesNotFit", func(t *testing.T) {
		assert.Equal(t, "no", rehearse(t, 200, 10)["fits"])
	})
	t.Run("ReckonsWithTheDelayOfAStopAndWithWhatIsHandedOn", func(t *testing.T) {
		for _, tt := range []struct {
			delay time.Duration
			want  string
		}{{0, "yes"}, {7 * time.Second, "perhaps"}, {10 * time.Second, "no"}} {
			synctest.Test(t, func(t *testing.T) {
				first, second := intake.New("first"), intake.New("second")
				var conductor *lifecycle.Conductor
				a := fxtest.New(t, lifecycle.Module(lifecycle.WithConfig(lifecycle.Config{PreStopDelay: tt.delay})), fx.NopLogger, fx.Populate(&conductor),
					fx.Invoke(func(lc fx.Lifecycle) {
						lifecycle.Append(lc, lifecycle.Hook{Name: "second", Gate: second})
						lifecycle.Append(lc, lifecycle.Hook{Name: "first", Gate: first, Band: lifecycle.Ingress})
					}))
				a.RequireStart()
				act := over(t, conductor, actuator.Config{})
				var kept []*intake.Visit
				for _, g := range []*intake.Gate{first, second} {
					for range 30 {
						visit, err := g.Enter(t.Context())
						require.NoError(t, err)
						kept = append(kept, visit)
					}
				}
				ctx, cancel := context.WithCancel(t.Context())
				go work(ctx, first, 10)
				go work(ctx, second, 10)
				answer := get(t, act, "/actuator/drain?dryRun=true&over=10s", http.StatusOK)
				seconds := func(of object, key string) float64 {
					took, err := time.ParseDuration(of[key].(string))
					require.NoError(t, err)
					return took.Seconds()
				}
				gates := answer["gates"].([]any)
				assert.Equal(t, "first", gates[0].(object)["gate"])
				assert.InDelta(t, 3, seconds(gates[0].(object), "at_most"), 0.2, "nobody hands it anything")
				assert.InDelta(t, 10, gates[1].(object)["came_per_second"], 0.2)
				assert.InDelta(t, 3, seconds(gates[1].(object), "estimate"), 0.2)
				assert.InDelta(t, 6, seconds(gates[1].(object), "at_most"), 0.4, "as many come for 3 s more")
				assert.InDelta(t, 3, seconds(answer, "estimate"), 0.2)
				assert.InDelta(t, 6, seconds(answer, "at_most"), 0.4)
				assert.Equal(t, tt.delay.String(), answer["pre_stop_delay"])
				assert.Equal(t, tt.want, answer["fits"], "of 12 s")
				cancel()
				for _, visit := range kept {
					visit.Done()
				}
				a.RequireStop()
			})
		}
	})
	t.Run("SaysThatItDoesNotKnow", func(t *testing.T) {
		answer := rehearse(t, 3, 0)
		assert.Equal(t, "unknown", answer["estimate"])
		assert.Equal(t, "unknown", answer["fits"])
		assert.Contains(t, answer["gates"].([]any)[0].(object)["why"], "nothing was finished")
	})
	t.Run("WithNothingInsideItTakesNoTime", func(t *testing.T) {
		answer := rehearse(t, 0, 0)
		assert.Equal(t, "0s", answer["estimate"])
		assert.Equal(t, "yes", answer["fits"])
	})
	t.Run("IsAlsoWhatAPostMeansThatChangesNothing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := canStop(t, newBox().hook())
			w := send(t, s.act, http.MethodPost, "/actuator/drain?dryRun=true", "")
			assert.Equal(t, http.StatusOK, w.Code, "%s", w.Body)
			w = send(t, s.act, http.MethodPost, "/actuator/drain?dryrun=true", "")
			assert.Equal(t, http.StatusBadRequest, w.Code, "%s", w.Body)
			assert.Nil(t, s.conductor.Drained(), "it was not taken for the real thing")
			s.RequireStop()
		})
	})
	t.Run("IsOverWhenTheActuatorStops", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := canStop(t, newBox().hook())
			time.AfterFunc(time.Second, func() { _ = s.act.Stop(context.Background()) })
			get(t, s.act, "/actuator/drain?dryRun=true&over=10s", http.StatusServiceUnavailable)
			s.RequireStop()
		})
	})
	t.Run("LooksNeitherTooShortNorTooLong", func(t *testing.T) {
		act := running(t, actuator.Config{})
		for _, over := range []string{"1ms", "1h", "x", ""} {
			get(t, act, "/actuator/drain?dryRun=true&over="+over, http.StatusBadRequest)
		}
		get(t, act, "/actuator/drain?dryRun=maybe", http.StatusBadRequest)
	})
}
