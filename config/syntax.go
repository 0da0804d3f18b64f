package config

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"
)

// anchor is a name in what the parser says. It may be a password that begins with
// a star, and was not quoted.
var anchor = regexp.MustCompile(`unknown anchor '.*' referenced`)

var yamlLine = regexp.MustCompile(`^(yaml: )?(line \d+: )?`)

// syntax reports what the YAML parser says. The line it gives is that of
// whatever it was in the middle of, counted from 0 or from 1, and none for the
// first; so the line is found by looking how much of the file it takes to
// make it say so.
func (l *loader) syntax(source Source, name string, data []byte, err error) {
	said := yamlLine.ReplaceAllString(err.Error(), "")
	all := bytes.SplitAfter(data, []byte("\n"))
	line := 1 + sort.Search(len(all)-1, func(i int) bool {
		return strings.HasSuffix(parseAll(bytes.Join(all[:i+1], nil)), said)
	})
	l.problem("", inFile(source, name, line, 0), "", "not readable as YAML: "+anchor.ReplaceAllString(said, "unknown anchor; quote a text that begins with *"))
}

// parseAll returns what the parser says of all documents in data.
func parseAll(data []byte) string {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	for {
		err := dec.Decode(new(yaml.Node))
		if errors.Is(err, io.EOF) {
			return ""
		}
		if err != nil {
			return err.Error()
		}
	}
}
