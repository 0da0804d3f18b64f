package drill

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// What is kept of what a child writes.
const (
	tailLines = 20
	lineBytes = 500
)

// output keeps the last lines of a child, looks for the one that says that it
// is ready, and copies everything to a file if there is one. It is written by
// one goroutine.
type output struct {
	watch string
	found chan string // what follows watch, once; never closed
	told  bool
	file  *os.File // nil: none
	part  []byte   // of a line whose end has not come

	mu   sync.Mutex
	tail []string // oldest first
}

func newOutput(p Program, life int) (*output, error) {
	o := &output{watch: p.ReadyLine, found: make(chan string, 1)}
	if p.Logs == "" {
		return o, nil
	}
	if err := os.MkdirAll(p.Logs, 0o755); err != nil {
		return nil, err
	}
	var err error
	o.file, err = os.Create(filepath.Join(p.Logs, fmt.Sprintf("life-%04d.log", life)))
	return o, err
}

// Write never fails: a log that cannot be written must not stop the child.
func (o *output) Write(p []byte) (int, error) {
	if o.file != nil {
		_, _ = o.file.Write(p)
	}
	o.part = append(o.part, p...)
	for {
		line, rest, ok := bytes.Cut(o.part, []byte("\n"))
		if !ok {
			break
		}
		o.line(strings.TrimSuffix(string(line), "\r"))
		o.part = rest
	}
	if len(o.part) > 1<<20 { // no line at all
		o.line(string(o.part))
		o.part = nil
	}
	return len(p), nil
}

// line keeps a line and then says that it is the one, if it is: who has been
// told finds it among the last.
func (o *output) line(text string) {
	o.keep(text)
	if _, after, ok := strings.Cut(text, o.watch); ok && o.watch != "" && !o.told {
		o.told = true
		o.found <- after
	}
}

func (o *output) keep(text string) {
	if len(text) > lineBytes {
		text = text[:lineBytes] + "…"
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.tail) == tailLines {
		o.tail = slices.Delete(o.tail, 0, 1)
	}
	o.tail = append(o.tail, text)
}

// last is what it wrote last.
func (o *output) last() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.tail)
}

// close is called when nobody writes any more.
func (o *output) close() error {
	if len(o.part) > 0 {
		o.line(string(o.part))
	}
	if o.file == nil {
		return nil
	}
	return o.file.Close()
}
