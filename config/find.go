package config

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

// spelling is how a source writes a key in one word.
type spelling struct {
	name  func(string) string
	short string // separates parts that are known
	long  string // separates parts that may be the name of a new map entry
}

var (
	dotted = spelling{name: func(s string) string { return s }, short: ".", long: "."}
	// upper is the spelling of environment variables.
	upper = spelling{name: upperName, short: "_", long: "__"}
)

func upperName(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToUpper(r)
		}
		return '_'
	}, s)
}

// isName reports whether a map entry may be called so: something that can be
// printed in one line.
func isName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar })
}

// find returns the path to the value that rest spells, or nil. Of several the
// one with the longest names comes first.
func (n *node) find(rest string, s spelling) []string {
	if all := n.findAll(rest, s, false); len(all) > 0 {
		return all[0]
	}
	return nil
}

// findAll returns every path that rest spells. Named says that a name stands
// at the beginning of rest even if nobody knows it.
func (n *node) findAll(rest string, s spelling, named bool) (paths [][]string) {
	if n.kind == leaf || n.kind == list {
		if rest == "" {
			return [][]string{nil}
		}
		return nil
	}
	names := slices.Clone(n.names)
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, name := range names {
		if after, ok := strings.CutPrefix(rest, s.name(name)); ok {
			paths = append(paths, under(name, n.kids[name].findAfter(after, s))...)
		}
	}
	if len(paths) > 0 || !n.open() {
		return paths
	}
	name, after, cut := strings.Cut(rest, s.long)
	if s.short != s.long {
		name = strings.ToLower(name)
	}
	if !isName(name) || !cut && !named {
		return nil
	}
	return under(name, n.entry(name).findAll(after, s, true))
}

func (n *node) findAfter(after string, s spelling) [][]string {
	if after == "" {
		return n.findAll("", s, false)
	}
	if rest, ok := strings.CutPrefix(after, s.long); ok {
		return n.findAll(rest, s, true)
	}
	if rest, ok := strings.CutPrefix(after, s.short); ok {
		return n.findAll(rest, s, false)
	}
	return nil
}

func under(name string, paths [][]string) [][]string {
	for i := range paths {
		paths[i] = append([]string{name}, paths[i]...)
	}
	return paths
}

// at follows a path, making map entries on its way.
func (n *node) at(path []string) *node {
	for _, name := range path {
		n = n.kid(name)
	}
	return n
}
