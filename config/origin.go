package config

import (
	"maps"
	"strconv"
	"strings"
)

// Source is a kind of place that values come from.
type Source string

// The sources, from the weakest to the strongest.
const (
	FromDefault   Source = "default"
	FromFile      Source = "file"
	FromOverrides Source = "overrides" // the file that [Values.Keep] writes
	FromEnv       Source = "env"
	FromFlag      Source = "flag"
)

// Origin is where a value came from.
type Origin struct {
	// Source is the kind of place; empty for a key that does not exist.
	Source Source
	// Detail is the place as a person looks for it: "config.yaml:12",
	// "LASTCALL_POOLS_SMS_WORKERS", "--set". Empty for a default.
	Detail string
	// File, Line and Column say where in a file, both counted from 1; Line is
	// 0 where it is not known. Empty for other sources.
	File   string
	Line   int
	Column int
}

// String is the place in a few words, for a log line or a comment.
func (o Origin) String() string {
	if o.Detail == "" {
		return string(o.Source)
	}
	return o.Detail
}

func inFile(source Source, name string, line, column int) Origin {
	o := Origin{Source: source, Detail: name, File: name, Line: line, Column: column}
	if line > 0 {
		o.Detail += ":" + strconv.Itoa(line)
	}
	return o
}

// record notes who set a key last, and to what. A list is replaced whole, so
// where its items stood before says nothing any more; a map keeps what others
// set in it.
func (l *loader) record(n *node, raw any, at Origin) {
	if at.File == "" {
		maps.DeleteFunc(l.origins, func(k string, _ Origin) bool { return strings.HasPrefix(k, n.key+"[") })
	}
	l.origins[n.key] = at
	l.say(n, raw, at)
}

// originOf is the origin of a key, or of the list that it is an item of.
func (l *loader) originOf(key string) Origin {
	if at, ok := l.origins[key]; ok {
		return at
	}
	if i := strings.LastIndexByte(key, '['); i >= 0 {
		return l.originOf(key[:i])
	}
	return Origin{Source: FromDefault}
}
