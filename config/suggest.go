package config

import (
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// unknown says what to do about a name that n does not know: what was probably
// meant, and the rest of the message.
func (l *loader) unknown(n *node, name string) (suggestion, msg string) {
	if s := nearest(name, n.names); s != "" {
		return s, "unknown key"
	}
	// A known name in a wrong place is mostly a wrong indentation.
	var elsewhere []string
	l.root.leaves(func(leaf *node) {
		if strings.HasSuffix(leaf.key, "."+name) {
			elsewhere = append(elsewhere, leaf.key)
		}
	})
	if len(elsewhere) == 1 {
		return elsewhere[0], "unknown key here"
	}
	if len(n.names) == 0 {
		return "", "unknown key"
	}
	return "", "unknown key; known here: " + strings.Join(slices.Sorted(slices.Values(n.names)), ", ")
}

// nearest is the known word that is at most a third of the letters away, or "".
func nearest(word string, known []string) string {
	best, least := "", max(1, (len(word)+1)/3)+1
	for _, k := range known {
		if d := levenshtein.Distance(strings.ToLower(word), strings.ToLower(k), nil); d < least {
			best, least = k, d
		}
	}
	return best
}
