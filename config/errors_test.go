package config_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/config"
)

var errLoud = errors.New("loud is no level")

// TestProblems shows every error as the user sees it.
func TestProblems(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		file    string
		environ []string
		args    []string
		want    []string
	}{
		{name: "SyntaxErrorInTheFirstLine", file: "a: b: c", want: []string{
			"config.yaml:1: not readable as YAML: mapping values are not allowed in this context",
		}},
		{name: "SyntaxErrorFurtherDown", file: "http:\n  addr: x\n\tread_timeout: 1s\n", want: []string{
			"config.yaml:3: not readable as YAML: found a tab character that violates indentation",
		}},
		{name: "BracketThatIsNotClosed", file: "http:\n  addr: x\n  hosts: [a, b\n  ratio: 1\npools:\n", want: []string{
			"config.yaml:3: not readable as YAML: did not find expected ',' or ']'",
		}},
		{name: "WrongIndentation", file: "http:\n  addr: x\n   ratio: 1\n", want: []string{
			"config.yaml:3: not readable as YAML: mapping values are not allowed in this context",
		}},
		{name: "UnknownAnchor", file: "\nhttp: *nobody", want: []string{
			"config.yaml:2: not readable as YAML: unknown anchor; quote a text that begins with *",
		}},
		{name: "SecondDocument", file: "http: {addr: x}\n---\nhttp: {addr: y}\n", want: []string{
			"config.yaml:2:1: a second document begins here; a configuration is one document",
		}},
		{name: "NotAMapping", file: "- http\n", want: []string{
			"config.yaml:1:1: wants keys, got a list",
		}},
		{name: "DuplicateKey", file: "http:\n  addr: x\n  addr: y\n", want: []string{
			"config.yaml:3:3: http.addr: the key was already given in line 2",
		}},
		{name: "UnknownKeyThatIsNearlyKnown", file: "http:\n  adr: x\n", want: []string{
			`config.yaml:2:3: http.adr: unknown key, did you mean "addr"?`,
		}},
		{name: "UnknownKeyInAnEntryOfAMap", file: "pools:\n  new:\n    worker: 3\n", want: []string{
			`config.yaml:3:5: pools.new.worker: unknown key, did you mean "workers"?`,
		}},
		{name: "KnownKeyInAWrongPlace", file: "http:\naddr: x\n", want: []string{
			`config.yaml:2:1: addr: unknown key here, did you mean "http.addr"?`,
		}},
		{name: "UnknownKeyThatIsLikeNothing", file: "completely: different\n", want: []string{
			"config.yaml:1:1: completely: unknown key; known here: http, lanes, pools",
		}},
		{name: "KeyThatIsNoWord", file: "http: {[a]: x}\npools: {\"a\\tb\": {}}", want: []string{
			"config.yaml:1:8: http: a key must be a word",
			"config.yaml:2:9: pools: a key must be a word",
		}},
		{name: "GroupWhereAValueBelongs", file: "http:\n  addr: {host: x}\n", want: []string{
			"config.yaml:2:9: http.addr: wants a text, got a group of keys",
		}},
		{name: "ValueWhereAGroupBelongs", file: "http: 3\npools: {sms: 3}\nlanes: x\n", want: []string{
			"config.yaml:1:7: http: wants a group of keys, got a single value",
			"config.yaml:2:14: pools.sms: wants a group of keys, got a single value",
			"config.yaml:3:8: lanes: wants names with values, got a single value",
		}},
		{name: "WrongTypes", file: lines(
			"http:",
			"  max_body: lots",
			"  ratio: half",
			"  compress: maybe",
			"  backlog: 70000",
			"  level: loud",
			"  corners: [1]",
			"  hosts: {a: b}",
		), want: []string{
			`config.yaml:2:3: http.max_body: cannot read "lots" as a whole number; write it like 8, or like 4MiB for a size`,
			`config.yaml:3:3: http.ratio: cannot read "half" as a number`,
			`config.yaml:4:3: http.compress: cannot read "maybe"; write true or false`,
			`config.yaml:5:3: http.backlog: 70000 is too large; at most 16 bits fit`,
			`config.yaml:6:3: http.level: cannot read "loud": loud is no level`,
			`config.yaml:7:3: http.corners: wants 2 items, got 1`,
			`config.yaml:8:10: http.hosts: wants a list, got a group of keys`,
		}},
		{name: "Durations", file: "http: {read_timeout: 30}\npools: {sms: {idle_timeout: 30 seconds}}", want: []string{
			"config.yaml:1:8: http.read_timeout: the duration 30 has no unit; write 30s, 30ms or 30m",
			`config.yaml:2:15: pools.sms.idle_timeout: cannot read "30 seconds" as a duration; write it like 30s, 250ms or 1h30m`,
		}},
		{name: "Sizes", file: "http:\n  max_body: 5m\n  backlog: 1MiB\nlanes:\npools: {sms: {queue: 99999EiB}}", want: []string{
			`config.yaml:2:3: http.max_body: cannot read "5m" as a whole number; write it like 8, or like 4MiB for a size`,
			"config.yaml:3:3: http.backlog: 1MiB is too large; at most 16 bits fit",
			`config.yaml:5:15: pools.sms.queue: cannot read "99999EiB" as a whole number; write it like 8, or like 4MiB for a size`,
		}},
		{name: "InsideLists", file: lines("http:", "  routes:", "    - {path: /a, port: x}", "    - {prt: 1}", "    - [1]", "    - text"), want: []string{
			`config.yaml:3:18: http.routes[0].port: cannot read "x" as a whole number; write it like 8, or like 4MiB for a size`,
			`config.yaml:4:8: http.routes[1].prt: unknown key, did you mean "port"?`,
			"config.yaml:5:7: http.routes[2]: wants a group of keys, got a list",
			"config.yaml:6:7: http.routes[3]: wants a group of keys, got a single value",
		}},
		{name: "AnchorThatContainsItself", file: "http: &a {<<: *a, extra: &b [*b]}\n", want: []string{
			`config.yaml:1:15: http: the anchor "a" contains itself`,
			"config.yaml:1:26: http.extra: not readable as YAML: anchor 'b' value contains itself",
		}},
		{name: "MergeOfNoMapping", file: "http: {<<: 3}\n", want: []string{
			"config.yaml:1:12: http: << wants a mapping or a list of mappings",
		}},
		{name: "UnknownTag", file: "http: {addr: !env HOME}\n", want: []string{
			"config.yaml:1:14: http.addr: unknown tag !env; write the value itself",
		}},

		{name: "UnknownVariables", environ: []string{
			"LASTCALL_HTTP_ADR=x", "LASTCALL_=x", "LASTCALL_HTTP=x", "LASTCALL_POOLS_NEW_WORKERS=3", "LASTCALL_CONFI=x", "LASTCALL_POOLS__A__B=1",
		}, want: []string{
			`LASTCALL_HTTP_ADR: no key has this name, did you mean "LASTCALL_HTTP_ADDR"?`,
			"LASTCALL_: no key has this name",
			"LASTCALL_HTTP: no key has this name",
			`LASTCALL_POOLS_NEW_WORKERS: no key has this name, did you mean "LASTCALL_POOLS_SMS_WORKERS"?`,
			`LASTCALL_CONFI: no key has this name, did you mean "LASTCALL_CONFIG"?`,
			"LASTCALL_POOLS__A__B: no key has this name",
		}},
		{name: "VariableOfAWrongType", environ: []string{"LASTCALL_POOLS_SMS_WORKERS=many", "LASTCALL_HTTP_ROUTES=a,b"}, want: []string{
			`LASTCALL_POOLS_SMS_WORKERS: pools.sms.workers: cannot read "many" as a whole number; write it like 8, or like 4MiB for a size`,
			`LASTCALL_HTTP_ROUTES: http.routes[0]: wants a group of keys, got "a"; write it in the file`,
			`LASTCALL_HTTP_ROUTES: http.routes[1]: wants a group of keys, got "b"; write it in the file`,
		}},
		{name: "VariableThatCanBeReadInTwoWays", file: "pools: {sms_max: {}}", environ: []string{"LASTCALL_POOLS_SMS_MAX_WORKERS=1", "LASTCALL_POOLS__SMS__MAX_WORKERS=x"}, want: []string{
			"LASTCALL_POOLS_SMS_MAX_WORKERS: may mean pools.sms_max.workers or pools.sms.max_workers; write __ between the parts",
			`LASTCALL_POOLS__SMS__MAX_WORKERS: pools.sms.max_workers: cannot read "x" as a whole number; write it like 8, or like 4MiB for a size`,
		}},
		{name: "TwoVariablesForOneKey", environ: []string{"LASTCALL_HTTP_ADDR=x", "LASTCALL_HTTP__ADDR=y"}, want: []string{
			"LASTCALL_HTTP__ADDR: http.addr: is also set by LASTCALL_HTTP_ADDR; leave one of them out",
		}},
		{name: "VariableAfterAListOfTheFile", file: "http: {corners: [1, 2]}", environ: []string{"LASTCALL_HTTP_CORNERS=1,x"}, want: []string{
			`LASTCALL_HTTP_CORNERS: http.corners[1]: cannot read "x" as a whole number; write it like 8, or like 4MiB for a size`,
		}},

		{name: "UnknownFlags", args: []string{"--prnt-config", "--sms-worker", "8", "-config=x", "--http.addr=secret", "--nothing-like-it"}, want: []string{
			`--prnt-config: there is no such flag; --help lists them, did you mean "--print-config"?`,
			`--sms-worker: there is no such flag; --help lists them, did you mean "--sms-workers"?`,
			`-config: there is no such flag; --help lists them, did you mean "--config"?`,
			`--http.addr: there is no such flag; --help lists them, did you mean "--set http.addr=…"?`,
			`--nothing-like-it: there is no such flag; --help lists them`,
		}},
		{name: "FlagWithoutItsValue", args: []string{"--set"}, want: []string{
			"arguments: flag needs an argument: --set",
		}},
		{name: "WordThatIsNoFlag", args: []string{"start", "--print-graph", "now"}, want: []string{
			`arguments: "start" is not a flag; what is meant for the program itself stands after --`,
			`arguments: "now" is not a flag; what is meant for the program itself stands after --`,
		}},
		{name: "SetThatSetsNothing", args: []string{"--set", "http.token:hunter2", "--set", "=hunter2", "--set", "http.tokn=hunter2", "--set=http=hunter2", "--set=http.addr.host=hunter2", "--set=pools.new.wrkers=1"}, want: []string{
			"--set: wants a key and a value with = between them, as in --set http.addr=:8080",
			"--set: wants a key and a value with = between them, as in --set http.addr=:8080",
			`--set: http.tokn: unknown key, did you mean "http.token"?`,
			"--set: http: is a group of keys; set one of them",
			"--set: http.addr.host: unknown key; http.addr is a value and has no keys of its own",
			`--set: pools.new.wrkers: unknown key, did you mean "pools.new.workers"?`,
		}},
		{name: "AllSourcesAtOnce", file: "http:\n  adr: x\n  ratio: half\n", environ: []string{"LASTCALL_X=1"}, args: []string{"--y", "--set=z=1"}, want: []string{
			`config.yaml:2:3: http.adr: unknown key, did you mean "addr"?`,
			`config.yaml:3:3: http.ratio: cannot read "half" as a number`,
			"LASTCALL_X: no key has this name",
			"--y: there is no such flag; --help lists them",
			"--set: z: unknown key; known here: http, lanes, pools",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, _, all := sections()
			opts := file(tt.file)
			opts.Environ, opts.Args = tt.environ, tt.args
			opts.Flags = []config.Flag{{Name: "sms-workers", Key: "pools.sms.workers"}}
			v, err := config.Load(opts, all...)
			require.Error(t, err)
			assert.Nil(t, v)
			assert.Equal(t, tt.want, strings.Split(err.Error(), "\n  ")[1:])
		})
	}
}

func TestAliasesThatUnfoldWithoutEndAreStopped(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("x-0: &a0 {head: {a: b}}\n")
	for i := 1; i < 30; i++ {
		fmt.Fprintf(&b, "x-%d: &a%d {<<: [%s]}\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 9), ","))
	}
	b.WriteString("http: {routes: [*a29]}\n")
	_, _, all := sections()
	_, err := config.Load(file(b.String()), all...)
	require.ErrorContains(t, err, "more than 100000 values; is this the right file?")
}

func TestErrorIsTyped(t *testing.T) {
	t.Parallel()
	_, _, all := sections()
	_, err := config.Load(file("http:\n  adr: x"), all...)
	var typed *config.Error
	require.ErrorAs(t, err, &typed)
	assert.Equal(t, []config.Problem{{
		Key:        "http.adr",
		Origin:     config.Origin{Source: config.FromFile, Detail: "config.yaml:2", File: "config.yaml", Line: 2, Column: 3},
		Msg:        "unknown key",
		Suggestion: "addr",
	}}, typed.Problems)
	assert.True(t, strings.HasPrefix(err.Error(), "config: 1 problem\n  config.yaml:2:3: "))
}

// judged says what it is told to.
type judged struct {
	Workers int               `yaml:"workers"`
	Idle    time.Duration     `yaml:"idle_timeout"`
	Sub     map[string]*tuned `yaml:"sub"`
	verdict error
}

func (j *judged) Validate() error { return j.verdict }

type tuned struct {
	Depth int `yaml:"depth"`
}

func (c tuned) Validate() error {
	if c.Depth < 0 {
		return fmt.Errorf("depth: must not be negative, got %d", c.Depth)
	}
	return nil
}

func TestValidation(t *testing.T) {
	t.Parallel()
	const yaml = "pool:\n  workers: 3\n  sub:\n    a: {depth: 1}\n"
	tests := []struct {
		name string
		give error
		want []string
	}{
		{"JoinedErrorsAreReportedWhereTheirFieldsStand", errors.Join(errors.New("idle_timeout: too short"), errors.New("workers: too few; use 4")), []string{
			"config.yaml:2:3: pool.workers: too few; use 4",
			"default: pool.idle_timeout: too short",
		}},
		{"FieldsOfEntries", errors.Join(errors.New("sub.a.depth: too deep"), errors.New("sub: a: depth: much too deep")), []string{
			"config.yaml:4:9: pool.sub.a.depth: too deep",
			"config.yaml:4:9: pool.sub.a.depth: much too deep",
		}},
		{"WordsBeforeAJoin", fmt.Errorf("sub.a: %w", errors.Join(errors.New("depth: one"), errors.New("two: three"))), []string{
			"config.yaml:4:5: pool.sub.a: two: three",
			"config.yaml:4:9: pool.sub.a.depth: one",
		}},
		{"WithoutAField", errors.New("workers and sub do not fit"), []string{"config.yaml:1:1: pool: workers and sub do not fit"}},
		{"WrappedSingle", fmt.Errorf("workers: %w", errLoud), []string{"config.yaml:2:3: pool.workers: loud is no level"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Load(file(yaml), config.Section{Key: "pool", Value: &judged{verdict: tt.give}})
			require.Error(t, err)
			assert.Equal(t, tt.want, strings.Split(err.Error(), "\n  ")[1:])
		})
	}

	t.Run("WithoutAnOuterOneTheInnerOnesAreAsked", func(t *testing.T) {
		t.Parallel()
		var all struct {
			Entries map[string]tuned `yaml:"entries"`
			Items   []tuned          `yaml:"items"`
			Pointer *tuned           `yaml:"pointer"`
			Absent  *tuned           `yaml:"absent"`
		}
		_, err := config.Load(file("entries: {a: {depth: 1}, b: {depth: -1}}\nitems: [{}, {depth: -2}]\npointer:\n  depth: -3\n"), config.Section{Value: &all})
		require.Error(t, err)
		assert.Equal(t, []string{
			"config.yaml:1:30: entries.b.depth: must not be negative, got -1",
			"config.yaml:2:14: items[1].depth: must not be negative, got -2",
			"config.yaml:4:3: pointer.depth: must not be negative, got -3",
		}, strings.Split(err.Error(), "\n  ")[1:])
	})

	t.Run("AValueThatCouldNotBeReadIsNotJudgedAgain", func(t *testing.T) {
		t.Parallel()
		_, err := config.Load(file("pool:\n  workers: x\n"), config.Section{Key: "pool", Value: &judged{verdict: errors.New("workers: must be positive")}})
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "must be positive")
	})
}

func TestSectionsThatCannotWork(t *testing.T) {
	t.Parallel()
	type recursive map[string]recursive
	number := 3
	tests := []struct {
		name     string
		sections []config.Section
		flags    []config.Flag
		want     string
	}{
		{"NoPointer", []config.Section{{Key: "a", Value: 3}}, nil, "a: a section's Value must be a non-nil pointer, got int"},
		{"NilPointer", []config.Section{{Key: "a", Value: (*int)(nil)}}, nil, "must be a non-nil pointer"},
		{"SameKeyTwice", []config.Section{{Key: "a", Value: &number}, {Key: "a", Value: &number}}, nil, "a: two sections claim this key"},
		{"KeyInsideAnother", []config.Section{{Key: "a", Value: &poolConfig{}}, {Key: "a.b", Value: &number}}, nil, "a.b: two sections claim this key"},
		{"NoKeyAndNoStruct", []config.Section{{Value: &number}}, nil, "a section without a key must be a struct, got int"},
		{"Unreadable", []config.Section{{Key: "a", Value: new(func())}}, nil, "cannot be filled into a *func()"},
		{"Endless", []config.Section{{Key: "a", Value: &recursive{}}}, nil, "cannot be filled into"},
		{"FlagForNoKey", nil, []config.Flag{{Name: "x", Key: "nothing"}}, "nothing: the flag --x is for a key that no section has"},
		{"FlagNameTaken", []config.Section{{Key: "a", Value: &number}}, []config.Flag{{Name: "set", Key: "a"}}, `a: the flag name "set" is taken or empty`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Load(config.Options{Flags: tt.flags}, tt.sections...)
			require.ErrorContains(t, err, tt.want)
		})
	}
}
