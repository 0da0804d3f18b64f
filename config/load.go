package config

import (
	"reflect"

	"github.com/knadh/koanf/v2"
)

// Section is a part of the configuration that belongs to one reader.
type Section struct {
	// Key is where the section lies ("http", "app.limits"). Empty: the fields
	// of Value are top level keys themselves, beside those of other sections.
	Key string
	// Value is a non-nil pointer, to a struct or a map as a rule. It holds
	// the defaults, and what was loaded once [Load] has returned nil.
	Value any
	// Declared says that the maps in Value have all their entries: a name that
	// is not there is an unknown key, not a new entry.
	Declared bool
}

// delim parts keys inside koanf. A dot would not do: the name of a map entry
// may contain one.
const delim = "\x00"

// Load merges all sources, decodes them into the sections and validates these.
//
// It reports every problem at once, in one [*Error]; the Values are then nil
// and no section has changed. It blocks only for reading the file. Load is
// safe for concurrent use with sections that are not shared.
//
// When help is asked for (see [Values.Wants]), nothing but the flags is read
// and nothing is checked, so that a broken file cannot hide the usage text.
func Load(opts Options, sections ...Section) (*Values, error) {
	l := &loader{
		given: opts, opts: opts.withDefaults(), origins: map[string]Origin{}, said: map[Source]map[string]Value{},
		contents: map[string][]byte{}, merged: koanf.New(delim),
	}
	l.given.dir = l.opts.dir
	l.schema(sections)
	if len(l.problems) > 0 {
		return nil, l.err()
	}
	l.defaults = cloneSections(sections)

	cmd := l.parseArgs()
	if cmd.wants.Help {
		cmd.file, cmd.overrides = "", ""
		return l.values(sections, cmd), nil
	}
	l.loadFile(cmd)
	l.loadOverrides(cmd)
	l.loadEnv()
	l.loadFlags(cmd.set)

	fresh := l.decode(sections)
	l.validate(fresh)
	if len(l.problems) > 0 {
		return nil, l.err()
	}
	for i, s := range sections {
		reflect.ValueOf(s.Value).Elem().Set(reflect.ValueOf(fresh[i].Value).Elem())
	}
	return l.values(fresh, cmd), nil
}

// loader is the state of one Load.
type loader struct {
	given    Options
	opts     Options // with defaults
	root     *node   // what keys there are; grows map entries as sources name them
	tops     []*node // per section
	merged   *koanf.Koanf
	origins  map[string]Origin // of keys that a source has set, groups too
	said     map[Source]map[string]Value
	files    []string          // that were looked for
	contents map[string][]byte // of those that were read
	defaults []Section         // as they were before
	problems []Problem
	unread   []Problem // those that were there before anything was validated
}

func (l *loader) problem(key string, at Origin, suggestion, msg string) {
	l.problems = append(l.problems, Problem{Key: key, Origin: at, Msg: msg, Suggestion: suggestion})
}

// merge lays a source over those before it. All our providers read from
// memory, so there is no error to report.
func (l *loader) merge(source koanf.Provider) { _ = l.merged.Load(source, nil) }

// decode returns sections with new values: the defaults with the merged
// sources over them. The given sections are only read.
func (l *loader) decode(sections []Section) []Section {
	raw := l.merged.Raw()
	fresh := make([]Section, len(sections))
	for i, s := range sections {
		v := reflect.New(reflect.TypeOf(s.Value).Elem())
		v.Elem().Set(reflect.ValueOf(s.Value).Elem())
		if part, ok := dig(raw, splitKey(s.Key)); ok {
			l.set(l.tops[i], part, v.Elem())
		}
		fresh[i] = Section{Key: s.Key, Value: v.Interface(), Declared: s.Declared}
	}
	return fresh
}

func dig(raw any, path []string) (any, bool) {
	for _, name := range path {
		m, _ := raw.(map[string]any)
		v, ok := m[name]
		if !ok {
			return nil, false
		}
		raw = v
	}
	return raw, true
}
