package main

import (
	"cmp"
	"errors"
	"path/filepath"

	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/journal/filejournal"
	"github.com/lastcall-go/lastcall/modules"
)

// platform is the whole service:
//
//	rows.csv ─▶ source ─▶ batcher ─▶ filter ─▶ 36 lanes ─▶ provider
//	                         └─────────┴──────────┴─▶ records.jsonl
//
// Each arrow is crossed when what stands on its right has the message durably;
// only then it is crossed out on the left.
func platform() fx.Option {
	return fx.Options(
		modules.Default(modules.Without(modules.HTTP)),
		modules.Section("push", defaults),
		modules.Flag("input", "push.input", "send the rows of this CSV `file`"),
		modules.Flag("dir", "push.dir", "keep journal and records in this `directory`"),
		modules.Flag("provider", "push.provider", "the provider's `url`"),
		modules.Flag("unsubscribed", "push.unsubscribed", "who gets no marketing: a `file` with a receiver on each line"),

		delivering(),
		batching(),
		fx.Provide(newRecords),
		fx.Decorate(journalBeside),
		fx.Invoke(startSource),
	)
}

// Settings is the section "push" of the configuration.
type Settings struct {
	Input        string `yaml:"input"`        // a CSV file; empty: none, only what is left is sent
	Dir          string `yaml:"dir"`          // of the journal and the records
	Provider     string `yaml:"provider"`     // its URL
	Unsubscribed string `yaml:"unsubscribed"` // a file with a receiver on each line; empty: none has
}

var defaults = Settings{Dir: "push-out", Provider: "http://127.0.0.1:9090"}

// Validate is called when the configuration is loaded.
func (s Settings) Validate() error {
	var errs []error
	if s.Dir == "" {
		errs = append(errs, errors.New("dir: name the directory for journal and records"))
	}
	if s.Provider == "" {
		errs = append(errs, errors.New("provider: give the URL of the provider"))
	}
	return errors.Join(errs...)
}

// journalBeside keeps the journal in the directory of the records, and its
// files small, as there are many. When it is full the source waits: the rows
// are safe where they are.
func journalBeside(c filejournal.Config, s Settings) filejournal.Config {
	c.Dir = cmp.Or(c.Dir, filepath.Join(s.Dir, "journal"))
	c.SegmentBytes = cmp.Or(c.SegmentBytes, 256<<10)
	c.WhenFull = cmp.Or(c.WhenFull, filejournal.Block)
	return c
}
