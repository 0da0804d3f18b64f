package journal

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
)

// jsonLoses says what of a T does not come back from JSON, nil if all does.
// Who marshals itself knows what it does.
func jsonLoses[T any]() error {
	t := reflect.TypeFor[T]()
	if t.Kind() == reflect.Interface {
		return fmt.Errorf("JSON does not tell which type was in %s; give a codec of your own", t)
	}
	return lostOf(t, t.String(), map[reflect.Type]bool{})
}

var marshalers = []reflect.Type{reflect.TypeFor[json.Marshaler](), reflect.TypeFor[encoding.TextMarshaler]()}

func lostOf(t reflect.Type, path string, seen map[reflect.Type]bool) error {
	if seen[t] {
		return nil
	}
	seen[t] = true
	for _, m := range marshalers {
		if t.Implements(m) || reflect.PointerTo(t).Implements(m) {
			return nil
		}
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return lostOf(t.Elem(), path, seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if err := lostField(t.Field(i), path, seen); err != nil {
				return err
			}
		}
	case reflect.Interface:
		if t.NumMethod() > 0 {
			return fmt.Errorf("JSON cannot read %s back, which is the interface %s; give a codec of your own", path, t)
		}
	case reflect.Func, reflect.Chan, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer:
		return fmt.Errorf("JSON cannot write %s, which is a %s; give a codec of your own, or tag it json:\"-\"", path, t.Kind())
	}
	return nil
}

func lostField(f reflect.StructField, path string, seen map[reflect.Type]bool) error {
	path += "." + f.Name
	switch {
	case f.Tag.Get("json") == "-": // left out on purpose
		return nil
	case !f.IsExported() && !f.Anonymous:
		return fmt.Errorf("JSON leaves out %s, which is not exported; export it, give a codec of your own, or tag it json:\"-\"", path)
	}
	return lostOf(f.Type, path, seen)
}
