package config

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/knadh/koanf/providers/confmap"
	"go.yaml.in/yaml/v3"
)

// loadFile merges the file and notes in cmd which it was, or "" if there was
// none. What cmd names before is what the command line or the environment asks
// for.
func (l *loader) loadFile(cmd *command) {
	named := cmd.file
	cmd.file = ""
	name := cmp.Or(named, l.opts.File)
	if name == "" {
		return
	}
	l.files = append(l.files, name)
	data, err := l.read(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && named == "":
		return
	case errors.Is(err, fs.ErrNotExist):
		l.problem("", inFile(FromFile, name, 0, 0), "", "there is no such file; name one that exists with --config, or none")
	case err != nil:
		l.problem("", inFile(FromFile, name, 0, 0), "", "cannot be read: "+err.Error())
	default:
		l.readYAML(FromFile, name, data)
	}
	cmd.file = name
}

// loadOverrides merges the overrides file, if there is one, and notes in cmd
// where it is or would be.
func (l *loader) loadOverrides(cmd *command) {
	if cmd.overrides == "" && l.opts.Overrides != "" {
		cmd.overrides = l.opts.Overrides
		if filepath.Base(cmd.overrides) == cmd.overrides && len(l.files) > 0 {
			cmd.overrides = filepath.Join(filepath.Dir(l.files[0]), cmd.overrides)
		}
	}
	if cmd.overrides == "" {
		return
	}
	l.files = append(l.files, cmd.overrides)
	switch data, err := l.read(cmd.overrides); {
	case errors.Is(err, fs.ErrNotExist): // nothing was kept yet
	case err != nil:
		l.problem("", inFile(FromOverrides, cmd.overrides, 0, 0), "", "cannot be read: "+err.Error())
	default:
		l.readYAML(FromOverrides, cmd.overrides, data)
	}
}

// read reads a file, and remembers what it has read.
func (l *loader) read(name string) ([]byte, error) {
	data, err := l.opts.ReadFile(name)
	if err == nil {
		l.contents[name] = data
	}
	return data, err
}

func (l *loader) readYAML(source Source, name string, data []byte) {
	var doc, next yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&doc); err != nil || len(doc.Content) == 0 {
		if err != nil && !errors.Is(err, io.EOF) { // an empty file is fine
			l.syntax(source, name, data, err)
		}
		return
	}
	if err := dec.Decode(&next); err == nil {
		l.problem("", inFile(source, name, next.Line, next.Column), "", "a second document begins here; a configuration is one document")
	} else if !errors.Is(err, io.EOF) {
		l.syntax(source, name, data, err)
	}

	w := &walker{loader: l, source: source, file: name, merging: map[*yaml.Node]bool{}}
	if raw, ok := w.walk(l.root, doc.Content[0]).(map[string]any); ok {
		l.merge(confmap.Provider(raw, ""))
	}
}
