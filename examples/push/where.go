package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

// where answers "where is my message": the way of every message to a receiver,
// as far as it has come. It may be asked while the platform runs.
func where(w io.Writer, s Settings, receiver string) error {
	ways := map[string][]Event{} // by row
	r := Reader{path: s.records()}
	for e, err := range r.News() {
		if err != nil {
			return err
		}
		for _, to := range e.To {
			if to.To == receiver {
				ways[to.Row] = append(ways[to.Row], e)
			}
		}
	}
	if len(ways) == 0 {
		return fmt.Errorf("nothing is recorded of %s", receiver)
	}
	for _, row := range slices.Sorted(maps.Keys(ways)) {
		fmt.Fprintf(w, "%s, row %s\n", receiver, row)
		way := ways[row]
		slices.SortStableFunc(way, func(a, b Event) int { return a.At.Compare(b.At) })
		for _, e := range way {
			fmt.Fprintf(w, "  %s  %s\n", e.At.Format(time.StampMilli), e)
		}
		if !slices.ContainsFunc(way, func(e Event) bool { return e.State.Final() }) {
			fmt.Fprintln(w, "  and nothing since")
		}
	}
	return nil
}

// String says it for a person.
func (e Event) String() string {
	switch e.State {
	case Batched:
		return fmt.Sprintf("batched, task %s", e.Task)
	case InLane:
		return "in lane " + e.Lane
	}
	if e.Reason != "" {
		return fmt.Sprintf("%s: %s", e.State, e.Reason)
	}
	return string(e.State)
}
