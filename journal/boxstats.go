package journal

import (
	"maps"
	"slices"
)

// BoxStats is a picture of the box at one moment.
type BoxStats struct {
	// Open says that its journal is open: before anybody has needed it, Letters
	// is not known.
	Open bool `json:"open"`
	// Letters is how many are in it, Underway how many of them are being sent
	// again.
	Letters  int `json:"letters"`
	Underway int `json:"underway"`
	// Put is how many were put into it by this process.
	Put uint64 `json:"put"`
	// Receivers are the components that take letters back, sorted.
	Receivers []string `json:"receivers"`
}

// Stats takes the picture. It opens nothing.
func (d *DeadLetters) Stats() BoxStats {
	d.mu.Lock()
	j := d.journal
	s := BoxStats{Underway: len(d.underway), Put: d.put, Receivers: slices.AppendSeq([]string{}, maps.Keys(d.receivers))}
	d.mu.Unlock()
	slices.Sort(s.Receivers)
	if s.Open = j != nil; s.Open {
		s.Letters = j.Len()
	}
	return s
}
