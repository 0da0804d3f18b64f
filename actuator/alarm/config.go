package alarm

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// The defaults of [Config].
const (
	DefaultEvery        = 5 * time.Second
	DefaultFlushTimeout = 3 * time.Second
	DefaultHistory      = 200
)

// minEvery bounds how often panels are asked.
const minEvery = 10 * time.Millisecond

// Config says what is watched, and who is told. The zero value watches
// everything at the thresholds of the panels and tells nobody.
type Config struct {
	// Service is the name by which messages call this program. Zero: the name
	// of the executable.
	Service string
	// Every is the time between two evaluations, at least 10ms. Zero: 5 s.
	Every time.Duration
	// FlushTimeout bounds all calls of [Watch.Flush] together: a stop waits no
	// longer for a receiver that is dead. Zero: 3 s.
	FlushTimeout time.Duration
	// History is how many notices are kept for [Watch.Status]. Zero: 200.
	History int
	// Rules say what is done about which alarm; of several that fit, each field
	// is that of the first that gives it. Zero: the defaults of [Rule].
	Rules []Rule
	// Receivers are who can be told, by name. Zero: nobody.
	Receivers map[string]Receiver
}

// WithDefaults fills in what is zero.
func (c Config) WithDefaults() Config {
	if c.Service == "" {
		c.Service = "service"
		if path, err := os.Executable(); err == nil {
			c.Service = filepath.Base(path)
		}
	}
	if c.Every == 0 {
		c.Every = DefaultEvery
	}
	if c.FlushTimeout == 0 {
		c.FlushTimeout = DefaultFlushTimeout
	}
	if c.History == 0 {
		c.History = DefaultHistory
	}
	return c
}

// Validate reports every wrong field.
func (c Config) Validate() error {
	var errs []error
	if c.Every < 0 || c.Every > 0 && c.Every < minEvery {
		errs = append(errs, fmt.Errorf("every: is %v; give at least %v, such as 5s, or leave it out", c.Every, minEvery))
	}
	if c.FlushTimeout < 0 {
		errs = append(errs, fmt.Errorf("flush_timeout: %v is negative; give a duration such as 3s, or leave it out", c.FlushTimeout))
	}
	if c.History < 0 {
		errs = append(errs, fmt.Errorf("history: %d is negative; give how many notices are kept, or leave it out", c.History))
	}
	names := slices.Sorted(maps.Keys(c.Receivers))
	for _, name := range names {
		if err := c.Receivers[name].validate(); err != nil {
			errs = append(errs, prefixed("receivers."+name+".", err)...)
		}
	}
	for i, r := range c.Rules {
		if err := r.validate(names, c.WithDefaults().Every); err != nil {
			errs = append(errs, prefixed(fmt.Sprintf("rules[%d].", i), err)...)
		}
	}
	return errors.Join(errs...)
}

// prefixed puts the way to a field before each of joined errors.
func prefixed(way string, err error) (errs []error) {
	all := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all = joined.Unwrap()
	}
	for _, e := range all {
		errs = append(errs, fmt.Errorf("%s%w", way, e))
	}
	return errs
}
