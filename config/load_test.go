package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/config"
)

func TestLoad(t *testing.T) {
	t.Parallel()

	t.Run("NothingGivenLeavesTheDefaults", func(t *testing.T) {
		t.Parallel()
		p, s, all := sections()
		wantP, wantS, _ := sections()
		v, err := config.Load(config.Options{}, all...)
		require.NoError(t, err)
		assert.Equal(t, wantP, p)
		assert.Equal(t, wantS, s)
		assert.Equal(t, config.Origin{Source: config.FromDefault}, v.Origin("http.addr"))
		assert.Zero(t, v.Origin("http.adr"), "a key that does not exist has no origin")
	})

	t.Run("FileChangesOneFieldOfADeclaredPool", func(t *testing.T) {
		t.Parallel()
		p, _, all := sections()
		_, err := config.Load(file("pools: {sms: {workers: 8}}"), all...)
		require.NoError(t, err)
		assert.Equal(t, poolConfig{Workers: 8, MaxWorkers: 16, Queue: 100, IdleTimeout: time.Minute}, p.Pools["sms"])
		assert.Equal(t, poolConfig{Workers: 2}, p.Pools["email"])
	})

	t.Run("FileDeclaresNewEntries", func(t *testing.T) {
		t.Parallel()
		p, _, all := sections()
		_, err := config.Load(file(lines(
			"pools:",
			"  push: {queue: 7}",
			"  bare:",
			"lanes:",
			"  sms.high: {pool: sms, tags: [a, b]}",
		)), all...)
		require.NoError(t, err)
		assert.Equal(t, poolConfig{Queue: 7}, p.Pools["push"])
		assert.Contains(t, p.Pools, "bare")
		assert.Equal(t, &lane{Pool: "sms", Tags: []string{"a", "b"}}, p.Lanes["sms.high"])
	})

	t.Run("EveryKindOfValueIsReadFromItsText", func(t *testing.T) {
		t.Parallel()
		_, s, all := sections()
		_, err := config.Load(file(lines(
			"http:",
			"  addr: 0123",
			"  read_timeout: 1m30s",
			"  max_body: 4MiB",
			"  ratio: 0.5",
			"  compress: yes",
			"  backlog: 0x10",
			"  hosts: [a, 8, null]",
			"  routes: [{path: /a, head: {x: 1}}]",
			"  corners: [3, 4]",
			"  level: debug",
			"  token: 0123",
			"  tuning: {depth: 3}",
			"  extra: {a: [1, x]}",
			"  region: eu",
			"  labels: {team: red}",
		)), all...)
		require.NoError(t, err)
		debug, depth := "debug", tuning{3}
		assert.Equal(t, &server{
			Addr: "0123", Read: 90 * time.Second, MaxBody: 4 << 20, Ratio: 0.5, Compress: true, Backlog: 16,
			Hosts: []string{"a", "8", ""}, Routes: []route{{Path: "/a", Head: map[string]string{"x": "1"}}},
			Corners: [2]int{3, 4}, Level: level{&debug}, Token: config.NewSecret("0123"), Tuning: &depth,
			Extra: map[string]any{"a": []any{1, "x"}}, Common: Common{"eu"}, Labels: stringsMap{"team": "red"},
		}, s)
	})

	t.Run("EmptyValuesChangeNothing", func(t *testing.T) {
		t.Parallel()
		p, s, all := sections()
		wantP, wantS, _ := sections()
		opts := file(lines("pools: {sms: {workers: }}", "http:", "  addr: ~", "  tuning:"))
		opts.Environ = []string{"LASTCALL_HTTP_READ_TIMEOUT="}
		_, err := config.Load(opts, all...)
		require.NoError(t, err)
		assert.Equal(t, wantP, p)
		assert.Equal(t, wantS, s)
	})

	t.Run("AnchorsAndMergeKeys", func(t *testing.T) {
		t.Parallel()
		p, _, all := sections()
		v, err := config.Load(file(lines(
			"x-base: &base {workers: 9, queue: 9}",
			"pools:",
			"  sms: {<<: *base, queue: 1}",
			"  push: *base",
			"  more:",
			"    <<: [{workers: 3}, *base]",
		)), all...)
		require.NoError(t, err)
		assert.Equal(t, poolConfig{Workers: 9, Queue: 1, MaxWorkers: 16, IdleTimeout: time.Minute}, p.Pools["sms"])
		assert.Equal(t, poolConfig{Workers: 9, Queue: 9}, p.Pools["push"])
		assert.Equal(t, poolConfig{Workers: 3, Queue: 9}, p.Pools["more"])
		assert.Equal(t, "config.yaml:1", v.Origin("pools.sms.workers").Detail, "where the value stands, not where it is used")
		assert.Equal(t, "config.yaml:3", v.Origin("pools.sms.queue").Detail)
	})

	t.Run("OnErrorNothingHasChanged", func(t *testing.T) {
		t.Parallel()
		before := "info"
		p, s, all := sections()
		s.Level = level{&before}
		s.Tuning = &tuning{1}
		p.Lanes = map[string]*lane{"a": {Pool: "sms"}}
		sms := p.Pools["sms"]
		v, err := config.Load(file(lines(
			"pools: {sms: {workers: 8}, new: {}}",
			"lanes: {a: {pool: email}}",
			"http: {addr: x, level: debug, tuning: {depth: 5}, ratio: wrong}",
		)), all...)
		require.Error(t, err)
		assert.Nil(t, v)
		assert.Equal(t, sms, p.Pools["sms"])
		assert.Len(t, p.Pools, 2)
		assert.Equal(t, "sms", p.Lanes["a"].Pool)
		assert.Equal(t, ":8080", s.Addr)
		assert.Equal(t, "info", before, "not even through a pointer that the default holds")
		assert.Equal(t, 1, s.Tuning.Depth)
	})

	t.Run("LoadedAgainOverFreshDefaultsTheOldValuesStay", func(t *testing.T) {
		t.Parallel()
		first, _, all := sections()
		v1, err := config.Load(file("pools: {sms: {workers: 8}}"), all...)
		require.NoError(t, err)
		second, _, all := sections()
		v2, err := config.Load(file("\npools: {sms: {queue: 1}}"), all...)
		require.NoError(t, err)
		assert.Equal(t, 8, first.Pools["sms"].Workers)
		assert.Equal(t, 4, second.Pools["sms"].Workers)
		assert.Equal(t, "config.yaml:1", v1.Origin("pools.sms.workers").Detail)
		assert.Equal(t, "config.yaml:2", v2.Origin("pools.sms.queue").Detail)
	})

	t.Run("SectionMayBeAMapOrASingleValueUnderADottedKey", func(t *testing.T) {
		t.Parallel()
		limits, name := map[string]int{"a": 1}, "x"
		_, err := config.Load(file("app: {limits: {b: 2}, name: y}"),
			config.Section{Key: "app.limits", Value: &limits}, config.Section{Key: "app.name", Value: &name})
		require.NoError(t, err)
		assert.Equal(t, map[string]int{"a": 1, "b": 2}, limits)
		assert.Equal(t, "y", name)
	})
}

func TestPrecedence(t *testing.T) {
	t.Parallel()
	const yaml = "pools: {sms: {workers: 10}}"
	environ := []string{"LASTCALL_POOLS_SMS_WORKERS=20", "OTHER=1"}
	tests := []struct {
		name       string
		file       string
		environ    []string
		args       []string
		want       int
		wantOrigin string
	}{
		{"Default", "", nil, nil, 4, "default"},
		{"FileOverDefault", yaml, nil, nil, 10, "config.yaml:1"},
		{"EnvironmentOverDefault", "", environ, nil, 20, "LASTCALL_POOLS_SMS_WORKERS"},
		{"EnvironmentOverFile", yaml, environ, nil, 20, "LASTCALL_POOLS_SMS_WORKERS"},
		{"FlagOverAll", yaml, environ, []string{"--set", "pools.sms.workers=30"}, 30, "--set"},
		{"NamedFlagOverAll", yaml, environ, []string{"--sms-workers=31"}, 31, "--sms-workers"},
		{"LaterFlagOverEarlier", yaml, environ, []string{"--sms-workers=31", "--set=pools.sms.workers=32"}, 32, "--set"},
		{"LaterNamedFlagOverEarlierSet", yaml, environ, []string{"--set=pools.sms.workers=32", "--sms-workers", "31"}, 31, "--sms-workers"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, _, all := sections()
			opts := file(tt.file)
			opts.Environ, opts.Args = tt.environ, tt.args
			opts.Flags = []config.Flag{{Name: "sms-workers", Key: "pools.sms.workers"}}
			v, err := config.Load(opts, all...)
			require.NoError(t, err)
			assert.Equal(t, tt.want, p.Pools["sms"].Workers)
			assert.Equal(t, tt.wantOrigin, v.Origin("pools.sms.workers").String())
			assert.Equal(t, 16, p.Pools["sms"].MaxWorkers, "the other fields keep their defaults")
		})
	}
}

func TestFileIsChosen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one.yaml"), filepath.Join(dir, "two.yaml")
	require.NoError(t, os.WriteFile(one, []byte("http: {addr: one}"), 0o600))
	require.NoError(t, os.WriteFile(two, []byte("http: {addr: two}"), 0o600))
	absent := filepath.Join(dir, "absent.yaml")

	tests := []struct {
		name     string
		opts     config.Options
		wantAddr string
		wantFile string
		wantErr  string
	}{
		{"DefaultFile", config.Options{File: one}, "one", one, ""},
		{"DefaultFileMayBeAbsent", config.Options{File: absent}, ":8080", "", ""},
		{"VariableOverDefaultFile", config.Options{File: one, Environ: []string{"LASTCALL_CONFIG=" + two}}, "two", two, ""},
		{"FlagOverVariable", config.Options{File: absent, Environ: []string{"LASTCALL_CONFIG=" + absent}, Args: []string{"--config", one}}, "one", one, ""},
		{"NamedFileMustExist", config.Options{File: one, Args: []string{"--config=" + absent}}, "", "", "absent.yaml: there is no such file"},
		{"FileMustBeReadable", config.Options{File: dir}, "", "", "cannot be read: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, s, all := sections()
			v, err := config.Load(tt.opts, all...)
			if tt.wantErr != "" {
				require.ErrorContains(t, err, tt.wantErr)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.wantAddr, s.Addr)
			assert.Equal(t, tt.wantFile, v.File())
		})
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		pair string
		want func(*pools, *server) (got, want any)
	}{
		{"KeysWithUnderscores", "POOLS_SMS_IDLE_TIMEOUT=3s", func(p *pools, _ *server) (any, any) { return p.Pools["sms"].IdleTimeout, 3 * time.Second }},
		{"KeyThatEndsAnother", "POOLS_EMAIL_MAX_WORKERS=3", func(p *pools, _ *server) (any, any) { return p.Pools["email"].MaxWorkers, 3 }},
		{"KeyMadeClear", "POOLS__SMS__MAX_WORKERS=3", func(p *pools, _ *server) (any, any) { return p.Pools["sms"].MaxWorkers, 3 }},
		{"EntriesOfTheFile", "POOLS_FROM_FILE_WORKERS=3", func(p *pools, _ *server) (any, any) { return p.Pools["from-file"].Workers, 3 }},
		{"EntryWhoseNameBeginsAnother", "POOLS_SMS_MAX_QUEUE=3", func(p *pools, _ *server) (any, any) { return p.Pools["sms_max"].Queue, 3 }},
		{"NewEntryBetweenTwoUnderscores", "POOLS__NEW_ONE__IDLE_TIMEOUT=3s", func(p *pools, _ *server) (any, any) { return p.Pools["new_one"].IdleTimeout, 3 * time.Second }},
		{"NewEntryOfSingleValues", "HTTP_LABELS__TEAM=red", func(_ *pools, s *server) (any, any) { return s.Labels["team"], "red" }},
		{"Lists", "HTTP_HOSTS=a, b,c", func(_ *pools, s *server) (any, any) { return s.Hosts, []string{"a", "b", "c"} }},
		{"BehindAPointer", "HTTP_TUNING_DEPTH=3", func(_ *pools, s *server) (any, any) { return s.Tuning, &tuning{3} }},
		{"Secrets", "HTTP_TOKEN=hunter2", func(_ *pools, s *server) (any, any) { return s.Token.Reveal(), "hunter2" }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, s, all := sections()
			opts := file("pools: {from-file: {queue: 1}, sms_max: {}}\nhttp: {hosts: [x]}")
			opts.Prefix, opts.Environ = "APP_", []string{"APP_" + tt.pair, "LASTCALL_ELSE=1", "PATH=/bin"}
			_, err := config.Load(opts, all...)
			require.NoError(t, err)
			got, want := tt.want(p, s)
			assert.Equal(t, want, got)
		})
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()

	t.Run("WhatIsAskedForBesidesValues", func(t *testing.T) {
		t.Parallel()
		_, s, all := sections()
		v, err := config.Load(config.Options{
			Args:  []string{"--print-config", "--print-graph", "--compress", "--", "--left", "alone"},
			Flags: []config.Flag{{Name: "compress", Key: "http.compress"}},
		}, all...)
		require.NoError(t, err)
		assert.Equal(t, config.Wants{PrintConfig: true, PrintGraph: true}, v.Wants())
		assert.True(t, s.Compress, "a flag for a bool needs no value")
		assert.Equal(t, []string{"--left", "alone"}, v.Args())
	})

	t.Run("HelpIsShownWhateverElseIsWrong", func(t *testing.T) {
		t.Parallel()
		_, _, all := sections()
		opts := file("{{{")
		opts.Name, opts.Args = "demo", []string{"--unknown", "-h"}
		v, err := config.Load(opts, all...)
		require.NoError(t, err)
		require.True(t, v.Wants().Help)
		assert.Contains(t, usage(t, v), "Usage: demo [flags]")
	})

	t.Run("UsageListsKeysWithTypesAndDefaults", func(t *testing.T) {
		t.Parallel()
		_, s, all := sections()
		s.Token = config.NewSecret("hunter2")
		v, err := config.Load(config.Options{Flags: []config.Flag{{Name: "listen", Key: "http.addr", Usage: "serve on this `address`"}}}, all...)
		require.NoError(t, err)
		text := usage(t, v)
		assert.Regexp(t, `(?m)^ +--listen address +serve on this address$`, text)
		assert.Regexp(t, `(?m)^  http\.read_timeout +duration +5s$`, text)
		assert.Regexp(t, `(?m)^  pools\.sms\.workers +whole number +4$`, text)
		assert.Regexp(t, `(?m)^  pools\.<name>\.workers +whole number *$`, text)
		assert.NotContains(t, text, "hunter2")
		assert.NotContains(t, text, "on_panic")
	})

	t.Run("ArgumentsOfATestBinaryAreNotOurs", func(t *testing.T) {
		t.Parallel()
		opts := config.FromProcess()
		require.Greater(t, len(os.Args), 1, "this binary was started with test flags")
		assert.Empty(t, opts.Args)
		assert.NotEmpty(t, opts.Environ)
	})
}

func usage(t *testing.T, v *config.Values) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, v.Usage(&b))
	return b.String()
}
