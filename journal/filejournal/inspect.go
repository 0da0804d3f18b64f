package filejournal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/journal"
)

// Inspection is what a look at a journal has found.
type Inspection struct {
	Journal string `json:"journal"`
	// Entries is how many the files hold: Live ones, that are not
	// acknowledged, Acknowledged ones, that wait for their segment to be
	// given back, and those that damage has taken.
	Entries      int `json:"entries"`
	Acknowledged int `json:"acknowledged"`
	Live         int `json:"live"`
	// Bytes is what the segments take on the disk.
	Bytes int64 `json:"bytes"`
	// Oldest and Newest are the earliest and latest Entry.At of the live
	// ones; zero if there are none, or none says.
	Oldest time.Time `json:"oldest,omitzero"`
	Newest time.Time `json:"newest,omitzero"`
	// Segments are the files, in the order in which they were made.
	Segments []Segment `json:"segments"`
	// Damage is what is wrong with them, torn ends included.
	Damage []Damage `json:"damage,omitempty"`
	// Quarantine lists the files that bad bytes were copied to, now or in an
	// earlier life; a text beside each says what they are. They stay until a
	// person removes them.
	Quarantine []string `json:"quarantine,omitempty"`
}

// Segment is a file of a journal, as a look has found it.
type Segment struct {
	Name  string       `json:"name"`
	State SegmentState `json:"state"`
	Bytes int64        `json:"bytes"`
	// First and Last are its sequence numbers; both 0 if it has none. Those
	// between are not all in it, if it holds what was left of others.
	First   uint64 `json:"first,omitempty"`
	Last    uint64 `json:"last,omitempty"`
	Entries int    `json:"entries"`
	Live    int    `json:"live"`
}

// SegmentState says how far a segment has come.
type SegmentState string

// The states of a segment.
const (
	// Active: a service appends to it.
	Active SegmentState = "active"
	// Sealed: it was ended.
	Sealed SegmentState = "sealed"
	// Unsealed: it was not; the process was killed, or the disk failed.
	Unsealed SegmentState = "unsealed"
	// Empty: made ahead, or given back, and never begun.
	Empty SegmentState = "empty"
	// Unknown: nothing in it is understood.
	Unknown SegmentState = "unknown"
)

// Lost is how many entries that were not acknowledged damage has taken.
func (i *Inspection) Lost() (n int) {
	for _, d := range i.Damage {
		n += d.Lost
	}
	return n
}

// Err is nil if the journal is intact. Otherwise it names each damage, with
// [journal.ErrCorrupt]. A torn end is no damage.
func (i *Inspection) Err() error { return Health{Damage: i.Damage}.Err() }

// Inspect looks at every journal of a directory and reads every byte of it. It
// changes nothing; see [View]. It is refused with a [HeldError] if a process
// uses the directory, before or after it was read. progress may be nil; it is
// told how many of all bytes were read.
func Inspect(ctx context.Context, dir string, progress func(done, total int64)) ([]Inspection, error) {
	v, err := Look(dir)
	if err != nil {
		return nil, err
	}
	found, err := v.Inspect(ctx, progress)
	if shut := v.Close(); shut != nil {
		return nil, errors.Join(shut, err)
	}
	return found, err
}

// Inspect looks at every journal of the directory, or at those that are named.
// A name that is not there is an error.
func (v *View) Inspect(ctx context.Context, progress func(done, total int64), names ...string) ([]Inspection, error) {
	all, err := v.Names()
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		names = all
	}
	var total, done int64
	for _, name := range names {
		n, err := v.size(name)
		if err != nil {
			return nil, err
		}
		total += n
	}
	seen := func(n int64) {
		done += n
		if progress != nil {
			progress(done, total)
		}
	}
	found := make([]Inspection, 0, len(names))
	for _, name := range names {
		one, err := v.inspect(ctx, name, seen)
		if err != nil {
			return nil, err
		}
		found = append(found, one)
	}
	return found, nil
}

// size is how many bytes the segments of a journal have.
func (v *View) size(name string) (total int64, err error) {
	entries, err := os.ReadDir(filepath.Join(v.dir, dirName(name)))
	if errors.Is(err, os.ErrNotExist) {
		names, _ := v.Names()
		err = fmt.Errorf("there is no journal %q in %s; there are: %s: %w", name, v.dir, strings.Join(names, ", "), os.ErrNotExist)
	}
	if err != nil {
		return 0, fmt.Errorf("filejournal: %w", err)
	}
	for _, e := range entries {
		if _, ok := parseName(e.Name()); !ok {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return 0, fmt.Errorf("filejournal: %w", err)
		}
		total += info.Size()
	}
	return total, nil
}

func (v *View) inspect(ctx context.Context, name string, seen func(int64)) (in Inspection, err error) {
	j := v.journal(name)
	defer func() {
		if err = errors.Join(err, j.abandon()); err != nil {
			err = j.failed("inspect", err)
		}
	}()
	found, err := j.survey(ctx, seen)
	if err != nil {
		return in, err
	}
	in = Inspection{Journal: name, Live: j.live, Bytes: j.bytes, Segments: make([]Segment, 0, len(found))}
	for _, l := range found {
		in.Segments = append(in.Segments, l.info())
		in.Entries += l.count
	}
	if err := in.age(ctx, j); err != nil {
		return in, err
	}
	in.Damage = j.damage
	in.Acknowledged = in.Entries - in.Live - in.Lost()
	in.Quarantine, err = quarantined(filepath.Join(j.dir, quarantineDir))
	return in, err
}

func (l *loaded) info() Segment {
	s := l.segment.info(false)
	s.Bytes = l.length
	switch {
	case l.sealed:
	case l.blank && l.count == 0:
		s.State = Empty
	case l.keep && l.count == 0:
		s.State = Unknown
	}
	return s
}

// age finds the oldest and the newest entry. The order of the journal is not
// that of their times: work may be appended again.
func (i *Inspection) age(ctx context.Context, j *Journal) error {
	for e, err := range j.Replay(ctx) {
		if err != nil {
			return err
		}
		if e.At.IsZero() {
			continue
		}
		if i.Oldest.IsZero() || e.At.Before(i.Oldest) {
			i.Oldest = e.At
		}
		if e.At.After(i.Newest) {
			i.Newest = e.At
		}
	}
	return nil
}

// quarantined lists the files of bad bytes.
func quarantined(dir string) ([]string, error) {
	names, err := disk{}.List(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, name := range names {
		if strings.HasSuffix(name, ".bytes") {
			files = append(files, filepath.Join(dir, name))
		}
	}
	return files, nil
}

var _ journal.Opener = (*View)(nil)
