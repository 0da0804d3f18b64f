package config

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Defaults of [WatchConfig].
const (
	DefaultDebounce = 50 * time.Millisecond
	DefaultPoll     = 10 * time.Second
)

// WatchConfig says how a [Watcher] looks. The zero value is usable.
type WatchConfig struct {
	// Debounce is how long a file must have been the same before it is taken; it
	// is looked at twice in that distance. Zero: 50ms.
	Debounce time.Duration `yaml:"debounce"`
	// Poll is how often the files are read without anybody saying that they have
	// changed: what notifications do not tell (of a network file system, of a
	// link further up) is found then. While nothing notifies, it is a tenth of
	// it, at least 1s, unless Poll is less. Zero: 10s.
	Poll time.Duration `yaml:"poll"`
}

// Validate reports every wrong field.
func (c WatchConfig) Validate() error {
	var errs []error
	for _, f := range []struct {
		name string
		d    time.Duration
	}{{"debounce", c.Debounce}, {"poll", c.Poll}} {
		if f.d < 0 {
			errs = append(errs, fmt.Errorf("%s: %v is negative; give a duration such as 1s, or leave it out", f.name, f.d))
		}
	}
	return errors.Join(errs...)
}

// WithDefaults is c with what is zero filled in.
func (c WatchConfig) WithDefaults() WatchConfig {
	if c.Debounce == 0 {
		c.Debounce = DefaultDebounce
	}
	if c.Poll == 0 {
		c.Poll = DefaultPoll
	}
	return c
}

// Watcher sees the files of a configuration change and loads them again:
//
//	   ┌──────────────────── the same, or not to be taken ────────────────────┐
//	   ▼                                                                       │
//	waiting ── the directory tells, or it is time ─▶ look ─ new ─▶ look again ─┴─▶ load ─▶ changed
//	                                                         after the debounce
//
// It watches directories, not files, so that it does not matter how a file is
// changed: written in place, another one renamed over it, removed and made
// anew, or by the swap of a link, as Kubernetes does it. A file counts by what
// is in it. One that is empty, gone, or cannot be read is not taken: what it
// held last stays, and [Watcher.Files] says so. Nor is one that somebody has
// open for writing, where the system can tell (Linux, files of one's own), for
// as long as that makes it change, and a poll longer.
//
// Make one with [NewWatcher]. Its methods are safe for concurrent use.
type Watcher struct {
	cfg     WatchConfig
	changed func(context.Context, *Values, error)
	source  *Values
	files   []*watched // of which the fields belong to the goroutine, but for state
	notify  func() (*fsnotify.Watcher, error)

	mu      sync.Mutex
	states  []FileState
	blind   string // why nothing notifies; empty: it does
	started bool
	stopped bool
	cancel  context.CancelFunc
	ended   chan struct{} // closed when the goroutine has returned
}

// NewWatcher returns a watcher of the files that v was read from, and of those
// that it looked for and were not there. It starts nothing.
//
// Changed is called with what the files come to, whenever one of them holds
// something else, one call at a time; or with the error of [Load], when that is
// wrong. Its context ends with Stop, which waits for it.
func NewWatcher(v *Values, cfg WatchConfig, changed func(ctx context.Context, next *Values, err error)) *Watcher {
	w := &Watcher{cfg: cfg.WithDefaults(), changed: changed, source: v, notify: fsnotify.NewWatcher, ended: make(chan struct{})}
	for _, name := range v.made.files {
		data, there := v.made.contents[name]
		w.files = append(w.files, &watched{path: v.made.opts.path(name), name: name, read: v.made.opts.ReadFile, data: data, there: there, sum: sha256.Sum256(data)})
	}
	if v.made.opts.ReadFile != nil {
		w.notify = func() (*fsnotify.Watcher, error) { return nil, errors.New("the files are read by Options.ReadFile") }
	}
	w.states = make([]FileState, len(w.files))
	for i, f := range w.files {
		w.states[i] = FileState{Name: f.name, There: f.there}
	}
	return w
}

// Start begins to watch and returns at once. What has changed since the load is
// found too. Notifications that cannot be had are no error: the poll goes on.
func (w *Watcher) Start(context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.started || w.stopped {
		return errors.New("config: a watcher is started once")
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.started, w.cancel = true, cancel
	go w.run(ctx)
	return nil
}

// stopGrace is what a Stop has whose time is over.
const stopGrace = 100 * time.Millisecond

// Stop ends the watching and waits for it, and for a call of changed that goes
// on, until ctx ends and a moment longer: then it returns the context's error.
func (w *Watcher) Stop(ctx context.Context) error {
	w.mu.Lock()
	w.stopped = true
	started := w.started
	w.mu.Unlock()
	if !started {
		return nil
	}
	w.cancel()
	select {
	case <-w.ended:
		return nil
	case <-ctx.Done():
	}
	select {
	case <-w.ended:
		return nil
	case <-time.After(stopGrace):
		return fmt.Errorf("config: stop watching: %w", context.Cause(ctx))
	}
}

// FileState is a file as it was when it was last looked at.
type FileState struct {
	Name string `json:"name"`
	// There: it, or what it last held, is part of the configuration.
	There bool `json:"there"`
	// Wrong says why it is not taken as it is; empty: it is.
	Wrong string `json:"wrong,omitempty"`
	// Since is from when on; zero: it is taken.
	Since time.Time `json:"since,omitzero"`
}

// Files are the files that are watched.
func (w *Watcher) Files() []FileState {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.states)
}

// Blind says why changes are found by the poll alone; empty: they are notified.
func (w *Watcher) Blind() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.blind
}
