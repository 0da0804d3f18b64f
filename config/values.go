package config

import (
	"io"
	"iter"
	"maps"
	"slices"
)

// Values is what [Load] found out besides the values themselves, which are in
// the sections. It never changes, shows no secret, and is safe for concurrent
// use.
type Values struct {
	keys     []string // sorted
	values   map[string]Value
	paths    map[string][]string
	layers   []Layer
	sections []string
	printed  []byte
	usage    string
	file     string
	args     []string
	wants    Wants

	// A pointer, because fmt would else look into what may hold secrets.
	made *made
}

// made is what the values were made of.
type made struct {
	opts      Options
	defaults  []Section
	overrides string
	files     []string          // that were looked for
	contents  map[string][]byte // of those that were read
}

// values looks at the sections as they are now, map entries that sources have
// brought included.
func (l *loader) values(sections []Section, cmd *command) *Values {
	now := &loader{opts: l.opts, origins: map[string]Origin{}}
	now.schema(effective(sections))
	v := &Values{
		values: map[string]Value{}, paths: map[string][]string{},
		file: cmd.file, args: cmd.args, wants: cmd.wants,
		made: &made{opts: l.given, defaults: l.defaults, overrides: cmd.overrides, files: l.files, contents: l.contents},
	}
	now.root.leavesAt(nil, func(path []string, n *node) {
		at := l.originOf(n.key)
		now.origins[n.key] = at
		v.values[n.key], v.paths[n.key] = l.valueOf(n, at), path
	})
	v.keys = slices.Sorted(maps.Keys(v.values))
	v.layers = l.layers(v)
	v.sections = sectionKeys(now, sections)
	v.printed, v.usage = now.print(), now.usage(cmd)
	return v
}

// sectionKeys are the keys under which sections lie; of one without a key those
// of its fields.
func sectionKeys(l *loader, sections []Section) []string {
	var keys []string
	for i, s := range sections {
		if s.Key != "" {
			keys = append(keys, s.Key)
			continue
		}
		keys = append(keys, l.tops[i].names...)
	}
	slices.Sort(keys)
	return keys
}

// Origin says where the value of a key ("pools.sms.workers") came from. Its
// Source is empty for a key that is not there, or that holds other keys.
func (v *Values) Origin(key string) Origin { return v.values[key].Origin }

// Value is what a key holds, as it is in effect; false: there is no such key, or
// it holds other keys.
func (v *Values) Value(key string) (Value, bool) {
	value, ok := v.values[key]
	return value, ok
}

// All are the values of all keys, those of defaults too, by key.
func (v *Values) All() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		for _, key := range v.keys {
			if !yield(v.values[key]) {
				return
			}
		}
	}
}

// Path is a key in its parts: the name of a map entry may hold a dot. It is nil
// for a key that is not there.
func (v *Values) Path(key string) []string { return slices.Clone(v.paths[key]) }

// Sections are the keys of all sections, sorted; in place of a section without a
// key those of its fields.
func (v *Values) Sections() []string { return slices.Clone(v.sections) }

// File is the file that was read; empty if there was none.
func (v *Values) File() string { return v.file }

// Overrides is the file of changes that are kept, whether it exists or not;
// empty: none can be kept.
func (v *Values) Overrides() string { return v.made.overrides }

// Args are the arguments after "--", which belong to the program.
func (v *Values) Args() []string { return slices.Clone(v.args) }

// Wants says what the command line asks for besides values.
func (v *Values) Wants() Wants { return v.wants }

// Print writes every value in effect, defaults included (also those of a
// method WithDefaults, which returns its receiver with what is zero filled in),
// sorted, as YAML with its origin in a comment. The output can be loaded again, except for secrets,
// which are masked.
func (v *Values) Print(w io.Writer) error {
	_, err := w.Write(v.printed)
	return err
}

// String is what [Values.Print] writes.
func (v *Values) String() string { return string(v.printed) }

// Usage writes what --help shows: the flags, then every key with its type and
// default.
func (v *Values) Usage(w io.Writer) error {
	_, err := io.WriteString(w, v.usage)
	return err
}
