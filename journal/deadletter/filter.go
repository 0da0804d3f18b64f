package deadletter

import (
	"errors"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/lastcall-go/lastcall/journal"
)

// Filter chooses letters. Fields that are zero choose all.
type Filter struct {
	// Component, Key and Reason must be the letter's.
	Component string
	Key       string
	Reason    journal.Reason
	// The letter died at Since or later, and before Until.
	Since, Until time.Time
	// IDs: its id is one of them.
	IDs []string
	// Limit is how many are chosen, the oldest first. 0: all.
	Limit int
}

// IsZero reports whether every letter is chosen.
func (f Filter) IsZero() bool {
	return f.Limit == 0 && len(f.IDs) == 0 && f.Component == "" && f.Key == "" && f.Reason == "" &&
		f.Since.IsZero() && f.Until.IsZero()
}

// ids are those that letters are to be found for.
func (f *Filter) ids() map[string]bool {
	ids := map[string]bool{}
	for _, id := range f.IDs {
		ids[id] = true
	}
	return ids
}

// Match reports whether a letter is chosen. Limit is not looked at.
func (f Filter) Match(l *journal.DeadLetter) bool {
	switch {
	case f.Component != "" && f.Component != l.Component:
	case f.Key != "" && f.Key != l.Key:
	case f.Reason != "" && f.Reason != l.Reason:
	case !f.Since.IsZero() && l.Died.Before(f.Since):
	case !f.Until.IsZero() && !l.Died.Before(f.Until):
	case len(f.IDs) > 0 && !slices.Contains(f.IDs, l.ID):
	default:
		return true
	}
	return false
}

// Of yields those of the letters that are chosen. An error is passed on.
func (f Filter) Of(letters iter.Seq2[journal.DeadLetter, error]) iter.Seq2[journal.DeadLetter, error] {
	return func(yield func(journal.DeadLetter, error) bool) {
		n := 0
		for l, err := range letters {
			if err == nil && !f.Match(&l) {
				continue
			}
			n++
			if !yield(l, err) || err == nil && n == f.Limit {
				return
			}
		}
	}
}

// Query is the filter as the query of a URL. [ParseQuery] reads it.
func (f Filter) Query() url.Values {
	q := url.Values{}
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	set("component", f.Component)
	set("key", f.Key)
	set("reason", string(f.Reason))
	set("since", formatTime(f.Since))
	set("until", formatTime(f.Until))
	for _, id := range f.IDs {
		q.Add("id", id)
	}
	if f.Limit != 0 {
		q.Set("limit", strconv.Itoa(f.Limit))
	}
	return q
}

// ParseQuery reads a filter from the query of a URL. Every wrong value is
// reported, by its name.
func ParseQuery(q url.Values) (Filter, error) {
	var errs []error
	wrong := func(name, want string) {
		errs = append(errs, fmt.Errorf("%s: is %q; give %s", name, q.Get(name), want))
	}
	moment := func(name string) time.Time {
		if q.Get(name) == "" {
			return time.Time{}
		}
		t, err := time.Parse(time.RFC3339Nano, q.Get(name))
		if err != nil {
			wrong(name, "a time such as 2026-01-31T15:04:05Z")
		}
		return t
	}
	f := Filter{
		Component: q.Get("component"), Key: q.Get("key"), Reason: journal.Reason(q.Get("reason")),
		Since: moment("since"), Until: moment("until"), IDs: q["id"],
	}
	if q.Get("limit") != "" {
		var err error
		if f.Limit, err = strconv.Atoi(q.Get("limit")); err != nil || f.Limit < 0 {
			wrong("limit", "a number from 0 upwards")
		}
	}
	return f, errors.Join(errs...)
}

func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
