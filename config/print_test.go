package config_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"github.com/lastcall-go/lastcall/config"
)

func TestPrintShowsEveryValueWithItsOrigin(t *testing.T) {
	t.Parallel()
	p := pools{Pools: map[string]poolConfig{"sms": {Workers: 4}}}
	opts := file("pools:\n  sms:\n    queue: 10\nlanes: {a: {tags: [a, b]}}")
	opts.Environ = []string{"LASTCALL_POOLS_SMS_IDLE_TIMEOUT=90s"}
	opts.Args = []string{"--set", "pools.sms.workers=8"}
	v, err := config.Load(opts, config.Section{Value: &p})
	require.NoError(t, err)
	assert.Equal(t, lines(
		"lanes:",
		"  a:",
		`    pool: "" # default`,
		"    tags: [a, b] # config.yaml:4",
		"pools:",
		"  sms:",
		"    idle_timeout: 1m30s # LASTCALL_POOLS_SMS_IDLE_TIMEOUT",
		"    max_workers: 0 # default",
		"    queue: 10 # config.yaml:3",
		"    workers: 8 # --set",
		"",
	), v.String())
}

func TestPrintOfNothing(t *testing.T) {
	t.Parallel()
	v, err := config.Load(config.Options{})
	require.NoError(t, err)
	assert.Equal(t, "{}\n", v.String())
}

// TestWhatIsPrintedLoadsToTheSame holds the promise of Print for values that
// are hard to write down.
func TestWhatIsPrintedLoadsToTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		_, s, all := sections()
		s.Addr = rapid.String().Draw(t, "addr")
		s.Ratio = rapid.Float64().Draw(t, "ratio")
		s.MaxBody = rapid.Int64().Draw(t, "max_body")
		s.Read = rapid.Map(rapid.Int64(), durationOf).Draw(t, "read")
		s.Hosts = rapid.SliceOf(rapid.String()).Draw(t, "hosts")
		if rapid.Bool().Draw(t, "tuned") {
			s.Tuning = &tuning{rapid.Int().Draw(t, "depth")}
		}
		s.Labels = rapid.MapOf(rapid.StringMatching(`[ -~]+`), rapid.String()).Draw(t, "labels")
		first, err := config.Load(config.Options{}, all...)
		require.NoError(t, err)

		require.NoError(t, yaml.Unmarshal([]byte(first.String()), new(any)), "%s", first)
		_, again, fresh := sections()
		second, err := config.Load(file(first.String()), fresh...)
		require.NoError(t, err, "%s", first)
		assert.Equal(t, withoutOrigins(first), withoutOrigins(second))
		assert.Equal(t, s.Addr, again.Addr)
		assert.Equal(t, s.Read, again.Read)
		assert.Equal(t, s.Tuning, again.Tuning)
		assert.Equal(t, s.Labels, again.Labels)
	})
}

// withoutOrigins compares what two prints mean: the comments differ.
func withoutOrigins(v *config.Values) any {
	var out any
	_ = yaml.Unmarshal([]byte(v.String()), &out)
	return out
}

// TestHigherLayerWins sets one key in any set of layers and looks at which
// one is in effect.
func TestHigherLayerWins(t *testing.T) {
	t.Parallel()
	layers := []string{"file", "overrides", "env", "flag"}
	rapid.Check(t, func(t *rapid.T) {
		p, _, all := sections()
		files := map[string]string{}
		opts := config.Options{File: "config.yaml", Overrides: "config.overrides.yaml", ReadFile: texts(files)}
		key := rapid.SampledFrom([]string{"sms", "email", "new"}).Draw(t, "pool")
		want, source := p.Pools[key], config.FromDefault
		for i, layer := range layers {
			if !rapid.Bool().Draw(t, layer) {
				continue
			}
			want.Queue = rapid.IntRange(1, 1000).Draw(t, "queue")
			text := strconv.Itoa(want.Queue)
			switch layer {
			case "file":
				files["config.yaml"] = "pools: {" + key + ": {queue: " + text + "}}"
			case "overrides":
				files["config.overrides.yaml"] = "pools: {" + key + ": {queue: " + text + "}}"
			case "env":
				opts.Environ = []string{"LASTCALL_POOLS__" + strings.ToUpper(key) + "__QUEUE=" + text}
			case "flag":
				opts.Args = []string{"--set", "pools." + key + ".queue=" + text}
			}
			source = []config.Source{config.FromFile, config.FromOverrides, config.FromEnv, config.FromFlag}[i]
		}
		v, err := config.Load(opts, all...)
		require.NoError(t, err)
		require.Equal(t, want, p.Pools[key], "the other fields stay")
		if _, declared := p.Pools[key]; declared {
			require.Equal(t, source, v.Origin("pools."+key+".queue").Source)
		}
	})
}

func durationOf(n int64) time.Duration { return time.Duration(n) }
