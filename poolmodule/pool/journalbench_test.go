package pool_test

import (
	"bytes"
	"context"
	"iter"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/filejournal"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// nowhere is a store that keeps nothing: what is measured is the lane.
type nowhere struct{ seq atomic.Uint64 }

func (n *nowhere) Open(context.Context, string) (journal.Journal, error) { return n, nil }

func (n *nowhere) Append(_ context.Context, entries ...journal.Entry) (journal.Span, error) {
	last := n.seq.Add(uint64(len(entries)))
	return journal.Span{First: last - uint64(len(entries)) + 1, Last: last}, nil
}
func (n *nowhere) ID(uint64) string                           { return "" }
func (n *nowhere) Ack(context.Context, ...journal.Span) error { return nil }
func (n *nowhere) Replay(context.Context) iter.Seq2[journal.Entry, error] {
	return func(func(journal.Entry, error) bool) {}
}
func (n *nowhere) Len() int     { return 0 }
func (n *nowhere) Close() error { return nil }

// raw is a codec that costs nothing.
var raw = journal.Codec[[]byte]{
	Name:   "raw",
	Encode: func(dst, v []byte) ([]byte, error) { return append(dst, v...), nil },
	Decode: func(payload []byte, _ int) ([]byte, error) { return bytes.Clone(payload), nil },
}

// BenchmarkLaneJournal is an item of 200 bytes on its way through a lane,
// without a journal, with one that keeps nothing, and with one on the disk,
// beside one hop of a buffered channel with as many workers.
func BenchmarkLaneJournal(b *testing.B) {
	payload := bytes.Repeat([]byte("x"), 200)
	b.Run("channel hop", func(b *testing.B) {
		hop := make(chan []byte, benchQueue)
		var workers sync.WaitGroup
		for range benchWorkers {
			workers.Go(func() {
				for range hop {
				}
			})
		}
		for range b.N {
			hop <- payload
		}
		close(hop)
		workers.Wait()
	})
	for _, bb := range []struct {
		give   string
		mode   journal.Mode
		opener func(*testing.B) journal.Opener
	}{
		{"off", journal.Off, nil},
		{"onstop", journal.OnStop, keptNowhere},
		{"always, nowhere", journal.Always, keptNowhere},
		{"always", journal.Always, keptOnDisk},
	} {
		b.Run(bb.give, func(b *testing.B) {
			b.ReportAllocs()
			ctx := context.Background()
			var opts []pool.LaneOption[[]byte]
			if bb.opener != nil {
				opts = append(opts, pool.WithJournal[[]byte](bb.opener(b)), pool.WithCodec(raw))
			}
			l, err := pool.NewLane(startedPool(b), "bench", func(context.Context, []byte) error { return nil }, pool.LaneConfig{Journal: bb.mode}, opts...)
			if err != nil {
				b.Fatal(err)
			}
			_ = l.Start(ctx)
			b.ResetTimer()
			for range b.N {
				_ = l.Submit(ctx, payload)
			}
			_ = l.Drain(ctx)
			b.StopTimer()
			_, _ = l.Stop(ctx)
			if err := l.Save(ctx); bb.mode != journal.Off && err != nil {
				b.Fatal(err)
			}
		})
	}
}

func keptNowhere(*testing.B) journal.Opener { return &nowhere{} }

func keptOnDisk(b *testing.B) journal.Opener {
	b.Helper()
	d, err := filejournal.Open(filejournal.Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = d.Close() })
	return d
}
