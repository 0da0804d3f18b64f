package config

import (
	"bytes"
	"errors"
	"io"
	"io/fs"

	"github.com/knadh/koanf/providers/confmap"
	"go.yaml.in/yaml/v3"
)

// loadFile merges the file and returns its name, or "" if there was none.
// Named is what the command line or the environment asks for.
func (l *loader) loadFile(named string) string {
	name := named
	if name == "" {
		name = l.opts.File
	}
	if name == "" {
		return ""
	}
	data, err := l.opts.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && named == "":
		return ""
	case errors.Is(err, fs.ErrNotExist):
		l.problem("", inFile(name, 0, 0), "", "there is no such file; name one that exists with --config, or none")
		return name
	case err != nil:
		l.problem("", inFile(name, 0, 0), "", "cannot be read: "+err.Error())
		return name
	}
	l.readYAML(name, data)
	return name
}

func (l *loader) readYAML(name string, data []byte) {
	var doc, next yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&doc); err != nil || len(doc.Content) == 0 {
		if err != nil && !errors.Is(err, io.EOF) { // an empty file is fine
			l.syntax(name, data, err)
		}
		return
	}
	if err := dec.Decode(&next); err == nil {
		l.problem("", inFile(name, next.Line, next.Column), "", "a second document begins here; a configuration is one document")
	} else if !errors.Is(err, io.EOF) {
		l.syntax(name, data, err)
	}

	w := &walker{loader: l, file: name, merging: map[*yaml.Node]bool{}}
	if raw, ok := w.walk(l.root, doc.Content[0]).(map[string]any); ok {
		l.merge(confmap.Provider(raw, ""))
	}
}
