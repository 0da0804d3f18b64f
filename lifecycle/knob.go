package lifecycle

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/internal/secret"
)

// noun is what a knob is called where it is wrong.
type noun struct{ one, whose string }

var (
	aKnob      = noun{"knob", "component"}
	anArgument = noun{"argument", "action"}
)

// check is the values that are asked for, in the types of their knobs; or
// everything that is wrong with them, as [*KnobErrors].
func check(knobs []Knob, asked map[string]any) (map[string]any, error) {
	wanted, wrong := checkEach(knobs, asked, aKnob)
	if len(wrong) > 0 {
		return nil, &KnobErrors{wrong}
	}
	return wanted, nil
}

// checkEach is the values that are well, and what is wrong with the others.
// what says to a person what they are.
func checkEach(knobs []Knob, asked map[string]any, what noun) (wanted map[string]any, wrong []KnobError) {
	wanted = make(map[string]any, len(asked))
	for _, name := range sortedNames(asked) {
		value, err := checkOne(knobs, name, asked[name], what)
		if err != nil {
			wrong = append(wrong, KnobError{shorten(name), err})
			continue
		}
		wanted[name] = value
	}
	return wanted, wrong
}

func checkOne(knobs []Knob, name string, asked any, what noun) (any, error) {
	i := slices.IndexFunc(knobs, func(k Knob) bool { return k.Name == name })
	if i < 0 {
		return nil, unknownKnob(knobs, name, what)
	}
	k := knobs[i]
	value, err := k.read(asked)
	switch {
	case err != nil && secret.Key(name):
		return nil, fmt.Errorf("the value is no %s", k.Type) // which is not said back
	case err != nil:
		return nil, err
	case reflect.DeepEqual(value, k.Value):
		return value, nil // it may be what it is, and stays so
	case k.Cold:
		return nil, ErrCold
	}
	return value, k.within(value)
}

func unknownKnob(knobs []Knob, name string, what noun) error {
	if len(knobs) == 0 {
		return fmt.Errorf("unknown %s: the %s has none", what.one, what.whose)
	}
	known := make([]string, len(knobs))
	for i, k := range knobs {
		known[i] = k.Name
	}
	if hint := didYouMean(name, known); hint != "" {
		return fmt.Errorf("unknown %s%s", what.one, hint)
	}
	return fmt.Errorf("unknown %s; there are %s", what.one, strings.Join(known, ", "))
}

// read makes a value of the knob's type of one that may have come through
// JSON, YAML or code. It does not look at the bounds.
func (k Knob) read(v any) (any, error) {
	switch k.Type {
	case IntKnob:
		return readInt(v)
	case FloatKnob:
		return readFloat(v)
	case BoolKnob:
		if b, ok := v.(bool); ok {
			return b, nil
		}
		return nil, fmt.Errorf("%s is neither true nor false", shown(v))
	case DurationKnob:
		return readDuration(v)
	case ChoiceKnob:
		return k.readChoice(v)
	case TextKnob:
		return readText(v)
	default:
		return nil, fmt.Errorf("its own type %q is not known: the component must say one that is", string(k.Type))
	}
}

// readable is read for what the component says itself. What cannot be read is
// a text, so that everybody can encode it.
func (k Knob) readable(v any) any {
	if v == nil {
		return nil
	}
	if value, err := k.read(v); err == nil {
		return value
	}
	return shown(v)
}

func readInt(v any) (any, error) {
	if text, ok := v.(json.Number); ok {
		if n, err := text.Int64(); err == nil {
			return n, nil
		}
		return wholeNumber(text.Float64())
	}
	switch r := reflect.ValueOf(v); {
	case isDuration(v):
	case r.CanInt():
		return r.Int(), nil
	case r.CanUint() && r.Uint() <= math.MaxInt64:
		return int64(r.Uint()), nil
	case r.CanUint():
		return nil, fmt.Errorf("%s is too large", shown(v))
	case r.CanFloat():
		return wholeNumber(r.Float(), nil)
	}
	return nil, fmt.Errorf("%s is no number", shown(v))
}

// wholeNumber is for JSON, in which every number is a float.
func wholeNumber(f float64, err error) (any, error) {
	switch {
	case err != nil || f != math.Trunc(f): // NaN too
		return nil, fmt.Errorf("%v is no whole number", f)
	case f < math.MinInt64 || f >= math.MaxInt64:
		return nil, fmt.Errorf("%v is too large", f)
	}
	return int64(f), nil
}

func readFloat(v any) (any, error) {
	f, ok := 0.0, true
	if text, is := v.(json.Number); is {
		var err error
		f, err = text.Float64()
		ok = err == nil
	} else {
		switch r := reflect.ValueOf(v); {
		case isDuration(v):
			ok = false
		case r.CanFloat():
			f = r.Float()
		case r.CanInt():
			f = float64(r.Int())
		case r.CanUint():
			f = float64(r.Uint())
		default:
			ok = false
		}
	}
	if !ok || math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, fmt.Errorf("%s is no number", shown(v))
	}
	return f, nil
}

func isDuration(v any) bool {
	_, is := v.(time.Duration)
	return is
}

func readDuration(v any) (any, error) {
	switch v := v.(type) {
	case time.Duration:
		return v, nil
	case string:
		if d, err := time.ParseDuration(v); err == nil {
			return d, nil
		}
	}
	return nil, fmt.Errorf("%s is no duration; give a text such as \"1.5s\"", shown(v))
}

func (k Knob) readChoice(v any) (any, error) {
	r := reflect.ValueOf(v)
	if r.Kind() != reflect.String {
		return nil, fmt.Errorf("%s is none of %s", shown(v), strings.Join(k.Choices, ", "))
	}
	if !slices.Contains(k.Choices, r.String()) {
		return nil, fmt.Errorf("%s is none of %s%s", shown(v), strings.Join(k.Choices, ", "), didYouMean(r.String(), k.Choices))
	}
	return r.String(), nil
}

func readText(v any) (any, error) {
	r := reflect.ValueOf(v)
	switch {
	case r.Kind() != reflect.String:
		return nil, fmt.Errorf("%s is no text", shown(v))
	case r.Len() > longestText:
		return nil, fmt.Errorf("a text of %d bytes is too long: give at most %d", r.Len(), longestText)
	}
	return r.String(), nil
}

// longestText bounds what is written down of a text: the audit keeps it.
const longestText = 1000

// within says whether a value of the knob's type is within its bounds.
func (k Knob) within(v any) error {
	least, err := k.bound(k.Min)
	if err != nil {
		return err
	}
	most, err := k.bound(k.Max)
	if err != nil {
		return err
	}
	switch {
	case least != nil && less(v, least):
		return fmt.Errorf("%v is too little: give %s", v, k.room(least, most))
	case most != nil && less(most, v):
		return fmt.Errorf("%v is too much: give %s", v, k.room(least, most))
	}
	return nil
}

// bound is Min or Max in the knob's type.
func (k Knob) bound(b any) (any, error) {
	if b == nil {
		return nil, nil //nolint:nilnil // no bound is no error
	}
	bound, err := k.read(b)
	if err != nil {
		return nil, fmt.Errorf("its own bound is wrong, and must be mended in the component: %w", err)
	}
	return bound, nil
}

func (k Knob) room(least, most any) string {
	switch {
	case most == nil:
		return fmt.Sprintf("%v or more", least)
	case least == nil:
		return fmt.Sprintf("%v or less", most)
	default:
		return fmt.Sprintf("%v to %v", least, most)
	}
}

// less compares two values of one type; those that have no order are equal.
func less(a, b any) bool {
	switch a := a.(type) {
	case int64:
		return a < b.(int64)
	case float64:
		return a < b.(float64)
	case time.Duration:
		return a < b.(time.Duration)
	default:
		return false
	}
}

// shown is a value in an error: whoever asked may have asked for anything.
func shown(v any) string {
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Invalid:
		return "null"
	case reflect.String:
		return fmt.Sprintf("%q", shorten(r.String()))
	case reflect.Map, reflect.Struct:
		return "an object"
	case reflect.Slice, reflect.Array:
		return "a list"
	default:
		return shorten(fmt.Sprint(v))
	}
}

func shorten(text string) string {
	if len(text) <= longestWord {
		return text
	}
	return strings.ToValidUTF8(text[:longestWord], "") + "…"
}

// MarshalJSON writes durations as text: those of Value, Min and Max. Where the
// name sounds like a secret, the value is hidden.
func (k Knob) MarshalJSON() ([]byte, error) {
	type fields Knob
	text := fields(k)
	text.Value, text.Min, text.Max = inJSON(k.Value), inJSON(k.Min), inJSON(k.Max)
	if secret.Key(k.Name) && k.Value != "" {
		text.Value, text.Choices = secret.Hidden, nil
	}
	return json.Marshal(text)
}

// inJSON is a value of a knob as JSON has it.
func inJSON(v any) any {
	if d, ok := v.(time.Duration); ok {
		return durationText(d)
	}
	return v
}
