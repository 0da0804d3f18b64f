package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

type kind int

const (
	leaf  kind = iota
	group      // a struct: its keys are known
	dict       // a map: its keys are names that the user gives
	list
)

// node is one place in the configuration: what may stand there, and the
// default that does.
type node struct {
	key   string // from the top: "pools.sms.workers"
	kind  kind
	typ   reflect.Type  // pointers taken off
	value reflect.Value // the default; the zero reflect.Value under a nil pointer
	names []string      // of kids: fields in their order, entries sorted
	kids  map[string]*node
	index map[string][]int // of fields

	declared bool // a dict that takes no new entries
}

// schema makes the tree of all sections.
func (l *loader) schema(sections []Section) {
	l.root = &node{kind: group, kids: map[string]*node{}}
	l.tops = make([]*node, len(sections))
	for i, s := range sections {
		v := reflect.ValueOf(s.Value)
		if v.Kind() != reflect.Pointer || v.IsNil() {
			l.problem(s.Key, Origin{Source: FromDefault}, "", fmt.Sprintf("a section's Value must be a non-nil pointer, got %T", s.Value))
			continue
		}
		if !nameable(v.Type(), nil) {
			l.problem(s.Key, Origin{Source: FromDefault}, "", fmt.Sprintf("a section cannot be filled into a %T", s.Value))
			continue
		}
		l.tops[i] = newNode(s.Key, v.Type().Elem(), v.Elem(), nil)
		if s.Declared {
			l.tops[i].close()
		}
		l.hang(l.tops[i], splitKey(s.Key))
	}
}

// hang puts a section's tree into the whole.
func (l *loader) hang(top *node, path []string) {
	if len(path) == 0 {
		if top.kind != group {
			l.problem("", Origin{Source: FromDefault}, "", fmt.Sprintf("a section without a key must be a struct, got %s", top.typ))
			return
		}
		for _, name := range top.names {
			l.adopt(l.root, name, top.kids[name])
		}
		return
	}
	at := l.root
	for i, name := range path[:len(path)-1] {
		if at.kids[name] == nil {
			at.add(name, &node{key: strings.Join(path[:i+1], "."), kind: group, kids: map[string]*node{}})
		}
		at = at.kids[name]
	}
	l.adopt(at, path[len(path)-1], top)
}

func (l *loader) adopt(parent *node, name string, kid *node) {
	if parent.typ != nil || parent.kids[name] != nil {
		l.problem(kid.key, Origin{Source: FromDefault}, "", "two sections claim this key; give each its own")
		return
	}
	parent.add(name, kid)
}

func (n *node) add(name string, kid *node) {
	n.names = append(n.names, name)
	n.kids[name] = kid
}

// newNode describes what a type may hold. Above are the structs it lies in: a
// struct within itself ends the description.
func newNode(key string, t reflect.Type, v reflect.Value, above []reflect.Type) *node {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
		if v.IsValid() {
			v = v.Elem() // the zero Value for a nil pointer
		}
	}
	n := &node{key: key, typ: t, value: v, kids: map[string]*node{}}
	switch {
	case isText(t) || t == reflect.TypeFor[time.Duration]():
	case t.Kind() == reflect.Struct:
		n.kind, n.index = group, map[string][]int{}
		n.addFields(t, nil, append(slices.Clip(above), t))
	case t.Kind() == reflect.Map:
		n.kind = dict
		n.addEntries()
	case t.Kind() == reflect.Slice || t.Kind() == reflect.Array:
		n.kind = list
	}
	return n
}

func (n *node) addEntries() {
	if !n.value.IsValid() {
		return
	}
	for _, k := range n.value.MapKeys() {
		n.add(k.String(), newNode(join(n.key, k.String()), n.typ.Elem(), n.value.MapIndex(k), nil))
	}
	slices.Sort(n.names)
}

// open reports whether a name that nobody knows makes a new entry.
func (n *node) open() bool { return n.kind == dict && !n.declared }

func (n *node) close() {
	n.declared = true
	for _, kid := range n.kids {
		kid.close()
	}
}

// kid is the node under a name; a dict makes an entry that is not there yet.
func (n *node) kid(name string) *node {
	if kid := n.kids[name]; kid != nil || !n.open() {
		return kid
	}
	n.add(name, n.entry(name))
	slices.Sort(n.names)
	return n.kids[name]
}

// entry describes an entry that a map does not have yet.
func (n *node) entry(name string) *node {
	return newNode(join(n.key, name), n.typ.Elem(), reflect.Value{}, nil)
}

// item describes the i-th element of a list.
func (n *node) item(i int) *node {
	return newNode(fmt.Sprintf("%s[%d]", n.key, i), n.typ.Elem(), reflect.Value{}, nil)
}

// isNil reports whether the node lies behind a nil pointer. The groups that a
// section's key has made ("app" of "app.http") have no type, and are there.
func (n *node) isNil() bool { return n.typ != nil && !n.value.IsValid() }

// leaves calls fn for every place that can hold a value by itself.
func (n *node) leaves(fn func(*node)) {
	if n.kind == leaf || n.kind == list {
		fn(n)
		return
	}
	for _, name := range n.names {
		n.kids[name].leaves(fn)
	}
}

// leavesAt is leaves with the way to each.
func (n *node) leavesAt(path []string, fn func([]string, *node)) {
	if n.kind == leaf || n.kind == list {
		fn(path, n)
		return
	}
	for _, name := range n.names {
		n.kids[name].leavesAt(append(slices.Clip(path), name), fn)
	}
}

// wants says what may stand at the node, in words for a message.
func (n *node) wants() string {
	switch {
	case n.kind == group && n.key == "":
		return "keys"
	case n.kind == group:
		return "a group of keys"
	case n.kind == dict:
		return "names with values"
	case n.kind == list:
		return "a list"
	case n.typ == reflect.TypeFor[time.Duration]():
		return "a duration"
	case isText(n.typ):
		return "a text"
	}
	switch n.typ.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.String:
		return "a text"
	case reflect.Interface:
		return "anything"
	default:
		return "a whole number"
	}
}

func join(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}

func splitKey(key string) []string {
	if key == "" {
		return nil
	}
	return strings.Split(key, ".")
}
