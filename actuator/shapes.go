package actuator

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// The types below have the fields of others, and not their methods: what the
// others are in JSON, as far as a schema goes.
type (
	knobShape        lifecycle.Knob
	turnedShape      lifecycle.Turned
	stageReportShape lifecycle.StageReport
	hookReportShape  lifecycle.HookReport
	receiptFields    lifecycle.Receipt
)

type receiptShape struct {
	Clean    bool     `json:"clean"`
	ExitCode int      `json:"exit_code"`
	WorkLost uint64   `json:"work_lost"`
	Errors   []string `json:"errors,omitempty"`
	receiptFields
}

type causeShape struct {
	Kind   string `json:"kind"`
	Signal string `json:"signal,omitempty"`
	By     string `json:"by,omitempty"`
	Error  string `json:"error,omitempty"`
}

// problemShape is what a refusal is answered with.
type problemShape struct {
	Type     string `json:"type"`
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail"`
	Instance string `json:"instance"`
}

// addOurs knows how ours are encoded.
func (s *schemas) addOurs() {
	for t, schema := range map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[time.Time]():     {Type: "string", Format: "date-time"},
		reflect.TypeFor[time.Duration](): {Type: "string", Pattern: `^-?(\d+(\.\d+)?(h|m|s|ms|µs|ns))+$`, Description: "A duration: 1m30s."},
		reflect.TypeFor[[]byte]():        {Types: []string{"null", "string"}, ContentEncoding: "base64"},

		reflect.TypeFor[knobValues](): {
			Type: "object", AdditionalProperties: &jsonschema.Schema{Types: []string{"integer", "number", "boolean", "string"}},
			Description: "Values by the names of knobs. GET of the same path tells which there are, with their types and bounds.",
		},
		reflect.TypeFor[number](): {Types: []string{"number", "string"}, Description: "A text where JSON has no number for it: NaN."},

		reflect.TypeFor[lifecycle.State]():   names(lifecycle.Constructing, lifecycle.Stopped),
		reflect.TypeFor[lifecycle.Band]():    names(lifecycle.Ingress, lifecycle.Sink),
		reflect.TypeFor[lifecycle.Phase]():   names(lifecycle.PhaseStart, lifecycle.PhasePreDestroy),
		reflect.TypeFor[lifecycle.Status]():  oneOf(worstFirst...),
		reflect.TypeFor[lifecycle.Outcome](): oneOf(lifecycle.OK, lifecycle.Failed, lifecycle.Panicked, lifecycle.Hung),
		reflect.TypeFor[lifecycle.KnobType](): oneOf(lifecycle.IntKnob, lifecycle.FloatKnob, lifecycle.BoolKnob,
			lifecycle.DurationKnob, lifecycle.ChoiceKnob, lifecycle.TextKnob),
	} {
		s.known[t] = schema
	}
	s.name(reflect.TypeFor[lifecycle.Cause](), reflect.TypeFor[causeShape]())
	s.name(reflect.TypeFor[lifecycle.HookReport](), reflect.TypeFor[hookReportShape]())
	s.name(reflect.TypeFor[lifecycle.StageReport](), reflect.TypeFor[stageReportShape]())
	s.name(reflect.TypeFor[lifecycle.Knob](), reflect.TypeFor[knobShape]())
	s.name(reflect.TypeFor[lifecycle.Turned](), reflect.TypeFor[turnedShape]())
	s.name(reflect.TypeFor[lifecycle.Receipt](), reflect.TypeFor[receiptShape]())
	s.name(reflect.TypeFor[problem](), reflect.TypeFor[problemShape]())
}

// names are those of all values from first to last.
func names[T interface {
	~int
	fmt.Stringer
}](first, last T) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string"}
	for v := first; v <= last; v++ {
		s.Enum = append(s.Enum, v.String())
	}
	return s
}

func oneOf[T ~string](values ...T) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string"}
	for _, v := range values {
		s.Enum = append(s.Enum, string(v))
	}
	return s
}

// finish adds what the types do not say of their fields. It comes last, as it
// goes by what is there.
func (s *schemas) finish(configured map[string]any) {
	if of := s.definition(reflect.TypeFor[health]()); of != nil {
		of.Properties["details"] = &jsonschema.Schema{Type: "object"}
	}
	if of := s.definition(reflect.TypeFor[component]()); of != nil {
		of.Properties["knobs"] = s.of([]lifecycle.Knob{})
		of.Properties["hooks"] = s.of(map[string]lifecycle.HookReport{})
	}
	if of := s.definition(reflect.TypeFor[info]()); of != nil && len(configured) > 0 {
		of.AdditionalProperties = nil
		for key := range configured { // who configures "build" knows better
			of.Properties[key] = &jsonschema.Schema{}
		}
	}
	s.definition(reflect.TypeFor[problem]()).AdditionalProperties = nil // the knobs that are wrong, say
}

// definition is the schema that a reference leads to; nil: there is none.
func (s *schemas) definition(t reflect.Type) *jsonschema.Schema {
	ref := s.known[t]
	if ref == nil {
		return nil
	}
	return s.named[strings.TrimPrefix(ref.Ref, schemaPath)]
}
