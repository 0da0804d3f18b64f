package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/deadletter"
)

// choice is a filter as flags.
type choice struct {
	component, key, reason, since, until string
	limit                                int
	all                                  bool
}

func (c *choice) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&c.component, "component", "c", "", "only letters of this component, such as lane:sms")
	f.StringVarP(&c.key, "key", "k", "", "only letters with this key")
	f.StringVarP(&c.reason, "reason", "r", "", "only letters with this reason: "+reasons())
	f.StringVar(&c.since, "since", "", "only work given up since then: 2h, 3d, 2026-01-31, 2026-01-31T15:04:05Z")
	f.StringVar(&c.until, "until", "", "only work given up before then; written as since")
	f.IntVarP(&c.limit, "limit", "n", 0, "at most so many, the oldest first (default: all)")
}

// filter is what the flags and the ids choose.
func (c *choice) filter(ids []string) (deadletter.Filter, error) {
	f := deadletter.Filter{
		Component: c.component, Key: c.key, Reason: journal.Reason(c.reason), IDs: ids, Limit: c.limit,
	}
	var errs []error
	var err error
	if f.Since, err = parseTime(c.since, time.Now()); err != nil {
		errs = append(errs, fmt.Errorf("--since: %w", err))
	}
	if f.Until, err = parseTime(c.until, time.Now()); err != nil {
		errs = append(errs, fmt.Errorf("--until: %w", err))
	}
	if f.Reason != "" && !slices.Contains(journal.Reasons(), f.Reason) {
		errs = append(errs, fmt.Errorf("--reason: there is no %q; give one of %s", c.reason, reasons()))
	}
	if c.limit < 0 {
		errs = append(errs, fmt.Errorf("--limit: is %d; give a number from 0 upwards", c.limit))
	}
	if len(errs) > 0 {
		return f, usageError{errors.Join(errs...)}
	}
	return f, nil
}

func reasons() string {
	var names []string
	for _, r := range journal.Reasons() {
		names = append(names, string(r))
	}
	return strings.Join(names, ", ")
}

// must is the filter of something that changes the box: to take all letters has
// to be said.
func (c *choice) must(ids []string) (deadletter.Filter, error) {
	f, err := c.filter(ids)
	switch {
	case err != nil:
		return f, err
	case f.IsZero() && !c.all:
		return f, usagef("which letters? Give ids, a filter, or --all")
	case !f.IsZero() && c.all:
		return f, usagef("--all: contradicts the filter; give one of them")
	}
	return f, nil
}

// parseTime reads a time, or how long ago it was.
func parseTime(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseFloat(days, 64); err == nil && n >= 0 && n < 1e5 {
			return now.Add(-time.Duration(n * 24 * float64(time.Hour))), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("is %q; give how long ago (2h, 3d) or a time (2026-01-31, 2026-01-31T15:04:05Z)", text)
}
