package config

import (
	"reflect"
	"slices"
)

// cloneSections copies the defaults so that nobody who changes what was loaded
// (a map, say) changes what is loaded again.
func cloneSections(sections []Section) []Section {
	copies := make([]Section, len(sections))
	for i, s := range sections {
		s.Value = clone(reflect.ValueOf(s.Value), nil).Interface()
		copies[i] = s
	}
	return copies
}

// clone goes as deep as a source can: not into what reads itself from text, nor
// into a type within itself.
func clone(v reflect.Value, above []reflect.Type) reflect.Value {
	t := v.Type()
	if isText(t) || slices.Contains(above, t) {
		return v
	}
	c := reflect.New(t).Elem()
	c.Set(v)
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			c.Set(reflect.New(t.Elem()))
			c.Elem().Set(clone(v.Elem(), above))
		}
	case reflect.Interface:
		if !v.IsNil() {
			c.Set(clone(v.Elem(), above))
		}
	case reflect.Struct:
		above = append(slices.Clip(above), t)
		for i := range c.NumField() {
			if f := c.Field(i); f.CanSet() {
				f.Set(clone(f, above))
			}
		}
	case reflect.Map:
		if !v.IsNil() {
			c.Set(reflect.MakeMapWithSize(t, v.Len()))
			for all := v.MapRange(); all.Next(); {
				c.SetMapIndex(all.Key(), clone(all.Value(), above))
			}
		}
	case reflect.Slice:
		if !v.IsNil() {
			c.Set(reflect.MakeSlice(t, v.Len(), v.Len()))
			for i := range v.Len() {
				c.Index(i).Set(clone(v.Index(i), above))
			}
		}
	}
	return c
}
