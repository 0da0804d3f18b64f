package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// Filter takes out of a task whom it must not reach: who has unsubscribed, and
// who has had the same text already. What it knows of the past it reads from
// the records, so a duplicate is found across restarts too. It is safe for
// concurrent use.
type Filter struct {
	path string // of the list of those who have unsubscribed

	mu           sync.Mutex
	unsubscribed map[string]bool
	claims       map[place]*claim
}

// place is what one receiver gets once: a text, through a lane.
type place struct{ lane, text, receiver string }

// claim is held by the first row of a place.
type claim struct {
	row    string
	inLane bool
}

func newFilter(lc fx.Lifecycle, s Settings, r *Records) *Filter {
	f := &Filter{path: s.Unsubscribed, unsubscribed: map[string]bool{}, claims: map[place]*claim{}}
	lifecycle.Append(lc, lifecycle.Hook{
		Name:    "filter",
		OnStart: func(context.Context) error { return errors.Join(f.readList(), f.readRecords(r)) },
	})
	return f
}

func (f *Filter) readList() error {
	if f.path == "" {
		return nil
	}
	file, err := os.Open(f.path)
	if err != nil {
		return fmt.Errorf("unsubscribed: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		f.unsubscribed[lines.Text()] = true
	}
	return lines.Err()
}

func (f *Filter) readRecords(r *Records) error {
	byRow := map[string]*claim{}
	old := Reader{path: r.path}
	for e, err := range old.News() {
		if err != nil {
			return err
		}
		for _, to := range e.To {
			switch {
			case e.State == Batched:
				c := &claim{row: to.Row}
				f.claims[place{e.Lane, e.Text, to.To}], byRow[to.Row] = c, c
			case e.State == InLane && byRow[to.Row] != nil:
				byRow[to.Row].inLane = true
			}
		}
	}
	return nil
}

// Sieve parts the rows of one task: those to be sent, and the events of those
// that are not.
func (f *Filter) Sieve(lane, text string, rows []Row) (send []Row, kept []Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	here := map[string]bool{}
	for _, row := range rows {
		keep := func(reason string) {
			kept = append(kept, Event{State: Filtered, Reason: reason, To: receivers([]Row{row})})
		}
		at := place{lane, text, row.Receiver}
		switch c := f.claims[at]; {
		case row.Type == "marketing" && f.unsubscribed[row.Receiver]:
			keep("has unsubscribed")
		case c != nil && c.row != row.ID:
			keep("has the same text by row " + c.row)
		case here[row.ID] || c != nil && c.inLane:
			// It was read again after a crash; a lane has it.
		default:
			// If it was batched before a crash, nobody here knows whether
			// its lane has it: it is sent again, under the same ID.
			f.claims[at] = &claim{row: row.ID}
			here[row.ID] = true
			send = append(send, row)
		}
	}
	return send, kept
}

// Placed says that a lane has the rows.
func (f *Filter) Placed(lane, text string, rows []Row) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, row := range rows {
		f.claims[place{lane, text, row.Receiver}].inLane = true
	}
}
