package config

import (
	"fmt"
	"strings"

	"github.com/knadh/koanf/providers/env/v2"
)

// The variables, less their prefix, that name the files.
const (
	fileVariable      = "CONFIG"
	overridesVariable = "OVERRIDES"
)

// variable returns the last value of a variable.
func (o Options) variable(name string) string {
	var value string
	for _, pair := range o.Environ {
		if v, ok := strings.CutPrefix(pair, name+"="); ok {
			value = v
		}
	}
	return value
}

// loadEnv merges the variables under the prefix.
func (l *loader) loadEnv() {
	l.merge(env.Provider(delim, env.Opt{
		Prefix:        l.opts.Prefix,
		EnvironFunc:   func() []string { return l.opts.Environ },
		TransformFunc: l.fromVariable,
	}))
}

// fromVariable returns the key and value of a variable, or "" for one that
// changes nothing.
func (l *loader) fromVariable(name, value string) (string, any) {
	rest := strings.TrimPrefix(name, l.opts.Prefix)
	paths := l.root.findAll(rest, upper, false)
	at := Origin{Source: FromEnv, Detail: name}
	switch {
	case paths == nil && (rest == fileVariable || rest == overridesVariable):
		return "", nil
	case paths == nil:
		l.problem("", at, l.nearestVariable(name), "no key has this name")
		return "", nil
	case value == "":
		return "", nil
	case len(paths) > 1:
		l.problem("", at, "", fmt.Sprintf("may mean %s or %s; write __ between the parts", strings.Join(paths[0], "."), strings.Join(paths[1], ".")))
		return "", nil
	}
	n := l.root.at(paths[0])
	if before := l.origins[n.key]; before.Source == FromEnv && before.Detail != name {
		l.problem(n.key, at, "", fmt.Sprintf("is also set by %s; leave one of them out", before.Detail))
	}
	l.record(n, value, at)
	return strings.Join(paths[0], delim), value
}

func (l *loader) nearestVariable(name string) string {
	known := []string{l.opts.Prefix + fileVariable, l.opts.Prefix + overridesVariable}
	l.root.leaves(func(n *node) { known = append(known, l.variableFor(n)) })
	return nearest(name, known)
}

func (l *loader) variableFor(n *node) string { return l.opts.Prefix + upperName(n.key) }
