package config_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"github.com/lastcall-go/lastcall/config"
)

// kept is a directory with a configuration file, in which changes are kept.
func kept(t *testing.T, text string, also ...func(*config.Options)) (*config.Values, string) {
	t.Helper()
	dir := t.TempDir()
	opts := config.Options{File: filepath.Join(dir, "config.yaml"), Overrides: "config.overrides.yaml"}
	write(t, opts.File, text)
	for _, f := range also {
		f(&opts)
	}
	_, _, all := sections()
	return load(t, opts, all...), filepath.Join(dir, "config.overrides.yaml")
}

func textOf(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	return regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`).ReplaceAllString(string(text), "NOW")
}

func TestKeep(t *testing.T) {
	t.Parallel()

	t.Run("WritesWhoDidIt", func(t *testing.T) {
		t.Parallel()
		v, name := kept(t, "pools: {sms: {queue: 5}}\nlanes: {a.b: {}}")
		v, err := v.Keep(map[string]any{"pools.sms.queue": int64(7), "pools.sms.idle_timeout": 90 * time.Second}, "alice\n# (10.0.0.7)")
		require.NoError(t, err)
		assert.Equal(t, name+":8", v.Origin("pools.sms.queue").Detail)
		_, err = v.Keep(map[string]any{"http.addr": "null", "lanes.a.b.pool": "sms"}, "")
		require.NoError(t, err)
		assert.Equal(t, lines(
			"# Changes that were made while the program ran, and were to be kept. They are",
			"# stronger than the configuration file, and weaker than the environment and flags.",
			"# Who takes a line away gets what the configuration file says.",
			"",
			"pools:",
			"  sms:",
			"    idle_timeout: 1m30s # alice # (10.0.0.7), NOW",
			"    queue: 7 # alice # (10.0.0.7), NOW",
			"http:",
			`  addr: "null" # NOW`,
			"lanes:",
			"  a.b:",
			"    pool: sms # NOW",
			"",
		), textOf(t, name))

		next, err := v.Reload()
		require.NoError(t, err)
		queue, _ := next.Value("pools.sms.queue")
		assert.Equal(t, 7, queue.Value)
		assert.Equal(t, config.FromOverrides, queue.Origin.Source)
		assert.Equal(t, name+":8", queue.Origin.String())
		addr, _ := next.Value("http.addr")
		assert.Equal(t, "null", addr.Value)
		workers, _ := next.Value("pools.sms.workers")
		assert.Equal(t, 4, workers.Value, "what is not in it stays")
	})

	t.Run("LeavesWhatAPersonHasWritten", func(t *testing.T) {
		t.Parallel()
		v, name := kept(t, "{}")
		write(t, name, "# mine\npools: {sms: {queue: 5}}\nlanes: {} # none\nhttp:\n  # a reason\n  addr: ':1'\n  ratio: 2 # half\n")
		require.NoError(t, os.Chmod(name, 0o640))
		_, err := v.Keep(map[string]any{"pools.sms.queue": 6, "http.addr": nil}, "bob")
		require.NoError(t, err)
		assert.Equal(t, "# mine\npools:\n  sms:\n    queue: 6 # bob, NOW\nlanes: {} # none\nhttp:\n  ratio: 2 # half\n", textOf(t, name))
		info, err := os.Stat(name)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o640), info.Mode())
	})

	t.Run("TakesOut", func(t *testing.T) {
		t.Parallel()
		v, name := kept(t, "{}")
		v, err := v.Keep(map[string]any{"pools.sms.queue": 6, "pools.sms.workers": 6, "http.addr": ":1"}, "bob")
		require.NoError(t, err)
		v, err = v.Keep(map[string]any{"pools.sms.queue": nil, "http.addr": nil, "http.ratio": nil}, "bob")
		require.NoError(t, err)
		assert.Contains(t, textOf(t, name), "pools:\n  sms:\n    workers: 6 # bob, NOW\n")
		v, err = v.Keep(map[string]any{"pools.sms.workers": nil}, "bob")
		require.NoError(t, err)
		_, err = v.Reload()
		require.NoError(t, err)
		assert.NotContains(t, textOf(t, name), "pools")
	})

	for name, tt := range map[string]struct {
		set  map[string]any
		also func(*config.Options)
		want string
		is   error
	}{
		"UnknownKey":    {set: map[string]any{"pools.sms.wokers": 1}, want: "pools.sms.wokers: unknown key"},
		"GroupOfKeys":   {set: map[string]any{"pools.sms": 1}, want: "pools.sms: unknown key"},
		"Secret":        {set: map[string]any{"http.token": "x"}, want: "http.token: a secret"},
		"UnreadableNow": {set: map[string]any{"pools.sms.queue": "many"}, want: "pools.sms.queue: cannot read \"many\""},
		"WhatTheEnvironmentSets": {
			set: map[string]any{"pools.sms.queue": 1, "pools.sms.workers": 1}, is: config.ErrOutranked,
			also: func(o *config.Options) { o.Environ = []string{"LASTCALL_POOLS_SMS_QUEUE=3"} },
			want: "pools.sms.queue: it would not count: LASTCALL_POOLS_SMS_QUEUE is stronger",
		},
		"WhatAFlagSets": {
			set: map[string]any{"pools.sms.queue": 1}, is: config.ErrOutranked,
			also: func(o *config.Options) { o.Args = []string{"--set", "pools.sms.queue=3"} },
			want: "pools.sms.queue: it would not count: --set is stronger",
		},
		"WithoutAFile": {
			set: map[string]any{"pools.sms.queue": 1}, is: config.ErrNoOverrides,
			also: func(o *config.Options) { o.Overrides = "" }, want: "--overrides",
		},
	} {
		t.Run("Refuses"+name, func(t *testing.T) {
			t.Parallel()
			if tt.also == nil {
				tt.also = func(*config.Options) {}
			}
			v, file := kept(t, "{}", tt.also)
			_, err := v.Keep(tt.set, "eve")
			require.ErrorContains(t, err, tt.want)
			if tt.is != nil {
				require.ErrorIs(t, err, tt.is)
			}
			assert.NoFileExists(t, file, "all or none")
		})
	}

	t.Run("RefusesToWriteIntoWhatIsBroken", func(t *testing.T) {
		t.Parallel()
		v, name := kept(t, "{}")
		for _, broken := range []string{"pools: [", "[1]", "pools: {smss: 1}"} {
			write(t, name, broken)
			_, err := v.Keep(map[string]any{"pools.sms.queue": 1}, "eve")
			require.Error(t, err)
			assert.Equal(t, broken, textOf(t, name))
		}
	})

	t.Run("DirectoryThatCannotBeWritten", func(t *testing.T) {
		t.Parallel()
		v, name := kept(t, "{}", func(o *config.Options) {
			o.Args = []string{"--overrides", filepath.Join(filepath.Dir(o.File), "gone", "x.yaml")}
		})
		_, err := v.Keep(map[string]any{"pools.sms.queue": 1}, "eve")
		require.ErrorIs(t, err, os.ErrNotExist)
		assert.NoFileExists(t, name)
	})

	t.Run("FileBehindALink", func(t *testing.T) {
		t.Parallel()
		v, name := kept(t, "{}")
		behind := filepath.Join(t.TempDir(), "behind.yaml")
		write(t, behind, "http: {addr: \":1\"}")
		require.NoError(t, os.Symlink(behind, name))
		_, err := v.Keep(map[string]any{"pools.sms.queue": 7}, "alice")
		require.NoError(t, err)
		assert.Contains(t, textOf(t, behind), "queue: 7")
		target, err := os.Readlink(name)
		require.NoError(t, err)
		assert.Equal(t, behind, target)
	})

	t.Run("NamedByTheEnvironment", func(t *testing.T) {
		t.Parallel()
		elsewhere := filepath.Join(t.TempDir(), "mine.yaml")
		v, name := kept(t, "{}", func(o *config.Options) { o.Environ = []string{"LASTCALL_OVERRIDES=" + elsewhere} })
		_, err := v.Keep(map[string]any{"pools.sms.queue": 1}, "eve")
		require.NoError(t, err)
		assert.FileExists(t, elsewhere)
		assert.NoFileExists(t, name)
	})
}

// TestKeepIsSeenWhole reads the file all the time while it is written.
// It is not parallel: there is one working directory.
func TestWorkingDirectoryMayChange(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	t.Chdir(dir)
	write(t, "config.yaml", "pools: {sms: {queue: 5}}")
	_, _, all := sections()
	v := load(t, config.Options{File: "config.yaml", Overrides: "config.overrides.yaml"}, all...)
	t.Chdir(elsewhere)

	_, err := v.Keep(map[string]any{"pools.sms.workers": 7}, "alice")
	require.NoError(t, err)
	assert.FileExists(t, filepath.Join(dir, "config.overrides.yaml"))
	left, err := os.ReadDir(elsewhere)
	require.NoError(t, err)
	assert.Empty(t, left)

	next, err := v.Reload()
	require.NoError(t, err)
	assert.Equal(t, "config.yaml:1", next.Origin("pools.sms.queue").String())
	assert.Equal(t, "config.overrides.yaml:7", next.Origin("pools.sms.workers").String())

	s := newSeen()
	w := config.NewWatcher(next, config.WatchConfig{Debounce: time.Millisecond, Poll: 20 * time.Millisecond}, s.changed)
	require.NoError(t, w.Start(t.Context()))
	write(t, filepath.Join(dir, "config.yaml"), "pools: {sms: {queue: 6}}")
	eventually(t, func() bool { return s.count() > 0 })
	require.NoError(t, w.Stop(t.Context()))
	for _, f := range w.Files() {
		assert.Empty(t, f.Wrong)
	}
}

func TestKeepIsSeenWhole(t *testing.T) {
	t.Parallel()
	v, name := kept(t, "{}")
	v, err := v.Keep(map[string]any{"pools.sms.queue": 1, "http.addr": "1"}, "")
	require.NoError(t, err)
	over := make(chan struct{})
	go func() {
		defer close(over)
		for range 50 {
			if next, err := v.Keep(map[string]any{"pools.sms.queue": 1, "http.addr": "1"}, ""); assert.NoError(t, err) {
				v = next
			}
		}
	}()
	for {
		var doc map[string]map[string]any
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		require.NoError(t, yaml.Unmarshal(text, &doc))
		require.Equal(t, "1", doc["http"]["addr"])
		select {
		case <-over:
			left, err := filepath.Glob(filepath.Join(filepath.Dir(name), "*"))
			require.NoError(t, err)
			assert.Len(t, left, 2, "nothing is left behind: %v", left)
			return
		default:
		}
	}
}

// TestWhatIsKeptIsFound: whatever was set last is what a Load finds, and what
// was taken out is as the file says.
func TestWhatIsKeptIsFound(t *testing.T) {
	t.Parallel()
	keys := []string{"pools.sms.queue", "pools.sms.workers", "pools.email.queue", "lanes.a.b.pool", "http.addr", "http.read_timeout", "http.compress"}
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		_, _, all := sections()
		require.NoError(rt, os.RemoveAll(filepath.Join(dir, "o.yaml")))
		opts := config.Options{File: filepath.Join(dir, "config.yaml"), Overrides: "o.yaml"}
		require.NoError(rt, os.WriteFile(opts.File, []byte("lanes: {a.b: {pool: x}}"), 0o600))
		first, err := config.Load(opts, all...)
		require.NoError(rt, err)
		v, want := first, map[string]any{}
		for range rapid.IntRange(1, 3).Draw(rt, "steps") {
			set := map[string]any{}
			for _, key := range rapid.SliceOfNDistinct(rapid.SampledFrom(keys), 1, 3, rapid.ID).Draw(rt, "keys") {
				set[key] = valueFor(key).Draw(rt, key)
				want[key] = set[key]
			}
			v, err = v.Keep(set, rapid.String().Draw(rt, "by"))
			require.NoError(rt, err)
		}
		next, err := first.Reload()
		require.NoError(rt, err)
		for _, key := range keys {
			got, _ := next.Value(key)
			if want[key] == nil {
				was, _ := first.Value(key)
				require.Equal(rt, was.Value, got.Value, key)
				require.NotEqual(rt, config.FromOverrides, got.Origin.Source)
				continue
			}
			require.EqualValues(rt, want[key], got.Value, key)
			require.Equal(rt, config.FromOverrides, got.Origin.Source, key)
		}
		require.Empty(rt, v.Diff(next))
	})
}

func valueFor(key string) *rapid.Generator[any] {
	var some *rapid.Generator[any]
	switch key {
	case "http.addr", "lanes.a.b.pool":
		some = rapid.String().AsAny()
	case "http.read_timeout":
		some = rapid.Custom(func(t *rapid.T) any { return rapid.Map(rapid.Int64(), durationOf).Draw(t, "d").String() })
	case "http.compress":
		some = rapid.Bool().AsAny()
	default:
		some = rapid.IntRange(0, 1000).AsAny()
	}
	return rapid.OneOf(some, rapid.Just[any](nil))
}
