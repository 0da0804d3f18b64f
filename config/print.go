package config

import (
	"bytes"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

func (l *loader) print() []byte { return encode(l.yamlNode(l.root)) }

func encode(y *yaml.Node) []byte {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(y); err != nil {
		return []byte("# cannot be printed: " + err.Error() + "\n")
	}
	_ = enc.Close() // writes to memory
	return b.Bytes()
}

func (l *loader) yamlNode(n *node) *yaml.Node {
	if n.kind == leaf || n.kind == list {
		return l.yamlLeaf(n)
	}
	if n.isNil() {
		return l.yamlLeaf(n)
	}
	y := &yaml.Node{Kind: yaml.MappingNode}
	if len(n.names) == 0 {
		y.Style = yaml.FlowStyle // {}
	}
	for _, name := range slices.Sorted(slices.Values(n.names)) {
		key := &yaml.Node{}
		_ = key.Encode(name) // a string can always be encoded
		y.Content = append(y.Content, key, l.yamlNode(n.kids[name]))
	}
	return y
}

// yamlLeaf writes a value as its own type says (durations, texts and secrets
// know how), in one line with its origin behind it.
func (l *loader) yamlLeaf(n *node) *yaml.Node {
	y := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
	note := oneLine(l.originOf(n.key).String())
	switch {
	case !n.value.IsValid():
	case n.kind == list:
		y = &yaml.Node{Kind: yaml.SequenceNode}
		for i := range n.value.Len() {
			item := newNode(n.key, n.typ.Elem(), n.value.Index(i), nil)
			y.Content = append(y.Content, l.yamlNode(item))
		}
	case n.value.Kind() == reflect.String && !isText(n.typ):
		y.SetString(n.value.String())
	default:
		if err := y.Encode(n.value.Interface()); err != nil {
			note += ", cannot be printed: " + oneLine(err.Error())
		}
	}
	flow(y)
	y.LineComment = note
	return y
}

// flow keeps a value in one line.
func flow(y *yaml.Node) {
	y.LineComment = ""
	switch {
	case y.Kind != yaml.ScalarNode:
		y.Style |= yaml.FlowStyle
	case strings.Contains(y.Value, "\n"):
		y.Style = yaml.DoubleQuotedStyle
	}
	for _, kid := range y.Content {
		flow(kid)
	}
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
