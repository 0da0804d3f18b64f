package config_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/config"
)

func load(t *testing.T, opts config.Options, sections ...config.Section) *config.Values {
	t.Helper()
	v, err := config.Load(opts, sections...)
	require.NoError(t, err)
	return v
}

func TestAllShowsEveryKeyWithItsOrigin(t *testing.T) {
	t.Parallel()
	_, s, all := sections()
	s.Ratio = math.Inf(1)
	s.Extra = map[string]any{"since": time.Unix(0, 0).UTC(), "parts": []any{1, math.NaN()}}
	opts := file("http: {token: hunter2, hosts: [a, b]}\nlanes: {a.b: {pool: sms}}")
	opts.Environ = []string{"LASTCALL_POOLS_SMS_IDLE_TIMEOUT=90s"}
	v := load(t, opts, all...)

	got := map[string]string{}
	var keys []string
	for value := range v.All() {
		text, err := json.Marshal(value.Value)
		require.NoError(t, err, value.Key)
		got[value.Key] = fmt.Sprintf("%s # %s", text, value.Origin)
		keys = append(keys, value.Key)
	}
	assert.True(t, slices.IsSorted(keys))
	for key, want := range map[string]string{
		"http.addr":              `":8080" # default`,
		"http.backlog":           `0 # default`,
		"http.compress":          `false # default`,
		"http.corners":           `[0,0] # default`,
		"http.extra":             `{"parts":[1,"NaN"],"since":"1970-01-01T00:00:00Z"} # default`,
		"http.hosts":             `["a","b"] # config.yaml:1`,
		"http.level":             `"info" # default`,
		"http.ratio":             `"+Inf" # default`,
		"http.read_timeout":      `"5s" # default`,
		"http.token":             `"***" # config.yaml:1`,
		"http.tuning.depth":      `null # default`,
		"lanes.a.b.pool":         `"sms" # config.yaml:2`,
		"pools.sms.idle_timeout": `"1m30s" # LASTCALL_POOLS_SMS_IDLE_TIMEOUT`,
		"pools.sms.workers":      `4 # default`,
	} {
		assert.Equal(t, want, got[key], key)
	}

	token, ok := v.Value("http.token")
	assert.True(t, ok && token.Secret)
	_, ok = v.Value("http")
	assert.False(t, ok, "it holds other keys")
	assert.Equal(t, []string{"lanes", "a.b", "pool"}, v.Path("lanes.a.b.pool"))
	assert.Nil(t, v.Path("lanes.a"))
	assert.Equal(t, []string{"http", "lanes", "pools"}, v.Sections())
}

func TestLayersShowWhatDoesNotCountToo(t *testing.T) {
	t.Parallel()
	_, _, all := sections()
	v := load(t, config.Options{
		File: "etc/config.yaml", Overrides: "config.overrides.yaml",
		ReadFile: texts(map[string]string{
			"etc/config.yaml":           "pools: {sms: {queue: 5, workers: 6}}\nhttp: {token: filesecret}",
			"etc/config.overrides.yaml": "pools:\n  sms:\n    queue: 7",
		}),
		Environ: []string{"LASTCALL_POOLS_SMS_QUEUE=8", "LASTCALL_HTTP_TOKEN=envsecret"},
		Args:    []string{"--set", "pools.sms.queue=9", "--set", "http.read_timeout=90s"},
	}, all...)

	var said []string
	var names []string
	for _, layer := range v.Layers() {
		names = append(names, layer.Name)
		if value, ok := layer.Value("pools.sms.queue"); ok {
			said = append(said, fmt.Sprintf("%v at %s", value.Value, value.Origin))
		}
		for value := range layer.All() {
			assert.NotContains(t, fmt.Sprint(value), "secret", "%s", value.Key)
		}
	}
	assert.Equal(t, []string{"flags", "environment", "etc/config.overrides.yaml", "etc/config.yaml", "defaults"}, names)
	assert.Equal(t, []string{
		"9 at --set", "8 at LASTCALL_POOLS_SMS_QUEUE", "7 at etc/config.overrides.yaml:3", "5 at etc/config.yaml:1", "100 at default",
	}, said)
	read, _ := v.Layers()[0].Value("http.read_timeout")
	assert.Equal(t, "1m30s", read.Value, "as its type writes it")
	assert.Equal(t, "etc/config.overrides.yaml", v.Overrides())
}

func TestDiff(t *testing.T) {
	t.Parallel()
	before, after := file("http: {token: old, hosts: [a], addr: ':1'}\npools: {gone: {}}"), file("x-note: 1\nhttp: {token: new, hosts: [b], addr: ':1', tuning: {depth: 0}}")
	_, _, one := sections()
	_, _, two := sections()
	_, _, three := sections()
	v := load(t, before, one...)
	diff := v.Diff(load(t, after, two...))
	var got []string
	for _, d := range diff {
		got = append(got, fmt.Sprintf("%s: %v → %v", d.Key, d.Before.Value, d.After.Value))
	}
	assert.Equal(t, []string{
		"http.hosts: [a] → [b]",
		"http.token: *** → ***", // it changes, and nobody sees how
		"http.tuning.depth: <nil> → 0",
		"pools.gone.idle_timeout: 0s → <nil>",
		"pools.gone.max_workers: 0 → <nil>",
		"pools.gone.queue: 0 → <nil>",
		"pools.gone.workers: 0 → <nil>",
	}, got)
	assert.Empty(t, diff[3].After.Origin.Source, "it is not there")
	assert.NotContains(t, fmt.Sprintf("%+v %#v", diff, diff), "old")
	assert.Empty(t, v.Diff(load(t, before, three...)))
}

func TestReloadBeginsWithTheDefaults(t *testing.T) {
	t.Parallel()
	p, _, all := sections()
	files := map[string]string{"config.yaml": "pools: {sms: {queue: 5}}"}
	v := load(t, config.Options{File: "config.yaml", ReadFile: texts(files)}, all...)
	p.Pools["email"] = poolConfig{Workers: 99} // by whoever has the section
	p.Pools["sms"] = poolConfig{Workers: 99}

	files["config.yaml"] = "pools: {email: {queue: 1}}"
	next, err := v.Reload()
	require.NoError(t, err)
	assert.Equal(t, poolConfig{Workers: 99}, p.Pools["sms"], "the sections are left alone")
	for key, want := range map[string]any{"pools.sms.queue": 100, "pools.sms.workers": 4, "pools.email.workers": 2, "pools.email.queue": 1} {
		got, _ := next.Value(key)
		assert.Equal(t, want, got.Value, key)
	}

	files["config.yaml"] = "pools: {email: {queue: many}}"
	_, err = v.Reload()
	require.ErrorContains(t, err, "config.yaml:1:17: pools.email.queue: cannot read")
}
