package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/lastcall-go/lastcall/journal/filejournal"
)

// Settings is the section "transfer" of the configuration.
type Settings struct {
	Dir      string           `yaml:"dir"`      // of the database and the journal
	Accounts map[string]int64 `yaml:"accounts"` // opened at start if they are new, with so many cents
	Pause    time.Duration    `yaml:"pause"`    // between the two writes, as if the second went to another bank
}

// Validate is called when the configuration is loaded.
func (s Settings) Validate() error {
	var errs []error
	if s.Dir == "" {
		errs = append(errs, errors.New("dir: name the directory for the database and the journal"))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Accounts)) {
		if s.Accounts[name] < 0 {
			errs = append(errs, fmt.Errorf("accounts.%s: must not be negative", name))
		}
	}
	if s.Pause < 0 {
		errs = append(errs, errors.New("pause: must not be negative"))
	}
	return errors.Join(errs...)
}

// journalBeside keeps the journal beside the database, and its files small: a
// dead letter holds on to the one it is in.
func journalBeside(c filejournal.Config, s Settings) filejournal.Config {
	c.Dir = cmp.Or(c.Dir, filepath.Join(s.Dir, "journal"))
	c.SegmentBytes = cmp.Or(c.SegmentBytes, 256<<10)
	return c
}
