package batchmodule

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/batchmodule/batch"
)

// Config says how the batchers of an application are to work, by name. It is
// optional in the graph. An entry replaces the [batch.Config] given to
// [Provide] as a whole; a batcher without an entry keeps that one.
type Config struct {
	Batchers map[string]batch.Config `yaml:"batchers"`
}

// Validate reports every wrong field of every entry together, each with the
// name of its batcher.
func (c Config) Validate() error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(c.Batchers)) {
		for _, err := range parts(c.Batchers[name].Validate()) {
			errs = append(errs, fmt.Errorf("batchers.%s.%w", name, err))
		}
	}
	return errors.Join(errs...)
}

// parts takes a joined error apart.
func parts(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

// Declared is one call of [Provide]: what it is called and the Config in the
// code. Every call puts one into the value group [Group], from which a program
// can know all batchers and lay a file over their values.
type Declared struct {
	Name   string
	Config batch.Config
}

// Group is the value group of [Declared].
const Group = "lastcall.batchers"

// Declarations are all batchers that the application declares, whether built
// or not.
type Declarations struct {
	fx.In

	Batchers []Declared `group:"lastcall.batchers"`
}

// NewConfig is the Config as declared: the ground on which files, environment
// and flags are laid.
func NewConfig(d Declarations) Config { return ConfigOf(d.Batchers) }

// ConfigOf merges declarations into the Config that says the same as having
// none.
func ConfigOf(declared []Declared) Config {
	c := Config{Batchers: make(map[string]batch.Config, len(declared))}
	for _, d := range declared {
		c.Batchers[d.Name] = d.Config
	}
	return c
}

// check compares a Config with what was declared.
func check(declared []Declared, c Config) error {
	var names []string
	var errs []error
	for _, d := range declared {
		if slices.Contains(names, d.Name) {
			errs = append(errs, fmt.Errorf("batchmodule: two batchers are called %q; give each its own name", d.Name))
			continue
		}
		names = append(names, d.Name)
	}
	slices.Sort(names)
	for _, name := range slices.Sorted(maps.Keys(c.Batchers)) {
		if !slices.Contains(names, name) {
			errs = append(errs, fmt.Errorf("batchmodule: batchers.%s: there is no batcher of that name; there are %q", name, names))
		}
	}
	return errors.Join(append(errs, c.Validate())...)
}
