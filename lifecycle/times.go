package lifecycle

import "time"

// Times are the moments of the start, and how long a stop may take.
type Times struct {
	// Began is when the start began, Up when its last OnStart had succeeded.
	// Zero: that has not come.
	Began, Up time.Time
	// Stop is the total that a stop is expected to have: what whoever started
	// the application would give it. Zero: the start has not begun. The total
	// is that of the context in the end.
	Stop time.Duration
	// Wait is the part of Stop in which hooks and quiet are waited for: until
	// the soft deadline.
	Wait time.Duration
	// Delay is how long a stop keeps everything serving before it closes the
	// ingress: Config.PreStopDelay.
	Delay time.Duration
}

// Times are as far as they are known now.
func (c *Conductor) Times() Times {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := Times{Began: c.startBegan, Up: c.upSince, Stop: c.stopTime, Delay: c.config.PreStopDelay}
	if t.Stop > 0 {
		reserve, _ := c.config.reserveOf(t.Stop)
		t.Wait = t.Stop - reserve
	}
	return t
}
