package batch

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/lastcall-go/lastcall/journal"
)

// Config says when a batch is full, how much may be inside, and how often a
// flush is tried. The zero value is usable: zero fields have the defaults
// named below.
type Config struct {
	// MaxItems is how many items a batch holds at most. Default 1000.
	MaxItems int `yaml:"max_items"`
	// MaxBytes bounds the size of a batch, as measured by [WithSize], which
	// it requires. A single item that is larger is not refused: it goes to
	// the sink alone, in a batch of its own. Default 0: no bound.
	MaxBytes int64 `yaml:"max_bytes"`
	// Linger is how long the first item of a batch waits for others. There
	// is no "never": a batch always goes at last. Default 1s.
	Linger time.Duration `yaml:"linger"`
	// Parallel is how many flushes run at the same time, those waiting for a
	// retry included. More than 1 gives up order, except within a key.
	// Default 1.
	Parallel int `yaml:"parallel"`
	// Buffer is how many items may be inside before [WhenFull] applies; at
	// least MaxItems. Default 10 x MaxItems.
	Buffer int `yaml:"buffer"`
	// WhenFull says what Add does when Buffer or MaxKeys is reached.
	// Default [Block].
	WhenFull WhenFull `yaml:"when_full"`
	// MaxKeys bounds the keys that have items inside, where [WithKey] is
	// used. Default 10000.
	MaxKeys int `yaml:"max_keys"`
	// FlushTimeout bounds one call of the sink: its context ends then.
	// Default 30s.
	FlushTimeout time.Duration `yaml:"flush_timeout"`
	// MaxAge bounds how old an item may be when its flush begins: one that was
	// accepted longer ago, be it in an earlier life, is not given to the sink
	// but fails with [ErrExpired]. A flush that has begun goes on, retries
	// included. Default 0: any age.
	MaxAge time.Duration `yaml:"max_age"`
	// Journal says when items are written down: off, onstop (what a stop left
	// over, by [Batcher.Save]) or always (before Add returns). The last two
	// need [WithJournal], and nobody else who saves ([WithSave]). Default
	// onstop where there is a journal and no WithSave, else off.
	Journal journal.Mode `yaml:"journal"`
	// DeadLetters says what becomes of items that failed for good: keep puts
	// them into the box ([WithDeadLetters]), off counts them and no more.
	// Default keep where there is a box and no [WithDeadLetter], else off.
	DeadLetters DeadLetters `yaml:"dead_letters"`
	// Retry says how often and how soon a failed flush is tried again.
	Retry Retry `yaml:"retry"`
	// StopBudget bounds the time Stop gives to what is inside, within the
	// context given to Stop. Default 0: that context alone.
	StopBudget time.Duration `yaml:"stop_budget"`
}

// Retry says how often and how soon a failed flush is tried again. The delay
// grows by Multiplier from InitialDelay to MaxDelay, each drawn at random from
// half to one and a half of that, MaxDelay never exceeded.
//
// Each life tries anew as often as it may. How often an item was tried in all
// ([Item], dead letters) is known over stops; a kill forgets the tries of the
// life that it ends, and so does a stop in the middle of a replay.
type Retry struct {
	// MaxAttempts counts the first attempt too: 1 is no retry, -1 is for as
	// long as the batcher runs (a batch is then never searched for poison
	// items). Default 5.
	MaxAttempts int `yaml:"max_attempts"`
	// InitialDelay comes before the second attempt. Default 100ms.
	InitialDelay time.Duration `yaml:"initial_delay"`
	// MaxDelay bounds every delay. Default 10s, or InitialDelay if that is
	// more.
	MaxDelay time.Duration `yaml:"max_delay"`
	// Multiplier is the growth from delay to delay, at least 1. Default 2.
	Multiplier float64 `yaml:"multiplier"`
}

// WhenFull says what [Batcher.Add] does when there is no room.
type WhenFull string

const (
	// Block waits for room, first come, first served, or until the context
	// of Add ends.
	Block WhenFull = "block"
	// Reject returns [ErrFull] at once.
	Reject WhenFull = "reject"
)

// DeadLetters says what becomes of items that failed for good.
type DeadLetters string

const (
	// KeepLetters puts them into the box.
	KeepLetters DeadLetters = "keep"
	// NoLetters counts them, and tells [WithBurial].
	NoLetters DeadLetters = "off"
)

// WithDefaults is c with what is zero filled in, as [New] uses it and
// --print-config shows it.
func (c Config) WithDefaults() Config {
	c.MaxItems = cmp.Or(c.MaxItems, 1000)
	c.Linger = cmp.Or(c.Linger, time.Second)
	c.Parallel = cmp.Or(c.Parallel, 1)
	c.Buffer = cmp.Or(c.Buffer, 10*c.MaxItems)
	c.WhenFull = cmp.Or(c.WhenFull, Block)
	c.MaxKeys = cmp.Or(c.MaxKeys, 10_000)
	c.FlushTimeout = cmp.Or(c.FlushTimeout, 30*time.Second)
	c.Retry.MaxAttempts = cmp.Or(c.Retry.MaxAttempts, 5)
	c.Retry.InitialDelay = cmp.Or(c.Retry.InitialDelay, 100*time.Millisecond)
	c.Retry.MaxDelay = cmp.Or(c.Retry.MaxDelay, max(10*time.Second, c.Retry.InitialDelay))
	c.Retry.Multiplier = cmp.Or(c.Retry.Multiplier, 2)
	return c
}

// Validate reports every wrong field together, each by its name in a file.
// Zero fields are right: they have defaults.
func (c Config) Validate() error {
	d := c.WithDefaults()
	var errs []error
	wrong := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf(field+": "+format, args...))
	}
	positive := func(field string, n int) {
		if n < 0 {
			wrong(field, "is %d; give a positive number, or leave it out for the default", n)
		}
	}
	lasting := func(field string, t time.Duration) {
		if t < 0 {
			wrong(field, "is %s; give a positive duration, or leave it out for the default", t)
		}
	}
	// What compares two fields looks only at such as are right by themselves.
	positive("max_items", d.MaxItems)
	if d.MaxBytes < 0 {
		wrong("max_bytes", "is %d; give a positive size, or leave it out for no bound", d.MaxBytes)
	}
	lasting("linger", d.Linger)
	positive("parallel", d.Parallel)
	positive("buffer", c.Buffer)
	if d.MaxItems > 0 && d.Buffer > 0 && d.Buffer < d.MaxItems {
		wrong("buffer", "is %d, less than max_items (%d), so no batch could ever be full; raise buffer or lower max_items", d.Buffer, d.MaxItems)
	}
	if d.WhenFull != Block && d.WhenFull != Reject {
		wrong("when_full", "is %q; give %q or %q", string(d.WhenFull), string(Block), string(Reject))
	}
	positive("max_keys", d.MaxKeys)
	lasting("flush_timeout", d.FlushTimeout)
	if d.MaxAge < 0 {
		wrong("max_age", "is %s; give a positive duration, or leave it out for any age", d.MaxAge)
	}
	if err := c.Journal.Validate(); err != nil {
		wrong("journal", "%w", err)
	}
	if c.DeadLetters != "" && c.DeadLetters != KeepLetters && c.DeadLetters != NoLetters {
		wrong("dead_letters", "is %q; give %q or %q", string(c.DeadLetters), string(KeepLetters), string(NoLetters))
	}
	if d.Retry.MaxAttempts < -1 {
		wrong("retry.max_attempts", "is %d; give 1 for no retry, or -1 to go on for as long as the batcher runs", d.Retry.MaxAttempts)
	}
	lasting("retry.initial_delay", d.Retry.InitialDelay)
	lasting("retry.max_delay", d.Retry.MaxDelay)
	if d.Retry.MaxDelay >= 0 && d.Retry.MaxDelay < d.Retry.InitialDelay {
		wrong("retry.max_delay", "is %s, less than retry.initial_delay (%s); raise it", d.Retry.MaxDelay, d.Retry.InitialDelay)
	}
	if !(d.Retry.Multiplier >= 1) { // also when it is not a number
		wrong("retry.multiplier", "is %g; give at least 1", d.Retry.Multiplier)
	}
	lasting("stop_budget", d.StopBudget)
	return errors.Join(errs...)
}
