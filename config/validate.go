package config

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// validator is what a Config implements. Its error may join others.
type validator interface{ Validate() error }

// validate asks what was decoded whether it makes sense.
func (l *loader) validate(fresh []Section) {
	l.unread = slices.Clone(l.problems)
	for i, s := range fresh {
		l.ask(l.tops[i], reflect.ValueOf(s.Value).Elem())
	}
}

// ask lets the outermost validator speak for what is below it.
func (l *loader) ask(n *node, v reflect.Value) {
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	if !v.CanAddr() { // a map entry
		c := reflect.New(v.Type()).Elem()
		c.Set(v)
		v = c
	}
	if asked, ok := v.Addr().Interface().(validator); ok {
		for _, msg := range messages(asked.Validate()) {
			l.invalid(n, msg)
		}
		return
	}
	switch n.kind {
	case group:
		for _, name := range n.names {
			l.ask(n.kids[name], v.FieldByIndex(n.index[name]))
		}
	case dict:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, k := range keys {
			l.ask(n.kid(k.String()), v.MapIndex(k))
		}
	case list:
		for i := range v.Len() {
			l.ask(n.item(i), v.Index(i))
		}
	}
}

// invalid reports one message, at the field that it begins with.
func (l *loader) invalid(n *node, msg string) {
	key := n.key
	for {
		field, rest, ok := strings.Cut(msg, ": ")
		kid := n.below(field)
		if !ok || kid == nil {
			break
		}
		n, key, msg = kid, kid.key, rest
	}
	// A value that could not be read was left at its default; that the
	// default does not fit either is no news.
	if slices.ContainsFunc(l.unread, func(p Problem) bool { return p.Key == key && key != "" }) {
		return
	}
	l.problem(key, l.originOf(key), "", msg)
}

// below is the node that a field of an error message names ("workers",
// "sms.workers", "rules[2].count"), or nil.
func (n *node) below(field string) *node {
	if kid := n.named(field); kid != nil {
		return kid
	}
	for i := range field {
		if kid := n.named(field[:i]); field[i] == '.' && kid != nil {
			if found := kid.below(field[i+1:]); found != nil {
				return found
			}
		}
	}
	return nil
}

// named is the kid of that name, or the item of a list ("rules[2]"), or nil.
func (n *node) named(name string) *node {
	if n.kids[name] != nil {
		return n.kids[name]
	}
	list, rest, _ := strings.Cut(name, "[")
	number, closed := strings.CutSuffix(rest, "]")
	i, err := strconv.ParseUint(number, 10, 16)
	if kid := n.kids[list]; closed && err == nil && kid != nil && kid.typ.Kind() == reflect.Slice {
		return kid.item(int(i))
	}
	return nil
}

// messages takes joined errors apart, also under a wrapper, whose words are
// then put before each.
func messages(err error) []string {
	switch e := err.(type) { //nolint:errorlint // taken apart layer by layer, on purpose
	case nil:
		return nil
	case interface{ Unwrap() []error }:
		var all []string
		for _, inner := range e.Unwrap() {
			all = append(all, messages(inner)...)
		}
		if strings.Join(all, "\n") == err.Error() {
			return all
		}
	case interface{ Unwrap() error }:
		inner := messages(e.Unwrap())
		before, ok := strings.CutSuffix(err.Error(), strings.Join(inner, "\n"))
		if ok && len(inner) > 1 {
			for i := range inner {
				inner[i] = before + inner[i]
			}
			return inner
		}
	}
	return []string{err.Error()}
}
