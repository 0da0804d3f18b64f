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

// The value groups into which every [Provide] and [Lane] puts its declaration.
const (
	PoolsGroup = "lastcall.pools"
	LanesGroup = "lastcall.lanes"
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

// ConfigOf is the full configuration as declared: the ground on which files,
// environment and flags are laid.
func ConfigOf(pools []Declared, lanes []DeclaredLane) Config {
	cfg := Config{
		Pools: make(map[string]pool.Config, len(pools)),
		Lanes: make(map[string]pool.LaneConfig, len(lanes)),
	}
	for _, d := range pools {
		cfg.Pools[d.Name] = d.Config
	}
	for _, d := range lanes {
		cfg.Lanes[d.Name] = d.Config
	}
	return cfg
}

// check reports the names in cfg that nobody declared.
func (d Declarations) check(cfg Config) error {
	known := ConfigOf(d.Pools, d.Lanes)
	return errors.Join(
		unknown("pools", cfg.Pools, known.Pools),
		unknown("lanes", cfg.Lanes, known.Lanes),
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
