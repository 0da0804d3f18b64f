package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// set lays raw over dst, which holds the default. It is our own walk, and not
// mapstructure's that koanf would use, for two reasons: mapstructure starts
// every map entry from zero, so that a file which names one field of a pool
// would lose the others; and its errors know the field, not the line.
//
// Maps and pointees are copied before they are written, so that the caller's
// defaults stay as they were.
func (l *loader) set(n *node, raw any, dst reflect.Value) {
	if raw == nil {
		return
	}
	if dst.Kind() == reflect.Pointer {
		p := reflect.New(dst.Type().Elem())
		if !dst.IsNil() {
			p.Elem().Set(dst.Elem())
		}
		l.set(n, raw, p.Elem())
		dst.Set(p)
		return
	}
	switch n.kind {
	case group:
		m, _ := raw.(map[string]any)
		for _, name := range n.names {
			if v, ok := m[name]; ok {
				l.set(n.kids[name], v, dst.FieldByIndex(n.index[name]))
			}
		}
	case dict:
		m, _ := raw.(map[string]any)
		l.setEntries(n, m, dst)
	case list:
		l.setItems(n, raw, dst)
	case leaf:
		if err := setLeaf(raw, dst); err != nil {
			l.problem(n.key, l.originOf(n.key), "", err.Error())
		}
	}
}

func (l *loader) setEntries(n *node, m map[string]any, dst reflect.Value) {
	t := dst.Type()
	out := reflect.MakeMapWithSize(t, dst.Len()+len(m))
	for _, k := range dst.MapKeys() {
		out.SetMapIndex(k, dst.MapIndex(k))
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		key := reflect.ValueOf(name).Convert(t.Key())
		entry := reflect.New(t.Elem()).Elem()
		if old := out.MapIndex(key); old.IsValid() {
			entry.Set(old)
		}
		l.set(n.kid(name), m[name], entry)
		out.SetMapIndex(key, entry)
	}
	dst.Set(out)
}

func (l *loader) setItems(n *node, raw any, dst reflect.Value) {
	items, ok := raw.([]any)
	if text, isText := raw.(string); isText {
		items, ok = splitList(text), true
	}
	if !ok {
		l.problem(n.key, l.originOf(n.key), "", "wants a list")
		return
	}
	out := reflect.New(dst.Type()).Elem()
	switch {
	case dst.Kind() == reflect.Slice:
		out.Set(reflect.MakeSlice(dst.Type(), len(items), len(items)))
	case len(items) != dst.Len():
		l.problem(n.key, l.originOf(n.key), "", fmt.Sprintf("wants %d items, got %d", dst.Len(), len(items)))
		return
	}
	for i, item := range items {
		kid := n.item(i)
		if text, isText := item.(string); isText && (kid.kind == group || kid.kind == dict) {
			l.problem(kid.key, l.originOf(kid.key), "", fmt.Sprintf("wants %s, got %q; write it in the file", kid.wants(), text))
			continue
		}
		l.set(kid, item, out.Index(i))
	}
	dst.Set(out)
}

func splitList(text string) []any {
	if strings.TrimSpace(text) == "" {
		return []any{}
	}
	var items []any
	for item := range strings.SplitSeq(text, ",") {
		items = append(items, strings.TrimSpace(item))
	}
	return slices.Clip(items)
}
