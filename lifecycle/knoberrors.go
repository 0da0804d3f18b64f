package lifecycle

import (
	"errors"
	"fmt"
	"strings"

	"github.com/agext/levenshtein"
)

var (
	// ErrNoComponent is matched by the error of a name that no component has.
	ErrNoComponent = errors.New("no component has this name")
	// ErrNoAction is matched by the error of an action that the component does
	// not have.
	ErrNoAction = errors.New("it has no action of this name")
	// ErrNoEntry is matched by the error of a number that no entry of the audit
	// has.
	ErrNoEntry = errors.New("the audit has no such entry, or no longer: it keeps the last 1,000")
	// ErrNoUndo is matched by the error of [Conductor.Rollback] of something
	// that cannot be taken back. Nothing was changed.
	ErrNoUndo = errors.New("there is nothing to take back")
	// ErrStale is matched by the error of a [Change] that was made for another
	// revision of the knobs: look at them again. Nothing was changed.
	ErrStale = errors.New("the knobs have been changed since")
	// ErrCold is matched by the error of a change of a knob that needs a
	// restart. Nothing was changed.
	ErrCold = errors.New("needs a restart: change it in the configuration")
	// ErrNotUp is matched by the error of a change or an action before the start
	// or after the stop. Nothing was changed.
	ErrNotUp = errors.New("nothing can be changed before the beginning of the start and after the end of the stop")
)

// KnobErrors is every knob of one [Change], or argument of one [Act], that is
// wrong. Nothing was changed.
type KnobErrors struct {
	// Wrong is in the order of the names.
	Wrong []KnobError
}

// KnobError says what is wrong with one knob of a [Change], or argument of an
// [Act].
type KnobError struct {
	Knob string
	Err  error
}

func (e KnobError) Error() string { return e.Knob + ": " + e.Err.Error() }

// Unwrap returns what is wrong: for one that is cold, it matches [ErrCold].
func (e KnobError) Unwrap() error { return e.Err }

func (e *KnobErrors) Error() string {
	texts := make([]string, len(e.Wrong))
	for i, wrong := range e.Wrong {
		texts[i] = wrong.Error()
	}
	return strings.Join(texts, "; ")
}

// Unwrap returns each [KnobError].
func (e *KnobErrors) Unwrap() []error {
	errs := make([]error, len(e.Wrong))
	for i, wrong := range e.Wrong {
		errs[i] = wrong
	}
	return errs
}

func (c *Conductor) noComponent(name string) error {
	c.mu.Lock()
	known := make([]string, len(c.components))
	for i, comp := range c.components {
		known[i] = comp.name
	}
	c.mu.Unlock()
	return fmt.Errorf("%w%s", ErrNoComponent, didYouMean(name, known))
}

// didYouMean is the end of an error about a word that is not known: the one
// that is at most a third of the letters away, or nothing.
func didYouMean(word string, known []string) string {
	if len(word) > longestWord {
		return ""
	}
	best, least := "", max(1, (len(word)+1)/3)+1
	for _, k := range known {
		if d := levenshtein.Distance(strings.ToLower(word), strings.ToLower(k), nil); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %q?", best)
}

// longestWord bounds what is compared, and what of a stranger's text is
// repeated to him.
const longestWord = 100
