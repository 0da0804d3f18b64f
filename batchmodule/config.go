package batchmodule

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

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

// group is the value group of Declarations.
const group = "lastcall.batchers"

// Declared is a batcher as [Provide] declares it.
type Declared struct {
	Name   string
	Config batch.Config
}

// Declarations are all batchers that the application declares, whether built
// or not. Take them as a parameter to lay other sources over them.
type Declarations struct {
	fx.In

	Batchers []Declared `group:"lastcall.batchers"`
}

// NewConfig is the Config as declared: the ground on which files, environment
// and flags are laid.
func NewConfig(d Declarations) Config {
	c := Config{Batchers: make(map[string]batch.Config, len(d.Batchers))}
	for _, declared := range d.Batchers {
		c.Batchers[declared.Name] = declared.Config
	}
	return c
}

// given is the Config of the graph, which need not be there.
type given struct {
	fx.In

	Declarations Declarations
	Config       Config `optional:"true"`
}

// checked stands beside the module of a declaration, not in it: Fx looks at the
// whole graph for the first function that is invoked in each module.
var checked = fx.Invoke(check)

// check reports the names in the Config that nobody declared or that were
// declared twice, and every wrong field. It is invoked, as a batcher that
// nobody takes is not built, but may well be misspelt.
func check(in given) error {
	var names []string
	var errs []error
	for _, d := range in.Declarations.Batchers {
		if slices.Contains(names, d.Name) {
			errs = append(errs, fmt.Errorf("batchers.%s: two batchers have this name; give each its own", d.Name))
			continue
		}
		names = append(names, d.Name)
	}
	slices.Sort(names)
	for _, name := range slices.Sorted(maps.Keys(in.Config.Batchers)) {
		if !slices.Contains(names, name) {
			errs = append(errs, fmt.Errorf("batchers.%s: nobody declares it; declared are: %s", name, strings.Join(names, ", ")))
		}
	}
	return errors.Join(append(errs, in.Config.Validate())...)
}
