package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// State is a place on the way of a message. The last four are its end.
type State string

// The way of a message. After a crash a part of it may be recorded twice.
const (
	Accepted  State = "accepted"  // the batcher has it, durably
	Batched   State = "batched"   // it is in a task, which no lane has yet
	InLane    State = "in lane"   // the lane has the task, durably
	Delivered State = "delivered" // the provider has it
	Filtered  State = "filtered"  // discarded by rule, or sent already
	Failed    State = "failed"    // refused for good; it is a dead letter
	Bad       State = "bad"       // the row cannot be understood
)

// Final says that nothing more will become of the message by itself.
func (s State) Final() bool {
	return s == Delivered || s == Filtered || s == Failed || s == Bad
}

// Event is one line of the records: what became of one or more receivers.
type Event struct {
	At     time.Time  `json:"at"`
	State  State      `json:"state"`
	Lane   string     `json:"lane,omitempty"`
	Task   string     `json:"task,omitempty"`
	Text   string     `json:"text,omitempty"` // of Batched
	Reason string     `json:"reason,omitempty"`
	To     []Receiver `json:"to"`
}

// Records is the file in which everything is written down that happens to a
// message. It only grows. What Write has returned nil for survives a kill -9,
// as it is the kernel's: work is acknowledged after its record is written.
// It is safe for concurrent use.
type Records struct {
	path string

	mu   sync.Mutex
	file *os.File // nil: not open
}

func newRecords(lc fx.Lifecycle, s Settings) *Records {
	r := &Records{path: s.records()}
	lifecycle.Append(lc, lifecycle.Hook{
		Name:       "records",
		OnStart:    r.open,
		PreDestroy: r.close, // after everybody who writes has ended
	})
	return r
}

func (s Settings) records() string { return filepath.Join(s.Dir, "records.jsonl") }

// open takes away the line that a kill has cut.
func (r *Records) open(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := os.MkdirAll(filepath.Dir(r.path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(r.path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	whole, err := wholeLines(f)
	if err == nil {
		err = f.Truncate(whole)
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	r.file = f
	return nil
}

// wholeLines is the length of f without a last line that has no end.
func wholeLines(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	end := info.Size()
	for chunk := make([]byte, 4<<10); end > 0; {
		part := chunk[:min(end, int64(len(chunk)))]
		if _, err := f.ReadAt(part, end-int64(len(part))); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(part, '\n'); i >= 0 {
			return end - int64(len(part)-i-1), nil
		}
		end -= int64(len(part))
	}
	return 0, nil
}

// Write appends the events that have receivers, all or none of them. One that
// has no time was now.
func (r *Records) Write(events ...Event) error {
	var lines []byte
	for _, e := range events {
		if len(e.To) == 0 {
			continue
		}
		if e.At.IsZero() {
			e.At = time.Now()
		}
		line, err := json.Marshal(e)
		if err != nil {
			return err
		}
		lines = append(append(lines, line...), '\n')
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		return fmt.Errorf("records: %w", os.ErrClosed)
	}
	if n, err := r.file.Write(lines); err != nil {
		return errors.Join(err, r.takeBackLocked(n))
	}
	return nil
}

// takeBackLocked removes what a full disk has left of a write.
func (r *Records) takeBackLocked(n int) error {
	info, err := r.file.Stat()
	if err != nil {
		return err
	}
	return r.file.Truncate(info.Size() - int64(n))
}

func (r *Records) close(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		return nil
	}
	f := r.file
	r.file = nil
	return errors.Join(f.Sync(), f.Close())
}
