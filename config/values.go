package config

import (
	"io"
	"slices"
)

// Values is what [Load] found out besides the values themselves, which are in
// the sections. It never changes, holds no secret in clear, and is safe for
// concurrent use.
type Values struct {
	origins map[string]Origin
	printed []byte
	usage   string
	file    string
	args    []string
	wants   Wants
}

// values looks at the sections as they are now, map entries that sources have
// brought included.
func (l *loader) values(sections []Section, cmd *command) *Values {
	now := &loader{opts: l.opts, origins: map[string]Origin{}}
	now.schema(effective(sections))
	now.root.leaves(func(n *node) { now.origins[n.key] = l.originOf(n.key) })
	return &Values{
		origins: now.origins,
		printed: now.print(),
		usage:   now.usage(cmd),
		file:    cmd.file,
		args:    cmd.args,
		wants:   cmd.wants,
	}
}

// Origin says where the value of a key ("pools.sms.workers") came from. Its
// Source is empty for a key that is not there, or that holds other keys.
func (v *Values) Origin(key string) Origin { return v.origins[key] }

// File is the file that was read; empty if there was none.
func (v *Values) File() string { return v.file }

// Args are the arguments after "--", which belong to the program.
func (v *Values) Args() []string { return slices.Clone(v.args) }

// Wants says what the command line asks for besides values.
func (v *Values) Wants() Wants { return v.wants }

// Print writes every value in effect, defaults included (also those of a
// method WithDefaults, which returns its receiver with what is zero filled in),
// sorted, as YAML with its origin in a comment. The output can be loaded again, except for secrets,
// which are masked.
func (v *Values) Print(w io.Writer) error {
	_, err := w.Write(v.printed)
	return err
}

// String is what [Values.Print] writes.
func (v *Values) String() string { return string(v.printed) }

// Usage writes what --help shows: the flags, then every key with its type and
// default.
func (v *Values) Usage(w io.Writer) error {
	_, err := io.WriteString(w, v.usage)
	return err
}
