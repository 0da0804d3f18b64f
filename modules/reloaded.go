package modules

import (
	"fmt"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/config"
)

// maxReloads is how many reloads are remembered.
const maxReloads = 50

// reloadOutcome is what came of a reload.
type reloadOutcome string

const (
	reloadApplied   reloadOutcome = "applied"
	reloadUnchanged reloadOutcome = "unchanged" // other bytes, the same values
	reloadRejected  reloadOutcome = "rejected"
)

// reloaded is one reload.
type reloaded struct {
	Seq     uint64        `json:"seq"`
	At      time.Time     `json:"at"`
	Outcome reloadOutcome `json:"outcome"`
	// Changes are the keys whose values are not what they were.
	Changes []keyChange `json:"changes,omitempty"`
	// Problems are why it was rejected.
	Problems []wrongKey `json:"problems,omitempty"`
}

// effect is what has become of the change of a key.
type effect string

const (
	inForce      effect = "in force"
	needsRestart effect = "needs a restart"
	setInCode    effect = "set in code, which is stronger"
)

// keyChange is the change of a key, with its secrets masked.
type keyChange struct {
	Key    string `json:"key"`
	Before any    `json:"before"`
	After  any    `json:"after"`
	// Was and Origin are where the value came from, and where it comes from.
	Was    string `json:"was"`
	Origin string `json:"origin"`
	Effect effect `json:"effect"`
	// Component is whose knob it is, if it is one.
	Component string `json:"component,omitempty"`
}

func (r *reloader) changeOf(d config.Difference, k knobAt, e effect) keyChange {
	return keyChange{
		Key: d.Key, Before: r.mask.Mask(d.Key, d.Before.Value), After: r.mask.Mask(d.Key, d.After.Value),
		Was: d.Before.Origin.String(), Origin: placeOf(d), Effect: e, Component: k.component,
	}
}

// String is the sentence for a person: "pools.sms.workers 4 → 8".
func (c keyChange) String() string { return fmt.Sprintf("%s %s → %s", c.Key, c.Before, c.After) }

// wrongKey is one thing that is wrong with the files.
type wrongKey struct {
	Key string `json:"key,omitempty"`
	// Origin is where it stands: "config.yaml:12".
	Origin  string `json:"origin,omitempty"`
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Message string `json:"message"`
}

func (w wrongKey) String() string {
	var parts []string
	for _, part := range []string{w.Origin, w.Key, w.Message} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ": ")
}

// wrongKeys leaves out what a message about a secret may repeat of it.
func (r *reloader) wrongKeys(problems []config.Problem) []wrongKey {
	all := make([]wrongKey, len(problems))
	for i, p := range problems {
		all[i] = wrongKey{Key: p.Key, Origin: p.Origin.String(), File: p.File, Line: p.Line, Message: p.Msg}
		if p.Suggestion != "" {
			all[i].Message += fmt.Sprintf(", did you mean %q?", p.Suggestion)
		}
		if r.mask.Hides(p.Key) {
			all[i].Message = "is wrong; what is wrong is not said, as it may be a secret"
		}
	}
	return all
}

// noteLocked numbers a reload and remembers it.
func (r *reloader) noteLocked(entry reloaded) reloaded {
	entry.Seq, entry.At = r.last.Seq+1, time.Now()
	r.last = entry
	r.counts[entry.Outcome]++
	r.history = append(r.history, entry)
	if len(r.history) > maxReloads {
		r.history = r.history[1:]
	}
	return entry
}

// String is the sentence for a person.
func (e reloaded) String() string {
	var parts []string
	for _, c := range e.Changes {
		parts = append(parts, c.String()+" ("+string(c.Effect)+")")
	}
	for _, w := range e.Problems {
		parts = append(parts, w.String())
	}
	if len(parts) == 0 {
		return string(e.Outcome)
	}
	return string(e.Outcome) + ": " + strings.Join(parts, "; ")
}
