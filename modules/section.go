package modules

import (
	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/config"
)

// Section gives the program a section of the configuration of its own: a T,
// which holds the defaults, comes into the graph as the sources have made it.
// T must be a struct or a map; its fields are found by their yaml tags, and if
// it has a method Validate() error it is asked. One section for each type.
func Section[T any](key string, defaults T) fx.Option {
	return section[T](config.Section{Key: key}, func() T { return defaults })
}

// section is Section with defaults that are made from the graph: constructor
// returns a T.
func section[T any](s config.Section, constructor any) fx.Option {
	return fx.Options(
		fx.Provide(
			fx.Annotate(constructor, fx.ResultTags(`name:"lastcall.defaults"`)),
			fx.Annotate(func(defaults T) *draft[T] { return &draft[T]{value: defaults} },
				fx.ParamTags(`name:"lastcall.defaults"`)),
			fx.Annotate(func(d *draft[T]) config.Section {
				s := s
				s.Value = &d.value
				return s
			}, fx.ResultTags(`group:"lastcall.sections"`)),
			// The values are there for the order: they are loaded, then the
			// draft is done.
			func(d *draft[T], _ *config.Values) T { return d.value },
		),
	)
}

// draft is a section while it is being read.
type draft[T any] struct{ value T }

// Flag declares a short name for a key of the configuration.
func Flag(name, key, usage string) fx.Option {
	return fx.Supply(fx.Annotate(config.Flag{Name: name, Key: key, Usage: usage}, fx.ResultTags(`group:"lastcall.flags"`)))
}
