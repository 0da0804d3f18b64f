package batch

import "time"

// Limits are the bounds that [Batcher.Resize] changes while the batcher runs.
// Zero: unchanged.
type Limits struct {
	// MaxItems, Linger, Parallel and Buffer are those of [Config].
	MaxItems int           `yaml:"max_items" json:"max_items"`
	Linger   time.Duration `yaml:"linger" json:"linger"`
	Parallel int           `yaml:"parallel" json:"parallel"`
	Buffer   int           `yaml:"buffer" json:"buffer"`
}

// over returns cfg with the limits laid over it.
func (l Limits) over(cfg Config) Config {
	if l.MaxItems != 0 {
		cfg.MaxItems = l.MaxItems
	}
	if l.Linger != 0 {
		cfg.Linger = l.Linger
	}
	if l.Parallel != 0 {
		cfg.Parallel = l.Parallel
	}
	if l.Buffer != 0 {
		cfg.Buffer = l.Buffer
	}
	return cfg
}

// Resize changes the bounds of a batcher, running or not. Nothing that was
// accepted is lost. It does not block.
//
// What is being filled follows at once: a batch that has as many items as are
// allowed now goes, whole. Fewer parallel flushes: the surplus ends with what it
// is at. A Buffer below what is inside drops nothing; newcomers find it full
// until there is less. Who waits for room that there is now gets in. More than
// one parallel flush gives up order, as in [Config].
//
// A wrong limit, or one that does not fit those that stay, is reported by its
// name and changes nothing. After Stop it matches [ErrClosed].
func (b *Batcher[T]) Resize(limits Limits) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	cfg := limits.over(b.cfg)
	if err := cfg.Validate(); err != nil {
		return &Error{Batcher: b.name, Op: "resize", Err: err}
	}
	if b.phase == ended {
		return &Error{Batcher: b.name, Op: "resize", Err: ErrClosed}
	}
	// Field by field: the others are read without the lock.
	b.cfg.MaxItems, b.cfg.Linger, b.cfg.Parallel, b.cfg.Buffer = cfg.MaxItems, cfg.Linger, cfg.Parallel, cfg.Buffer
	b.trimLocked()
	if b.barred == nil {
		b.limit = cfg.Buffer
	}
	b.grantLocked()
	if b.phase == running {
		b.armed = false
		b.timer.Stop()
		b.armLocked(time.Now())
	}
	b.wakeTend() // lingers may be over, slots free
	return nil
}

// trimLocked sees to it that no bundle has room for more than MaxItems: the
// capacity is what add goes by.
func (b *Batcher[T]) trimLocked() {
	for s := b.open.first; s != nil; {
		next := s.next
		if n := len(s.items); n >= b.cfg.MaxItems {
			b.sealLocked(s, TriggerCount)
		} else {
			s.items = s.items[:n:min(cap(s.items), b.cfg.MaxItems)]
		}
		s = next
	}
	clear(b.free)
	b.free, b.freeCap = b.free[:0], 0
}

// Limits are the bounds as they are now.
func (b *Batcher[T]) Limits() Limits {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.limitsLocked()
}

func (b *Batcher[T]) limitsLocked() Limits {
	return Limits{MaxItems: b.cfg.MaxItems, Linger: b.cfg.Linger, Parallel: b.cfg.Parallel, Buffer: b.cfg.Buffer}
}
