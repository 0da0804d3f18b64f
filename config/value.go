package config

import (
	"encoding"
	"fmt"
	"hash/maphash"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Value is what one key holds.
type Value struct {
	// Key is the whole key: "pools.sms.workers".
	Key string
	// Value is nil, a bool, an int, a float64, a string, or a list or map of
	// these, so that JSON can hold it. Durations, and whatever reads itself from
	// text, are text. A [Secret] is its stars.
	Value any
	// Origin is where it came from.
	Origin Origin
	// Secret: it is a [Secret], or holds one.
	Secret bool

	// print tells this value from another, also where both are stars.
	print uint64
}

// valueOf is the value of a leaf or list.
func (l *loader) valueOf(n *node, at Origin) Value {
	return Value{Key: n.key, Value: l.plain(n), Origin: at, Secret: holdsSecret(n.typ, nil), print: fingerprint(n.value)}
}

func holdsSecret(t reflect.Type, above []reflect.Type) bool {
	if t == reflect.TypeFor[Secret]() {
		return true
	}
	if slices.Contains(above, t) {
		return false
	}
	above = append(slices.Clip(above), t)
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return holdsSecret(t.Elem(), above)
	case reflect.Struct:
		for i := range t.NumField() {
			if t.Field(i).IsExported() && holdsSecret(t.Field(i).Type, above) {
				return true
			}
		}
	}
	return false
}

// plain is what the YAML of a value says.
func (l *loader) plain(n *node) any {
	var v any
	if err := l.yamlLeaf(n).Decode(&v); err != nil {
		return fmt.Sprintf("cannot be shown: %v", err)
	}
	return forJSON(v)
}

func forJSON(v any) any {
	switch v := v.(type) {
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Sprint(v)
		}
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case []any:
		for i := range v {
			v[i] = forJSON(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = forJSON(v[k])
		}
	case map[any]any:
		named := make(map[string]any, len(v))
		for k, inner := range v {
			named[fmt.Sprint(k)] = forJSON(inner)
		}
		return named
	}
	return v
}

// seed makes fingerprints useless outside of this process.
var seed = maphash.MakeSeed()

// fingerprint looks into secrets, and gives nothing of them away.
func fingerprint(v reflect.Value) uint64 {
	var b strings.Builder
	spell(&b, v)
	return maphash.String(seed, b.String())
}

// spell writes a value so that two different ones are written differently.
func spell(b *strings.Builder, v reflect.Value) {
	if !v.IsValid() {
		b.WriteString("nil")
		return
	}
	if v.CanInterface() {
		switch known := v.Interface().(type) {
		case Secret:
			fmt.Fprintf(b, "%q", known.Reveal())
			return
		case encoding.TextMarshaler:
			if text, err := marshalText(known); err == nil {
				fmt.Fprintf(b, "%q", text)
				return
			}
		}
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		spell(b, v.Elem())
	case reflect.Struct:
		b.WriteByte('{')
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				spell(b, v.Field(i))
				b.WriteByte(',')
			}
		}
		b.WriteByte('}')
	case reflect.Map:
		spellMap(b, v)
	case reflect.Slice, reflect.Array:
		b.WriteByte('[')
		for i := range v.Len() {
			spell(b, v.Index(i))
			b.WriteByte(',')
		}
		b.WriteByte(']')
	case reflect.Func, reflect.Chan, reflect.UnsafePointer: // no source can set it
	default:
		fmt.Fprintf(b, "%#v", v)
	}
}

func spellMap(b *strings.Builder, v reflect.Value) {
	entries := make([]string, 0, v.Len())
	for all := v.MapRange(); all.Next(); {
		var one strings.Builder
		spell(&one, all.Key())
		one.WriteByte(':')
		spell(&one, all.Value())
		entries = append(entries, one.String())
	}
	slices.Sort(entries)
	fmt.Fprintf(b, "{%s}", strings.Join(entries, ","))
}

// marshalText gives a nil pointer with a method of a value no chance to panic.
func marshalText(m encoding.TextMarshaler) (text []byte, err error) {
	if v := reflect.ValueOf(m); v.Kind() == reflect.Pointer && v.IsNil() {
		return nil, nil
	}
	return m.MarshalText()
}
