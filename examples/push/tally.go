package main

import "fmt"

// Sum is what became of the rows of an input.
type Sum struct {
	Delivered, Failed, Filtered, Bad int
	Inside                           int // accepted, and not at an end
}

// Ended is how many have come to an end.
func (s Sum) Ended() int { return s.Delivered + s.Failed + s.Filtered + s.Bad }

func (s Sum) String() string {
	return fmt.Sprintf("delivered %d + failed %d + filtered %d + bad %d", s.Delivered, s.Failed, s.Filtered, s.Bad)
}

// Tally sums up records that may still grow, each row once.
type Tally struct {
	records Reader
	rows    map[string]State
}

func newTally(s Settings) *Tally {
	return &Tally{records: Reader{path: s.records()}, rows: map[string]State{}}
}

// Sum reads what is new.
func (t *Tally) Sum() (Sum, error) {
	for e, err := range t.records.News() {
		if err != nil {
			return Sum{}, err
		}
		for _, to := range e.To {
			// A dead letter that is sent again may be delivered. What was
			// delivered is so, whatever a repetition says.
			if was := t.rows[to.Row]; was != Delivered && (e.State.Final() || !was.Final()) {
				t.rows[to.Row] = e.State
			}
		}
	}
	var s Sum
	for _, state := range t.rows {
		switch state {
		case Delivered:
			s.Delivered++
		case Failed:
			s.Failed++
		case Filtered:
			s.Filtered++
		case Bad:
			s.Bad++
		default:
			s.Inside++
		}
	}
	return s, nil
}
