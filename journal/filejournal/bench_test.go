package filejournal_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/filejournal"
)

var benchPayload = bytes.Repeat([]byte("x"), 200)

// split calls do b.N times in all from n goroutines.
func split(b *testing.B, n int, do func()) {
	b.Helper()
	var wg sync.WaitGroup
	for i := range n {
		times := b.N / n
		if i < b.N%n {
			times++
		}
		wg.Go(func() {
			for range times {
				do()
			}
		})
	}
	wg.Wait()
}

// BenchmarkChannelHop is what [BenchmarkProcess] is held against: 200 bytes
// from one goroutine to another.
func BenchmarkChannelHop(b *testing.B) {
	for _, n := range []int{1, 16} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			hop := make(chan []byte, 4096)
			var reader sync.WaitGroup
			reader.Go(func() {
				for range hop {
				}
			})
			split(b, n, func() { hop <- benchPayload })
			close(hop)
			reader.Wait()
		})
	}
}

// BenchmarkProcess appends and acknowledges, one by one, with sync: process.
func BenchmarkProcess(b *testing.B) {
	ctx := context.Background()
	for _, n := range []int{1, 16} {
		b.Run(fmt.Sprintf("append/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			j := benchJournal(b, filejournal.SyncProcess)
			entries := []journal.Entry{{Codec: "json", Payload: benchPayload}}
			acked := uint64(0)
			var mu sync.Mutex
			b.ResetTimer()
			split(b, n, func() {
				span, err := j.Append(ctx, entries...)
				if err != nil {
					panic(err)
				}
				// As a lane would: acknowledged in rows.
				if span.Last%1024 == 0 {
					mu.Lock()
					if span.Last > acked {
						_ = j.Ack(ctx, journal.Span{First: acked + 1, Last: span.Last})
						acked = span.Last
					}
					mu.Unlock()
				}
			})
		})
	}
	b.Run("append+ack/1", func(b *testing.B) {
		b.ReportAllocs()
		j := benchJournal(b, filejournal.SyncProcess)
		entries := []journal.Entry{{Codec: "json", Payload: benchPayload}}
		for b.Loop() {
			span, _ := j.Append(ctx, entries...)
			_ = j.Ack(ctx, span)
		}
	})
}

// BenchmarkGroups appends a thousand at a time; items/s is what counts.
func BenchmarkGroups(b *testing.B) {
	ctx := context.Background()
	entries := make([]journal.Entry, 1000)
	for i := range entries {
		entries[i] = journal.Entry{Codec: "json", Payload: benchPayload}
	}
	for _, sync := range []filejournal.Sync{filejournal.SyncProcess, filejournal.SyncEvery(50 * time.Millisecond), filejournal.SyncAlways} {
		b.Run(sync.String(), func(b *testing.B) {
			j := benchJournal(b, sync)
			for b.Loop() {
				span, err := j.Append(ctx, entries...)
				require.NoError(b, err)
				_ = j.Ack(ctx, span)
			}
			b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "items/s")
		})
	}
}

// BenchmarkAlways has each of n appenders wait for the disk.
func BenchmarkAlways(b *testing.B) {
	ctx := context.Background()
	for _, n := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("bare/%d", n), func(b *testing.B) {
			bare := newBareFile(b)
			b.ResetTimer()
			split(b, n, func() { bare.append(benchPayload) })
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "items/s")
		})
		for _, acked := range []bool{false, true} {
			name := "append"
			if acked {
				name = "append+ack"
			}
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				j := benchJournal(b, filejournal.SyncAlways)
				entries := []journal.Entry{{Codec: "json", Payload: benchPayload}}
				b.ResetTimer()
				split(b, n, func() {
					span, err := j.Append(ctx, entries...)
					if err != nil {
						panic(err)
					}
					if acked {
						_ = j.Ack(ctx, span)
					} else if span.Last%4096 == 0 { // in rows, so that segments are used again
						_ = j.Ack(ctx, journal.Span{First: 1 + max(8192, span.Last) - 8192, Last: span.Last})
					}
				})
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "items/s")
			})
		}
	}
}

// bareFile is as little as group commit can be: no frame, no checksum, a file
// written full of zeros, used over and over.
type bareFile struct {
	f    *os.File
	off  int64
	size int64

	mu      sync.Mutex
	buf     []byte
	done    chan struct{}
	pending chan struct{}
}

func newBareFile(b *testing.B) *bareFile {
	b.Helper()
	f, err := os.Create(filepath.Join(b.TempDir(), "bare"))
	require.NoError(b, err)
	const size = 16 << 20
	_, err = f.WriteAt(make([]byte, size), 0)
	require.NoError(b, err)
	require.NoError(b, f.Sync())
	bare := &bareFile{f: f, size: size, done: make(chan struct{}), pending: make(chan struct{}, 1)}
	quit := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() { bare.write(quit) })
	b.Cleanup(func() {
		close(quit)
		writer.Wait()
		_ = f.Close()
	})
	return bare
}

func (f *bareFile) append(p []byte) {
	f.mu.Lock()
	f.buf = append(f.buf, p...)
	done := f.done
	f.mu.Unlock()
	select {
	case f.pending <- struct{}{}:
	default:
	}
	<-done
}

func (f *bareFile) write(quit chan struct{}) {
	var spare []byte
	for {
		select {
		case <-f.pending:
		case <-quit:
			return
		}
		f.mu.Lock()
		buf, done := f.buf, f.done
		f.buf, f.done = spare[:0], make(chan struct{})
		f.mu.Unlock()
		if len(buf) > 0 {
			if f.off+int64(len(buf)) > f.size {
				f.off = 0
			}
			_, _ = f.f.WriteAt(buf, f.off)
			f.off += int64(len(buf))
			if err := fdatasync(f.f); err != nil {
				panic(err)
			}
		}
		spare = buf
		close(done)
		runtime.Gosched() // as the journal: those just woken come along
	}
}

// BenchmarkReplay opens a journal that a crash has left and walks through it.
func BenchmarkReplay(b *testing.B) {
	const count = 200_000
	ctx := context.Background()
	dir := b.TempDir()
	cfg := filejournal.Config{Dir: dir}
	d := open(b, cfg)
	j, err := d.Open(ctx, "bench")
	require.NoError(b, err)
	entries := make([]journal.Entry, 1000)
	for i := range entries {
		entries[i] = journal.Entry{Codec: "json", Payload: benchPayload}
	}
	for range count / len(entries) {
		_, err := j.Append(ctx, entries...)
		require.NoError(b, err)
	}
	d.Crash()
	var opening, walking time.Duration
	for b.Loop() {
		began := time.Now()
		d := open(b, cfg)
		j, err := d.Open(ctx, "bench")
		require.NoError(b, err)
		opened := time.Now()
		n := 0
		for _, err := range j.Replay(ctx) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		walking += time.Since(opened)
		opening += opened.Sub(began)
		require.Equal(b, count, n)
		d.Crash()
	}
	b.ReportMetric(count*float64(b.N)/walking.Seconds(), "items/s")
	b.ReportMetric(count*float64(b.N)/(opening+walking).Seconds(), "items/s-with-open")
}

func benchJournal(b *testing.B, sync filejournal.Sync) journal.Journal {
	b.Helper()
	j, err := open(b, filejournal.Config{Dir: b.TempDir(), Sync: sync, MaxBytes: 4 << 30}).Open(b.Context(), "bench")
	require.NoError(b, err)
	return j
}
