package filejournal

import (
	"errors"
	"time"
)

// syncEvery forces what was appended, an interval after the first of it.
func (j *Journal) syncEvery() {
	every := time.NewTimer(time.Hour)
	defer every.Stop()
	for {
		select {
		case <-j.wake:
		case <-j.quit:
			return
		}
		every.Reset(time.Duration(j.cfg.Sync))
		select {
		case <-every.C:
		case <-j.quit:
			return
		}
		// What was moved out of a segment that failed is forced at once.
		for range 3 {
			if j.force() {
				break
			}
		}
	}
}

// force makes one round over the segments. It reports whether all of them are
// forced.
func (j *Journal) force() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.dirty = false
	var behind []*segment
	for _, s := range j.segments {
		if s.synced != s.here() {
			s.pins++
			behind = append(behind, s)
		}
	}
	well := true
	for _, s := range behind {
		if err := j.forceLocked(s); err != nil {
			j.fault, well = err, false
		}
		s.pins--
	}
	j.sweepLocked()
	if well {
		j.fault = nil
	} else if !j.dirty {
		j.dirty = true
		j.wakeLocked()
	}
	return well
}

// forceLocked forces one segment, unlocked meanwhile.
func (j *Journal) forceLocked(s *segment) error {
	var err error
	if !s.failed {
		reached := s.here()
		j.mu.Unlock()
		err = s.f.Sync()
		j.mu.Lock()
		if err == nil && !s.failed { // a write that failed meanwhile may have been before it
			s.synced = reached
			return nil
		}
	}
	// Never again: a second call would say that all is well, and the kernel
	// has thrown away what it could not write.
	wasActive := j.active == s
	s.failed = true
	j.dropActiveLocked(s)
	if s.live == 0 {
		s.synced = s.here() // nothing in it is missed
		return err
	}
	return errors.Join(err, j.moveUnsyncedLocked(s, wasActive))
}
