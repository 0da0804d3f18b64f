package config

import (
	"os"
	"path/filepath"
	"testing"
)

// Options says where to look. The zero value looks nowhere: defaults only.
type Options struct {
	// Name is what the usage text calls the program. Zero: "program".
	Name string
	// File is read when it exists. A file named by --config, or by the
	// variable CONFIG under the prefix, is read in its place and must exist.
	// Zero: no file unless one is named.
	File string
	// Overrides is the file of changes that are kept ([Values.Keep]); it need not
	// exist. A bare name lies beside the configuration file. One that is named by
	// --overrides, or by the variable OVERRIDES under the prefix, is taken in its
	// place. Zero: none, and nothing can be kept.
	Overrides string
	// Args are the arguments after the program's name. Zero: none.
	Args []string
	// Environ are "NAME=value" pairs; of a name given twice the last counts.
	// Zero: none.
	Environ []string
	// Prefix begins the variables that are read; every other one is left
	// alone, and one that begins so and is no key is an error. Zero:
	// "LASTCALL_".
	Prefix string
	// Flags are short names for keys.
	Flags []Flag
	// ReadFile reads the files; it tells an absent one by fs.ErrNotExist.
	// Zero: os.ReadFile; a relative name is then meant in the working directory as
	// it is now, also when the files are read again after it has changed.
	ReadFile func(name string) ([]byte, error)

	// dir is where relative names lie on the disk: the working directory as it was
	// at the first Load.
	dir string
}

// Flag is a short name for a key: Flag{Name: "input", Key: "quickstart.input"}
// makes --input FILE the same as --set quickstart.input=FILE.
type Flag struct {
	// Name is the flag without its dashes.
	Name string
	// Key is the key that it sets. It must exist in a section.
	Key string
	// Usage is the line in the usage text. A word in back quotes becomes the
	// name of the value.
	Usage string
}

// FromProcess returns the options of a program as it was started: its
// arguments, its environment, config.yaml in the working directory, and
// config.overrides.yaml beside it.
//
// In a test binary (testing.Testing, so children of a test that run the test
// binary again too) Args is empty: they are the flags of the test.
func FromProcess() Options {
	o := Options{Name: filepath.Base(os.Args[0]), File: "config.yaml", Overrides: "config.overrides.yaml", Environ: os.Environ()}
	if !testing.Testing() {
		o.Args = os.Args[1:]
	}
	return o
}

func (o Options) withDefaults() Options {
	if o.Name == "" {
		o.Name = "program"
	}
	if o.Prefix == "" {
		o.Prefix = "LASTCALL_"
	}
	if o.ReadFile == nil {
		if o.dir == "" {
			o.dir, _ = os.Getwd() // without one, names stay as they are
		}
		o.ReadFile = func(name string) ([]byte, error) { return os.ReadFile(o.path(name)) }
	}
	return o
}

// path is where a file lies, whatever the working directory is by now.
func (o Options) path(name string) string {
	if o.dir == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(o.dir, name)
}
