package config

import (
	"iter"
	"maps"
	"reflect"
	"slices"
)

// Layer is one source with everything that it says, whether that counts or
// another source is stronger.
type Layer struct {
	Source Source
	// Name is the file, or "environment", "flags", "defaults".
	Name string

	values map[string]Value
}

// Value is what the source says about a key.
func (l Layer) Value(key string) (Value, bool) {
	v, ok := l.values[key]
	return v, ok
}

// All is all that it says, by key.
func (l Layer) All() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		for _, key := range slices.Sorted(maps.Keys(l.values)) {
			if !yield(l.values[key]) {
				return
			}
		}
	}
}

// Layers are the sources that say something, the strongest first.
func (v *Values) Layers() []Layer { return slices.Clone(v.layers) }

// say notes what a source says about a key that holds no others.
func (l *loader) say(n *node, raw any, at Origin) {
	if n.kind != leaf && n.kind != list {
		return
	}
	if l.said[at.Source] == nil {
		l.said[at.Source] = map[string]Value{}
	}
	// It is read into a value of its own, with nobody to hear of problems: those
	// are found when all sources are merged.
	alone := &loader{origins: map[string]Origin{}}
	value := reflect.New(n.typ).Elem()
	alone.set(n, raw, value)
	l.said[at.Source][n.key] = alone.valueOf(&node{key: n.key, kind: n.kind, typ: n.typ, value: value}, at)
}

// layers are those of v, which is what they come to.
func (l *loader) layers(v *Values) []Layer {
	defaults := map[string]Value{}
	base := &loader{opts: l.opts}
	base.schema(effective(l.defaults))
	base.root.leaves(func(n *node) { defaults[n.key] = l.valueOf(n, Origin{Source: FromDefault}) })
	for key, value := range v.values {
		if value.Origin.Source == FromDefault {
			defaults[key] = value // one may follow from what a source says
		}
	}
	all := []Layer{
		{Source: FromFlag, Name: "flags", values: l.said[FromFlag]},
		{Source: FromEnv, Name: "environment", values: l.said[FromEnv]},
		{Source: FromOverrides, Name: v.made.overrides, values: l.said[FromOverrides]},
		{Source: FromFile, Name: v.file, values: l.said[FromFile]},
		{Source: FromDefault, Name: "defaults", values: defaults},
	}
	return slices.DeleteFunc(all, func(layer Layer) bool { return len(layer.values) == 0 })
}
