package config

import (
	"encoding"
	"reflect"
	"slices"
	"strings"
)

func isText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// addFields adds the fields that a file can name. What it cannot (functions,
// channels, interfaces with methods) is left to the program.
func (n *node) addFields(t reflect.Type, index []int, above []reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		at := append(slices.Clip(index), i)
		name, flags, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case !f.IsExported() || name == "-" || !nameable(f.Type, above):
			continue
		case strings.Contains(flags, "inline") && f.Type.Kind() == reflect.Struct:
			n.addFields(f.Type, at, append(slices.Clip(above), f.Type))
			continue
		case name == "":
			name = strings.ToLower(f.Name)
		}
		var v reflect.Value
		if n.value.IsValid() {
			v = n.value.FieldByIndex(at)
		}
		n.index[name] = at
		n.add(name, newNode(join(n.key, name), f.Type, v, above))
	}
}

func nameable(t reflect.Type, above []reflect.Type) bool {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case isText(t):
		return true
	case slices.Contains(above, t):
		return false
	}
	switch t.Kind() {
	case reflect.Func, reflect.Chan, reflect.UnsafePointer, reflect.Uintptr, reflect.Complex64, reflect.Complex128:
		return false
	case reflect.Interface:
		return t.NumMethod() == 0
	case reflect.Map:
		return t.Key().Kind() == reflect.String && nameable(t.Elem(), append(slices.Clip(above), t))
	case reflect.Slice, reflect.Array:
		return nameable(t.Elem(), append(slices.Clip(above), t))
	default:
		return true
	}
}
