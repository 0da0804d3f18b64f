package config

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// watching is a Watcher while it runs. All of it belongs to one goroutine.
type watching struct {
	*Watcher
	fs   *fsnotify.Watcher      // nil: there are no notifications
	dirs map[string]os.FileInfo // that are watched, as they were then

	settle *time.Timer
	armed  bool
	poll   *time.Timer
	dirty  bool // a file was taken, and nobody has been told
}

func (w *Watcher) run(ctx context.Context) {
	defer close(w.ended)
	l := &watching{Watcher: w, dirs: map[string]os.FileInfo{}, settle: time.NewTimer(0), armed: true, poll: time.NewTimer(w.cfg.Poll)}
	defer l.close()
	l.renew()
	for l.wait(ctx) {
		l.look(ctx)
	}
}

// wait returns when it is time to look; false: never again.
func (l *watching) wait(ctx context.Context) bool {
	for {
		var events <-chan fsnotify.Event
		var errs <-chan error
		if l.fs != nil {
			events, errs = l.fs.Events, l.fs.Errors
		}
		select {
		case <-ctx.Done():
			return false
		case event, ok := <-events:
			switch {
			case !ok:
				l.lose("the notifications have ended")
			case l.concerns(event):
				l.arm()
			}
		case _, ok := <-errs:
			if ok { // some were lost: it may have been ours
				l.arm()
				continue
			}
			l.lose("the notifications have ended")
		case <-l.settle.C:
			l.armed = false
			return ctx.Err() == nil
		case <-l.poll.C:
			l.renew()
			return ctx.Err() == nil
		}
	}
}

// arm makes sure of a look. One that is on its way is not put off: a directory
// in which much happens would put it off for ever.
func (l *watching) arm() {
	if !l.armed {
		l.armed = true
		l.settle.Reset(l.cfg.Debounce)
	}
}

// concerns: it is about one of the files, or about the directory, or about one
// of the links (..data) by which Kubernetes changes all files of a directory.
func (l *watching) concerns(event fsnotify.Event) bool {
	base := filepath.Base(event.Name)
	for _, f := range l.files {
		if base == filepath.Base(f.name) {
			return true
		}
	}
	if _, dir := l.dirs[event.Name]; dir && event.Has(fsnotify.Remove|fsnotify.Rename) {
		l.lose("the directory was removed")
		return true
	}
	return strings.HasPrefix(base, "..")
}

// lose gives up what notifies, until the next poll, which comes sooner.
func (l *watching) lose(why string) {
	if l.fs != nil {
		_ = l.fs.Close() // it has nothing to write
	}
	l.fs, l.dirs = nil, map[string]os.FileInfo{}
	l.setBlind(why)
	l.poll.Reset(l.interval())
}

// renew watches the directories that are there now: one that was removed and
// made anew is another one.
func (l *watching) renew() {
	defer func() { l.poll.Reset(l.interval()) }()
	if l.fs == nil {
		fs, err := l.notify()
		if err != nil {
			l.setBlind(err.Error())
			return
		}
		l.fs = fs
	}
	blind := ""
	for _, f := range l.files {
		blind = cmp.Or(blind, l.watch(filepath.Dir(f.path)))
	}
	l.setBlind(blind)
}

// watch watches a directory, and returns why it cannot.
func (l *watching) watch(dir string) string {
	now, err := os.Stat(dir)
	if err == nil && os.SameFile(l.dirs[dir], now) {
		return ""
	}
	if l.dirs[dir] != nil {
		_ = l.fs.Remove(dir) // it has gone by itself, as a rule
		delete(l.dirs, dir)
	}
	if err == nil {
		err = l.fs.Add(dir)
	}
	if err != nil {
		return fmt.Sprintf("the directory %s cannot be watched: %v", dir, err)
	}
	l.dirs[dir] = now
	l.arm()
	return ""
}

// look looks at all files, and tells of those that are taken.
func (l *watching) look(ctx context.Context) {
	now := time.Now()
	unsettled := false
	for i, f := range l.files {
		v := f.look(now, l.cfg)
		unsettled = unsettled || v.unsettled
		l.dirty = l.dirty || v.taken
		l.setState(i, f.there, v.wrong, now)
	}
	switch {
	case unsettled:
		l.arm()
	case l.dirty:
		l.dirty = false
		next, err := l.source.with(l.contents())
		l.changed(ctx, next, err)
	}
}

func (l *watching) contents() map[string][]byte {
	contents := map[string][]byte{}
	for _, f := range l.files {
		if f.there {
			contents[f.name] = f.data
		}
	}
	return contents
}

func (l *watching) close() {
	if l.fs != nil {
		_ = l.fs.Close() // it has nothing to write
	}
	l.settle.Stop()
	l.poll.Stop()
}

func (w *Watcher) setState(i int, there bool, wrong string, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := &w.states[i]
	s.There = there
	switch {
	case wrong == "":
		s.Since = time.Time{}
	case s.Wrong == "":
		s.Since = now
	}
	s.Wrong = wrong
}

func (w *Watcher) setBlind(why string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.blind = why
}

// interval is the time to the next poll.
func (w *Watcher) interval() time.Duration {
	if w.Blind() == "" {
		return w.cfg.Poll
	}
	return min(w.cfg.Poll, max(w.cfg.Poll/10, time.Second))
}
