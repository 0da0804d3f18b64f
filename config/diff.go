package config

import (
	"maps"
	"slices"
)

// Difference is a key whose value is not what it was.
type Difference struct {
	Key string
	// Before and After are what it held; one without a Source: it was not there.
	Before, After Value
}

// Diff are the keys that hold something else in next, by key. A value that is
// the same but comes from elsewhere is no difference; a [Secret] that changes is
// one, though it looks the same.
func (v *Values) Diff(next *Values) []Difference {
	keys := map[string]bool{}
	for _, key := range slices.Concat(v.keys, next.keys) {
		before, was := v.values[key]
		after, is := next.values[key]
		if was != is || before.print != after.print {
			keys[key] = true
		}
	}
	all := make([]Difference, 0, len(keys))
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		all = append(all, Difference{Key: key, Before: v.values[key], After: next.values[key]})
	}
	return all
}
