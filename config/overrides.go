package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"
)

var (
	// ErrNoOverrides is matched by the error of [Values.Keep] where there is no
	// file to keep anything in.
	ErrNoOverrides = errors.New("there is no overrides file; name one with Options.Overrides, or with --overrides")
	// ErrOutranked is matched by the error of [Values.Keep] for a key that the
	// environment or a flag sets: they are stronger than the overrides file.
	ErrOutranked = errors.New("it would not count")
)

const overridesHeader = `Changes that were made while the program ran, and were to be kept. They are
stronger than the configuration file, and weaker than the environment and flags.
Who takes a line away gets what the configuration file says.`

// Keep writes values into the overrides file, by their whole keys, beside those
// that are in it, so that the next [Load] finds them; nil takes a key out of it.
// Each gets a comment: by, and when. It returns what a Load now comes to; v and
// the sections stay as they are.
//
// All are written or none, also when the process is killed or the power fails:
// the new file takes the place of the old one in one step. Nothing is written of
// what could not be loaded ([*Error]), of a [Secret], or where a key would not
// count ([ErrOutranked]).
//
// It blocks for the disk. Two calls at a time must not write the same file.
func (v *Values) Keep(set map[string]any, by string) (*Values, error) {
	name := v.made.overrides
	if name == "" {
		return nil, fmt.Errorf("config: keep: %w", ErrNoOverrides)
	}
	data, err := v.made.opts.withDefaults().ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("config: keep: %w", err)
	}
	note := printable(strings.TrimPrefix(by+", "+time.Now().UTC().Format(time.RFC3339), ", "))
	text, err := v.override(data, set, note)
	if err != nil {
		return nil, fmt.Errorf("config: keep in %s: %w", name, err)
	}
	contents := v.contents()
	contents[name] = text
	next, err := v.with(contents)
	if err != nil {
		return nil, fmt.Errorf("config: keep in %s: %w", name, err)
	}
	if err := next.outranked(set); err != nil {
		return nil, fmt.Errorf("config: keep in %s: %w", name, err)
	}
	if err := replaceFile(v.made.opts.path(name), text); err != nil {
		return nil, fmt.Errorf("config: keep: %w", err)
	}
	return next, nil
}

// printable is a text that can stand in a comment: whoever asked may have any
// name.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) && r != unicode.ReplacementChar {
			return r
		}
		return '?'
	}, oneLine(s))
}

// outranked says which of the keys a stronger source sets.
func (v *Values) outranked(set map[string]any) error {
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(set)) {
		if at := v.Origin(key); set[key] != nil && at.Source != FromOverrides {
			errs = append(errs, fmt.Errorf("%s: %w: %s is stronger; change it there", key, ErrOutranked, at))
		}
	}
	return errors.Join(errs...)
}

// override is the text of an overrides file with changes made to it. What else
// is in it stays, and so do comments, but for some beside what changes.
func (v *Values) override(data []byte, set map[string]any, note string) ([]byte, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("it is not readable as YAML, and must be mended first: %w", err)
	}
	if doc.Kind == 0 || doc.Content[0].Tag == "!!null" {
		doc = yaml.Node{Kind: yaml.DocumentNode, HeadComment: overridesHeader, Content: []*yaml.Node{{Kind: yaml.MappingNode}}}
	}
	for _, key := range slices.Sorted(maps.Keys(set)) {
		path, known := v.paths[key]
		switch {
		case doc.Content[0].Kind != yaml.MappingNode:
			return nil, errors.New("it holds no keys, and must be mended first")
		case !known:
			return nil, fmt.Errorf("%s: unknown key", key)
		case v.values[key].Secret:
			return nil, fmt.Errorf("%s: a secret is written down by nobody", key)
		case set[key] == nil:
			unset(doc.Content[0], path)
		default:
			if err := put(doc.Content[0], path, set[key], note); err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
		}
	}
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := errors.Join(enc.Encode(&doc), enc.Close()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// put sets a value, and says beside it who did.
func put(y *yaml.Node, path []string, value any, note string) error {
	y.Style &^= yaml.FlowStyle // a comment stands at the end of a line
	for ; len(path) > 1; path = path[1:] {
		kid := kidOf(y, path[0])
		if kid == nil || kid.Kind != yaml.MappingNode { // an alias is followed by nobody
			kid = addKid(y, path[0], &yaml.Node{Kind: yaml.MappingNode})
		}
		y = kid
		y.Style &^= yaml.FlowStyle
	}
	leaf := &yaml.Node{}
	if err := leaf.Encode(value); err != nil {
		return err
	}
	flow(leaf)
	leaf.LineComment = note
	addKid(y, path[0], leaf)
	return nil
}

// unset takes a key out, and what is empty without it.
func unset(y *yaml.Node, path []string) {
	kid := kidOf(y, path[0])
	if kid == nil {
		return
	}
	if len(path) > 1 {
		if unset(kid, path[1:]); len(kid.Content) > 0 {
			return
		}
	}
	for i := 0; i+1 < len(y.Content); i += 2 {
		if y.Content[i].Value == path[0] {
			y.Content = slices.Delete(y.Content, i, i+2)
			return
		}
	}
}

func kidOf(y *yaml.Node, name string) *yaml.Node {
	for i := 0; i+1 < len(y.Content); i += 2 {
		if y.Content[i].Value == name {
			return y.Content[i+1]
		}
	}
	return nil
}

func addKid(y *yaml.Node, name string, kid *yaml.Node) *yaml.Node {
	for i := 0; i+1 < len(y.Content); i += 2 {
		if y.Content[i].Value == name {
			y.Content[i+1] = kid
			return kid
		}
	}
	key := &yaml.Node{}
	_ = key.Encode(name) // a string can always be encoded
	y.Content = append(y.Content, key, kid)
	return kid
}
