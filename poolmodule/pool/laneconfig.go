package pool

import (
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/lastcall-go/lastcall/journal"
)

// DeadLetters says what becomes of items that failed for good.
type DeadLetters string

const (
	// KeepLetters puts them into the box.
	KeepLetters DeadLetters = "keep"
	// NoLetters counts them, and tells [WithFailure] and [WithResult].
	NoLetters DeadLetters = "off"
)

// LaneConfig bounds the work of a [Lane]. The zero value is usable: one try,
// no timeout.
type LaneConfig struct {
	// Timeout bounds one try of one item: its context ends with
	// [context.DeadlineExceeded]. A try that fails of it is retried like any
	// other. Zero: none.
	Timeout time.Duration `yaml:"timeout"`
	// Retry says what happens to an item whose handler returns an error.
	Retry Retry `yaml:"retry"`
	// MaxAge bounds how old an item may be when its turn comes, retries
	// included: one that was accepted longer ago, be it in an earlier life, is
	// not handled but fails with [ErrExpired]. Zero: any age.
	MaxAge time.Duration `yaml:"max_age"`
	// Journal says when items are written down: off, onstop or always; see
	// "Journal" in the package documentation. Zero: onstop where there is a
	// journal ([WithJournal]) and no saver ([WithSave]), else off.
	Journal journal.Mode `yaml:"journal"`
	// DeadLetters says what becomes of items that failed for good: keep puts
	// them into the box ([WithDeadLetters]), off counts them and no more. Zero:
	// keep where there is a box, else off.
	DeadLetters DeadLetters `yaml:"dead_letters"`
	// StopBudget bounds the time the lane's Stop gives to what is inside,
	// within the context given to Stop. Zero: that context alone.
	StopBudget time.Duration `yaml:"stop_budget"`
}

// Retry says how often and after which delays an item is tried again. The
// waiting holds no worker, but it holds a place of the queue: a sink that is
// down pushes back instead of filling the memory.
type Retry struct {
	// MaxAttempts is how often an item is tried in all, those in earlier lives
	// included that ended by a stop. A kill forgets the tries of the life that
	// it ends, and so does a stop in the middle of a replay. In each life an
	// item is tried once at least. Zero: once, there is no retry; a lane with a
	// journal may run its handler again all the same, in the next life.
	MaxAttempts int `yaml:"max_attempts"`
	// InitialDelay is the first delay. Zero: 500ms.
	InitialDelay time.Duration `yaml:"initial_delay"`
	// MaxDelay bounds the delays before Jitter. Zero: 1m.
	MaxDelay time.Duration `yaml:"max_delay"`
	// Multiplier is the factor from one delay to the next. Zero: 1.5.
	Multiplier float64 `yaml:"multiplier"`
	// Jitter is the part, from 0 to 1, by which a delay is varied at random
	// to both sides. Zero: 0.5. Negative: none.
	Jitter float64 `yaml:"jitter"`
}

// Validate reports every wrong field at once, by its configuration name.
func (c LaneConfig) Validate() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	notNegative := func(name string, d time.Duration) {
		if d < 0 {
			wrong("%s: is %s, must not be negative", name, d)
		}
	}
	notNegative("timeout", c.Timeout)
	notNegative("max_age", c.MaxAge)
	notNegative("stop_budget", c.StopBudget)
	notNegative("retry.initial_delay", c.Retry.InitialDelay)
	notNegative("retry.max_delay", c.Retry.MaxDelay)
	if err := c.Journal.Validate(); err != nil {
		wrong("journal: %w", err)
	}
	if c.DeadLetters != "" && c.DeadLetters != KeepLetters && c.DeadLetters != NoLetters {
		wrong("dead_letters: is %q; give %s or %s", string(c.DeadLetters), KeepLetters, NoLetters)
	}
	if c.Retry.MaxAttempts < 0 {
		wrong("retry.max_attempts: is %d, must not be negative; use 0 for a single try", c.Retry.MaxAttempts)
	}
	if r := c.Retry.withDefaults(); r.MaxDelay >= 0 && r.InitialDelay > r.MaxDelay {
		wrong("retry.initial_delay: is %s, must not exceed max_delay (%s)", r.InitialDelay, r.MaxDelay)
	}
	if m := c.Retry.Multiplier; m != 0 && !(m >= 1) {
		wrong("retry.multiplier: is %v, must be 1 or more, or 0 for %v", m, backoff.DefaultMultiplier)
	}
	if !(c.Retry.Jitter <= 1) {
		wrong("retry.jitter: is %v, must not exceed 1; use a negative number for none", c.Retry.Jitter)
	}
	return errors.Join(errs...)
}

// WithDefaults is c with what is zero filled in, as [NewLane] uses it and
// --print-config shows it.
func (c LaneConfig) WithDefaults() LaneConfig {
	c.Retry = c.Retry.withDefaults()
	return c
}

func (r Retry) withDefaults() Retry {
	if r.MaxAttempts == 0 {
		r.MaxAttempts = 1
	}
	if r.InitialDelay == 0 {
		r.InitialDelay = backoff.DefaultInitialInterval
		if r.MaxDelay > 0 {
			r.InitialDelay = min(r.InitialDelay, r.MaxDelay)
		}
	}
	if r.MaxDelay == 0 {
		r.MaxDelay = max(backoff.DefaultMaxInterval, r.InitialDelay)
	}
	if r.Multiplier == 0 {
		r.Multiplier = backoff.DefaultMultiplier
	}
	switch {
	case r.Jitter == 0:
		r.Jitter = backoff.DefaultRandomizationFactor
	case r.Jitter < 0:
		r.Jitter = 0
	}
	return r
}

// delays returns the sequence of delays for one item.
func (r Retry) delays() backoff.ExponentialBackOff {
	return backoff.ExponentialBackOff{
		InitialInterval:     r.InitialDelay,
		RandomizationFactor: r.Jitter,
		Multiplier:          r.Multiplier,
		MaxInterval:         r.MaxDelay,
	}
}
