package actuator

import (
	"encoding"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"reflect"
	"regexp"
	"strings"
	"unicode"

	"github.com/google/jsonschema-go/jsonschema"
)

// schemas are the JSON Schemas of the types that answers are made from. The
// library infers them. It knows neither MarshalJSON and MarshalText nor types
// within themselves, and writes out every struct wherever it comes: the rest is
// here.
type schemas struct {
	// named are those of structs, which the others refer to.
	named map[string]*jsonschema.Schema
	// known are what stands for a type wherever it comes: a reference, mostly.
	known map[reflect.Type]*jsonschema.Schema
}

// newSchemas knows the types of all endpoints that are on. It is not changed
// afterwards, as it is read by many at once.
func (a *Actuator) newSchemas() *schemas {
	s := &schemas{named: map[string]*jsonschema.Schema{}, known: map[reflect.Type]*jsonschema.Schema{}}
	s.addOurs()
	for _, e := range a.endpoints {
		for _, v := range []any{e.Body, e.Answer, e.Otherwise} {
			if v != nil && a.may(e) {
				s.learn(reflect.TypeOf(v))
			}
		}
	}
	s.finish(a.cfg.Info)
	return s
}

// of is the schema of a value's type, which must be known.
func (s *schemas) of(v any) *jsonschema.Schema { return s.infer(reflect.TypeOf(v), s.known) }

// learn gives every struct that a type is made of a schema with a name. Types
// that say themselves how they are encoded are anything, or a text.
func (s *schemas) learn(t reflect.Type) {
	switch {
	case s.known[t] != nil, t.Kind() == reflect.Interface:
	case encodes[json.Marshaler](t):
		s.known[t] = &jsonschema.Schema{}
	case encodes[encoding.TextMarshaler](t):
		s.known[t] = &jsonschema.Schema{Type: "string"}
	case t.Kind() == reflect.Struct && t.Name() != "":
		s.name(t, t)
	case t.Kind() == reflect.Struct:
		s.learnFields(t)
	case t.Kind() == reflect.Pointer, t.Kind() == reflect.Slice, t.Kind() == reflect.Array, t.Kind() == reflect.Map:
		s.learn(t.Elem())
	}
}

func encodes[T any](t reflect.Type) bool {
	marshaler := reflect.TypeFor[T]()
	return t.Kind() != reflect.Pointer && (t.Implements(marshaler) || reflect.PointerTo(t).Implements(marshaler))
}

func (s *schemas) learnFields(t reflect.Type) {
	for _, f := range reflect.VisibleFields(t) {
		if f.IsExported() && !f.Anonymous {
			s.learn(f.Type)
		}
	}
}

// name lets a reference stand for a type, to the schema of its shape: the type
// itself, or one that is encoded as it is.
func (s *schemas) name(t, shape reflect.Type) {
	name := schemaName(t.Name())
	if s.named[name] != nil { // another package has one of that name
		name = schemaName(path.Base(t.PkgPath())) + name
	}
	for s.named[name] != nil {
		name += "_"
	}
	s.named[name] = &jsonschema.Schema{} // the name is taken
	s.known[t] = &jsonschema.Schema{Ref: schemaPath + name}
	s.learnFields(shape)

	known := maps.Clone(s.known)
	delete(known, shape)
	for _, f := range reflect.VisibleFields(shape) {
		if f.Anonymous { // its fields are those of the struct: no reference can stand for them
			delete(known, f.Type)
		}
	}
	if within(shape) {
		known[t], shape = s.known[t], nameless(shape)
	}
	s.named[name] = s.infer(shape, known)
}

const schemaPath = "#/components/schemas/"

// within reports whether a struct has a field of its own type.
func within(t reflect.Type) bool {
	for _, f := range reflect.VisibleFields(t) {
		for of := f.Type; ; of = of.Elem() {
			if of == t {
				return true
			}
			if k := of.Kind(); k != reflect.Pointer && k != reflect.Slice && k != reflect.Array && k != reflect.Map {
				break
			}
		}
	}
	return false
}

// nameless is a struct with the fields of t that are encoded, so that t within
// it is another type.
func nameless(t reflect.Type) reflect.Type {
	var fields []reflect.StructField
	for _, f := range reflect.VisibleFields(t) {
		if f.IsExported() && !f.Anonymous {
			fields = append(fields, reflect.StructField{Name: f.Name, Type: f.Type, Tag: f.Tag})
		}
	}
	return reflect.StructOf(fields)
}

// infer asks the library. What it cannot describe is anything.
func (s *schemas) infer(t reflect.Type, known map[reflect.Type]*jsonschema.Schema) *jsonschema.Schema {
	schema, err := jsonschema.ForType(t, &jsonschema.ForOptions{TypeSchemas: known, IgnoreInvalidTypes: true})
	switch {
	case err != nil:
		return &jsonschema.Schema{Description: fmt.Sprintf("It is not described: %v.", err)}
	case schema == nil:
		return &jsonschema.Schema{Description: "It is not described: JSON has nothing for " + t.String() + "."}
	}
	mend(schema)
	return schema
}

// mend mends pointers to what a reference or nothing at all stands for: the
// library says of them that they are null and nothing else. What may be
// anything says so: many a tool cannot read the schema "true".
func mend(s *jsonschema.Schema) {
	if s == nil {
		return
	}
	if len(s.Types) == 1 && s.Types[0] == "null" {
		s.Types = nil
		if s.Ref != "" {
			s.AnyOf = []*jsonschema.Schema{{Ref: s.Ref}, {Type: "null"}}
			s.Ref = ""
		}
	}
	for _, p := range s.Properties {
		mend(p)
		if reflect.ValueOf(*p).IsZero() {
			p.Description = "Anything."
		}
	}
	mend(s.Items)
	mend(s.AdditionalProperties)
}

var notInSchemaName = regexp.MustCompile(`[^A-Za-z0-9]+`)

// schemaName makes "page[lastcall.Entry]" a name that can stand in a reference.
func schemaName(name string) string {
	name = strings.Trim(notInSchemaName.ReplaceAllString(name, "_"), "_")
	if name == "" {
		return "Unnamed"
	}
	return string(unicode.ToUpper(rune(name[0]))) + name[1:]
}
