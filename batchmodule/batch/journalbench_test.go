package batch_test

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/batchmodule/batch"
	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/filejournal"
)

// raw writes items down as they are.
var raw = journal.Codec[[]byte]{
	Name:   "raw",
	Encode: func(dst, v []byte) ([]byte, error) { return append(dst, v...), nil },
	Decode: func(p []byte, _ int) ([]byte, error) { return bytes.Clone(p), nil },
}

var benchItem = bytes.Repeat([]byte("x"), 200)

func discardBytes(context.Context, [][]byte) error { return nil }

func benchDir(b *testing.B, sync filejournal.Sync) *filejournal.Directory {
	b.Helper()
	dir, err := filejournal.Open(filejournal.Config{Dir: b.TempDir(), Sync: sync})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, dir.Close()) })
	return dir
}

// BenchmarkAddJournal is what a journal costs an item of 200 bytes, beside a
// hop through a channel: what is added is delivered and crossed out, too.
func BenchmarkAddJournal(b *testing.B) {
	b.Run("channel hop", func(b *testing.B) {
		hop := make(chan []byte, 10_000)
		var reader sync.WaitGroup
		reader.Go(func() {
			for range hop { // to empty it is the work
			}
		})
		for b.Loop() {
			hop <- benchItem
		}
		close(hop)
		reader.Wait()
	})
	for _, tt := range []struct {
		give  string
		mode  journal.Mode
		sync  filejournal.Sync
		group int
	}{
		{"off/one by one", journal.Off, filejournal.SyncProcess, 1},
		{"onstop/one by one", journal.OnStop, filejournal.SyncProcess, 1},
		{"always, sync process/one by one", journal.Always, filejournal.SyncProcess, 1},
		{"off/groups of 1000", journal.Off, filejournal.SyncProcess, 1000},
		{"onstop/groups of 1000", journal.OnStop, filejournal.SyncProcess, 1000},
		{"always, sync process/groups of 1000", journal.Always, filejournal.SyncProcess, 1000},
		{"always, sync always/groups of 1000", journal.Always, filejournal.SyncAlways, 1000},
	} {
		b.Run(tt.give, func(b *testing.B) {
			ctx := context.Background()
			batcher, err := batch.New("bench", discardBytes, batch.Config{Journal: tt.mode},
				batch.WithJournal[[]byte](benchDir(b, tt.sync)), batch.WithCodec(raw))
			require.NoError(b, err)
			require.NoError(b, batcher.Start(ctx))
			group := make([][]byte, tt.group)
			for i := range group {
				group[i] = benchItem
			}
			b.ReportAllocs()
			b.ResetTimer()
			for n := 0; n < b.N; n += tt.group {
				if tt.group == 1 {
					err = batcher.Add(ctx, benchItem)
				} else {
					_, err = batcher.AddAll(ctx, group)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
			require.NoError(b, batcher.Flush(ctx))
			b.StopTimer()
			_, err = batcher.Stop(ctx)
			require.NoError(b, err)
			require.NoError(b, batcher.Save(ctx))
			require.Zero(b, batcher.Gate().Ledger().Saved)
		})
	}
}

// BenchmarkSave is how long a stop takes to write 100,000 leftovers down, and
// BenchmarkReplay how long they take to come back.
func BenchmarkSave(b *testing.B) {
	const leftovers = 100_000
	hang := func(ctx context.Context, _ [][]byte) error { <-ctx.Done(); return ctx.Err() }
	items := make([][]byte, leftovers)
	for i := range items {
		items[i] = benchItem
	}
	life := func(b *testing.B, dir journal.Opener, sink batch.Sink[[]byte], over func()) *batch.Batcher[[]byte] {
		b.Helper()
		batcher, err := batch.New("bench", sink, batch.Config{Buffer: leftovers},
			batch.WithJournal[[]byte](dir), batch.WithCodec(raw),
			batch.WithReplay[[]byte](func(r batch.Replay) {
				if r.Over {
					over()
				}
			}))
		require.NoError(b, err)
		require.NoError(b, batcher.Start(context.Background()))
		return batcher
	}
	var saved, replayed time.Duration
	for range b.N {
		dir := benchDir(b, filejournal.SyncProcess)
		batcher := life(b, dir, hang, func() {})
		_, err := batcher.AddAll(context.Background(), items)
		require.NoError(b, err)
		now, cancel := context.WithCancel(context.Background())
		cancel()
		left, _ := batcher.Stop(now)
		require.Len(b, left, leftovers)
		began := time.Now()
		require.NoError(b, batcher.Save(context.Background()))
		saved += time.Since(began)

		over := make(chan struct{})
		began = time.Now()
		batcher = life(b, dir, discardBytes, func() { close(over) })
		<-over
		replayed += time.Since(began)
		_, err = batcher.Stop(context.Background())
		require.NoError(b, err)
		require.NoError(b, batcher.Save(context.Background()))
	}
	b.ReportMetric(float64(saved.Milliseconds())/float64(b.N), "ms/save")
	b.ReportMetric(float64(b.N)*leftovers/replayed.Seconds(), "replayed/s")
	b.ReportMetric(0, "ns/op")
}
