package lifecycle

import (
	"errors"
	"fmt"
	"time"
)

// Config is what can be set about start and stop. The zero value is usable.
type Config struct {
	// StartTimeout and StopTimeout are the totals, in place of
	// fx.StartTimeout and fx.StopTimeout, where app.Run or app.App drives.
	// Zero: those of Fx (15 s each, unless given). Where Fx drives, its own
	// hold, and StopTimeout is only the time that a failed start has for its
	// rollback.
	StartTimeout time.Duration `yaml:"start_timeout"`
	StopTimeout  time.Duration `yaml:"stop_timeout"`
	// Reserve is the end of the stop timeout that is kept for backup hooks:
	// the soft deadline is the stop timeout less the reserve. Zero: a fifth
	// of the stop timeout, at most 5 s and at least 100 ms. More than half of
	// the stop timeout counts as half of it.
	Reserve time.Duration `yaml:"reserve"`
	// PreStopDelay is how long everything keeps serving after readiness has
	// turned false, so that load balancers can look away. Zero: no delay.
	PreStopDelay time.Duration `yaml:"pre_stop_delay"`
	// Grace is how long a hook is waited for after its context has ended.
	// Then it is abandoned: its goroutine goes on, and the receipt names it.
	// Zero: 250 ms.
	Grace time.Duration `yaml:"grace"`
	// Parallel stops components at the same time when no dependency, After,
	// band or constructor in common orders them. It needs the tap of app.New
	// (see [Conductor.Tap]); without it components stop one by one. Zero:
	// one by one.
	Parallel bool `yaml:"parallel"`
	// ReceiptFile is where the receipt of the stop is written as JSON. The
	// start reads what the run before has left there ([Conductor.LastRun]) and
	// puts the run marker in its place, so one process needs a file of its
	// own. A file that cannot be written refuses the start (exit code 1); if
	// that comes later, it is an error of the stop (exit code 3). What cannot
	// be read refuses nothing. The runs before that one are kept beside it, for
	// "receipt.json" in "receipt.runs.jsonl" ([Conductor.Runs]). Zero: nowhere,
	// and nothing is known of the run before.
	ReceiptFile string `yaml:"receipt_file"`
}

const (
	defaultGrace     = 250 * time.Millisecond
	maxReserve       = 5 * time.Second
	minReserve       = 100 * time.Millisecond
	reservePart      = 5 // the default reserve is the total divided by this
	minReserveIfLate = time.Second
)

// Validate reports every wrong field by its name.
func (c Config) Validate() error {
	var errs []error
	for _, f := range []struct {
		name string
		d    time.Duration
	}{
		{"start_timeout", c.StartTimeout},
		{"stop_timeout", c.StopTimeout},
		{"reserve", c.Reserve},
		{"pre_stop_delay", c.PreStopDelay},
		{"grace", c.Grace},
	} {
		if f.d < 0 {
			errs = append(errs, fmt.Errorf("%s: %v is negative; give a duration such as 3s, or leave it out", f.name, f.d))
		}
	}
	return errors.Join(errs...)
}

// WithDefaults is c with what is zero filled in, as far as it does not depend
// on the stop timeout.
func (c Config) WithDefaults() Config {
	if c.Grace == 0 {
		c.Grace = defaultGrace
	}
	return c
}
