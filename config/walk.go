package config

import (
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxNodes bounds what aliases can unfold to.
const maxNodes = 100_000

// walker turns a YAML document into the nested map that koanf merges. It goes
// along the schema, so that whatever does not fit is reported where it stands.
// Scalars stay the text that the user wrote (a password 0123 is not 83).
type walker struct {
	*loader
	source  Source
	file    string
	seen    int
	merging map[*yaml.Node]bool // aliased nodes we are inside of
}

func (w *walker) at(y *yaml.Node) Origin { return inFile(w.source, w.file, y.Line, y.Column) }

// walk returns nil for what is absent, null or wrong.
func (w *walker) walk(n *node, y *yaml.Node) any {
	if w.full(n, y) {
		return nil
	}
	switch y.Kind {
	case yaml.AliasNode:
		return w.walk(n, y.Alias) // ends: no type in a schema contains itself
	case yaml.ScalarNode:
		return w.walkScalar(n, y)
	}
	if n.kind == leaf && n.typ.Kind() == reflect.Interface {
		return w.walkAny(n, y)
	}
	switch {
	case y.Kind == yaml.MappingNode && (n.kind == group || n.kind == dict):
		out := map[string]any{}
		w.walkMapping(n, y, out, map[string]*yaml.Node{})
		return out
	case y.Kind == yaml.SequenceNode && n.kind == list:
		out := make([]any, len(y.Content))
		for i, item := range y.Content {
			kid := n.item(i)
			w.origins[kid.key] = w.at(item)
			out[i] = w.walk(kid, item)
		}
		return out
	}
	w.problem(n.key, w.at(y), "", fmt.Sprintf("wants %s, got %s", n.wants(), shape(y)))
	return nil
}

func (w *walker) full(n *node, y *yaml.Node) bool {
	if w.seen++; w.seen == maxNodes {
		w.problem(n.key, w.at(y), "", fmt.Sprintf("more than %d values; is this the right file?", maxNodes))
	}
	return w.seen >= maxNodes
}

func (w *walker) walkScalar(n *node, y *yaml.Node) any {
	switch {
	case y.Tag == "!!null":
		return nil
	case strings.HasPrefix(y.Tag, "!") && !strings.HasPrefix(y.Tag, "!!"):
		tag := " " + y.Tag
		if n.kind == leaf && holdsSecret(n.typ, nil) {
			tag = "" // one that begins so, and was not quoted
		}
		w.problem(n.key, w.at(y), "", fmt.Sprintf("unknown tag%s; write the value itself", tag))
		return nil
	case n.kind == group || n.kind == dict:
		w.problem(n.key, w.at(y), "", fmt.Sprintf("wants %s, got %s", n.wants(), shape(y)))
		return nil
	case n.kind == leaf && n.typ.Kind() == reflect.Interface:
		return w.walkAny(n, y)
	case y.Tag == "!!binary":
		var text string
		if err := y.Decode(&text); err != nil {
			w.problem(n.key, w.at(y), "", "not readable as base64")
		}
		return text
	}
	return y.Value
}

func (w *walker) walkAny(n *node, y *yaml.Node) any {
	var v any
	if err := y.Decode(&v); err != nil {
		w.problem(n.key, w.at(y), "", "not readable as YAML: "+strings.TrimPrefix(err.Error(), "yaml: "))
	}
	return v
}

// walkMapping fills out. Keys of y win over those that y merges in with <<,
// so merged mappings are walked last and met keys are left alone.
func (w *walker) walkMapping(n *node, y *yaml.Node, out map[string]any, met map[string]*yaml.Node) {
	var merged []*yaml.Node
	own := map[string]*yaml.Node{}
	for i := 0; i+1 < len(y.Content); i += 2 {
		k, v := y.Content[i], y.Content[i+1]
		if k.Tag == "!!merge" {
			merged = append(merged, v)
			continue
		}
		if k.Kind != yaml.ScalarNode || !isName(k.Value) {
			w.problem(n.key, w.at(k), "", "a key must be a word")
			continue
		}
		if first := own[k.Value]; first != nil {
			w.problem(join(n.key, k.Value), w.at(k), "", fmt.Sprintf("the key was already given in line %d", first.Line))
			continue
		}
		own[k.Value] = k
		if met[k.Value] == nil {
			met[k.Value] = k
			w.walkKey(n, k, v, out)
		}
	}
	for _, m := range merged {
		w.walkMerged(n, m, out, met)
	}
}

func (w *walker) walkKey(n *node, k, v *yaml.Node, out map[string]any) {
	if n.key == "" && strings.HasPrefix(k.Value, "x-") {
		return
	}
	kid := n.kid(k.Value)
	if kid == nil {
		hint, msg := w.unknown(n, k.Value)
		w.problem(join(n.key, k.Value), w.at(k), hint, msg)
		return
	}
	got := w.walk(kid, v)
	if got == nil && n.kind == dict && kid.kind == group {
		got = map[string]any{} // an entry without fields is still an entry: "pools: {sms: }"
	}
	if got != nil {
		w.record(kid, got, w.at(k))
		out[k.Value] = got
	}
}

func (w *walker) walkMerged(n *node, m *yaml.Node, out map[string]any, met map[string]*yaml.Node) {
	if m.Kind == yaml.AliasNode {
		if w.merging[m.Alias] {
			w.problem(n.key, w.at(m), "", fmt.Sprintf("the anchor %q contains itself", m.Value))
			return
		}
		w.merging[m.Alias] = true
		w.walkMerged(n, m.Alias, out, met)
		delete(w.merging, m.Alias)
		return
	}
	if w.full(n, m) {
		return
	}
	switch m.Kind {
	case yaml.MappingNode:
		w.walkMapping(n, m, out, met)
	case yaml.SequenceNode:
		for _, one := range m.Content {
			w.walkMerged(n, one, out, met)
		}
	default:
		w.problem(n.key, w.at(m), "", "<< wants a mapping or a list of mappings")
	}
}

func shape(y *yaml.Node) string {
	switch y.Kind {
	case yaml.MappingNode:
		return "a group of keys"
	case yaml.SequenceNode:
		return "a list"
	default:
		return "a single value"
	}
}
