package filejournal

import (
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// memDisk is a disk in memory that can lose its power. What was written to it
// is in two places: what a reader sees, and what is left after a power loss.
type memDisk struct {
	mu      sync.Mutex
	names   map[string]*memFile
	durable map[string]*memFile // what names the directories would have
	fail    func(op, name string) error
	ops     int
	// crossed is called before each sync, unlocked: others may write then. If
	// one of those writes fails the sync says that all is well, and has forced
	// nothing. nil: no sync is called beside a write.
	crossed func()
}

// memFile is a file; it may have several names over time, and none.
type memFile struct {
	name    string // the last
	data    []byte
	durable []byte
	pending []memWrite // not forced
}

type memWrite struct {
	off  int64
	data []byte
}

func newMemDisk() *memDisk {
	return &memDisk{names: map[string]*memFile{}, durable: map[string]*memFile{}}
}

// op counts a call and asks whether it is to fail.
func (d *memDisk) op(op, name string) error {
	d.ops++
	if d.fail == nil {
		return nil
	}
	if err := d.fail(op, name); err != nil {
		return &os.PathError{Op: op, Path: name, Err: err}
	}
	return nil
}

// failing has fail asked about every call from now on; nil heals the disk.
// Journals have goroutines of their own that call it.
func (d *memDisk) failing(fail func(op, name string) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail = fail
}

// copy is the same disk with a life of its own.
func (d *memDisk) copy() *memDisk {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.copyLocked()
}

func (d *memDisk) copyLocked() *memDisk {
	c := newMemDisk()
	for name, f := range d.names {
		c.names[name] = &memFile{name: name, data: slices.Clone(f.data), durable: slices.Clone(f.data)}
	}
	c.durable = maps.Clone(c.names)
	return c
}

// powerLoss is the disk as it comes up again: of what was not forced, each
// sector is there or not.
func (d *memDisk) powerLoss(random *rand.Rand) *memDisk {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.powerLossLocked(random)
}

func (d *memDisk) powerLossLocked(random *rand.Rand) *memDisk {
	names := d.durable
	if random.IntN(2) == 0 {
		names = d.names // renames may be on the disk before they must
	}
	c := newMemDisk()
	for name, f := range names {
		data := slices.Clone(f.durable)
		for _, w := range f.pending {
			for off := 0; off < len(w.data); off += 512 {
				if random.IntN(2) == 0 {
					data = writeAt(data, w.off+int64(off), w.data[off:min(off+512, len(w.data))])
				}
			}
		}
		c.names[name] = &memFile{name: name, data: data, durable: slices.Clone(data)}
	}
	c.durable = maps.Clone(c.names)
	return c
}

func writeAt(data []byte, off int64, p []byte) []byte {
	if need := int(off) + len(p); need > len(data) {
		data = append(data, make([]byte, need-len(data))...)
	}
	copy(data[off:], p)
	return data
}

func (d *memDisk) MkdirAll(dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.op("mkdir", dir)
}

func (d *memDisk) List(dir string) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var names []string
	for name := range d.names {
		if filepath.Dir(name) == dir {
			names = append(names, filepath.Base(name))
		}
	}
	slices.Sort(names)
	return names, d.op("list", dir)
}

func (d *memDisk) Create(name string) (file, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.op("create", name); err != nil {
		return nil, err
	}
	f := &memFile{name: name}
	d.names[name] = f
	return &memHandle{disk: d, memFile: f}, nil
}

func (d *memDisk) Open(name string) (file, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, ok := d.names[name]
	if !ok {
		return nil, os.ErrNotExist
	}
	return &memHandle{disk: d, memFile: f}, d.op("open", name)
}

func (d *memDisk) Rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.op("rename", to); err != nil {
		return err
	}
	f := d.names[from]
	f.name, d.names[to] = to, f
	delete(d.names, from)
	return nil
}

func (d *memDisk) Remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.op("remove", name); err != nil {
		return err
	}
	if _, ok := d.names[name]; !ok {
		return os.ErrNotExist
	}
	delete(d.names, name)
	return nil
}

func (d *memDisk) SyncDir(dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.op("syncdir", dir); err != nil {
		return err
	}
	for name := range d.durable {
		if filepath.Dir(name) == dir {
			delete(d.durable, name)
		}
	}
	for name, f := range d.names {
		if filepath.Dir(name) == dir {
			d.durable[name] = f
		}
	}
	return nil
}

// memHandle is an open file.
type memHandle struct {
	*memFile
	disk   *memDisk
	closed bool
	// A write, a sync through it has failed. A write may cross a sync that
	// fails; nothing may be forced after either.
	writeFailed, syncFailed bool
}

var errTriedAgain = errors.New("a file whose write or sync had failed was used again")

func (h *memHandle) ReadAt(p []byte, off int64) (int, error) {
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	if h.closed {
		return 0, os.ErrClosed
	}
	if off >= int64(len(h.data)) {
		return 0, io.EOF
	}
	n := copy(p, h.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (h *memHandle) WriteAt(p []byte, off int64) (int, error) {
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	if h.writeFailed {
		panic(errTriedAgain)
	}
	if h.closed {
		return 0, os.ErrClosed
	}
	if err := h.disk.op("write", h.name); err != nil {
		h.writeFailed = true
		// Half of it has arrived, as it may.
		h.data = writeAt(h.data, off, p[:len(p)/2])
		return len(p) / 2, err
	}
	h.data = writeAt(h.data, off, p)
	h.pending = append(h.pending, memWrite{off, slices.Clone(p)})
	return len(p), nil
}

func (h *memHandle) Sync() error {
	crossed := h.disk.crossed
	if crossed != nil {
		crossed()
	}
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	if h.syncFailed || h.writeFailed && crossed == nil {
		panic(errTriedAgain)
	}
	if h.writeFailed {
		h.syncFailed, h.pending = true, nil // it was on its way; the next is not
		return nil
	}
	if err := h.disk.op("sync", h.name); err != nil {
		h.syncFailed, h.pending = true, nil // thrown away, as Linux does
		return err
	}
	for _, w := range h.pending {
		h.durable = writeAt(h.durable, w.off, w.data)
	}
	h.pending = nil
	return nil
}

func (h *memHandle) Allocate(int64) error {
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	if err := h.disk.op("allocate", h.name); err != nil {
		return err
	}
	return errors.ErrUnsupported
}

func (h *memHandle) Size() (int64, error) {
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	return int64(len(h.data)), h.disk.op("size", h.name)
}

func (h *memHandle) Map(int64) ([]byte, error) { return nil, errors.ErrUnsupported }

func (h *memHandle) Unmap([]byte) error { return errors.ErrUnsupported }

func (h *memHandle) Close() error {
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	if h.closed {
		return os.ErrClosed
	}
	h.closed = true
	return nil
}

// calls is how many the disk has met so far.
func (d *memDisk) calls() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ops
}

// files lists what is on the disk, in the order of the names.
func (d *memDisk) files() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(maps.Keys(d.names))
}

// segmentNames lists the segments on the disk, in the order of their numbers.
func (d *memDisk) segmentNames() []string {
	return slices.DeleteFunc(d.files(), func(name string) bool { return !strings.HasSuffix(name, segmentSuffix) })
}

// content is a copy of what a reader of the file sees.
func (d *memDisk) content(name string) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.names[name].data)
}

// flip turns bits of one byte over, behind the back of whoever has the file
// open.
func (d *memDisk) flip(name string, at int, bits byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.names[name].data[at] ^= bits
}

// put makes data what a reader of the file sees. Nobody has it open.
func (d *memDisk) put(name string, data []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.names[name] = &memFile{name: name, data: data}
}

// failAt lets the call number n fail, and those after it if it lasts.
func failAt(n int, err error, lasts bool) func(op, name string) error {
	count := 0
	return func(string, string) error {
		count++
		if count == n || lasts && count > n {
			return err
		}
		return nil
	}
}

var diskErrors = []error{syscall.EIO, syscall.ENOSPC}
