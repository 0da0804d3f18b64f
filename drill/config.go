package drill

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Config is a drill. Program, Load.Offer and Outcome.Delivered must be given;
// all else has a default.
type Config struct {
	// Program is what is killed.
	Program Program
	// Load offers it work.
	Load Load
	// Outcome is where the work arrives.
	Outcome Outcome
	// Kills is how often it is killed, and how; the order is drawn. Default:
	// 20 times by SIGKILL, 5 times by SIGTERM.
	Kills []Kill
	// Seed decides the order of the kills and their moments. Zero: one is
	// drawn; the report shows it.
	Seed uint64
	// Pause is the time between the end of one life and the start of the next.
	Pause time.Duration
	// Settle says when the program has worked off everything.
	Settle Settle
	// Progress is called after each life, if it is given. What the sink and
	// the later lives will say of it is not known then.
	Progress func(Life)
}

// Settle is when the last life, which has no load, may end: the sink has seen
// every accepted id and nothing for the time Quiet, or nothing for the time
// Patience.
type Settle struct {
	// Quiet is for how long nothing arrives when all is there. It should be
	// longer than the program takes for one piece of work, so that late
	// duplicates are seen. Default 500 ms.
	Quiet time.Duration
	// Patience is for how long nothing arrives until what is missing is taken
	// for lost. It should be longer than the longest delay between two
	// attempts of the program. Default 10 s.
	Patience time.Duration
	// Timeout is the longest time of all; when it has passed the drill is not
	// settled ([ErrUnsettled]). Default 5 minutes.
	Timeout time.Duration
	// Grace is how long the program may take to end, when it has settled, after
	// SIGTERM. Default 30 s.
	Grace time.Duration
	// Until, if given, is asked every 20 ms instead of waiting for Quiet and
	// Patience: true when the program has worked off everything.
	Until func(ctx context.Context, child *Child) (bool, error)
}

// Defaults.
const (
	defaultQuiet         = 500 * time.Millisecond
	defaultPatience      = 10 * time.Second
	defaultSettleTimeout = 5 * time.Minute
)

// WithDefaults is c with what is zero filled in, as [Run] uses it. A seed is
// drawn if there is none.
func (c Config) WithDefaults() Config {
	c.Program = c.Program.withDefaults()
	c.Load = c.Load.withDefaults()
	if len(c.Kills) == 0 {
		c.Kills = []Kill{Sigkill(20), Sigterm(5)}
	}
	kills := make([]Kill, len(c.Kills))
	for i, k := range c.Kills {
		kills[i] = k.withDefaults()
	}
	c.Kills = kills
	if c.Seed == 0 {
		c.Seed = uint64(rand.Uint32()) // short enough to be typed
	}
	c.Settle.Quiet = orElse(c.Settle.Quiet, defaultQuiet)
	c.Settle.Patience = orElse(c.Settle.Patience, defaultPatience)
	c.Settle.Timeout = orElse(c.Settle.Timeout, defaultSettleTimeout)
	c.Settle.Grace = orElse(c.Settle.Grace, defaultGrace)
	return c
}

// orElse is v, or the default if v is zero.
func orElse[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// Validate reports every wrong field at once.
func (c Config) Validate() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	if c.Program.Path == "" {
		wrong("program.path: is empty, must name the program to be killed")
	}
	if c.Load.Offer == nil {
		wrong("load.offer: is nil, must be a function that offers one piece of work")
	}
	if c.Load.Generators < 0 {
		wrong("load.generators: is %d, must be positive, or 0 for the default of %d", c.Load.Generators, defaultGenerators)
	}
	if c.Outcome.Delivered == nil {
		wrong("outcome.delivered: is nil, must yield the ids that have arrived; Lines reads them from a file")
	}
	if c.Program.ReceiptGate != "" && c.Program.Receipt == "" {
		wrong("program.receipt_gate: is %q, but program.receipt names no file", c.Program.ReceiptGate)
	}
	for _, d := range []struct {
		field string
		give  time.Duration
	}{
		{"program.ready_timeout", c.Program.ReadyTimeout},
		{"load.pause", c.Load.Pause},
		{"pause", c.Pause},
		{"settle.quiet", c.Settle.Quiet},
		{"settle.patience", c.Settle.Patience},
		{"settle.timeout", c.Settle.Timeout},
		{"settle.grace", c.Settle.Grace},
	} {
		if d.give < 0 {
			wrong("%s: is %s, must not be negative; use 0 for the default", d.field, d.give)
		}
	}
	for i, k := range c.Kills {
		for _, err := range k.wrong() {
			wrong("kills[%d].%w", i, err)
		}
	}
	return errors.Join(errs...)
}
