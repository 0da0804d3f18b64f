package config

import "github.com/fsnotify/fsnotify"

// NotifyBy gives a watcher other notifications. Call it before Start.
func (w *Watcher) NotifyBy(f func() (*fsnotify.Watcher, error)) { w.notify = f }
