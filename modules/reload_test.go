package modules_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/lastcall-go/lastcall/actuator"
	"github.com/lastcall-go/lastcall/actuator/management"
	"github.com/lastcall-go/lastcall/app"
	"github.com/lastcall-go/lastcall/batchmodule"
	"github.com/lastcall-go/lastcall/batchmodule/batch"
	"github.com/lastcall-go/lastcall/config"
	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/lifecycle/lifecycletest"
	"github.com/lastcall-go/lastcall/modules"
	"github.com/lastcall-go/lastcall/poolmodule"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// patience is for a machine on which much else runs. It is never used up when
// all is well.
const patience = time.Minute

// service is a running one whose files are edited.
type service struct {
	t         *testing.T
	dir       string
	app       *app.App
	conductor *lifecycle.Conductor
	registry  *poolmodule.Registry
	srv       *management.Server
	logged    *observer.ObservedLogs
}

// quick looks more often, so that a test need not wait.
const quick = "reload: {enabled: true, debounce: 2ms, poll: 50ms}\n"

// serve starts a service with two pools and a batcher, and its configuration in
// a directory of its own.
func serve(t *testing.T, text string, opts config.Options, more ...fx.Option) *service {
	t.Helper()
	core, logged := observer.New(zapcore.DebugLevel)
	s := &service{t: t, dir: t.TempDir(), logged: logged}
	s.write("config.yaml", text)
	opts.File, opts.Overrides = s.file("config.yaml"), "config.overrides.yaml"
	s.app = app.New(append(more,
		modules.Default(), modules.Sources(opts),
		poolmodule.Provide("sms", pool.Config{Workers: 4, Queue: 100}),
		poolmodule.Provide("mail", pool.Config{Workers: 4, Queue: 100}),
		batchmodule.Provide[int]("numbers", func(context.Context, []int) error { return nil }, batch.Config{}),
		fx.Invoke(func(*batch.Batcher[int]) {}),
		needPool("sms"), needPool("mail"),
		fx.Populate(&s.conductor, &s.registry, &s.srv),
		fx.Decorate(func(*zap.Logger) *zap.Logger { return zap.New(core) }),
	)...)
	require.NoError(t, s.app.Err())
	require.NoError(t, s.app.Start(context.Background()))
	t.Cleanup(func() {
		require.NoError(t, s.app.Stop(context.Background()))
		assert.Empty(t, s.app.Receipt().Leaks)
	})
	return s
}

func (s *service) file(name string) string { return filepath.Join(s.dir, name) }

func (s *service) write(name, text string) {
	s.t.Helper()
	require.NoError(s.t, os.WriteFile(s.file(name), []byte(text), 0o600))
}

func (s *service) limits(name string) pool.Limits {
	s.t.Helper()
	p, err := s.registry.Get(name)
	require.NoError(s.t, err)
	return p.Limits()
}

func (s *service) panel() *lifecycle.Panel {
	s.t.Helper()
	c, ok := s.conductor.Component("config")
	require.True(s.t, ok)
	return c.Panel
}

// inspect is what the component "config" shows, as JSON has it.
func (s *service) inspect() inspection {
	s.t.Helper()
	raw, err := json.Marshal(s.panel().Inspect(context.Background()))
	require.NoError(s.t, err)
	var i inspection
	require.NoError(s.t, json.Unmarshal(raw, &i))
	return i
}

type inspection struct {
	Stats struct {
		Reloads, Rejected, Pending uint64
		Rejecting, Watching        bool
		Last                       string
	}
	Overrides string
	Problems  []struct {
		Key, Origin, Message string
		Line                 int
	}
	Pending []change
	History []struct {
		Seq      uint64
		Outcome  string
		Changes  []change
		Problems []struct{ Key, Origin, Message string }
	}
}

type change struct {
	Key, Was, Origin, Effect, Component string
	Before, After                       any
}

// reloaded waits until the files were loaded again so often.
func (s *service) reloaded(times uint64) inspection {
	s.t.Helper()
	require.Eventually(s.t, func() bool { return s.inspect().Stats.Reloads >= times }, patience, time.Millisecond)
	i := s.inspect()
	require.Equal(s.t, times, i.Stats.Reloads)
	return i
}

// logs waits until a line was logged so often: that comes after the reload.
func (s *service) logs(text string, times int) {
	s.t.Helper()
	require.Eventually(s.t, func() bool { return s.logged.FilterMessageSnippet(text).Len() == times }, patience, time.Millisecond)
}

// told are the outcomes of the reloads that the events tell of.
func (s *service) told() (outcomes []string) {
	events, _ := s.conductor.Events().Since(0)
	for _, e := range events {
		if e.Kind == modules.EventConfig {
			outcomes = append(outcomes, strings.SplitN(e.Text, ":", 2)[0])
		}
	}
	return outcomes
}

func (s *service) health() lifecycle.Health { return s.panel().Health(context.Background()) }

func (s *service) turn(component string, ch lifecycle.Change) error {
	ch.By = "alice"
	_, err := s.conductor.Turn(context.Background(), component, ch)
	return err
}

func TestReload(t *testing.T) {
	t.Parallel()

	t.Run("PoolIsResizedByEditingTheFile", func(t *testing.T) {
		t.Parallel()
		s := serve(t, quick, config.Options{})
		c, _ := s.conductor.Component("config")
		lifecycletest.AssertPanel(t, c)
		assert.Equal(t, lifecycle.Up, s.health().Status)

		s.write("config.yaml", quick+"pools:\n  sms: {workers: 7, queue: 50}\n  mail: {workers: 2}\nlog: {level: warn}\nbatchers: {numbers: {linger: 3s}}\n")
		i := s.reloaded(1)
		assert.Equal(t, pool.Limits{Workers: 7, Queue: 50}, s.limits("sms"))
		assert.Equal(t, pool.Limits{Workers: 2, Queue: 100}, s.limits("mail"))
		require.Len(t, i.History, 1)
		assert.Equal(t, "applied", i.History[0].Outcome)
		assert.Equal(t, []change{
			{Key: "batchers.numbers.linger", Before: i.History[0].Changes[0].Before, After: "3s", Was: "default", Origin: s.file("config.yaml") + ":6", Effect: "in force", Component: "batch:numbers"},
			{Key: "log.level", Before: "info", After: "warn", Was: "default", Origin: s.file("config.yaml") + ":5", Effect: "in force", Component: "log"},
			{Key: "pools.mail.workers", Before: 4.0, After: 2.0, Was: "default", Origin: s.file("config.yaml") + ":4", Effect: "in force", Component: "pool:mail"},
			{Key: "pools.sms.queue", Before: 100.0, After: 50.0, Was: "default", Origin: s.file("config.yaml") + ":3", Effect: "in force", Component: "pool:sms"},
			{Key: "pools.sms.workers", Before: 4.0, After: 7.0, Was: "default", Origin: s.file("config.yaml") + ":3", Effect: "in force", Component: "pool:sms"},
		}, i.History[0].Changes)
		assert.Empty(t, i.Pending)

		audit := s.conductor.Audit()
		require.Len(t, audit, 4, "one turn for each component")
		for _, entry := range audit {
			assert.Equal(t, "config", entry.By)
		}
		assert.Equal(t, s.file("config.yaml")+":3", audit[3].From)
		assert.Equal(t, map[string]any{"workers": int64(7), "queue": int64(50)}, audit[3].After)
		assert.Equal(t, "warn", turned(t, s.conductor, "log", "level"))
		assert.Equal(t, 3*time.Second, turned(t, s.conductor, "batch:numbers", "linger"))
	})

	t.Run("WhatWasTurnedByHandIsNotUndoneByAnotherKey", func(t *testing.T) {
		t.Parallel()
		s := serve(t, quick+"pools: {sms: {workers: 5}}", config.Options{})
		require.NoError(t, s.turn("pool:sms", lifecycle.Change{Values: map[string]any{"workers": 9}}))
		s.write("config.yaml", quick+"pools: {sms: {workers: 5, queue: 50}}")
		s.reloaded(1)
		assert.Equal(t, pool.Limits{Workers: 9, Queue: 50}, s.limits("sms"))
		s.write("config.yaml", quick+"pools: {sms: {workers: 6, queue: 50}}")
		s.reloaded(2)
		assert.Equal(t, pool.Limits{Workers: 6, Queue: 50}, s.limits("sms"), "its own key has changed")
	})

	t.Run("KeyThatIsTakenOutFallsBack", func(t *testing.T) {
		t.Parallel()
		s := serve(t, quick+"pools: {sms: {workers: 5}, mail: {workers: 5}}", config.Options{Environ: []string{"LASTCALL_POOLS_MAIL_WORKERS=3"}})
		assert.Equal(t, 3, s.limits("mail").Workers)
		s.write("config.yaml", quick+"pools: {}")
		i := s.reloaded(1)
		assert.Equal(t, 4, s.limits("sms").Workers, "to what code declares")
		assert.Equal(t, 3, s.limits("mail").Workers, "the environment has been stronger all the time")
		require.Len(t, i.History[0].Changes, 1)
		assert.Equal(t, "default, as it was taken out of "+s.file("config.yaml")+":2", s.conductor.Audit()[0].From)
	})

	t.Run("RestOfItNeedsARestart", func(t *testing.T) {
		t.Parallel()
		s := serve(t, quick, config.Options{})
		s.write("config.yaml", quick+"http: {addr: ':1'}\npools: {sms: {policy: abort, workers: 5}}\n")
		i := s.reloaded(1)
		assert.Equal(t, 5, s.limits("sms").Workers)
		require.Len(t, i.Pending, 2)
		assert.Equal(t, "http.addr", i.Pending[0].Key)
		assert.Equal(t, "pools.sms.policy", i.Pending[1].Key)
		h := s.health()
		assert.Equal(t, lifecycle.Warning, h.Status)
		assert.Equal(t, "needs a restart: http.addr ("+s.file("config.yaml")+":2), pools.sms.policy ("+s.file("config.yaml")+":3)", h.Reason)
		s.logs("needs a restart", 2)

		s.write("config.yaml", quick+"pools: {sms: {workers: 6}}\n")
		i = s.reloaded(2)
		assert.Empty(t, i.Pending, "it is again as it runs")
		assert.Equal(t, lifecycle.Up, s.health().Status)
	})

	t.Run("CodeIsStronger", func(t *testing.T) {
		t.Parallel()
		s := serve(t, quick+"pools: {sms: {workers: 5}}", config.Options{}, fx.Decorate(func(c poolmodule.Config) poolmodule.Config {
			c.Pools["sms"] = pool.Config{Workers: 11, Queue: 100}
			return c
		}))
		s.write("config.yaml", quick+"pools: {sms: {workers: 6}, mail: {workers: 6}}")
		i := s.reloaded(1)
		assert.Equal(t, 11, s.limits("sms").Workers)
		assert.Equal(t, 6, s.limits("mail").Workers)
		assert.Equal(t, "set in code, which is stronger", i.History[0].Changes[1].Effect)
		assert.Empty(t, i.Pending)
		err := s.turn("pool:sms", lifecycle.Change{Values: map[string]any{"workers": 3}, Persist: true})
		require.ErrorIs(t, err, config.ErrOutranked)
	})

	t.Run("StopThatIsCutIsClean", func(t *testing.T) {
		t.Parallel()
		s := serve(t, quick, config.Options{})
		s.conductor.Cut(nil)
		require.NoError(t, s.app.Stop(context.Background()))
		for _, c := range s.app.Receipt().Components {
			if c.Name == "config" {
				assert.Equal(t, lifecycle.OK, c.PreDestroy.Outcome)
			}
		}
	})

	t.Run("IsOffInATestBinary", func(t *testing.T) {
		t.Parallel()
		assert.False(t, serve(t, "", config.Options{}).inspect().Stats.Watching)
	})

	t.Run("CanBeOff", func(t *testing.T) {
		t.Parallel()
		s := serve(t, "reload: {enabled: false}", config.Options{})
		i := s.inspect()
		assert.False(t, i.Stats.Watching)
		assert.Equal(t, lifecycle.Up, s.health().Status)
		require.NoError(t, s.turn("pool:sms", lifecycle.Change{Values: map[string]any{"workers": 3}, Persist: true}), "changes are kept all the same")
		assert.FileExists(t, s.file("config.overrides.yaml"))
	})
}

// turned is what a knob is now.
func turned(t *testing.T, c *lifecycle.Conductor, component, knob string) any {
	t.Helper()
	knobs, _, err := c.Knobs(component)
	require.NoError(t, err)
	for _, k := range knobs {
		if k.Name == knob {
			return k.Value
		}
	}
	require.Failf(t, "no such knob", "%s of %s", knob, component)
	return nil
}

func TestRejectedReload(t *testing.T) {
	t.Parallel()

	t.Run("IsToldWithEachLineUntilAGoodFileComes", func(t *testing.T) {
		t.Parallel()
		s := serve(t, quick+"pools: {sms: {workers: 5}}", config.Options{})
		s.write("config.yaml", quick+"pools:\n  sms:\n    wokers: 8\n    queue: -7\n  mail: {workers: 6}\n")
		i := s.reloaded(1)
		assert.Equal(t, 5, s.limits("sms").Workers)
		assert.Equal(t, 4, s.limits("mail").Workers, "all of it or nothing")
		require.Len(t, i.Problems, 2)
		assert.Equal(t, 4, i.Problems[0].Line)
		h := s.health()
		assert.Equal(t, lifecycle.Warning, h.Status)
		for _, want := range []string{
			"rejected", s.file("config.yaml") + ":4: pools.sms.wokers: unknown key, did you mean \"workers\"?",
			s.file("config.yaml") + ":5: pools.sms.queue: is -7",
		} {
			assert.Contains(t, h.Reason, want)
		}
		assert.True(t, i.Stats.Rejecting)
		assert.EqualValues(t, 1, i.Stats.Rejected)
		s.logs("configuration rejected", 2)

		s.write("config.yaml", quick+"pools: {sms: {workers: 5}}") // as it was
		i = s.reloaded(2)
		assert.Equal(t, "unchanged", i.History[0].Outcome)
		assert.Equal(t, "rejected", i.History[1].Outcome)
		assert.Equal(t, lifecycle.Up, s.health().Status)
		s.logs("configuration is good again", 1)

		require.Eventually(t, func() bool { return len(s.told()) == 2 }, patience, time.Millisecond)
		assert.Equal(t, []string{"rejected", "unchanged"}, s.told())
	})

	t.Run("WhatAKnobRefusesRefusesTheWholeFile", func(t *testing.T) {
		t.Parallel()
		s := serve(t, quick, config.Options{}, fx.Invoke(picky), modules.Section("picky", pickyConfig{Size: 1}))
		s.write("config.yaml", quick+"pools: {mail: {workers: 9}}\npicky: {size: 500}\n")
		i := s.reloaded(1)
		assert.Equal(t, 4, s.limits("mail").Workers)
		require.Len(t, i.Problems, 1)
		assert.Equal(t, "picky.size", i.Problems[0].Key)
		assert.Equal(t, 3, i.Problems[0].Line)
		assert.Contains(t, i.Problems[0].Message, "500 is too much")
	})

	t.Run("WhatAComponentRefusesIsTakenBackElsewhere", func(t *testing.T) {
		t.Parallel()
		s := serve(t, quick, config.Options{}, fx.Invoke(picky), modules.Section("picky", pickyConfig{Size: 1}))
		// 13 is within the bounds: that it is refused is found when it is turned,
		// after those of the components before it.
		s.write("config.yaml", quick+"batchers: {numbers: {linger: 3s}}\npicky: {size: 13}\n")
		i := s.reloaded(1)
		assert.NotEqual(t, 3*time.Second, turned(t, s.conductor, "batch:numbers", "linger"))
		require.Len(t, i.Problems, 1)
		assert.Contains(t, i.Problems[0].Message, "unlucky")
		var made []string
		for _, entry := range s.conductor.Audit() {
			made = append(made, entry.Component)
		}
		assert.Equal(t, []string{"batch:numbers", "picky", "batch:numbers"}, made, "made, refused, taken back")
	})

	t.Run("EmptyFileIsNotTaken", func(t *testing.T) {
		t.Parallel()
		s := serve(t, quick+"pools: {sms: {workers: 5}}", config.Options{})
		s.write("config.yaml", "")
		require.Eventually(t, func() bool { return s.health().Status == lifecycle.Warning }, patience, time.Millisecond)
		assert.Contains(t, s.health().Reason, s.file("config.yaml")+": the file is empty")
		assert.Equal(t, 5, s.limits("sms").Workers)
		assert.Zero(t, s.inspect().Stats.Reloads)
	})
}

type pickyConfig struct {
	Size int `yaml:"size"`
}

// picky has a knob with a bound, and one value that it refuses by itself.
func picky(lc fx.Lifecycle, cfg pickyConfig) {
	size := int64(cfg.Size)
	lifecycle.Append(lc, lifecycle.Hook{Name: "picky", Panel: &lifecycle.Panel{
		Knobs: func() []lifecycle.Knob {
			return []lifecycle.Knob{{Name: "size", Key: "picky.size", Type: lifecycle.IntKnob, Value: size, Max: int64(100)}}
		},
		Turn: func(context.Context, map[string]any) error { return fmt.Errorf("13 is unlucky") },
	}})
}

func TestKeptChange(t *testing.T) {
	t.Parallel()

	t.Run("IsFoundByTheNextStart", func(t *testing.T) {
		t.Parallel()
		s := serve(t, quick+"pools: {sms: {workers: 5}}", config.Options{})
		require.NoError(t, s.turn("pool:sms", lifecycle.Change{Values: map[string]any{"workers": 9}, Persist: true, From: "10.0.0.7:51234"}))
		text, err := os.ReadFile(s.file("config.overrides.yaml"))
		require.NoError(t, err)
		assert.Regexp(t, `workers: 9 # alice \(10\.0\.0\.7:51234\), 2\d+-.*Z`, string(text))

		i := s.reloaded(1) // the watcher finds it, and the knob is so already
		require.Len(t, i.History[0].Changes, 1)
		assert.Equal(t, s.file("config.overrides.yaml")+":7", i.History[0].Changes[0].Origin)
		assert.Len(t, s.conductor.Audit(), 1)

		next, err := config.Load(config.Options{File: s.file("config.yaml"), Overrides: "config.overrides.yaml"}, config.Section{Value: &struct {
			Pools  map[string]pool.Config
			Reload modules.Reload
		}{}})
		require.NoError(t, err)
		assert.Equal(t, s.file("config.overrides.yaml")+":7", next.Origin("pools.sms.workers").String())

		s.write("config.yaml", quick+"pools: {sms: {workers: 6}}")
		s.reloaded(2)
		assert.Equal(t, 9, s.limits("sms").Workers, "what was kept is stronger than the file")
	})

	t.Run("IsNotTurnedAgainWhenTheWatcherFindsIt", func(t *testing.T) {
		t.Parallel()
		s := serve(t, "reload: {enabled: true, debounce: 300ms}\npools: {sms: {workers: 5}}", config.Options{})
		require.NoError(t, s.turn("pool:sms", lifecycle.Change{Values: map[string]any{"workers": 9}, Persist: true}))
		require.NoError(t, s.turn("pool:sms", lifecycle.Change{Values: map[string]any{"workers": 10}}))
		s.reloaded(1)
		assert.Equal(t, 10, s.limits("sms").Workers, "it was turned after the change that was kept")
		assert.Len(t, s.conductor.Audit(), 2)

		s.write("config.overrides.yaml", "pools: {sms: {workers: 11}}")
		s.reloaded(2)
		assert.Equal(t, 11, s.limits("sms").Workers)
		s.write("config.overrides.yaml", "pools: {sms: {workers: 9}}")
		s.reloaded(3)
		assert.Equal(t, 9, s.limits("sms").Workers, "what was kept once and is written by hand counts as any other")
	})

	t.Run("ThatIsTakenBackLeavesNoLineBehind", func(t *testing.T) {
		t.Parallel()
		s := serve(t, quick+"pools: {sms: {workers: 5}}", config.Options{})
		require.NoError(t, s.turn("pool:sms", lifecycle.Change{Values: map[string]any{"workers": 9}, Persist: true}))
		_, err := s.conductor.Rollback(t.Context(), 1, "alice", "", false)
		require.NoError(t, err)
		assert.Equal(t, 5, s.limits("sms").Workers)
		text, err := os.ReadFile(s.file("config.overrides.yaml"))
		require.NoError(t, err)
		assert.NotContains(t, string(text), "workers")

		s.write("config.yaml", quick+"pools: {sms: {workers: 6}}")
		require.Eventually(t, func() bool { return s.limits("sms").Workers == 6 }, time.Minute, 10*time.Millisecond, "the file counts again")

		// And with a line that was there before, it is there again.
		require.NoError(t, s.turn("pool:sms", lifecycle.Change{Values: map[string]any{"workers": 7}, Persist: true}))
		require.NoError(t, s.turn("pool:sms", lifecycle.Change{Values: map[string]any{"workers": 8}, Persist: true}))
		audit := s.conductor.Audit()
		_, err = s.conductor.Rollback(t.Context(), audit[len(audit)-1].Seq, "alice", "", false)
		require.NoError(t, err)
		text, err = os.ReadFile(s.file("config.overrides.yaml"))
		require.NoError(t, err)
		assert.Contains(t, string(text), "workers: 7 # alice")
	})

	t.Run("IsRefusedWhereItWouldNotCount", func(t *testing.T) {
		t.Parallel()
		s := serve(t, quick, config.Options{Environ: []string{"LASTCALL_POOLS_SMS_WORKERS=3"}})
		err := s.turn("pool:sms", lifecycle.Change{Values: map[string]any{"workers": 9}, Persist: true})
		require.ErrorIs(t, err, lifecycle.ErrNotKept)
		require.ErrorIs(t, err, config.ErrOutranked)
		require.ErrorContains(t, err, "LASTCALL_POOLS_SMS_WORKERS is stronger")
		assert.Equal(t, 3, s.limits("sms").Workers, "it was taken back")
		assert.NoFileExists(t, s.file("config.overrides.yaml"))
	})
}

// ask asks a management server, and returns what it answers.
func ask(t *testing.T, srv *management.Server, path string) (status int, answer string) {
	t.Helper()
	status, answer, err := get(t.Context(), srv, path)
	require.NoError(t, err)
	return status, answer
}

// secretive is a section in which every kind of secret is.
type secretive struct {
	Token    config.Secret            `yaml:"token"`
	Odd      config.Secret            `yaml:"odd"` // the name does not sound like one
	Password string                   `yaml:"password"`
	URL      string                   `yaml:"url"`
	APIToken string                   `yaml:"api_token"` // shown on purpose
	Many     map[string]config.Secret `yaml:"many"`
	List     []struct {
		Inner config.Secret `yaml:"inner"`
	} `yaml:"list"`
	Any any `yaml:"any"`
}

const secretText = `
secretive:
  token: canary-1
  odd: canary-2
  password: canary-3
  url: postgres://me:canary-4@db/x
  api_token: shown
  many: {a: canary-5}
  list: [{inner: canary-6}]
  any: {inside: {password: canary-7}}
`

func TestEndpointsOfTheConfiguration(t *testing.T) {
	t.Parallel()
	at := []string{"LASTCALL_MANAGEMENT_ADDRESS=127.0.0.1:0"}

	t.Run("EnvShowsWhatCountsAndWhatDoesNot", func(t *testing.T) {
		t.Parallel()
		s := serve(t, quick+"pools: {sms: {workers: 5}}\n", config.Options{Environ: append(at, "LASTCALL_POOLS_SMS_QUEUE=60")})
		require.NoError(t, s.turn("pool:sms", lifecycle.Change{Values: map[string]any{"workers": 9}, From: "a test"}))
		status, body := ask(t, s.srv, "/actuator/env/pools.sms.workers")
		require.Equal(t, http.StatusOK, status, body)
		assert.JSONEq(t, `{
			"activeProfiles": [], "defaultProfiles": [],
			"property": {"source": "while running", "value": "9", "origin": "alice, a test"},
			"propertySources": [
				{"name": "while running", "property": {"value": "9", "origin": "alice, a test"}},
				{"name": "environment"},
				{"name": "`+s.file("config.yaml")+`", "property": {"value": 5, "origin": "`+s.file("config.yaml")+`:2"}},
				{"name": "defaults", "property": {"value": 4, "origin": "default"}}
			]}`, body)

		status, body = ask(t, s.srv, "/actuator/env?pattern=^pools.sms")
		require.Equal(t, http.StatusOK, status, body)
		var env struct {
			PropertySources []struct {
				Name       string
				Properties map[string]struct{ Value, Origin any }
			}
		}
		require.NoError(t, json.Unmarshal([]byte(body), &env))
		assert.Equal(t, "LASTCALL_POOLS_SMS_QUEUE", env.PropertySources[1].Properties["pools.sms.queue"].Origin)
		assert.NotContains(t, body, "pools.mail")

		status, _ = ask(t, s.srv, "/actuator/env/pools.sms.wokers")
		assert.Equal(t, http.StatusNotFound, status)
		status, _ = ask(t, s.srv, "/actuator/env?pattern=[")
		assert.Equal(t, http.StatusBadRequest, status)
	})

	t.Run("ConfigPropsShowSections", func(t *testing.T) {
		t.Parallel()
		s := serve(t, quick+"log: {level: warn}\n", config.Options{Environ: at})
		status, body := ask(t, s.srv, "/actuator/configprops/log")
		require.Equal(t, http.StatusOK, status, body)
		assert.JSONEq(t, `{"contexts": {"application": {"parentId": null, "beans": {"log": {
			"prefix": "log",
			"properties": {"format": "", "level": "warn"},
			"inputs": {
				"format": {"value": "", "origin": "default"},
				"level": {"value": "warn", "origin": "`+s.file("config.yaml")+`:2"}
			}}}}}}`, body)
		_, body = ask(t, s.srv, "/actuator/configprops")
		for _, section := range []string{"batchers", "http", "journal", "lanes", "lifecycle", "log", "management", "pools", "reload"} {
			assert.Contains(t, body, `"`+section+`":{"prefix":"`+section+`"`)
		}
		status, _ = ask(t, s.srv, "/actuator/configprops/nothing")
		assert.Equal(t, http.StatusNotFound, status)
		_, body = ask(t, s.srv, "/actuator")
		assert.Contains(t, body, "/actuator/env/{property}")
	})

	t.Run("CanBeOff", func(t *testing.T) {
		t.Parallel()
		s := serve(t, quick+"management: {endpoints: {env: false}}\n", config.Options{Environ: at})
		status, _ := ask(t, s.srv, "/actuator/env")
		assert.Equal(t, http.StatusNotFound, status)
		status, _ = ask(t, s.srv, "/actuator/configprops")
		assert.Equal(t, http.StatusOK, status)
	})

	t.Run("NoSecretIsShown", func(t *testing.T) {
		t.Parallel()
		s := serve(t, quick+"management: {show: ['*api_token']}"+secretText, config.Options{Environ: append(at, "LASTCALL_SECRETIVE_TOKEN=canary-8")},
			modules.Section("secretive", secretive{Password: "canary-9"}))
		s.write("config.yaml", quick+"management: {show: ['*api_token']}"+strings.ReplaceAll(secretText, "canary", "canary-x"))
		i := s.reloaded(1)
		keys := map[string]bool{}
		for _, c := range i.Pending {
			keys[c.Key] = true
		}
		for _, key := range []string{"secretive.odd", "secretive.password", "secretive.many.a", "secretive.list", "secretive.any", "secretive.url"} {
			assert.True(t, keys[key], "%s has changed, and that is seen", key)
		}
		said := fmt.Sprintf("%+v %+v", s.health(), s.logged.All())
		for _, path := range []string{"/env", "/env/secretive.password", "/env/secretive.odd", "/configprops", "/components/config?inspect", "/events"} {
			status, body := ask(t, s.srv, "/actuator"+path)
			require.Equal(t, http.StatusOK, status, path)
			said += body
			if path == "/env" {
				assert.Contains(t, body, `"secretive.api_token":{"value":"shown"`)
				assert.Contains(t, body, `"secretive.password":{"value":"******","origin":"`)
				assert.Contains(t, body, "postgres://me:******@db/x")
			}
		}
		assert.NotContains(t, said, "canary")
	})
}

// TestEveryEndpointCanBeTurnedOff: a configuration knows the ids of those that
// this package adds, too.
func TestEveryEndpointCanBeTurnedOff(t *testing.T) {
	t.Parallel()
	var a *actuator.Actuator
	run(t, modules.Default(), sources("", nil), fx.Populate(&a))
	off := map[string]bool{}
	for _, e := range a.Endpoints() {
		off[e.ID] = e.ID == "index" // that one stays
	}
	delete(off, "index")
	require.Contains(t, off, "env")
	var text strings.Builder
	for id := range off {
		fmt.Fprintf(&text, "    %s: false\n", id)
	}
	run(t, modules.Default(), sources("management:\n  endpoints:\n"+text.String(), nil), fx.Populate(&a))
	require.Len(t, a.Endpoints(), 1)
}
