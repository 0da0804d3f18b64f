package modules

import (
	"slices"

	"go.uber.org/fx"
)

// Part is one of the standard parts.
type Part int

// The parts of [Default].
const (
	Config Part = iota
	Logging
	Stopping
	Journal
	HTTP
	Pools
	Batchers
	Management
	Alarms
)

// Option configures [Default].
type Option func(*options)

type options struct{ without []Part }

// Without leaves parts out.
func Without(parts ...Part) Option {
	return func(o *options) { o.without = append(o.without, parts...) }
}

// Default is the standard set of modules.
func Default(opts ...Option) fx.Option {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	in := func(p Part) bool { return !slices.Contains(o.without, p) }
	configured := in(Config)

	var set []fx.Option
	add := func(part Part, always, withConfig fx.Option) {
		if in(part) {
			set = append(set, always)
			if configured {
				set = append(set, withConfig)
			}
		}
	}
	add(Config, fx.Options(), configuration())
	add(Logging, logging(), Section("log", Log{}))
	add(Stopping, fx.Options(), stopping())
	add(Journal, journals(), journalConfig())
	add(HTTP, httpServer(), httpConfig())
	add(Pools, pools(), poolConfig())
	add(Batchers, fx.Options(), batchConfig())
	add(Management, managementServer(), managementConfig())
	add(Alarms, alarms(), alarmConfig())
	return fx.Options(append(set, fx.Supply(o))...)
}
