package filejournal

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lastcall-go/lastcall/journal"
)

// Inspect looks at journals that are open in this process: all, or those that
// are named. It reads the files in which entries are live, and so finds what
// was damaged since they were opened. Appends and acknowledgements go on
// meanwhile; what is counted is of the moment when a journal was read.
func (d *Directory) Inspect(ctx context.Context, names ...string) ([]Inspection, error) {
	open := d.opened()
	if len(names) == 0 {
		names = sortedNames(open)
	}
	found := make([]Inspection, 0, len(names))
	for _, name := range names {
		j := open[name]
		if j == nil {
			return nil, notOpen(name, open)
		}
		in, err := j.inspect(ctx)
		if err != nil {
			return nil, j.failed("inspect", err)
		}
		found = append(found, in)
	}
	return found, nil
}

// Entries is the Replay of a journal that is open in this process, for whoever
// has only its name.
func (d *Directory) Entries(ctx context.Context, name string) (iter.Seq2[journal.Entry, error], error) {
	open := d.opened()
	if j := open[name]; j != nil {
		return j.Replay(ctx), nil
	}
	return nil, notOpen(name, open)
}

// ErrNotOpen: this process has not opened a journal of this name.
var ErrNotOpen = errors.New("not open")

func notOpen(name string, open map[string]*Journal) error {
	return fmt.Errorf("filejournal: the journal %q is %w in this process; those that are: %s", name, ErrNotOpen, strings.Join(sortedNames(open), ", "))
}

func sortedNames(open map[string]*Journal) []string {
	names := make([]string, 0, len(open))
	for name := range open {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (j *Journal) inspect(ctx context.Context) (in Inspection, err error) {
	in.Journal = j.name
	if err := in.age(ctx, j); err != nil {
		return in, err
	}
	j.snapshot(&in)
	in.Quarantine, err = quarantined(filepath.Join(j.dir, quarantineDir))
	return in, err
}

// snapshot is what the journal knows of itself, at one moment.
func (j *Journal) snapshot(in *Inspection) {
	j.mu.Lock()
	defer j.mu.Unlock()
	in.Live, in.Bytes, in.Damage = j.live, j.bytes, slices.Clone(j.damage)
	in.Segments = make([]Segment, 0, len(j.segments)+len(j.spares)+len(j.free))
	for _, s := range j.segments {
		in.Segments = append(in.Segments, s.info(s == j.active))
		in.Entries += s.count
	}
	for _, s := range slices.Concat(j.spares, j.free) {
		in.Segments = append(in.Segments, Segment{Name: s.name(), State: Empty, Bytes: s.size})
	}
	// Damage stays known when its segment has gone.
	in.Acknowledged = max(0, in.Entries-in.Live-in.Lost())
}

func (s *segment) info(active bool) Segment {
	i := Segment{Name: s.name(), State: Unsealed, Bytes: s.size, Entries: s.count, Live: s.live}
	switch {
	case active:
		i.State = Active
	case s.sealed:
		i.State = Sealed
	}
	switch {
	case s.count > 0 && s.compacted():
		i.First, i.Last = s.seqs[0], s.seqs[s.count-1]
	case s.count > 0:
		i.First, i.Last = s.base, s.end()-1
	}
	return i
}
