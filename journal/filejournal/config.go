package filejournal

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// Config says where the journals are, what they withstand and how much they
// may hold. The zero value is usable: zero fields have the defaults named
// below.
type Config struct {
	// Dir is the directory of the journals, one directory per service: it is
	// locked, and made if it is not there. Default "journal", in the working
	// directory.
	Dir string `yaml:"dir"`
	// Sync says what an entry withstands when Append has returned nil.
	// Default [SyncProcess].
	Sync Sync `yaml:"sync"`
	// MaxBytes bounds the files of each journal. For the moment of a
	// compaction there is one more, of SegmentBytes at most. Default 1 GiB.
	MaxBytes int64 `yaml:"max_bytes"`
	// WhenFull says what Append does when there is no room, within MaxBytes
	// or on the disk. Default [Reject].
	WhenFull WhenFull `yaml:"when_full"`
	// SegmentBytes is the size of the files a journal is made of, from 64
	// KiB to 1 GiB. They are written to the disk whole when they are made; at
	// rest a journal has one or two. An entry that is larger gets a file of
	// its own. Default 2 MiB where Sync is [SyncProcess], else 8 MiB, as there
	// to begin a file takes a sync; a quarter of MaxBytes if that is less.
	SegmentBytes int64 `yaml:"segment_bytes"`
}

// WhenFull says what Append does when there is no room.
type WhenFull string

const (
	// Reject returns [journal.ErrFull] at once.
	Reject WhenFull = "reject"
	// Block waits until entries are acknowledged or the disk has room, or
	// until the context of Append ends.
	Block WhenFull = "block"
)

const (
	minSegment = 64 << 10
	maxSegment = 1 << 30
)

// WithDefaults is c with what is zero filled in, as [Open] uses it and
// --print-config shows it.
func (c Config) WithDefaults() Config {
	c.Dir = cmp.Or(c.Dir, "journal")
	c.MaxBytes = cmp.Or(c.MaxBytes, 1<<30)
	c.WhenFull = cmp.Or(c.WhenFull, Reject)
	usual := int64(8 << 20)
	if c.Sync == SyncProcess {
		usual = 2 << 20 // the fewer pages are used in turn, the sooner all have been touched
	}
	c.SegmentBytes = cmp.Or(c.SegmentBytes, max(minSegment, min(usual, c.MaxBytes/4)))
	c.SegmentBytes += -c.SegmentBytes & (headerSize - 1) // whole pages
	return c
}

// Validate reports every wrong field together, each by its name in a file.
// Zero fields are right: they have defaults.
func (c Config) Validate() error {
	d := c.WithDefaults()
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if d.Sync < SyncAlways {
		wrong("sync: is %s; give process, always, or a duration such as 50ms", time.Duration(d.Sync))
	}
	if d.SegmentBytes < minSegment || d.SegmentBytes > maxSegment {
		wrong("segment_bytes: is %d; give 64KiB to 1GiB, or leave it out for the default", d.SegmentBytes)
	}
	if d.MaxBytes < 2*d.SegmentBytes {
		wrong("max_bytes: is %d, less than two segments of %d bytes; raise it, or lower segment_bytes", d.MaxBytes, d.SegmentBytes)
	}
	if d.WhenFull != Reject && d.WhenFull != Block {
		wrong("when_full: is %q; give %q or %q", string(d.WhenFull), string(Reject), string(Block))
	}
	return errors.Join(errs...)
}
