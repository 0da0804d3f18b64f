package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Error is every problem that [Load] met, in the order of the sources, those
// of a file by line.
type Error struct {
	Problems []Problem
}

// Error is a headline and one line for each problem.
func (e *Error) Error() string {
	var b strings.Builder
	if len(e.Problems) == 1 {
		b.WriteString("config: 1 problem")
	} else {
		fmt.Fprintf(&b, "config: %d problems", len(e.Problems))
	}
	for _, p := range e.Problems {
		b.WriteString("\n  ")
		b.WriteString(p.String())
	}
	return b.String()
}

// Problem is one thing that is wrong with the configuration.
type Problem struct {
	// Key is the key it is about; empty when it is about a whole source.
	Key string
	// Origin is where it stands, with file, line and column if it is a file.
	Origin
	// Msg says what is wrong and what to do.
	Msg string
	// Suggestion is what was probably meant, if that can be guessed.
	Suggestion string
}

// String is "config.yaml:12:5: pools.sms.worker: unknown key, did you mean …".
// The first part can be clicked in most terminals.
func (p Problem) String() string {
	parts := []string{p.Origin.String()}
	if p.File != "" && p.Column > 0 {
		parts[0] = fmt.Sprintf("%s:%d", p.Detail, p.Column)
	}
	if p.Key != "" && p.Key != parts[0] {
		parts = append(parts, p.Key)
	}
	s := strings.Join(append(parts, p.Msg), ": ")
	if p.Suggestion != "" {
		s += fmt.Sprintf(", did you mean %q?", p.Suggestion)
	}
	return s
}

func (l *loader) err() error {
	order := []Source{FromFile, FromOverrides, FromEnv, FromFlag, FromDefault}
	slices.SortStableFunc(l.problems, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(slices.Index(order, a.Source), slices.Index(order, b.Source)),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column),
		)
	})
	return &Error{Problems: l.problems}
}
