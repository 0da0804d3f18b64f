package actuator

import "time"

// Sample records one sample, as of some time.
func Sample(a *Actuator, at time.Time) { a.recorder.take(at, a.sample()) }
