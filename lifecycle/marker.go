package lifecycle

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"go.uber.org/zap"
)

// LastRun is how the run before this one ended, as far as [Config].ReceiptFile
// tells. It is there from the first OnStart on; its State is empty before.
// What it points to must not be changed.
func (c *Conductor) LastRun() LastRun {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lastRun
}

// KeepReceiptIn gives the receipt a file where [Config].ReceiptFile names
// none, and does nothing where it does. It is for a component that has a
// directory of its own on the disk, which it may have to make first: called in
// its OnStart, it looks back and puts the run marker there at once. If that
// cannot be written it returns an error, and takes away what is there: it would
// be taken for the receipt of this run.
func (c *Conductor) KeepReceiptIn(file string) error {
	c.mu.Lock()
	if c.config.ReceiptFile != "" || c.state != Starting {
		c.mu.Unlock()
		return nil
	}
	c.config.ReceiptFile = file
	c.mu.Unlock()
	err := c.mark()
	if err != nil {
		_ = os.Remove(file) // it need not be there
		c.mu.Lock()
		defer c.mu.Unlock()
		c.config.ReceiptFile = ""
	}
	return err
}

// mark puts the run marker in the place of the receipt of the last run: who
// finds it at the next start knows that nobody stopped this one.
func (c *Conductor) mark() error {
	file := c.ownFile()
	if file == "" {
		return nil
	}
	last := c.lookBack(file)
	c.say(func(log *zap.Logger) {
		level := zap.InfoLevel
		if last.wantsAttention() {
			level = zap.WarnLevel
		}
		log.Log(level, last.String(), zap.String("receipt_file", file))
	})
	marker := LastRun{State: RunUp, PID: os.Getpid(), Host: host(), Since: c.startBegan, Previous: last.carried()}
	if err := writeJSON(file, marker); err != nil {
		return refusedFile(file, err)
	}
	return nil
}

// ownFile is the receipt file, if this is a run that has a receipt to write.
func (c *Conductor) ownFile() string {
	if c.Replacement() != nil {
		return ""
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.config.ReceiptFile
}

// lookBack reads the file once, before this run writes to it, and keeps what it
// says in the list of runs.
func (c *Conductor) lookBack(file string) LastRun {
	if last := c.LastRun(); last.State != "" || file == "" {
		return last
	}
	answer, list := make(chan LastRun, 1), make(chan kept, 1)
	patiently(diskPatience, func() {
		last := readLastRun(file)
		answer <- last
		list <- keepRun(runsFile(file), last)
	})
	last, runs := LastRun{State: RunUnknown, Problem: errSlowDisk.Error()}, kept{problem: errSlowDisk}
	select {
	case last = <-answer:
	default:
	}
	select {
	case runs = <-list:
	default:
	}
	if runs.problem != nil {
		c.say(func(log *zap.Logger) {
			log.Warn("the list of the last runs is not complete", zap.String("file", runsFile(file)), zap.Error(runs.problem))
		})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastRun, c.earlier = last, runs.runs
	return last
}

// readLastRun never fails: what cannot be read is unknown.
func readLastRun(file string) LastRun {
	text, err := readReceiptFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return LastRun{State: RunNone}
	case err != nil:
		return LastRun{State: RunUnknown, Problem: err.Error()}
	case len(text) == 0:
		return LastRun{State: RunUnknown, Problem: file + " is empty, as after a power loss"}
	}
	if marker, ok := markerIn(text); ok {
		marker.State = RunKilled
		if marker.isAlive() {
			marker.State = RunUp
		}
		return marker
	}
	r := &Receipt{}
	err = json.Unmarshal(text, r)
	switch {
	case err != nil:
		return LastRun{State: RunUnknown, Problem: fmt.Sprintf("%s is neither a receipt nor a marker of a run: %v", file, err)}
	case r.Cause.Kind == "":
		return LastRun{State: RunUnknown, Problem: file + " is neither a receipt nor a marker of a run"}
	}
	return r.run()
}

func markerIn(text []byte) (marker LastRun, ok bool) {
	err := json.Unmarshal(text, &marker)
	return marker, err == nil && marker.State == RunUp
}
