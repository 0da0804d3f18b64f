package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/lastcall-go/lastcall/journal/deadletter"
)

// target is where an export goes.
type target struct {
	file, format string
	force        bool

	w  io.Writer
	is deadletter.Format
}

func (t *target) flags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&t.file, "file", "f", "", "write to this file instead of the standard output")
	cmd.Flags().StringVar(&t.format, "format", "", "csv or jsonl (default: as the name of the file says, else jsonl)")
	cmd.Flags().BoolVar(&t.force, "force", false, "write over a file that is there")
}

// formatFor is the format that was said, or that of a file's name.
func formatFor(said, file string, otherwise deadletter.Format) (deadletter.Format, error) {
	var f deadletter.Format
	var err error
	switch {
	case said != "":
		f, err = deadletter.ParseFormat(said)
	case file != "" && file != "-":
		f, err = deadletter.FormatOf(file)
	case otherwise != "":
		return otherwise, nil
	default:
		err = errors.New("give csv or jsonl")
	}
	if err != nil {
		return "", usagef("--format: %w", err)
	}
	return f, nil
}

// unknown is a number that nobody has counted.
const unknown = -1

// write has all written to the target, and says how many there were.
func (t *target) write(p *program, one string, all func(*target) (int, error)) (err error) {
	if t.is, err = formatFor(t.format, t.file, deadletter.JSONL); err != nil {
		return err
	}
	if t.file == "" || t.file == "-" {
		t.w = p.out
		_, err = all(t)
		return err
	}
	f, err := t.create()
	if err != nil {
		return err
	}
	b := bufio.NewWriter(f)
	t.w = b
	n, err := all(t)
	if err = errors.Join(err, b.Flush(), f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	if err := os.Rename(f.Name(), t.file); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	if n == unknown {
		fmt.Fprintf(p.err, "%s: written\n", t.file)
		return nil
	}
	fmt.Fprintf(p.err, "%s: %s\n", t.file, plural(n, one))
	return nil
}

// create makes the file beside its place, so that half of it is never taken
// for the whole. Only its owner may read it: payloads are.
func (t *target) create() (*os.File, error) {
	if _, err := os.Stat(t.file); err == nil && !t.force {
		return nil, usagef("--file: %s is there; give another name, or --force", t.file)
	}
	return os.CreateTemp(filepath.Dir(t.file), "."+filepath.Base(t.file)+".*")
}

// counting shows how many of total have come.
func counting[T any](p *program, what string, total int, all iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		show, finish := p.progress(what, false)
		defer finish()
		n := int64(0)
		for v, err := range all {
			n++
			show(n, int64(total))
			if !yield(v, err) {
				return
			}
		}
	}
}
