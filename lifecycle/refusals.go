package lifecycle

import "sync"

// Refusals tells what a component refuses for want of room from what it refuses
// because it is drained or stops: for an [Alarm] about the former. open is what
// [GateHealth] says of its gate. What is returned takes the number of all that
// were refused so far and gives the number of those that were not meant; it may
// be called by several goroutines at once. Whether a refusal was meant is judged
// by the gate at the next call.
func Refusals(open func() (Health, bool)) func(all uint64) float64 {
	var mu sync.Mutex
	var meant, others uint64
	return func(all uint64) float64 {
		_, leaving := open()
		mu.Lock()
		defer mu.Unlock()
		if leaving {
			meant = all - others
		} else {
			others = all - meant
		}
		return float64(others)
	}
}
