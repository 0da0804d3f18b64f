package config

import (
	"io/fs"
	"maps"
)

// Reload reads the files again and returns what they come to now, with the same
// options and the defaults as they were before [Load]. Neither v nor a section
// changes. The error is that of Load.
func (v *Values) Reload() (*Values, error) {
	o := v.made
	return Load(o.opts, cloneSections(o.defaults)...)
}

// with is Reload for files of which the contents are known; others are not
// there.
func (v *Values) with(contents map[string][]byte) (*Values, error) {
	o := v.made
	opts := o.opts
	opts.ReadFile = func(name string) ([]byte, error) {
		if data, ok := contents[name]; ok {
			return data, nil
		}
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	next, err := Load(opts, cloneSections(o.defaults)...)
	if err != nil {
		return nil, err
	}
	next.made.opts = o.opts
	return next, nil
}

// contents are those of the files that were read.
func (v *Values) contents() map[string][]byte { return maps.Clone(v.made.contents) }
