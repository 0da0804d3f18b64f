package modules_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/lastcall-go/lastcall/actuator/alarm"
	"github.com/lastcall-go/lastcall/actuator/management"
	"github.com/lastcall-go/lastcall/app"
	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/modules"
	"github.com/lastcall-go/lastcall/poolmodule"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// hooked is a webhook that answers as it is told, and keeps what it gets.
func hooked(t *testing.T, answer string) (url string, bodies <-chan string) {
	t.Helper()
	got := make(chan string, 100)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- string(body)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(srv.Close)
	return srv.URL, got
}

// alarmed is an application whose pool "sms" can be filled.
type alarmed struct {
	app       *app.App
	pool      *pool.Pool
	watch     *alarm.Watch
	srv       *management.Server
	conductor *lifecycle.Conductor
	logs      *observer.ObservedLogs
	release   chan struct{}
}

func alarmedBy(t *testing.T, file string) *alarmed {
	t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	a := &alarmed{logs: logs, release: make(chan struct{})}
	var in struct {
		fx.In
		Pool *pool.Pool `name:"sms"`
	}
	a.app = app.New(modules.Default(), sources(file, anyPort),
		fx.Decorate(func(*zap.Logger) *zap.Logger { return zap.New(core) }),
		poolmodule.Provide("sms", pool.Config{Workers: 1, Queue: 4, Policy: pool.Abort}),
		fx.Populate(&in, &a.watch, &a.srv, &a.conductor))
	require.NoError(t, a.app.Err())
	require.NoError(t, a.app.Start(t.Context()))
	a.pool = in.Pool
	return a
}

// fill occupies the worker and the queue, and has one task refused.
func (a *alarmed) fill(t *testing.T) {
	t.Helper()
	for range 5 {
		require.NoError(t, a.pool.Submit(t.Context(), func(context.Context) { <-a.release }))
	}
	require.ErrorIs(t, a.pool.Submit(t.Context(), func(context.Context) {}), pool.ErrFull)
}

func (a *alarmed) logged() (texts []string) {
	for _, entry := range a.logs.All() {
		if strings.HasPrefix(entry.Message, "alarm ") {
			texts = append(texts, entry.Message)
		}
	}
	return texts
}

func TestAlarms(t *testing.T) {
	t.Parallel()

	t.Run("PoolThatIsFullIsToldToTheLogWithoutAnyConfiguration", func(t *testing.T) {
		t.Parallel()
		a := alarmedBy(t, "alarms: {every: 20ms}")
		a.fill(t)
		require.Eventually(t, func() bool { return len(a.logged()) >= 3 }, time.Minute, 10*time.Millisecond)
		all := strings.Join(a.logged(), "\n")
		assert.Contains(t, all, "alarm raised: pool:sms: capacity 100%, threshold 80%: So much of the queue is taken, and soon new work is refused; raise pools.sms.workers or pools.sms.queue, or slow down who submits.")
		assert.Contains(t, all, "alarm raised: pool:sms: liveness 100%, threshold 95%: ")
		assert.Contains(t, all, "alarm raised: pool:sms: reject 1, threshold 1: ")
		close(a.release)
		require.NoError(t, a.app.Stop(context.Background()))
	})

	t.Run("ReceiversAndRulesComeFromTheConfiguration", func(t *testing.T) {
		t.Parallel()
		url, bodies := hooked(t, "ok")
		a := alarmedBy(t, `
alarms:
  service: shop
  every: 20ms
  receivers:
    ops: {type: slack, url: "`+url+`/services/canary", interval: 1ms}
  rules:
    - {component: "pool:*", alarm: capacity, threshold: 100, count: 3, period: 1m, silence: 1h, receivers: [ops]}
    - {receivers: [log]}
`)
		a.fill(t)
		var body string
		select {
		case body = <-bodies:
		case <-time.After(time.Minute):
			require.Fail(t, "nothing was told")
		}
		assert.Contains(t, body, `"[shop] raised: capacity of pool:sms"`)
		assert.Contains(t, body, "capacity 100%, threshold 100%")

		status, text, err := get(t.Context(), a.srv, "/actuator/alarms?component=pool:sms")
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status)
		assert.NotContains(t, text, "canary")
		var got alarm.Status
		require.NoError(t, json.Unmarshal([]byte(text), &got))
		require.NotEmpty(t, got.Raised)
		rows := map[string]alarm.AlarmStatus{}
		for _, row := range got.Alarms {
			assert.Equal(t, "pool:sms", row.Component)
			rows[row.Alarm] = row
		}
		capacity := rows["capacity"]
		assert.True(t, capacity.Raised)
		assert.InDelta(t, 100, *capacity.Value, 0)
		assert.Equal(t, 3, capacity.Count)
		assert.Equal(t, "1h0m0s", capacity.Silence)
		assert.Equal(t, []string{"ops"}, capacity.Receivers)
		assert.Equal(t, []string{"log"}, rows["liveness"].Receivers)
		_, text, err = get(t.Context(), a.srv, "/actuator/feed")
		require.NoError(t, err)
		assert.Regexp(t, `"alarms":\[[^]]*"capacity"`, text)
		for _, n := range got.History {
			if n.Alarm == "capacity" {
				assert.Contains(t, string(n.Stats), `"queued":4`, "the picture that triggered it")
			}
		}
		require.Len(t, got.Receivers, 2)
		assert.Equal(t, "slack at "+url+"/***", got.Receivers[1].Target)

		close(a.release)
		require.NoError(t, a.app.Stop(context.Background()))
	})

	t.Run("ReceiverIsTested", func(t *testing.T) {
		t.Parallel()
		good, bodies := hooked(t, `{"errcode":0}`)
		bad, _ := hooked(t, `{"errcode":310000,"errmsg":"sign not match"}`)
		a := alarmedBy(t, `
alarms:
  receivers:
    good: {type: dingtalk, url: "`+good+`/?access_token=canary", secret: canary}
    bad: {type: dingtalk, url: "`+bad+`/?access_token=canary", attempts: 1}
`)
		status, text := post(t, a.srv, "/actuator/alarms/good/test", "")
		assert.Equal(t, http.StatusOK, status, text)
		assert.Contains(t, text, `"target":"dingtalk at `+good+`/***"`)
		assert.Contains(t, <-bodies, "This is a test of the receiver good, asked for by somebody on this machine")
		status, text = post(t, a.srv, "/actuator/alarms/bad/test", "")
		assert.Equal(t, http.StatusBadGateway, status)
		assert.Contains(t, text, "sign not match")
		assert.NotContains(t, text, "canary")
		status, text = post(t, a.srv, "/actuator/alarms/nobody/test", "")
		assert.Equal(t, http.StatusNotFound, status)
		assert.Contains(t, text, "there are bad, good, log")
		require.NoError(t, a.app.Stop(context.Background()))
	})

	t.Run("IsMutedByAKnobThatIsToldOf", func(t *testing.T) {
		t.Parallel()
		a := alarmedBy(t, "alarms: {every: 20ms}")
		_, err := a.conductor.Turn(t.Context(), "alarms", lifecycle.Change{Values: map[string]any{"muted": true}})
		require.NoError(t, err)
		a.fill(t)
		require.Eventually(t, func() bool { _, raised := a.watch.Counts(); return raised >= 3 }, time.Minute, 10*time.Millisecond)
		assert.Empty(t, a.logged())
		_, err = a.conductor.Turn(t.Context(), "alarms", lifecycle.Change{Values: map[string]any{"muted": false}})
		require.NoError(t, err)
		require.Eventually(t, func() bool { return len(a.logged()) >= 2 }, time.Minute, 10*time.Millisecond)
		close(a.release)
		require.NoError(t, a.app.Stop(context.Background()))
	})

	t.Run("DeadReceiverNeitherHoldsNorSpoilsTheStop", func(t *testing.T) {
		t.Parallel()
		gone := httptest.NewServer(http.NotFoundHandler())
		url := gone.URL
		gone.Close()
		a := alarmedBy(t, `
alarms:
  every: 20ms
  flush_timeout: 50ms
  receivers: {ops: {type: webhook, url: "`+url+`/canary"}}
`)
		a.fill(t)
		require.Eventually(t, func() bool { return len(a.logged()) >= 3 }, time.Minute, 10*time.Millisecond, "the log is not delayed")
		close(a.release)
		require.NoError(t, a.app.Stop(context.Background()))
		receipt := a.conductor.Receipt()
		assert.True(t, receipt.Clean())
		told := ""
		for _, c := range receipt.Components {
			if c.Name == "alarms" {
				told = strings.Join(c.Details, "\n")
			}
		}
		assert.Contains(t, told, "ops has got 0 notices, and not ")
		require.Eventually(t, func() bool { return a.logs.FilterMessage("alarms not delivered").Len() > 0 }, time.Minute, 10*time.Millisecond)
		for _, entry := range a.logs.All() {
			for key, value := range entry.ContextMap() {
				assert.NotContains(t, fmt.Sprint(value), "canary", key)
			}
		}
	})

	t.Run("EveryWrongFieldIsReportedWhereItIs", func(t *testing.T) {
		t.Parallel()
		bad := app.New(modules.Default(), silent, sources(`
alarms:
  every: -1s
  receivers:
    ops: {type: pager, url: "https://host/canary"}
    chat: {type: slack, url: nonsense-canary, secret: canary, timeout: -1s}
    log: {type: slack, url: "https://host/canary"}
    book: {type: log, method: PUT, queue: 1000000}
  rules:
    - {component: "pool:*"}
    - {alarm: "[", receivers: [nobody],
       count: -1}
`, nil))
		err := bad.Err()
		require.Error(t, err)
		for _, want := range []string{
			"config.yaml:3:3: alarms.every: is -1s",
			`config.yaml:5:11: alarms.receivers.ops.type: "pager" is unknown`,
			"config.yaml:6:25: alarms.receivers.chat.url: is no address",
			"config.yaml:6:47: alarms.receivers.chat.secret: slack has no signature",
			"alarms.receivers.chat.timeout: is negative",
			"config.yaml:7:11: alarms.receivers.log.type: ",
			"config.yaml:8:23: alarms.receivers.book.method: the log has none",
			"config.yaml:8:36: alarms.receivers.book.queue: is 1000000; give at most 10000",
			`config.yaml:11:8: alarms.rules[1].alarm: "[" is no pattern`,
			`alarms.rules[1].receivers: there is no "nobody"; there are book, chat, log, ops`,
			"config.yaml:12:8: alarms.rules[1].count: is -1",
		} {
			assert.ErrorContains(t, err, want)
		}
		assert.NotContains(t, err.Error(), "canary")
	})

	t.Run("SecretsInTheReasonOfAHealthCheckLeaveTheProcessNowhere", func(t *testing.T) {
		t.Parallel()
		url, bodies := hooked(t, "ok")
		core, logs := observer.New(zapcore.DebugLevel)
		a := app.New(modules.Default(), fx.Decorate(func(*zap.Logger) *zap.Logger { return zap.New(core) }),
			sources(`
alarms:
  every: 20ms
  receivers: {ops: {type: webhook, url: "`+url+`"}}
  rules: [{component: db, count: 1}]
`, nil),
			fx.Invoke(func(lc fx.Lifecycle) {
				lifecycle.Append(lc, lifecycle.Hook{Name: "db", Panel: &lifecycle.Panel{Health: func(context.Context) lifecycle.Health {
					return lifecycle.Health{Status: lifecycle.Down, Reason: "dial postgres://shop:canary@db:5432/shop?token=canary: refused"}
				}}})
			}))
		require.NoError(t, a.Err())
		require.NoError(t, a.Start(t.Context()))
		var body string
		select {
		case body = <-bodies:
		case <-time.After(time.Minute):
			require.Fail(t, "nothing was told")
		}
		assert.Contains(t, body, "DOWN: dial postgres://shop:******@db:5432/shop?token=******")
		assert.NotContains(t, body, "canary")
		alarmed := func() *observer.ObservedLogs { return logs.FilterMessageSnippet("alarm raised: db: health") }
		require.Eventually(t, func() bool { return alarmed().Len() > 0 }, time.Minute, 10*time.Millisecond)
		assert.NotContains(t, alarmed().All()[0].Message, "canary")
		require.NoError(t, a.Stop(context.Background()))
	})

	t.Run("RuleThatFitsNothingIsSaidAtTheStart", func(t *testing.T) {
		t.Parallel()
		core, logs := observer.New(zapcore.WarnLevel)
		a := app.New(modules.Default(), fx.Decorate(func(*zap.Logger) *zap.Logger { return zap.New(core) }),
			sources("alarms: {rules: [{component: 'pool:*', alarm: capacity}, {alarm: capcity}, {component: 'pool:smz', enabled: false}, {component: application, alarm: health}]}", nil),
			poolmodule.Provide("sms", pool.Config{}), fx.Invoke(fx.Annotate(func(*pool.Pool) {}, fx.ParamTags(`name:"sms"`))))
		require.NoError(t, a.Err())
		require.NoError(t, a.Start(t.Context()))
		var rules []string
		for _, entry := range logs.FilterMessageSnippet("fits no alarm").All() {
			rules = append(rules, entry.ContextMap()["rule"].(string))
		}
		assert.Equal(t, []string{"alarms.rules[1]", "alarms.rules[2]"}, rules)
		require.NoError(t, a.Stop(context.Background()))
	})

	t.Run("SecretsComeFromTheEnvironment", func(t *testing.T) {
		t.Parallel()
		url, bodies := hooked(t, "ok")
		var watch *alarm.Watch
		a := app.New(modules.Default(), silent, fx.Populate(&watch),
			sources("alarms: {receivers: {ops: {type: slack}}}", []string{"LASTCALL_ALARMS_RECEIVERS_OPS_URL=" + url}))
		require.NoError(t, a.Err())
		require.NoError(t, a.Start(t.Context()))
		_, err := watch.Test(t.Context(), "ops", "")
		require.NoError(t, err)
		assert.Contains(t, <-bodies, "This is a test")
		require.NoError(t, a.Stop(context.Background()))
	})

	t.Run("AreSwitchedOffOrLeftOut", func(t *testing.T) {
		t.Parallel()
		a := alarmedBy(t, "alarms: {enabled: false}")
		assert.Nil(t, a.watch)
		status, _, err := get(t.Context(), a.srv, "/actuator/alarms")
		require.NoError(t, err)
		assert.Equal(t, http.StatusNotFound, status)
		require.NoError(t, a.app.Stop(context.Background()))
	})
}
