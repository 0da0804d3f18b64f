package pool

import "fmt"

// Resize changes the bounds of a pool, running or not. Nothing that was
// accepted is lost or changes its order. It does not block.
//
// More workers are started as there is work for them. Fewer: each of the surplus
// ends the task that it runs, and goes. A queue shrunk below its length
// drops nothing; newcomers find it full until it is below.
//
// A wrong limit is reported by its name and changes nothing. After Stop it
// returns [ErrClosed].
func (p *Pool) Resize(limits Limits) error {
	p.lock()
	cfg := limits.over(p.cfg)
	if err := cfg.Validate(); err != nil {
		p.unlock()
		return fmt.Errorf("pool %s: resize: %w", p.name, err)
	}
	if p.state == stopped {
		p.unlock()
		return fmt.Errorf("pool %s: resize: %w", p.name, ErrClosed)
	}
	p.cfg = cfg
	p.queue.shrink(cfg.capacity())
	leaving := p.retireIdleLocked(len(p.workers) - cfg.Workers)
	if len(p.workers) > cfg.Workers {
		// The surplus must not go on until its batches are used up.
		p.queue.putBack(p.unbatchLocked())
	}
	var fresh []*worker
	if p.state == started {
		fresh = p.spawnLocked(max(0, cfg.MinWorkers-len(p.workers)))
	}
	c := p.nudgeLocked()
	p.unlock()

	callAll(leaving)
	callAll(fresh)
	c.send()
	return nil
}

// Limits are the bounds as they are now. A pool without a queue has [NoQueue].
func (p *Pool) Limits() Limits {
	p.lock()
	defer p.unlock()
	return Limits{Workers: p.cfg.Workers, MinWorkers: p.cfg.MinWorkers, Queue: p.cfg.Queue}
}
