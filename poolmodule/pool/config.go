package pool

import (
	"errors"
	"fmt"
	"runtime"
	"time"
)

// NoQueue as the queue capacity makes the pool a hand-off: work is accepted
// only when a worker is free for it.
const NoQueue = -1

const (
	defaultQueue       = 1024
	defaultIdleTimeout = 30 * time.Second
)

// The greatest [Config.Workers] and [Config.Queue]. They catch a slip of the pen
// (a byte size where a count was meant), not a real need.
const (
	MaxWorkers = 1 << 20
	MaxQueue   = 1 << 30
)

// Config bounds a pool. The zero value is usable.
type Config struct {
	// Workers is the greatest number of goroutines that run tasks; they are
	// started when there is work for them. Zero: GOMAXPROCS.
	Workers int `yaml:"workers"`
	// MinWorkers are started by Start and kept when there is nothing to do.
	// Zero: none is kept.
	MinWorkers int `yaml:"min_workers"`
	// Queue is how many tasks may wait. Zero: 1024. [NoQueue] (-1): none may
	// wait, Submit hands over to a free worker.
	Queue int `yaml:"queue"`
	// Policy says what Submit does when the queue has no room. Zero: block.
	Policy Policy `yaml:"policy"`
	// IdleTimeout is how long a worker above MinWorkers stays with nothing to
	// do; it goes between one and two of it. Zero: 30s.
	IdleTimeout time.Duration `yaml:"idle_timeout"`
	// StopBudget bounds the time Stop gives to what is inside, within the
	// context given to Stop. Zero: that context alone.
	StopBudget time.Duration `yaml:"stop_budget"`
}

// Validate reports every wrong field at once, by its configuration name.
func (c Config) Validate() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	if c.Workers < 0 || c.Workers > MaxWorkers {
		wrong("workers: is %d, must be from 1 to %d, or 0 for the number of CPUs", c.Workers, MaxWorkers)
	}
	if c.MinWorkers < 0 {
		wrong("min_workers: is %d, must not be negative; use 0 to keep none", c.MinWorkers)
	}
	if workers := c.WithDefaults().Workers; workers >= 0 && c.MinWorkers > workers {
		wrong("min_workers: is %d, must not exceed workers (%d); lower it or raise workers", c.MinWorkers, workers)
	}
	if c.Queue < NoQueue || c.Queue > MaxQueue {
		wrong("queue: is %d, must be from 1 to %d, 0 for the default of %d, or -1 for no queue", c.Queue, MaxQueue, defaultQueue)
	}
	if !c.Policy.valid() {
		wrong("policy: %w", c.Policy.unknown(c.Policy.String()))
	}
	if c.IdleTimeout < 0 {
		wrong("idle_timeout: is %s, must not be negative; set min_workers to workers to keep all", c.IdleTimeout)
	}
	if c.StopBudget < 0 {
		wrong("stop_budget: is %s, must not be negative; use 0 for all the time Stop is given", c.StopBudget)
	}
	return errors.Join(errs...)
}

// WithDefaults is c with what is zero filled in, as [New] uses it and
// --print-config shows it.
func (c Config) WithDefaults() Config {
	if c.Workers == 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	if c.Queue == 0 {
		c.Queue = defaultQueue
	}
	if c.IdleTimeout == 0 {
		c.IdleTimeout = defaultIdleTimeout
	}
	return c
}

// Limits are the bounds that [Pool.Resize] changes while the pool runs.
type Limits struct {
	// Workers is the greatest number of workers. Zero: unchanged.
	Workers int `yaml:"workers" json:"workers"`
	// MinWorkers is how many are kept when idle. Zero: unchanged, or Workers
	// if that is now less. -1: none.
	MinWorkers int `yaml:"min_workers" json:"min_workers"`
	// Queue is how many tasks may wait. Zero: unchanged. [NoQueue]: none.
	Queue int `yaml:"queue" json:"queue"`
}

// over returns cfg with the limits laid over it.
func (l Limits) over(cfg Config) Config {
	if l.Workers != 0 {
		cfg.Workers = l.Workers
	}
	switch {
	case l.MinWorkers == -1:
		cfg.MinWorkers = 0
	case l.MinWorkers != 0:
		cfg.MinWorkers = l.MinWorkers
	default:
		cfg.MinWorkers = max(0, min(cfg.MinWorkers, cfg.Workers))
	}
	if l.Queue != 0 {
		cfg.Queue = l.Queue
	}
	return cfg
}

// capacity is the queue bound as a count.
func (c Config) capacity() int { return max(0, c.Queue) }
