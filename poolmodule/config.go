package poolmodule

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// Config holds the configuration of all pools and lanes by name. It is
// optional in the graph. The entry for a name replaces what was declared in
// code as a whole; a pool without an entry keeps what was declared.
type Config struct {
	Pools map[string]pool.Config     `yaml:"pools"`
	Lanes map[string]pool.LaneConfig `yaml:"lanes"`
}

// Validate reports every wrong field of every entry together, each by its
// configuration name ("pools.sms.workers").
func (c Config) Validate() error {
	return errors.Join(wrong("pools", c.Pools), wrong("lanes", c.Lanes))
}

func wrong[C interface{ Validate() error }](section string, entries map[string]C) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		for _, err := range fields(entries[name].Validate()) {
			errs = append(errs, fmt.Errorf("%s.%s.%w", section, name, err))
		}
	}
	return errors.Join(errs...)
}

// fields takes apart what Validate joins.
func fields(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

// The value groups of Declarations.
const (
	poolsGroup = "lastcall.pools"
	lanesGroup = "lastcall.lanes"
)

// Declared is a pool as [Provide] declares it.
type Declared struct {
	Name   string
	Config pool.Config
}

// DeclaredLane is a lane as [Lane] declares it.
type DeclaredLane struct {
	Name   string
	Pool   string
	Config pool.LaneConfig
}

// Declarations are all pools and lanes that the application declares, whether
// built or not. Take them as a parameter to lay other sources over them.
type Declarations struct {
	fx.In

	Pools []Declared     `group:"lastcall.pools"`
	Lanes []DeclaredLane `group:"lastcall.lanes"`
}

// NewConfig is the Config as declared: the ground on which files, environment
// and flags are laid.
func NewConfig(d Declarations) Config {
	cfg := Config{
		Pools: make(map[string]pool.Config, len(d.Pools)),
		Lanes: make(map[string]pool.LaneConfig, len(d.Lanes)),
	}
	for _, declared := range d.Pools {
		cfg.Pools[declared.Name] = declared.Config
	}
	for _, declared := range d.Lanes {
		cfg.Lanes[declared.Name] = declared.Config
	}
	return cfg
}

// given is the Config of the graph, which need not be there.
type given struct {
	fx.In

	Declarations Declarations
	Config       Config `optional:"true"`
}

// checked stands beside the module of a declaration, not in it: Fx looks at the
// whole graph for the first function that is invoked in each module, which with
// 1,000 pools took minutes.
var checked = fx.Invoke(check)

// check reports the names in the Config that nobody declared, and every wrong
// field. It is invoked, as a pool that nobody takes is not built, but may well
// be misspelt.
func check(in given) error {
	known := NewConfig(in.Declarations)
	return errors.Join(
		unknown("pools", in.Config.Pools, known.Pools),
		unknown("lanes", in.Config.Lanes, known.Lanes),
		in.Config.Validate(),
	)
}

func unknown[C any](section string, got, known map[string]C) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, ok := known[name]; !ok {
			errs = append(errs, fmt.Errorf("%s.%s: nobody declares it; declared are: %s", section, name, listed(known)))
		}
	}
	return errors.Join(errs...)
}

func listed[V any](known map[string]V) string {
	if len(known) == 0 {
		return "none"
	}
	return strings.Join(slices.Sorted(maps.Keys(known)), ", ")
}
