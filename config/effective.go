package config

import "reflect"

// effective is what the sections mean: where a type has a method WithDefaults,
// which returns the same type with what is zero filled in, its result stands
// for the value. It is only shown; the sections keep what was loaded, since
// one default may follow from another value.
func effective(sections []Section) []Section {
	filled := make([]Section, len(sections))
	for i, s := range sections {
		v := reflect.ValueOf(s.Value).Elem()
		p := reflect.New(v.Type())
		p.Elem().Set(withDefaults(v))
		filled[i] = Section{Key: s.Key, Value: p.Interface(), Declared: s.Declared}
	}
	return filled
}

// withDefaults lets the outermost method speak for what is below it. Pointers
// are not followed: what they lead to is not ours to copy.
func withDefaults(v reflect.Value) reflect.Value {
	if m := v.MethodByName("WithDefaults"); m.IsValid() {
		if t := m.Type(); t.NumIn() == 0 && t.NumOut() == 1 && t.Out(0) == v.Type() {
			return m.Call(nil)[0]
		}
	}
	switch v.Kind() {
	case reflect.Struct:
		c := reflect.New(v.Type()).Elem()
		c.Set(v)
		for i := range c.NumField() {
			if f := c.Field(i); f.CanSet() {
				f.Set(withDefaults(f))
			}
		}
		return c
	case reflect.Map:
		if v.IsNil() {
			return v
		}
		c := reflect.MakeMapWithSize(v.Type(), v.Len())
		for entries := v.MapRange(); entries.Next(); {
			c.SetMapIndex(entries.Key(), withDefaults(entries.Value()))
		}
		return c
	default:
		return v
	}
}
